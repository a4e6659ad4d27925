"""The page behind a printed code, in a real browser: paid at the simulated provider, left, reloaded, paid twice."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import asyncpg
import httpx
import pytest
from playwright.async_api import Page, expect

from billing.ledger.checking import check_ledger
from core.db import Database
from core.tokens import space_token
from tests.support.waiting import until
from tests.web.live import LiveCity
from tests.web.looking import PHONE, WIDE, Visit, Visits
from tests.web.test_map_page import assert_accessible

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.asyncio(loop_scope="session")]

PICTURES: Final = Path(__file__).parents[2] / "test-output" / "pay"
LONG: Final = timedelta(days=2)
"""Whatever the hour of the test, such a stay has cost something."""
ANDROID: Final = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
IN_ALIPAY: Final = f"{ANDROID} AlipayClient/10.7"
IN_WECHAT: Final = f"{ANDROID} MicroMessenger/8.0.50"
JSAPI: Final = "wechat_jsapi"
LOOKS: Final = [(PHONE, "zh-CN", False), (PHONE, "en-GB", True), (WIDE, "en-GB", False), (WIDE, "zh-CN", True)]


def page_of(city: LiveCity, space: str) -> str:
    """What the code on a space says."""
    return f"{city.url}/s/{space}?k={quote(space_token(city.secret_key, space))}"


async def parked(city: LiveCity, space: str, *, since: timedelta = LONG, left: timedelta | None = None) -> str:
    """A session as the fold writes it, in place of any other on that space; its id."""
    now = datetime.now(UTC)
    db = await asyncpg.connect(city.database_url)
    await db.execute(
        """
        UPDATE parking_session SET status = 'void', left_at = coalesce(left_at, entered_at), revision = revision + 1
        WHERE status <> 'void' AND space_id = (SELECT id FROM space WHERE code = $1)
        """,
        space,
    )
    session = await db.fetchval(
        """
        INSERT INTO parking_session (space_id, sensor_id, status, entered_at, left_at, begin_why, end_why, recorded_at,
                                     revised_at)
        SELECT space.id, sensor.id, $3, $4, $5, 'change', $6, now(), now()
        FROM space, sensor WHERE space.code = $1 AND sensor.code = $2 RETURNING id
        """,
        space,
        city.sensors[space],
        "ended" if left is not None else "open",
        now - since,
        now - left if left is not None else None,
        "change" if left is not None else None,
    )
    await db.close()
    return str(session)


async def money_of(city: LiveCity, session: str) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = (await client.get(f"{city.url}/api/v1/sessions/{session}")).json()
    return {name: answer[name] for name in ("paid_fen", "due_fen")}


async def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / f"{name}.png")


async def tap(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name).click()


async def pay_at_the_cashier(visit: Visit, city: LiveCity) -> None:
    """Go where the page leads, confirm there, and come back."""
    await expect(visit.page).to_have_url(re.compile(re.escape(city.gateway_url)))
    await visit.page.get_by_role("button", name=re.compile("^(确认支付|Pay)$")).click()
    await visit.page.get_by_role("link", name=re.compile("返回商家|Back to the merchant")).click()


async def paid_page(visit: Visit) -> None:
    await expect(visit.page.locator(".pay-done")).to_be_visible()


@pytest.mark.parametrize(
    ("agent", "button"),
    [(ANDROID, "微信支付"), (ANDROID, "支付宝支付"), (IN_ALIPAY, "支付宝支付")],
    ids=["wechat-from-a-browser", "alipay-from-a-browser", "inside-alipay"],
)
async def test_a_driver_pays_on_the_phone_and_sees_by_when_to_leave(
    live_city: LiveCity, visits: Visits, agent: str, button: str
) -> None:
    session = await parked(live_city, "XS-012")
    visit = await visits.to(page_of(live_city, "XS-012"), size=PHONE, user_agent=agent)
    visit.leads_to = live_city.gateway_url
    await tap(visit.page, button)
    await pay_at_the_cashier(visit, live_city)
    await paid_page(visit)
    await expect(visit.page.locator(".pay-leave strong")).to_have_text(re.compile(r"\d\d:\d\d$"))
    money = await money_of(live_city, session)
    assert money["paid_fen"] > 0
    assert money["due_fen"] == 0
    await visit.page.reload()
    await paid_page(visit)
    await visit.page.get_by_role("link", name="查看凭证").click()
    await expect(visit.page.locator(".receipt")).to_contain_text("XS-012")


async def test_inside_wechat_its_own_cashier_opens_for_a_payer_it_knows(live_city: LiveCity, visits: Visits) -> None:
    session = await parked(live_city, "XS-010")
    visit = await visits.to(f"{live_city.url}/health/live", size=PHONE, user_agent=IN_WECHAT)
    visit.leads_to = live_city.gateway_url

    async def confirm() -> None:
        """What the driver does in WeChat's own cashier, which no browser has."""
        db = await asyncpg.connect(live_city.database_url)
        order = await db.fetchval("SELECT order_no FROM payment WHERE session_id = $1 AND channel = $2", session, JSAPI)
        await db.close()
        await scanned(live_city, f"/pay/{order}")

    await visit.page.expose_function("confirm_in_wechat", confirm)
    await visit.page.add_init_script(
        "window.WeixinJSBridge = {invoke: (_, bridge, done) => bridge.paySign && confirm_in_wechat().then(done)}"
    )
    await visit.page.goto(page_of(live_city, "XS-010"))
    await expect(visit.page.locator(".pay-ways .pay-way")).to_have_count(1)
    await tap(visit.page, "微信支付")
    await expect(visit.page).to_have_url(re.compile("#payer="))
    await tap(visit.page, "微信支付")
    await paid_page(visit)


async def test_at_a_desk_a_code_is_scanned_and_the_page_turns_by_itself(live_city: LiveCity, visits: Visits) -> None:
    session = await parked(live_city, "XS-010")
    visit = await visits.to(page_of(live_city, "XS-010"))
    page = visit.page
    await tap(page, "支付宝支付")
    await expect(page.locator(".pay-qr")).to_be_visible()
    await until(lambda: page.evaluate("document.querySelector('.pay-qr').naturalWidth"))
    await picture(page, "scan-wide-zh")
    order = await page.locator("a[target=_blank]").get_attribute("href")
    await scanned(live_city, str(order))
    await paid_page(visit)
    await picture(page, "paid-wide-zh")
    assert (await money_of(live_city, session))["due_fen"] == 0


async def test_paid_while_the_page_was_closed(live_city: LiveCity, visits: Visits) -> None:
    await parked(live_city, "XS-009")
    visit = await visits.to(page_of(live_city, "XS-009"))
    await tap(visit.page, "微信支付")
    order = str(await visit.page.locator("a[target=_blank]").get_attribute("href"))
    address = visit.page.url
    await visit.page.goto("about:blank")
    await scanned(live_city, order)
    await visit.page.goto(address)
    await paid_page(visit)


async def test_paid_from_two_phones_the_second_goes_back(live_city: LiveCity, visits: Visits) -> None:
    session = await parked(live_city, "XS-007")
    orders = []
    for button in ("微信支付", "支付宝支付"):
        async with httpx.AsyncClient(trust_env=False) as phone:
            channel = "wechat_native" if button == "微信支付" else "alipay_precreate"
            begun = await phone.post(
                f"{live_city.url}/api/v1/sessions/{session}/payments",
                json={"channel": channel},
                headers={"Idempotency-Key": f"phone-{channel}"},
            )
        assert begun.status_code == 201
        orders.append(begun.json())
    for order in orders:
        await scanned(live_city, order["code_url"])

    async def booked() -> bool:
        return all([await paid(live_city, order["id"]) for order in orders])

    await until(booked)
    due = await money_of(live_city, session)
    assert due == {"paid_fen": orders[0]["amount_fen"], "due_fen": 0}
    database = Database(live_city.database_url)
    async with database.transaction() as db:
        findings = await check_ledger(db, now=datetime.now(UTC))
    await database.close()
    assert [finding for finding in findings if not finding.is_kept and finding.number != "I12"] == []


async def test_cancelled_at_the_cashier_another_way_is_open(live_city: LiveCity, visits: Visits) -> None:
    await parked(live_city, "XS-012")
    visit = await visits.to(page_of(live_city, "XS-012"), size=PHONE, user_agent=ANDROID)
    visit.leads_to = live_city.gateway_url
    await tap(visit.page, "支付宝支付")
    await expect(visit.page).to_have_url(re.compile(re.escape(live_city.gateway_url)))
    await visit.page.get_by_role("button", name="稍后支付").click()
    await visit.page.goto(page_of(live_city, "XS-012"))
    await expect(visit.page.locator(".pay-state")).to_have_text("等待付款")
    await picture(visit.page, "waiting-phone-zh")
    await tap(visit.page, "换一种方式")
    await tap(visit.page, "微信支付")
    await pay_at_the_cashier(visit, live_city)
    await paid_page(visit)


async def test_a_stay_that_ended_is_asked_for_before_it_is_charged(live_city: LiveCity, visits: Visits) -> None:
    await parked(live_city, "XS-010", left=timedelta(minutes=20))
    visit = await visits.to(page_of(live_city, "XS-010"), size=PHONE, user_agent=ANDROID)
    await expect(visit.page.locator(".pay-state")).to_contain_text("是您的吗")
    await expect(visit.page.get_by_role("button", name="微信支付")).to_have_count(0)
    await picture(visit.page, "ended-phone-zh")
    await tap(visit.page, "是我的")
    await expect(visit.page.get_by_role("button", name="微信支付")).to_be_visible()


async def test_a_wrong_code_and_an_empty_space_say_what_to_do(live_city: LiveCity, visits: Visits) -> None:
    wrong = await visits.to(f"{live_city.url}/s/XS-012?k=AAAAAAAAAAAA", size=PHONE, lang="en-GB", refusals=(403, 404))
    await expect(wrong.page.locator(".pay-state")).to_have_text("This code is not of this space")
    await wrong.page.get_by_role("link", name="Type the number of the space").click()
    await expect(wrong.page.get_by_label("Space number")).to_be_visible()
    empty = await visits.to(page_of(live_city, "XS-001"), size=PHONE, lang="en-GB", refusals=(404,))
    await expect(empty.page.locator(".pay-state")).to_have_text("Nothing to pay here")
    await picture(empty.page, "nothing-phone-en")


async def test_a_plate_is_typed_with_its_own_keyboard(live_city: LiveCity, visits: Visits) -> None:
    await parked(live_city, "XS-009")
    visit = await visits.to(page_of(live_city, "XS-009"), size=PHONE, user_agent=ANDROID)
    page = visit.page
    await page.get_by_text("登记车牌（可不填）").click()
    await page.locator(".plate-keys").get_by_role("button", name="浙", exact=True).click()
    assert await page.locator(".plate-keys").get_by_role("button", name="I", exact=True).count() == 0
    assert await page.locator(".plate-keys").get_by_role("button", name="7", exact=True).is_disabled()
    for key in "D12345":
        await page.locator(".plate-keys").get_by_role("button", name=key, exact=True).click()
    await picture(page, "plate-phone-zh")
    await page.get_by_role("button", name="登记车牌").click()
    await expect(page.get_by_text("车牌已登记。")).to_be_visible()


@pytest.mark.parametrize(("size", "lang", "dark"), LOOKS)
async def test_axe_finds_nothing_and_no_line_runs_out(
    live_city: LiveCity, visits: Visits, size: tuple[int, int], lang: Any, dark: bool
) -> None:
    await parked(live_city, "XS-009")
    visit = await visits.to(page_of(live_city, "XS-009"), size=size, lang=lang, dark=dark)
    await expect(visit.page.locator(".pay-amount")).to_be_visible()
    await expect(visit.page.locator(".pay-ways .pay-way").first).to_be_visible()
    await picture(visit.page, f"due-{size[0]}-{lang[:2]}-{'dark' if dark else 'light'}")
    await assert_accessible(visit, "to pay")
    await visit.page.locator(".pay-lines summary").click()
    await visit.page.locator(".plate summary").click()
    await assert_accessible(visit, "everything open")
    assert await visit.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    await visit.page.locator(".pay-ways .pay-way").first.click()
    await expect(visit.page.locator(".pay-qr")).to_be_visible()
    await assert_accessible(visit, "to scan")


async def scanned(city: LiveCity, code: str) -> None:
    """Somebody scans a code with a phone and pays."""
    order = code.split("/pay/")[1].split("?", maxsplit=1)[0]
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{city.gateway_url}/control/pay/{order}")
    assert answer.is_success, answer.text


async def paid(city: LiveCity, payment: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        status = (await client.get(f"{city.url}/api/v1/payments/{payment}")).json()["status"]
    return status in {"paid", "refunded"}

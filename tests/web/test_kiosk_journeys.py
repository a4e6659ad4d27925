"""Paying at the kiosk in a real browser: by space, by plate, twice; from a sensor's message to the ledger's proof."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
import pytest
from playwright.async_api import Page, expect

from billing.ledger.checking import check_ledger
from billing.payments.attempts import move
from billing.payments.states import PaymentStatus
from billing.payments.sweeping import sweep
from billing.payments.till import real_now
from core.db import Database
from core.tokens import space_token
from tests.support.waiting import until
from tests.web.cable import plugged_in
from tests.web.kiosk import (
    FAULTS,
    LANDSCAPE,
    PORTRAIT,
    SIZES,
    at_kiosk,
    faults_of,
    find_space,
    new_key,
    on_step,
    the_provider,
    till_of,
    touch,
    type_keys,
)
from tests.web.live import LiveCity
from tests.web.looking import Visit, Visits
from tests.web.test_kiosk_machine import picture
from tests.web.test_map_page import assert_accessible
from tests.web.test_pay_page import money_of, parked, scanned

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.asyncio(loop_scope="session")]

STAYING: Final = "setInterval(() => dispatchEvent(new Event('pointerdown')), 200)"
"""Somebody stays and keeps touching, so that a slow machine has time to look at what ends by itself in 15 s."""
AS_A_SCANNER: Final = """code => [...code, "Enter"].forEach(
    (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true})))"""
"""Types faster than any hand, however slow the machine."""

DATED: Final = f"""() => {{
  const day = document.querySelector(".k-leave b");
  day.textContent = "11月24日";
  const found = ({FAULTS})();
  day.textContent = "";
  return found;
}}"""
"""What is out of place when the time to leave is of another day: measured before the page draws itself again."""


async def order_on_screen(page: Page, city: LiveCity) -> dict[str, Any]:
    """The payment whose code is shown."""
    code = page.locator(".k-qr.large")
    await expect(code).to_be_visible()
    await until(lambda: code.evaluate("(one) => one.naturalWidth"))
    source = str(await code.get_attribute("src"))
    async with httpx.AsyncClient(base_url=city.url, trust_env=False) as client:
        payment: dict[str, Any] = (await client.get(source.removesuffix("/code.svg"))).json()
    return payment


async def looked_at(visit: Visit, name: str) -> None:
    """Nothing out of place, nothing that some cannot read, and a picture for the eye."""
    await picture(visit, name)
    assert await faults_of(visit.page) == [], name
    await assert_accessible(visit, name)


async def looked_at_in_both_languages(visit: Visit, name: str) -> None:
    """As ``looked_at`` on one journey: places in both languages, reading in the one or the other, by the size."""
    switch = visit.page.locator(".k-looks button").first
    for lang, word in (("zh", "English"), ("en", "中文")):
        await expect(switch).to_have_text(word)
        if name == "fee":  # its lines are the server's words
            await expect(visit.page.locator(".k-lines")).to_contain_text("收费" if lang == "zh" else "charged hours")
        await picture(visit, f"{name}-{lang}")
        assert await faults_of(visit.page) == [], f"{name} {lang}"
        await large(visit.page, f"{name} {lang}")
        if (lang == "zh") == (visit.page.viewport_size == {"width": PORTRAIT[0], "height": PORTRAIT[1]}):
            await assert_accessible(visit, f"{name} {lang}")
        await touch(switch)


async def large(page: Page, name: str) -> None:
    """Nothing is out of place in large type either, nor on the evening when one may leave after midnight."""
    switch = page.locator(".k-looks button").nth(1)
    await touch(switch)
    assert await faults_of(page) == [], f"{name} large"
    if await page.locator(".k-leave b").count():
        assert await page.evaluate(DATED) == [], f"{name} large, with a date"
    await touch(switch)


@pytest.mark.parametrize("size", SIZES, ids=["portrait", "landscape"])
async def test_a_stay_is_found_by_its_space_and_paid(
    live_city: LiveCity, visits: Visits, size: tuple[int, int], record_property: Any
) -> None:
    session = await parked(live_city, "XS-010")
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city), size=size)
    page = visit.page
    await find_space(page, "XS-010")
    await on_step(page, "fee")
    assert await lines_add_up(page)
    await looked_at_in_both_languages(visit, "fee")
    await touch(page.locator(".k-channel").nth(SIZES.index(size)))
    order = await order_on_screen(page, live_city)
    await looked_at_in_both_languages(visit, "pay")
    begun = time.monotonic()
    await scanned(live_city, order["code_url"])
    await on_step(page, "done")
    took = time.monotonic() - begun
    await page.evaluate(STAYING)
    record_property("seconds from the provider's word to the screen", round(took, 3))
    print(f"from the provider's word to paid on the kiosk's screen: {took:.3f} s")  # noqa: T201 - a measurement
    assert (await money_of(live_city, session))["due_fen"] == 0
    await expect(page.locator(".k-leave strong")).to_be_visible()
    sizes = await page.evaluate(
        "[...document.querySelectorAll('body *')].map((e) => parseFloat(getComputedStyle(e).fontSize))"
    )
    largest = await page.locator(".k-leave strong").evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)")
    assert largest == max(sizes), "when to leave is the largest text"
    await looked_at_in_both_languages(visit, "paid")
    await touch(page.locator(".k-channels button").nth(1))
    await expect(page.locator(".k-qr")).to_be_visible()
    await looked_at_in_both_languages(visit, "receipt")
    await touch(page.locator(".k-channels .strong"))
    await on_step(page, "idle")


async def lines_add_up(page: Page) -> bool:
    """The lines make the sum, and the sum less what was paid is the total."""
    await expect(page.locator(".k-total strong")).to_be_visible()
    texts: list[str] = await page.locator(".k-lines td").all_inner_texts()
    amounts = [float(text.replace("¥", "").replace("\u2212", "-")) for text in texts]
    total = float((await page.locator(".k-total strong").inner_text()).replace("¥", ""))
    return abs((sum(amounts[:-1]) if len(amounts) > 1 else amounts[0]) - total) < 0.001


async def test_a_stay_is_found_by_a_part_of_its_plate_once_its_driver_knows_more(
    live_city: LiveCity, visits: Visits
) -> None:
    session = await parked(live_city, "XS-009")
    async with httpx.AsyncClient(base_url=live_city.url, trust_env=False) as phone:
        named = await phone.post(f"/api/v1/sessions/{session}/plate", json={"plate": "浙D7K3Q9"})
    assert named.is_success, named.text
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city), size=PORTRAIT, refusals=(403,))
    page = visit.page
    await touch(page.locator(".k-start"))
    await touch(page.locator(".k-tabs button").nth(1))
    await touch(page.get_by_role("button", name="不记得省份"))
    await type_keys(page, "7K3Q9")
    await touch(page.locator(".k-onward"))
    await on_step(page, "choose")
    shown = await page.locator(".k-main").inner_text()
    assert "7K3Q9" not in shown
    assert "XS-009" not in shown, "neither the whole plate nor the place of a car whose driver is not known yet"
    await looked_at(visit, "choose-zh")
    await touch(page.locator(".k-match").first)
    await on_step(page, "confirm")
    await type_keys(page, "XS-001")
    await touch(page.locator(".k-onward"))
    await expect(page.get_by_role("alert")).to_contain_text("对不上")
    await looked_at(visit, "not-confirmed-zh")
    for _ in "XS-001":
        await touch(page.get_by_role("button", name="删除"))
    await type_keys(page, "XS-009")
    await touch(page.locator(".k-onward"))
    await on_step(page, "fee")
    await touch(page.locator(".k-channel").nth(1))
    await scanned(live_city, (await order_on_screen(page, live_city))["code_url"])
    await on_step(page, "done")
    assert (await money_of(live_city, session))["due_fen"] == 0


async def test_a_scanned_code_leads_to_the_fee_and_an_empty_space_is_no_dead_end(
    live_city: LiveCity, visits: Visits
) -> None:
    await parked(live_city, "XS-012")
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city))
    page = visit.page
    await find_space(page, "XS-001")
    await on_step(page, "nothing")
    await looked_at(visit, "nothing-zh")
    code = f"{live_city.url}/s/XS-012?k={space_token(live_city.secret_key, 'XS-012')}"
    await page.evaluate(AS_A_SCANNER, code)
    await on_step(page, "fee")
    await expect(page.locator(".k-facts")).to_contain_text("XS-012")


async def test_at_the_machine_of_a_lot_the_number_alone_is_enough(live_city: LiveCity, visits: Visits) -> None:
    await parked(live_city, "XS-012")
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city, lot="XS"), size=PORTRAIT)
    page = visit.page
    await expect(page.locator(".k-head")).to_contain_text("下司巷停车场")
    await touch(page.locator(".k-start"))
    await type_keys(page, "12")
    await expect(page.locator(".k-typed")).to_have_text("XS-12")
    await looked_at(visit, "space-zh")
    await touch(page.get_by_role("button", name="别的停车场"))
    await type_keys(page, "WT-3")
    assert await faults_of(page) == []
    await touch(page.get_by_role("button", name="只用数字"))
    await type_keys(page, "12")
    await touch(page.locator(".k-onward"))
    await on_step(page, "fee")
    await expect(page.locator(".k-facts")).to_contain_text("XS-012")


async def test_paid_by_phone_meanwhile_the_kiosk_takes_nothing_more(live_city: LiveCity, visits: Visits) -> None:
    session = await parked(live_city, "XS-007")
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city), refusals=(409,))
    page = visit.page
    await find_space(page, "XS-007")
    await on_step(page, "fee")
    phone = await paid_by_phone(live_city, session)
    await touch(page.locator(".k-channel").first)
    await expect(page.locator(".k-total")).to_contain_text("已付清")
    await looked_at(visit, "already-paid-zh")
    assert (await money_of(live_city, session))["paid_fen"] == phone["amount_fen"]


async def paid_by_phone(city: LiveCity, session: str) -> dict[str, Any]:
    """Somebody pays the stay elsewhere; the payment, once it is booked."""
    async with httpx.AsyncClient(base_url=city.url, trust_env=False) as phone:
        begun = await phone.post(
            f"/api/v1/sessions/{session}/payments",
            json={"channel": "alipay"},
            headers={"Idempotency-Key": f"by-phone-{session}"},
        )
    payment: dict[str, Any] = begun.json()
    await scanned(city, payment["code_url"])

    async def is_paid() -> bool:
        return bool((await money_of(city, session))["due_fen"] == 0)

    await until(is_paid)
    return payment


async def test_what_becomes_of_a_payment_is_told_as_it_is(live_city: LiveCity, visits: Visits) -> None:
    """Not confirmed, run out, failed, given back: each says what to do, and none is a dead end."""
    session = await parked(live_city, "XS-011")
    async with plugged_in(live_city.url) as cable, till_of(live_city) as till:
        visit = await at_kiosk(visits, cable.url, await new_key(live_city), forgiving=True)
        page = visit.page
        again = page.get_by_role("button", name="换一个新码")
        await the_provider(live_city, *({"on": f"wechat.{call}", "do": "down"} for call in ("create", "query")))
        await find_space(page, "XS-011")
        await on_step(page, "fee")
        await touch(page.locator(".k-channel").first)
        await expect(page.locator(".k-title")).to_have_text("还没有确认")
        await expect(page.locator(".k-qr")).to_have_count(0)
        await looked_at(visit, "unknown-zh")

        await the_provider(live_city)
        first = await order_on_screen(page, live_city)  # sent again by itself, once the provider answers
        assert first["status"] == "pending"
        await sweep(till, real_now() + timedelta(minutes=6))
        await expect(page.locator(".k-title")).to_have_text("付款码已过期")
        await looked_at(visit, "ran-out-zh")

        await touch(again)
        second = await order_on_screen(page, live_city)
        assert second["id"] != first["id"]
        async with till.database.transaction() as db:
            assert await move(db, UUID(second["id"]), PaymentStatus.FAILED, at=real_now(), why="PAYERROR")
        await expect(page.locator(".k-title")).to_have_text("付款没有成功")
        await looked_at(visit, "failed-zh")

        await touch(again)
        third = await order_on_screen(page, live_city)
        assert third["id"] not in {first["id"], second["id"]}
        cable.pull()  # what follows is heard of only when all is over
        phone = await paid_by_phone(live_city, session)
        await scanned(live_city, third["code_url"])
        await until(lambda: payment_is(live_city, third["id"], "paid"))
        await sweep(till, real_now() + timedelta(minutes=1))
        await until(lambda: payment_is(live_city, third["id"], "refunded"))
        cable.plug()
        await expect(page.locator(".k-title")).to_have_text("已经退款")
        await expect(again).to_have_count(0)
        await looked_at(visit, "refunded-zh")
        await touch(page.get_by_role("button", name="查看费用"))
        await expect(page.locator(".k-total")).to_contain_text("已付清")
        assert await money_of(live_city, session) == {"paid_fen": phone["amount_fen"], "due_fen": 0}


async def payment_is(city: LiveCity, payment: str, status: str) -> bool:
    async with httpx.AsyncClient(base_url=city.url, trust_env=False) as client:
        return bool((await client.get(f"/api/v1/payments/{payment}")).json()["status"] == status)


async def test_the_slip_is_for_paper_of_80_mm_and_a_silent_printer_is_no_lost_receipt(
    live_city: LiveCity, visits: Visits
) -> None:
    await parked(live_city, "XS-010")
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city), frozen=True)
    page = visit.page
    await page.evaluate("window.print = () => {}")  # a browser that hands the page to nobody
    await find_space(page, "XS-010")
    await on_step(page, "fee")
    await touch(page.locator(".k-channel").first)
    await scanned(live_city, (await order_on_screen(page, live_city))["code_url"])
    await on_step(page, "done")
    await expect(page.get_by_role("button", name="打印")).to_be_enabled()
    await page.emulate_media(media="print")
    slip = page.locator(".k-slip")
    await expect(slip).to_be_visible()
    await expect(page.locator(".k-foot")).to_be_hidden()
    box = await slip.bounding_box()
    assert box is not None
    assert box["width"] < 80 / 25.4 * 96
    await expect(slip).to_contain_text("XS-010")
    await slip.screenshot(path="test-output/kiosk/slip-zh.png")
    await page.emulate_media(media="screen")
    await touch(page.get_by_role("button", name="打印"))
    await page.clock.run_for(11_000)
    await expect(page.get_by_text("没有打印出来")).to_be_visible()
    await expect(page.locator(".k-qr")).to_be_visible()
    await expect(page.get_by_role("button", name="打印")).to_have_count(0)


async def test_from_a_sensors_message_to_the_ledgers_proof(live_city: LiveCity, visits: Visits) -> None:
    space, now = "WT-005", datetime.now(UTC)
    sensor = live_city.sensors[space]
    db = await asyncpg.connect(live_city.database_url)

    async def session_of() -> Any:
        return await db.fetchval(
            "SELECT ps.id FROM parking_session ps JOIN space ON space.id = space_id"
            " WHERE space.code = $1 AND status IN ('open', 'ended') AND entered_at < $2",
            space,
            now - timedelta(hours=20),
        )

    await live_city.publish(sensor, occupied=False, at=now - timedelta(hours=31))
    await live_city.publish(sensor, occupied=True, at=now - timedelta(hours=30))
    session = str(await until(session_of))
    await db.close()
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city), size=LANDSCAPE)
    await find_space(visit.page, space)
    await on_step(visit.page, "fee")
    await touch(visit.page.locator(".k-channel").first)
    await scanned(live_city, (await order_on_screen(visit.page, live_city))["code_url"])
    await on_step(visit.page, "done")
    assert (await money_of(live_city, session))["due_fen"] == 0
    database = Database(live_city.database_url)
    async with database.transaction() as checking:
        findings = await check_ledger(checking, now=datetime.now(UTC))
    await database.close()
    assert [one for one in findings if not one.is_kept and one.number != "I12"] == []

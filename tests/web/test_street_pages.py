"""The pages where drivers pay for what is no stay of now: a space by its number, earlier debts, passes."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import insert, update

from billing.bills import bill_ended_sessions
from billing.pass_sales.offers import OfferTerms, add_offer
from billing.plates import store_plate
from billing.plates.vault import vault_of
from core.db import Database
from core.plate import parse_plate
from core.tables import ParkingSession, PlateEvidence
from ops.arrears import move_all
from tests.web.kiosk import PORTRAIT, at_kiosk, faults_of, new_key, on_step, type_keys
from tests.web.live import LiveCity
from tests.web.looking import PHONE, Visit, Visits
from tests.web.test_kiosk_journeys import order_on_screen
from tests.web.test_kiosk_machine import picture as kiosk_picture
from tests.web.test_map_page import assert_accessible
from tests.web.test_pay_page import ANDROID, parked, pay_at_the_cashier, picture, scanned, tap

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.asyncio(loop_scope="session")]

GRACE: Final = timedelta(hours=24)


async def owes(city: LiveCity, plate: str, *spaces: str) -> None:
    """Stays that ended days ago, unpaid, with a warden's word for the plate: debts."""
    database, vault = Database(city.database_url), vault_of(city.plate_key)
    assert vault is not None
    now = datetime.now(UTC)
    two_in_the_afternoon = now.replace(hour=6, minute=0)
    for days, space in enumerate(spaces, start=3):
        left = now - two_in_the_afternoon + timedelta(days=days)
        session = UUID(await parked(city, space, since=left + timedelta(hours=3), left=left))
        async with database.transaction() as db:
            heard = update(ParkingSession).where(ParkingSession.id == session)
            await db.execute(
                heard.values(recorded_at=ParkingSession.entered_at)
            )  # what is heard late waits for a person
            plate_id = await store_plate(db, vault, parse_plate(plate), at=now)
            seen = {"session_id": session, "plate_id": plate_id, "source": "warden", "colour": "blue"}
            await db.execute(insert(PlateEvidence).values(**seen, observed_at=now, recorded_at=now))
    async with database.transaction() as db:
        await bill_ended_sessions(db, at=now, limit=100)
    await move_all(database, at=now, grace=GRACE, everything=True)
    await database.close()


async def type_plate(page: Page, plate: str) -> None:
    for key in plate:
        await page.locator(".plate-keys").get_by_role("button", name=key, exact=True).click()


async def looked_at(visit: Visit, name: str) -> None:
    await picture(visit.page, name)
    await assert_accessible(visit, name)
    assert await visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], name


async def test_the_map_leads_to_a_space_by_its_number(live_city: LiveCity, visits: Visits) -> None:
    await parked(live_city, "XS-009")
    visit = await visits.to(live_city.url, size=PHONE, user_agent=ANDROID)
    await visit.page.get_by_role("link", name="缴停车费").click()
    await expect(visit.page.locator("#space")).to_be_visible()
    await looked_at(visit, "by-number-zh")
    await visit.page.locator("#space").fill("xs-009")
    await visit.page.keyboard.press("Enter")
    await expect(visit.page.locator(".pay-amount")).to_be_visible()


async def test_debts_are_paid_oldest_first_and_objected_to(live_city: LiveCity, visits: Visits) -> None:
    await owes(live_city, "浙D66A66", "WT-007", "WT-008", "WT-006")
    visit = await visits.to(f"{live_city.url}/arrears", size=PHONE, user_agent=ANDROID)
    visit.leads_to = live_city.gateway_url
    page = visit.page
    await looked_at(visit, "arrears-ask-zh")
    await type_plate(page, "浙D66A66")
    await tap(page, "查询")
    await expect(page.locator(".street-debts li")).to_have_count(3)
    shown = await page.locator("#pay").inner_text()
    assert not re.search(r"WT-|\d{1,2}:\d\d", shown), "amounts, and nothing of when or where"
    await page.locator("summary").click()
    await looked_at(visit, "arrears-owed-zh")
    await page.locator("input[type=radio]").nth(2).check()
    await page.locator("#reason").fill("那天车已经卖了")
    await tap(page, "提交异议")
    await expect(page.get_by_text("已收到异议")).to_be_visible()
    await expect(page.locator(".street-debts li")).to_contain_text(["", "", "有异议"])
    await tap(page, "支付宝支付")
    await pay_at_the_cashier(visit, live_city)
    await expect(page.locator(".pay-done")).to_be_visible()
    await expect(page.locator(".pay-done")).to_contain_text("还有 1 笔")
    await looked_at(visit, "arrears-paid-zh")
    await tap(page, "付下一笔")
    await expect(page.locator(".street-debts li")).to_have_count(2)


async def test_at_a_kiosk_a_plate_pays_what_it_owes(live_city: LiveCity, visits: Visits) -> None:
    await owes(live_city, "浙D77B77", "WT-003", "WT-004")
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city), size=PORTRAIT)
    page = visit.page
    await page.locator(".k-second").click()
    await on_step(page, "plate")
    await type_keys(page, "浙D77B77")
    await page.locator(".k-onward").click()
    await on_step(page, "debts")
    await kiosk_picture(visit, "debts-zh")
    assert await faults_of(page) == []
    await assert_accessible(visit, "debts")
    await page.get_by_role("button", name="逐笔全部付清").click()
    for more in (True, False):
        await page.locator(".k-channel").first.click()
        await scanned(live_city, (await order_on_screen(page, live_city))["code_url"])
        await on_step(page, "done")
        if more:
            await kiosk_picture(visit, "debt-paid-zh")
            await page.get_by_role("button", name="付下一笔").click()
            await on_step(page, "debts")
    await expect(page.locator(".k-main")).to_contain_text("这个车牌没有欠费")


@pytest.mark.parametrize(("lang", "dark"), [("zh-CN", False), ("en-GB", True)], ids=["zh-light", "en-dark"])
async def test_a_pass_is_bought_and_in_force(live_city: LiveCity, visits: Visits, lang: Any, dark: bool) -> None:
    code = f"month-{lang[:2]}"
    terms = OfferTerms(
        code=code, name="下司巷月卡", name_en="Xiasixiang, a month", lots=("XS",), days=30, price_fen=12_000
    )
    database = Database(live_city.database_url)
    async with database.transaction() as db:
        await add_offer(db, terms, actor="test", at=datetime.now(UTC))
    await database.close()
    visit = await visits.to(f"{live_city.url}/passes", size=PHONE, lang=lang, dark=dark, user_agent=ANDROID)
    visit.leads_to = live_city.gateway_url
    page = visit.page
    await page.locator(".pay-looks button").first.click()
    assert await page.evaluate("document.documentElement.dataset.elder") == "yes"
    await page.locator(".street-offer").first.click()
    await type_plate(page, "浙D88C88")
    await looked_at(visit, f"passes-{lang[:2]}")
    await page.locator(".street-form .pay-way").click()
    await expect(page.locator(".pay-amount")).to_have_text("¥120")
    await looked_at(visit, f"passes-check-{lang[:2]}")
    await page.locator(".pay-ways .strong").last.click()
    await pay_at_the_cashier(visit, live_city)
    await expect(page.locator(".pay-done")).to_be_visible()
    assert "88C88" not in await page.locator(".pay-done").inner_text(), "the plate stays masked"
    await looked_at(visit, f"passes-paid-{lang[:2]}")

"""Large type: one tap away, three places, and everything still reachable by eyes, keys and screen readers."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.web.live import LiveCity
from tests.web.looking import PHONE, WIDE, Visits
from tests.web.test_map_page import assert_accessible, lots_of

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.asyncio(loop_scope="session")]

PICTURES = Path(__file__).parents[2] / "test-output" / "map"


async def test_large_type_is_one_tap_away_and_remembered(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url, size=PHONE)
    page = visit.page
    await visit.map_ready()
    usual = await page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    await page.get_by_role("button", name="大字版").click()
    await expect(page.locator(".elder-place").first).to_be_visible()
    assert await page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") >= 1.3 * usual
    await page.reload()
    await expect(page.locator(".elder-place").first).to_be_visible()
    assert not await page.evaluate("document.body.dataset.mapReady"), "no map is loaded for a page without one"
    await page.get_by_role("button", name="回到普通版").click()
    assert await visit.map_ready() == "1"
    await expect(page.locator("#search")).to_be_visible()


async def test_it_shows_the_nearest_places_with_room_and_leads_there(live_city: LiveCity, visits: Visits) -> None:
    lots = {lot["id"]: lot for lot in (await lots_of(live_city)).values()}
    visit = await visits.to(live_city.url, size=PHONE, lang="en-GB")
    page = visit.page
    await page.get_by_role("button", name="Large type").click()
    places = page.locator(".elder-place")
    with_room = [code for code, lot in lots.items() if lot["available"] > 0 and lot["free"] + lot["occupied"] > 0]
    await expect(places).to_have_count(min(3, len(with_room)))
    code = await places.first.get_attribute("data-lot")
    await expect(places.first).to_contain_text(f"{lots[str(code)]['available']} free")
    await places.first.get_by_role("button", name="Take me there").click()
    await expect(places.first.get_by_role("link")).to_have_count(4)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.parametrize("lang", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
async def test_axe_finds_nothing_in_large_type(
    live_city: LiveCity, visits: Visits, size: tuple[int, int], dark: bool, lang: Any
) -> None:
    visit = await visits.to(live_city.url, size=size, dark=dark, lang=lang)
    page = visit.page
    await page.locator(".size").click()
    await page.locator(".elder-place .strong").first.click()
    await page.locator(".go-with").first.wait_for()
    await assert_accessible(visit, "large type")
    PICTURES.mkdir(parents=True, exist_ok=True)
    name = f"{'phone' if size == PHONE else 'wide'}-{lang[:2]}-{'dark' if dark else 'light'}-elder.png"
    await page.screenshot(path=PICTURES / name)

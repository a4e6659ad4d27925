"""The map page in a real browser, against the real api, broker and database."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.support.waiting import until
from tests.web.cable import plugged_in
from tests.web.live import LiveCity
from tests.web.looking import PHONE, WIDE, Visit, Visits

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.asyncio(loop_scope="session")]

PICTURES = Path(__file__).parents[2] / "test-output" / "map"
WEIGHT_LIMIT = 600_000


async def lots_of(city: LiveCity) -> dict[str, dict[str, Any]]:
    async with httpx.AsyncClient(base_url=city.url) as client:
        body = (await client.get("/api/v1/lots")).json()
    return {feature["id"]: feature["properties"] for feature in body["features"]}


async def spaces_of(city: LiveCity) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(base_url=city.url) as client:
        features: list[dict[str, Any]] = (await client.get("/api/v1/spaces")).json()["features"]
    return features


def middle_of(space: dict[str, Any]) -> tuple[float, float]:
    ring = space["geometry"]["coordinates"][0][:-1]
    return sum(lon for lon, _ in ring) / len(ring), sum(lat for _, lat in ring) / len(ring)


@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
async def test_the_town_is_drawn(live_city: LiveCity, visits: Visits, size: tuple[int, int]) -> None:
    visit = await visits.to(live_city.url, size=size)
    assert await visit.map_ready() == "1"
    drawn = await visit.on_map("return map.queryRenderedFeatures({layers: ['bubble', 'sign']}).length")
    assert drawn >= 1
    colours = await visit.on_map("""
        return await new Promise((done) => {
          map.once('render', () => {
            const gl = map.painter.context.gl, [w, h] = [gl.drawingBufferWidth, gl.drawingBufferHeight];
            const pixels = new Uint8Array(w * h * 4);
            gl.readPixels(0, 0, w, h, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
            const found = new Set();
            for (let n = 0; n < pixels.length; n += 4) found.add(pixels[n] << 16 | pixels[n + 1] << 8 | pixels[n + 2]);
            done(found.size);
          });
          map.triggerRepaint();
        });
    """)
    assert colours > 20


async def test_a_phone_on_its_side_shows_map_and_list_beside_each_other(live_city: LiveCity, visits: Visits) -> None:
    """So does a window magnified twice, which is as low; upright again the list is below."""
    visit = await visits.to(live_city.url, size=(844, 390))
    page = visit.page
    await expect(page.locator("#lots button").first).to_be_in_viewport(ratio=1)
    beside = "() => document.querySelector('.panel').offsetWidth <= document.querySelector('#map').offsetLeft"
    assert await page.evaluate(beside)
    await page.set_viewport_size({"width": 390, "height": 844})
    assert not await page.evaluate(beside)
    await expect(page.locator("#lots button").first).to_be_in_viewport(ratio=1)


async def test_in_the_readers_own_colours_a_button_has_an_edge_and_a_choice_stands_out(
    live_city: LiveCity, visits: Visits
) -> None:
    visit = await visits.to(live_city.url, forced_colors="active")
    chosen = visit.page.locator('.segments [aria-pressed="true"]').first
    await expect(chosen).to_be_visible()
    grounds = "(one) => [one, one.nextElementSibling].map((each) => getComputedStyle(each).backgroundColor)"
    assert len(set(await chosen.evaluate(grounds))) == 2
    await visit.page.locator("#lots button").first.click()
    go = visit.page.locator(".lot .button.strong").first
    await expect(go).to_be_visible()
    assert await go.evaluate("(one) => getComputedStyle(one).borderTopStyle") == "solid"


async def test_the_numbers_are_those_of_the_api(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url)
    lots = await lots_of(live_city)
    await expect(visit.page.locator("#lots > li")).to_have_count(len(lots))
    assert await visit.total() == sum(lot["available"] for lot in lots.values())
    for lot in lots.values():
        row = visit.page.locator(f'[data-lot="{lot["id"]}"]')
        await expect(row).to_contain_text(lot["name"])
        known = lot["free"] + lot["occupied"] > 0
        if lot["open_now"] and known and lot["source"] == "sensors":
            await expect(row.locator(".badge")).to_have_text(str(lot["available"]))


async def test_a_sensors_message_colours_its_space_and_lowers_the_number(live_city: LiveCity, visits: Visits) -> None:
    space = (await spaces_of(live_city))[0]
    code, lot_id = space["properties"]["code"], space["properties"]["lot_id"]
    sensor = live_city.sensors[code]
    await live_city.publish(sensor, occupied=False)
    lon, lat = middle_of(space)
    visit = await visits.to(f"{live_city.url}/#at=19/{lat}/{lon}")
    await visit.map_ready()

    async def letter() -> str | None:
        state = await visit.on_map("return map.getFeatureState({source: 'spaces', id: argument})", space["id"])
        return str(state.get("s"))

    badge = visit.page.locator(f'[data-lot="{lot_id}"] .badge')
    await until(lambda: _is(letter, "f"))
    free = int(await badge.inner_text())
    camera = await visit.on_map("return [map.getZoom(), map.getCenter().toArray()]")
    await live_city.publish(sensor, occupied=True)
    await until(lambda: _is(letter, "o"))
    await expect(badge).to_have_text(str(free - 1))
    assert await visit.on_map("return [map.getZoom(), map.getCenter().toArray()]") == camera
    shown = await visit.on_map(
        "return map.queryRenderedFeatures(map.project(argument), {layers: ['spaces']})[0].properties.code", [lon, lat]
    )
    assert shown == code


async def _is(what: Any, value: str) -> bool:
    return bool(await what() == value)


async def test_the_list_works_without_webgl_and_by_keys_alone(live_city: LiveCity, blind_visits: Visits) -> None:
    visit = await blind_visits.to(live_city.url)
    assert await visit.map_ready() == "none"
    page = visit.page
    await expect(page.locator("#map-trouble")).to_be_visible()
    lots = await lots_of(live_city)
    await expect(page.locator("#lots > li")).to_have_count(len(lots))
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")  # "skip to the list"
    name = await page.evaluate("document.activeElement.querySelector('strong').textContent")
    await page.keyboard.press("Enter")
    await expect(page.locator("#lot-name")).to_have_text(name)
    await expect(page.locator("#lot-name")).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")  # back to the list, where we were
    await expect(page.locator("#lot-name")).to_have_count(0)
    assert await page.evaluate("document.activeElement.querySelector('strong').textContent") == name


async def test_the_language_is_switched_everywhere_and_kept(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url, lang="zh-CN")
    page = visit.page
    await visit.map_ready()
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(page.locator(".summary")).to_contain_text("现在空位")
    await page.get_by_role("button", name="English").click()
    await expect(page.locator(".summary")).to_contain_text("free now")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.locator(".summary")).to_contain_text("free now")
    assert await page.locator(".list").inner_text() != ""
    assert "undefined" not in await page.locator("body").inner_text()


async def test_dark_follows_the_device_until_somebody_chooses(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url, dark=True, lang="en-GB")
    page = visit.page
    await visit.map_ready()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = await visit.on_map("return map.getPaintProperty('county', 'fill-color')")
    await page.locator("#legend-button").click()
    await page.get_by_role("button", name="Light").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert await visit.on_map("return map.getPaintProperty('county', 'fill-color')") != dark
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
async def test_axe_finds_nothing(live_city: LiveCity, visits: Visits, size: tuple[int, int], dark: bool) -> None:
    visit = await visits.to(live_city.url, size=size, dark=dark)
    page = visit.page
    await visit.map_ready()
    await assert_accessible(visit, "list")
    await page.locator("#legend-button").click()
    await assert_accessible(visit, "legend")
    await page.keyboard.press("Escape")
    await expect(page.locator("#legend-button")).to_be_focused()
    await page.locator("#lots button").first.click()
    await page.locator(".stay-fee p").first.wait_for()
    await page.get_by_role("button", name="导航去这里").click()
    await assert_accessible(visit, "lot")
    await page.locator("#search").fill("zzzz")
    await page.locator(".nothing").wait_for()
    await assert_accessible(visit, "no result")


async def assert_accessible(visit: Visit, state: str) -> None:
    axe = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
    if not await visit.page.evaluate("Boolean(window.axe)"):  # half a megabyte to be read, once a page
        await visit.page.evaluate(axe.read_text(encoding="utf-8"))
    found = await visit.page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    assert [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"]] == [], state


async def test_the_page_is_light_enough_and_the_list_comes_first(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url, size=PHONE)
    await visit.page.locator("#lots > li").first.wait_for()
    await visit.map_ready()
    weights = await visit.page.evaluate(
        "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
        ".map((entry) => [entry.name, entry.encodedBodySize])"
    )
    assert sum(weight for _, weight in weights) < WEIGHT_LIMIT, sorted(weights, key=lambda pair: -pair[1])[:8]


async def test_old_data_is_called_old_and_comes_back_without_a_reload(live_city: LiveCity, visits: Visits) -> None:
    async with plugged_in(live_city.url) as cable:
        visit = await visits.to(cable.url, frozen=True, forgiving=True)
        page = visit.page
        await visit.map_ready()
        await page.evaluate("window.sameDocument = true")
        await expect(page.locator("#age.fresh")).to_be_visible()
        cable.pull()
        await page.clock.fast_forward(45_000)
        await expect(page.locator("#age")).not_to_contain_text("实时")
        await expect(page.locator("#stale")).to_have_count(0)
        await page.clock.fast_forward(25_000)
        await expect(page.locator("#stale")).to_be_visible()
        await expect(page.locator("body")).to_have_class("stale")
        cable.plug()
        await page.clock.fast_forward(20_000)
        await expect(page.locator("#stale")).to_have_count(0)
        await expect(page.locator("#age.fresh")).to_be_visible()
        assert await page.evaluate("window.sameDocument")


async def test_a_change_missed_while_cut_off_is_made_up_for(live_city: LiveCity, visits: Visits) -> None:
    space = (await spaces_of(live_city))[1]
    code, lot_id = space["properties"]["code"], space["properties"]["lot_id"]
    sensor = live_city.sensors[code]
    await live_city.publish(sensor, occupied=False)
    async with plugged_in(live_city.url) as cable:
        visit = await visits.to(cable.url, forgiving=True)
        await visit.map_ready()
        badge = visit.page.locator(f'[data-lot="{lot_id}"] .badge')

        async def api_says(free: int) -> bool:
            lots = await lots_of(live_city)
            return any(lot["id"] == lot_id and lot["available"] == free for lot in lots.values())

        free = next(lot["available"] for lot in (await lots_of(live_city)).values() if lot["id"] == lot_id)
        await expect(badge).to_have_text(str(free))
        cable.pull()
        await live_city.publish(sensor, occupied=True)
        await until(lambda: api_says(free - 1))
        cable.plug()
        await expect(badge).to_have_text(str(free - 1))


async def test_a_lot_is_found_by_pinyin_initials_and_a_dead_end_has_a_way_on(
    live_city: LiveCity, visits: Visits
) -> None:
    visit = await visits.to(live_city.url)
    page = visit.page
    lots = await lots_of(live_city)
    lot = next(lot for lot in lots.values() if len(lot["keys"]) == 2 and len(lot["keys"][1]) >= 2)
    for text in (lot["keys"][1], lot["keys"][0].upper(), lot["name"][:2], lot["code"]):
        await page.locator("#search").fill(text)
        await expect(page.locator(f'[data-lot="{lot["id"]}"]')).to_be_visible()
    await page.locator("#search").fill("zzzz")
    await page.get_by_role("button", name="看看全部停车点").click()
    await expect(page.locator("#lots > li")).to_have_count(len(lots))


async def test_a_shared_link_opens_the_lot_and_back_closes_it(live_city: LiveCity, visits: Visits) -> None:
    lot = next(iter((await lots_of(live_city)).values()))
    visit = await visits.to(f"{live_city.url}/#lot={lot['id']}&sort=free&show=free", size=PHONE)
    page = visit.page
    await expect(page.locator("#lot-name")).to_have_text(lot["name"])
    await page.get_by_role("button", name="返回列表").click()
    await expect(page.get_by_role("button", name="空位", exact=True)).to_have_attribute("aria-pressed", "true")
    await page.locator("#lots button").first.click()
    await expect(page.locator("#lot-name")).to_be_visible()
    await page.go_back()
    await expect(page.locator("#lot-name")).to_have_count(0)


async def test_a_link_to_a_lot_that_is_gone_says_so(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(f"{live_city.url}/#lot=GONE")
    await expect(visit.page.locator(".notice")).to_contain_text("已经没有了")
    assert "GONE" not in visit.page.url


async def test_a_lots_sheet_says_what_a_stay_costs_and_why(live_city: LiveCity, visits: Visits) -> None:
    lot = next(lot for lot in (await lots_of(live_city)).values() if lot["price_summary"])
    visit = await visits.to(f"{live_city.url}/#lot={lot['id']}", lang="en-GB")
    page = visit.page
    await page.get_by_role("button", name="8 h").click()
    await expect(page.locator(".stay-total strong")).not_to_be_empty()
    assert "failed" not in await page.locator(".stay-fee").inner_text()
    await page.get_by_role("button", name="Take me there").click()
    links = await page.locator(".go-with a").evaluate_all("(links) => links.map((link) => link.href)")
    assert len(links) == 4
    assert any("coordinate=wgs84" in link for link in links)


async def test_a_refused_position_is_taken_with_good_grace(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url)
    await visit.page.locator("#here").click()
    await expect(visit.page.locator(".notice")).to_contain_text("定位")


async def test_near_me_sorts_by_the_distance_from_there(live_city: LiveCity, visits: Visits) -> None:
    space = (await spaces_of(live_city))[-1]
    lon, lat = middle_of(space)
    visit = await visits.to(live_city.url, geolocation={"longitude": lon, "latitude": lat}, permissions=["geolocation"])
    await visit.page.locator("#here").click()
    await expect(visit.page.locator("#lots button").first).to_have_attribute("data-lot", space["properties"]["lot_id"])


@pytest.mark.parametrize("width", [320, 390])
async def test_a_small_phone_shows_the_essentials_without_sideways_scrolling(
    live_city: LiveCity, visits: Visits, width: int
) -> None:
    visit = await visits.to(live_city.url, size=(width, 844))
    page = visit.page
    await page.locator("#lots > li").first.wait_for()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    for selector in ("#search", "#total-free", "#lots > li:first-child", "#here", "#legend-button"):
        box = await page.locator(selector).bounding_box()
        assert box is not None
        assert box["x"] >= 0, selector
        assert box["x"] + box["width"] <= width, selector
        assert box["y"] + box["height"] <= 844, selector


async def test_the_sheet_keeps_its_place_while_numbers_change(live_city: LiveCity, visits: Visits) -> None:
    space = (await spaces_of(live_city))[2]
    sensor = live_city.sensors[space["properties"]["code"]]
    await live_city.publish(sensor, occupied=False)
    visit = await visits.to(f"{live_city.url}/#lot={space['properties']['lot_id']}", size=PHONE)
    page = visit.page
    badge = page.locator(".lot-now .badge")
    await page.locator(".fact").last.wait_for()
    await page.locator(".lot").evaluate("(sheet) => { sheet.scrollTop = 120 }")
    before = await badge.inner_text()
    await live_city.publish(sensor, occupied=True)
    await expect(badge).not_to_have_text(before)
    assert await page.locator(".lot").evaluate("(sheet) => sheet.scrollTop") == 120


async def test_the_api_is_described_from_our_own_files(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(f"{live_city.url}/docs")
    await expect(visit.page.get_by_text("/api/v1/lots/{lot_id}/quote")).to_be_visible()
    await visit.page.locator(".opblock-summary").first.click()
    await expect(visit.page.locator(".opblock.is-open .responses-wrapper")).to_be_visible()


@pytest.mark.parametrize("lang", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
async def test_pictures_for_people_to_look_at(
    live_city: LiveCity, visits: Visits, size: tuple[int, int], dark: bool, lang: Any
) -> None:
    name = f"{'phone' if size == PHONE else 'wide'}-{lang[:2]}-{'dark' if dark else 'light'}"
    PICTURES.mkdir(parents=True, exist_ok=True)
    visit = await visits.to(live_city.url, size=size, dark=dark, lang=lang)
    await visit.map_ready()
    await visit.page.screenshot(path=PICTURES / f"{name}.png")
    await visit.page.locator("#lots button").first.click()
    await visit.page.locator(".stay-fee p").first.wait_for()
    await visit.on_map("if (map.isMoving()) await map.once('idle')")
    await visit.page.screenshot(path=PICTURES / f"{name}-lot.png")
    assert (PICTURES / f"{name}-lot.png").stat().st_size > 20_000

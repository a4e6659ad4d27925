"""The installed map: opens without a connection, says so and how old its picture is, and renews itself."""

import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect
from starlette.applications import Starlette

import web
from tests.support.waiting import until
from tests.web.cable import plugged_in
from tests.web.live import LiveCity
from tests.web.looking import PHONE, Visit, Visits

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.asyncio(loop_scope="session")]

PICTURES = Path(__file__).parents[2] / "test-output" / "map"


async def kept(visit: Visit) -> bool:
    """Whether the device has the page and a picture of the city."""
    names: list[str] = await visit.page.evaluate(
        """async () => {
          if (!navigator.serviceWorker.controller) return [];
          return (await (await caches.open('parking-picture')).keys()).map((one) => new URL(one.url).pathname);
        }"""
    )
    return {"/api/v1/lots", "/api/v1/city"} <= set(names)


async def test_the_map_opens_without_a_connection_and_says_how_old_its_picture_is(
    live_city: LiveCity, visits: Visits
) -> None:
    async with plugged_in(live_city.url) as cable:
        visit = await visits.to(cable.url, size=PHONE, forgiving=True)
        page = visit.page
        await visit.map_ready()
        await until(lambda: kept(visit))
        total = await visit.total()
        cable.pull()
        await page.reload()
        await expect(page.locator("#offline, #stale")).to_be_visible()
        assert re.search(r"\d\d:\d\d", await page.locator("#offline, #stale").inner_text())
        assert await visit.total() == total
        await expect(page.locator("#age.fresh")).to_have_count(0)
        assert await visit.map_ready() == "1", "the map library is on the device, too"
        PICTURES.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=PICTURES / "phone-zh-offline.png")
        cable.plug()
        await expect(page.locator("#offline, #stale")).to_have_count(0)
        await expect(page.locator("#age.fresh")).to_be_visible()


async def test_a_kept_answer_never_passes_for_a_fresh_one(live_city: LiveCity, visits: Visits) -> None:
    async with plugged_in(live_city.url) as cable:
        visit = await visits.to(cable.url, forgiving=True)
        await until(lambda: kept(visit))
        cable.pull()
        asked = """async (cache) => {
          try {
            const answer = await fetch('/api/v1/lots', { cache });
            return answer.headers.get('X-Kept-At') ?? 'fresh';
          } catch {
            return 'nothing';
          }
        }"""
        assert await visit.page.evaluate(asked, "no-cache") == "nothing"

        async def is_marked() -> bool:  # an answer of this very second is no kept one
            return str(await visit.page.evaluate(asked, "default")).endswith("GMT")

        await until(is_marked)


async def test_the_browser_would_install_it(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(live_city.url)
    session = await visit.page.context.new_cdp_session(visit.page)
    manifest = await session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    icons = json.loads(manifest["data"])["icons"]
    assert {icon["sizes"] for icon in icons} >= {"192x192", "512x512"}
    base = manifest["url"].rpartition("/")[0]
    async with httpx.AsyncClient() as client:
        for icon in icons:
            answer = await client.get(f"{base}/{icon['src']}")
            assert answer.status_code == 200, icon
            assert answer.headers["content-type"] == icon["type"]


async def test_every_file_the_device_keeps_is_there() -> None:
    transport = httpx.ASGITransport(app=Starlette(routes=web.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        script = await client.get("/service-worker.js")
        assert script.headers["cache-control"] == "no-cache"
        assert script.headers["content-type"].startswith("text/javascript")
        files = json.loads(re.findall(r"FILES = (\[.*?\]);", script.text, re.DOTALL)[0])
        assert {path for path in files if "maplibre-gl-worker" in path}
        for path in files:
            assert (await client.get(path)).status_code == 200, path

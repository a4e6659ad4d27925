"""The kiosk as a machine: set up, locked down, off the network and back, asked for help, forgetting in time."""

import json
import re
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import pytest
from playwright.async_api import expect
from starlette.applications import Starlette

import web
from tests.support.waiting import until
from tests.web.cable import plugged_in
from tests.web.kiosk import LANDSCAPE, PORTRAIT, at_kiosk, faults_of, new_key, on_step, touch, type_keys
from tests.web.live import LiveCity
from tests.web.looking import Visit, Visits
from tests.web.test_map_page import assert_accessible

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.asyncio(loop_scope="session")]

PICTURES: Final = Path(__file__).parents[2] / "test-output" / "kiosk"
CONTRAST: Final = "axe.run({runOnly: {type: 'rule', values: ['color-contrast-enhanced']}})"


async def picture(visit: Visit, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    size = visit.page.viewport_size
    assert size is not None
    await visit.page.screenshot(path=PICTURES / f"{size['width']}-{name}.png")


async def test_it_is_set_up_once_and_its_key_stays_out_of_sight(live_city: LiveCity, visits: Visits) -> None:
    visit = await visits.to(f"{live_city.url}/kiosk", size=PORTRAIT, refusals=(401,))
    page = visit.page
    await on_step(page, "setup")
    await picture(visit, "setup-zh")
    await assert_accessible(visit, "setup")
    await page.get_by_label("设备密钥").fill("not-a-key")
    await touch(page.get_by_role("button", name="启用"))
    await expect(page.get_by_role("alert")).to_contain_text("不认识")
    await page.get_by_label("设备密钥").fill(await new_key(live_city))
    await page.get_by_label("设备密钥").press("Enter")
    await on_step(page, "idle")
    await page.reload()
    await on_step(page, "idle")
    other = await at_kiosk(visits, live_city.url, await new_key(live_city))
    assert other.page.url == f"{live_city.url}/kiosk", "a key behind the # is taken out of the address at once"
    assert not any("key=" in request.url.partition("#")[0] for request in other.requests)


async def test_a_revoked_key_puts_it_out_of_service_and_no_touch_sets_it_up(
    live_city: LiveCity, visits: Visits
) -> None:
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city, "revoked soon"), refusals=(401,))
    db = await asyncpg.connect(live_city.database_url)
    await db.execute("UPDATE device_key SET revoked_at = now() WHERE name = 'revoked soon'")
    await db.close()
    await visit.page.reload()
    await on_step(visit.page, "closed")
    await expect(visit.page.locator("input")).to_have_count(0)
    await expect(visit.page.locator(".k-qr")).to_be_visible()
    await picture(visit, "closed-zh")


@pytest.mark.parametrize(
    ("size", "lot"), [(PORTRAIT, None), (LANDSCAPE, "XS")], ids=["portrait-of-no-lot", "landscape-of-a-lot"]
)
async def test_whoever_stands_before_it_sees_and_reaches_everything(
    live_city: LiveCity, visits: Visits, size: tuple[int, int], lot: str | None
) -> None:
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city, lot=lot), size=size)
    page = visit.page
    looks = {"": None, "large": ".k-looks button:nth-child(2)", "low": ".k-looks button:nth-child(4)"}
    for name, switch in looks.items():
        for lang in ("zh", "en"):
            await on_step(page, "idle")
            if lang == "en":
                await touch(page.locator(".k-looks button").first)
            if switch:
                await touch(page.locator(switch))
            assert await faults_of(page) == [], f"idle {name} {lang}"
            await picture(visit, f"idle-{lang}{name}")
            await touch(page.locator(".k-start"))
            assert await faults_of(page) == [], f"space {name} {lang}"
            await touch(page.locator(".k-tabs button").nth(1))
            assert await faults_of(page) == [], f"province {name} {lang}"
            await type_keys(page, "浙D1234")
            assert await faults_of(page) == [], f"plate {name} {lang}"
            await picture(visit, f"plate-{lang}{name}")
            await touch(page.locator(".k-tabs button").nth(2))
            assert await faults_of(page) == [], f"code {name} {lang}"
            await touch(page.locator(".k-help"))
            await expect(page.get_by_role("dialog")).to_be_visible()
            await touch(page.locator(".k-dialog .k-onward"))
            await touch(page.locator(".k-way button").last)


async def test_it_is_readable_by_everybody(live_city: LiveCity, visits: Visits) -> None:
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city))
    page = visit.page

    async def seven_to_one(state: str) -> None:
        await assert_accessible(visit, state)
        found = await page.evaluate(CONTRAST)
        assert [one["nodes"][0]["html"] for one in found["violations"]] == [], state

    await seven_to_one("idle")
    await touch(page.locator(".k-start"))
    await seven_to_one("space")
    await touch(page.locator(".k-tabs button").nth(1))
    await seven_to_one("plate")
    await touch(page.get_by_role("button", name="高对比度"))
    await seven_to_one("plate in high contrast")
    await picture(visit, "plate-contrast")
    await touch(page.locator(".k-help"))
    await seven_to_one("help")
    await picture(visit, "help-contrast")


async def test_a_passer_by_cannot_leave_mark_or_magnify_it(live_city: LiveCity, visits: Visits) -> None:
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city))
    page = visit.page
    refused = """() => ["contextmenu", "selectstart", "dragstart"].map((kind) =>
      !document.querySelector(".k-start").dispatchEvent(new Event(kind, {bubbles: true, cancelable: true})))"""
    assert await page.evaluate(refused) == [True, True, True]
    keys = """() => [["F5", {}], ["F12", {}], ["ArrowLeft", {altKey: true}], ["+", {ctrlKey: true}]]
      .map(([key, more]) => !document.body.dispatchEvent(
        new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true, ...more})))"""
    assert all(await page.evaluate(keys))
    assert await page.locator("a").count() == 0
    assert await page.evaluate("getComputedStyle(document.documentElement).touchAction") == "none"
    assert await page.evaluate("getComputedStyle(document.body).userSelect") == "none"
    await page.locator(".k-start").dblclick()
    await on_step(page, "find")
    await expect(page.locator(".k-typed i")).to_be_visible()  # the second tap typed nothing


async def test_it_asks_after_45_seconds_and_forgets_after_60(live_city: LiveCity, visits: Visits) -> None:
    visit = await at_kiosk(visits, live_city.url, await new_key(live_city), frozen=True)
    page = visit.page
    entries = await page.evaluate("history.length")
    await touch(page.locator(".k-start"))
    await touch(page.locator(".k-tabs button").nth(1))
    await type_keys(page, "浙D9Z8Y7")
    await touch(page.get_by_role("button", name="English"))
    await page.clock.run_for(44_000)
    await expect(page.get_by_role("alertdialog")).to_have_count(0)
    await page.clock.run_for(2_000)
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    await picture(visit, "still-there-en")
    await assert_accessible(visit, "still there?")
    await touch(page.get_by_role("button", name="More time"))
    await expect(page.get_by_role("alertdialog")).to_have_count(0)
    assert "9" in await page.locator(".plate-boxes").inner_text(), "more time keeps the step"
    await page.clock.run_for(61_000)
    await on_step(page, "idle")
    assert "9Z8Y7" not in re.sub(r"\s", "", await page.content())
    assert await page.evaluate("document.documentElement.lang") == "zh-CN"
    assert await page.evaluate("history.length") == entries
    kept = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "9Z8Y7" not in kept
    await touch(page.locator(".k-start"))
    await touch(page.locator(".k-tabs button").nth(1))
    assert re.sub(r"\W", "", await page.locator(".plate-boxes").inner_text()) == ""


async def test_without_a_connection_it_says_what_works_and_goes_on_by_itself(
    live_city: LiveCity, visits: Visits
) -> None:
    async with plugged_in(live_city.url) as cable:
        visit = await at_kiosk(visits, cable.url, await new_key(live_city), size=PORTRAIT, forgiving=True)
        page = visit.page
        await until(lambda: page.evaluate("Boolean(navigator.serviceWorker.controller)"))
        cable.pull()
        await page.reload()
        await on_step(page, "down")
        await expect(page.get_by_text("用手机扫车位牌上的码缴费")).to_be_visible()
        assert await until(lambda: page.evaluate("document.querySelector('.k-qr').naturalWidth")) > 0
        assert await faults_of(page) == []
        await picture(visit, "down-zh")
        queue = "JSON.parse(localStorage.getItem('parking.kiosk.events')).waiting.map((one) => one.kind)"
        assert "offline" in await page.evaluate(queue), "what happened is written down, to be told later"
        cable.plug()
        await on_step(page, "idle")


@pytest.mark.parametrize("path", ["/service-worker.js", "/kiosk-worker.js"])
async def test_every_file_a_worker_keeps_is_there(path: str) -> None:
    transport = httpx.ASGITransport(app=Starlette(routes=web.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        script = await client.get(path)
        files = json.loads(re.findall(r"FILES = (\[.*?\]);", script.text, re.DOTALL)[0])
        missing = [one for one in files if (await client.get(one)).status_code != 200]
    assert missing in ([], ["/kiosk/phone.svg"]), "the api draws the code, the pages' own routes are the rest"

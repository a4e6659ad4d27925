"""The demo's own journey: tap a free space, park, pay by its code, drive away; and all of it is true."""

import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Error, expect

from core.clock import instant, rfc3339
from core.money import Fen, yuan_text
from simulator.orders import orders_file, read_orders
from simulator.truth import read_lines
from tests.support.installation import Installation, a_port, an_installation
from tests.support.waiting import until
from tests.web.looking import PHONE, Visits
from tests.web.test_map_page import middle_of
from tests.web.test_pay_page import ANDROID

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.asyncio(loop_scope="session")]

PATIENCE_MS: Final = 90_000
QUIET_DAY: Final = """
zh: 安静的一天
en: A quiet day
begins: monday 10:00
speed: 120
history: 0
arrivals: {all: 0.05}
by-map: 0
faults: {repeated: 5%}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def here(tmp_path: Path) -> AsyncIterator[Installation]:
    scenario = tmp_path / "quiet-day.yaml"
    scenario.write_text(QUIET_DAY, encoding="utf-8")
    async with an_installation() as installation:
        await installation.begin("demo", "--port", a_port(), "--scenario", str(scenario))
        yield installation


async def a_free_space(url: str) -> dict[str, Any]:
    """The first that the map shows free, once it shows any."""

    async def first() -> dict[str, Any] | None:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            features = (await client.get("/api/v1/spaces")).json()["features"]
            letters = (await client.get("/api/v1/spaces/state")).json()["states"]
        found = zip(features, letters, strict=True)
        return next((space for space, letter in found if letter == "f"), None)

    space: dict[str, Any] = await until(first)
    return space


def told_of(here: Installation, code: str) -> list[str]:
    """What the demo's terminal says of a space."""
    return [line for line in here.said if f" {code}: " in line]


async def receipt_of(here: Installation, code: str) -> str | None:
    found = re.search(r": receipt (\S+)", "".join(told_of(here, code)))
    return found[1] if found else None


async def test_somebody_parks_by_the_map_pays_and_leaves_and_it_is_all_true(here: Installation, visits: Visits) -> None:
    found = await here.env()
    url = found["PARKING_API_URL"]
    space = await a_free_space(url)
    code, (lon, lat) = space["properties"]["code"], middle_of(space)

    visit = await visits.to(f"{url}/#at=19/{lat}/{lon}", size=PHONE, user_agent=ANDROID, refusals=(503,))
    visit.leads_to = found["PARKING_GATEWAY_URL"]
    visit.page.set_default_timeout(PATIENCE_MS)
    await visit.map_ready()

    async def is_drawn() -> bool:
        script = "return map.queryRenderedFeatures(map.project(argument), {layers: ['spaces']}).length > 0"
        drawn: bool = await visit.on_map(script, [lon, lat])
        return drawn

    await until(is_drawn)
    at = await visit.on_map("const p = map.project(argument); return [p.x, p.y]", [lon, lat])
    await visit.page.mouse.click(*at)
    await visit.page.get_by_role("button", name="停在这里").click()
    card = visit.page.locator(".park-here")
    await expect(card).to_contain_text(f"您停在 {code}", timeout=PATIENCE_MS)
    await expect(card.get_by_role("link", name="扫车位码缴费")).to_be_visible(timeout=PATIENCE_MS)

    simulator = here.process("simulator")
    assert simulator is not None
    os.kill(simulator.pid, signal.SIGKILL)

    await card.get_by_role("link", name="扫车位码缴费").click()
    await expect(visit.page).to_have_url(re.compile(f"/s/{code}"), timeout=PATIENCE_MS)
    await visit.page.get_by_role("button", name="微信支付").click()
    await visit.page.get_by_role("button", name=re.compile("^(确认支付|Pay)$")).click()
    await visit.page.get_by_role("link", name=re.compile("返回商家|Back to the merchant")).click()
    number = await until(lambda: receipt_of(here, code))  # the page asks for it when it sees the money
    await visit.page.goto(f"{url}/r/{number}")
    await expect(visit.page.locator(".receipt")).to_contain_text(code, timeout=PATIENCE_MS)

    await visit.page.goto(url)
    await visit.page.locator("#parked").get_by_role("button", name="去看").click()
    leave = visit.page.locator(".park-here").get_by_role("button", name="开走")
    left = visit.page.locator(".park-here").get_by_text(f"已从 {code} 开走")

    async def has_left() -> bool:
        if not await left.count():
            with suppress(Error):  # refused while the simulator starts again; gone once it has answered
                await leave.click(timeout=1_000)
        return bool(await left.count())

    await until(has_left)
    await expect(visit.page.locator(".park-here")).to_contain_text("地图上已经是空闲", timeout=PATIENCE_MS)

    told = ("parked here by the map", "session", "paid ¥", "receipt", "the vehicle left", "the session ended")

    async def is_told() -> bool:
        return all(any(words in line for line in told_of(here, code)) for words in told)

    await until(is_told)
    truth = here.state.root / "demo-truth.jsonl"
    came, went = (rfc3339(instant(order.at_ms)) for order in read_orders(orders_file(truth)))
    stays = [line.stay for line in read_lines(truth) if line.stay]
    (ended,) = [stay for stay in stays if (stay.space, stay.entered_at, stay.left_at) == (code, came, went)]
    minutes = (datetime.fromisoformat(went) - datetime.fromisoformat(came)).seconds / 60
    bill = told_of(here, code)[-1]
    assert ended.fee_fen is not None
    assert f"after {round(minutes)} min, bill {yuan_text(Fen(ended.fee_fen))}" in bill

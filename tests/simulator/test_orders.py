"""People park in a running city through its door; whoever is killed, what they did is true and arrives once."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.clock import milliseconds
from ops.state import free_port
from simulator.orders import read_orders
from simulator.sent import unpack
from simulator.truth import read_lines
from tests.simulator.conftest import Listener, OwnBroker
from tests.support.county import city_file
from tests.support.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.services

START_MS = milliseconds(datetime(2026, 3, 10, 2, 0, tzinfo=UTC))
SPEED = 60
VISIT = "a-visit-of-mine"


class Town:
    """Sixty simulated spaces that take orders."""

    def __init__(self, folder: Path, url: str) -> None:
        self.truth = folder / "truth.jsonl"
        self.orders = folder / "truth.orders.jsonl"
        self.status_file = folder / "status.json"
        self.city = folder / "city.geojson"
        self.city.write_text(json.dumps(city_file(spaces=60, lots=6)))
        self.spaces = [one["properties"] for one in city_file(spaces=60, lots=6)["features"]]
        self.port = free_port()
        self.environment = {
            **os.environ,
            "PARKING_MQTT_URL": url,
            "PARKING_CLOCK": f"{time.time_ns() // 1_000_000}/{START_MS}/{SPEED}",
        }
        self.door = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=PATIENCE_SECONDS
        )
        self.process: asyncio.subprocess.Process | None = None

    async def live(self) -> None:
        """Start it; returns when it sends what is due now."""
        self.status_file.unlink(missing_ok=True)
        files = ["--city", str(self.city), "--truth", str(self.truth), "--status-file", str(self.status_file)]
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "simulator", "--history", "1h", "--orders-port", str(self.port), *files),
            env=self.environment,
        )

        async def lives() -> bool:
            return self.status_file.exists() and json.loads(self.status_file.read_bytes())["phase"] == "live"

        await until(lives)

    async def end(self, *, kill: bool = False) -> None:
        assert self.process is not None
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)

    async def ask(self, verb: str, space: str, visit: str = VISIT) -> tuple[int, dict[str, Any]]:
        answer = await self.door.post(f"/{verb}", json={"space": space, "visit": visit})
        return answer.status_code, answer.json()

    async def park(self) -> dict[str, Any]:
        """Somewhere: the first space that takes us."""
        for code in (one["code"] for one in self.spaces if one["kind"] == "space"):
            status, said = await self.ask("park", code)
            if status == 200:
                return said
        raise AssertionError("no space is free")

    def stays(self, space: str) -> list[tuple[str, str | None]]:
        """As the truth tells them, those that began in the visit's time."""
        told = [line.stay for line in read_lines(self.truth) if line.stay and line.stay.space == space]
        return list({stay.entered_at: (stay.entered_at, stay.left_at) for stay in told}.values())


@pytest.fixture
async def town(tmp_path: Path, broker: OwnBroker) -> AsyncIterator[Town]:
    town = Town(tmp_path, broker.url)
    yield town
    if town.process is not None and town.process.returncode is None:
        await town.end(kill=True)
    await town.door.aclose()


async def test_killed_between_parking_and_leaving_the_visit_is_true_and_arrives(town: Town, listener: Listener) -> None:
    await town.live()
    parked = await town.park()
    await town.end(kill=True)
    with town.orders.open("ab") as file:
        file.write(b'{"verb":"park","spa')  # an order that was being written when the power failed
    await town.live()
    status, refused = await town.ask("park", parked["space"], "another-visit")
    assert (status, refused["slug"]) == (409, "space-taken")
    status, refused = await town.ask("leave", parked["space"], "another-visit")
    assert (status, refused["slug"]) == (409, "not-your-visit")

    async def left() -> bool:
        status, _ = await town.ask("leave", parked["space"])
        return status == 200

    assert (await town.door.get("/visits")).json() == {parked["space"]: VISIT}
    await until(left)
    assert (await town.door.get("/visits")).json() == {}
    await town.end()
    assert [order.verb for order in read_orders(town.orders)] == ["park", "leave"]
    (stay,) = [stay for stay in town.stays(parked["space"]) if milliseconds(_at(stay[0])) == parked["at_ms"]]
    assert stay[1] is not None
    sensors = [line.space.sensor_id for line in read_lines(town.truth) if line.space]
    told = {
        (sensors[one.number], one.at_ms, one.boot, one.seq, one.occupied, one.kind.value)
        for line in read_lines(town.truth)
        if line.readings
        for one in unpack(line.readings)
    }

    async def arrived() -> bool:
        return listener.identities() >= told

    await until(arrived)
    assert listener.identities() == told, "nothing was said that the truth does not tell"
    assert (parked["sensor_id"], parked["at_ms"], True) in {(one[0], one[1], one[4]) for one in told}


async def test_what_is_no_order_is_refused_in_words(town: Town) -> None:
    await town.live()
    assert (await town.ask("park", "ZZ-999"))[0] == 404
    assert (await town.ask("fly", "ZZ-999"))[0] == 422
    assert (await town.ask("park", "ZZ-999", visit="short"))[0] == 422
    answer = await town.door.post("/park", content=b'{"space": "x", "visit": "12345678"}')
    assert answer.status_code == 422, "a page of another site cannot ask: no browser sends it JSON unasked"
    await town.end()


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)

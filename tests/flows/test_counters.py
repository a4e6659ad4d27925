"""A simulated counter is on the live stream; while nobody answers it tries again, and says so once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from simulator.counters import Counters, read_counted_lots
from simulator.counting import CountSender
from tests.api.conftest import Api, running
from tests.api.town import Town, built
from tests.support.county import SHANGHAI
from tests.support.waiting import until
from tests.web.cable import plugged_in

pytestmark = pytest.mark.services

CAPACITY = 100


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    async with built(database_url) as town:
        yield town


@pytest.fixture
async def api(town: Town) -> AsyncIterator[Api]:
    async with running(town.database.url) as api:
        yield api


@asynccontextmanager
async def counting(api: Api, key: str, *codes: str, url: str | None = None) -> AsyncIterator[CountSender]:
    """Counters of these lots of a hundred places each."""
    lots = read_counted_lots({"features": [_lot(code) for code in codes]})
    clock = api.parts.clock
    counters = Counters(lots, seed=1, begins_ms=clock.now_ms(), zone=SHANGHAI)
    sender = CountSender(codes, counters, clock=clock, api_url=url or api.url, key=key)
    with sender:
        yield sender
        await asyncio.to_thread(sender.stop)  # the api it may be waiting for runs in this thread


def _lot(code: str) -> dict[str, Any]:
    about = {"code": code, "name": "停车场", "lot_kind": "off_street", "source": "counter", "capacity": CAPACITY}
    return {"type": "Feature", "properties": {"kind": "lot", **about}, "geometry": None}


def told(logs: list[Any]) -> list[str]:
    return [entry["event"] for entry in logs if entry["event"].startswith("count")]


async def test_what_a_simulated_counter_says_is_on_the_live_stream(api: Api, town: Town) -> None:
    async with api.watching() as viewer:
        await viewer.event()
        async with counting(api, await town.key("uplink"), "GS"):
            name, data = await viewer.event()
        assert name == "changes"
        gushan = data["lots"]["GS"]
        assert gushan["unknown"] == 0
        assert gushan["free"] + gushan["occupied"] == CAPACITY
    assert (await api.lot("GS"))["occupied"] == gushan["occupied"]


async def test_a_lot_that_is_refused_is_told_once_and_keeps_no_other_from_counting(api: Api, town: Town) -> None:
    with capture_logs() as logs:
        async with counting(api, await town.key("uplink"), "AA", "GS", "KA"):
            await api.until_lot("GS", lambda lot: lot["unknown"] == 0)

            async def both_are_told() -> bool:
                return told(logs) == ["count.refused"] * 2

            await until(both_are_told)
    refused = {entry["lot_id"]: entry["status"] for entry in logs if entry["event"] == "count.refused"}
    assert refused == {"AA": 404, "KA": 409}


async def test_while_nobody_answers_it_tries_again_and_says_so_once(api: Api, town: Town) -> None:
    key = await town.key("uplink")
    with capture_logs() as logs:
        async with plugged_in(api.url) as cable:
            cable.pull()
            async with counting(api, key, "GS", url=cable.url) as sender:

                async def it_was_tried_again() -> bool:
                    return sender.failures > 1

                await until(it_was_tried_again)
                assert told(logs) == ["counters.not_heard"]
                cable.plug()
                await api.until_lot("GS", lambda lot: lot["unknown"] == 0)

                async def that_is_told() -> bool:
                    return told(logs)[1:] != []

                await until(that_is_told)
    assert told(logs) == ["counters.not_heard", "counters.heard_again"]


async def test_a_key_that_is_revoked_is_told_once_too(api: Api, town: Town) -> None:
    with capture_logs() as logs:
        async with counting(api, "uplink_guessed", "GS") as sender:

            async def it_was_tried_again() -> bool:
                return sender.failures > 1

            await until(it_was_tried_again)
    assert told(logs) == ["counters.not_heard"]

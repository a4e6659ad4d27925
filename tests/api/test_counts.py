"""A lot that only counts: what its counter says is on the map and the live stream, and never more than is known."""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from api.live_city.registry import COUNT_LIMIT_MS
from core.clock import rfc3339
from tests.api.conftest import Api, running
from tests.api.town import Town, now

pytestmark = pytest.mark.services

CAPACITY = 100


class Counter:
    """A barrier with a key, in front of the town's car park."""

    def __init__(self, api: Api, key: str) -> None:
        self._api = api
        self._key = key

    async def post(self, occupied: object, at: datetime | None = None, *, lot: str = "GS") -> httpx.Response:
        return await self._api.client.post(
            f"/api/v1/lots/{lot}/count",
            json={"occupied": occupied, "at": rfc3339(at or now())},
            headers={"Authorization": f"Bearer {self._key}"},
        )

    async def say(self, occupied: int, at: datetime | None = None) -> dict[str, Any]:
        answer = await self.post(occupied, at)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said


@pytest.fixture
async def counter(api: Api, town: Town) -> Counter:
    return Counter(api, await town.key("uplink"))


def slug(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_a_count_is_on_the_live_stream_and_then_on_the_map(api: Api, counter: Counter) -> None:
    async with api.watching() as viewer:
        name, _ = await viewer.event()
        assert name == "snapshot"
        at = now()
        said = await counter.say(37, at)
        assert said == {
            "lot_id": "GS",
            "occupied": 37,
            "at": rfc3339(at),
            "capacity": CAPACITY,
            "stored": True,
            "clamped": False,
        }
        name, data = await viewer.event()
        assert name == "changes"
        assert data["lots"] == {"GS": {"available": 63, "free": 63, "occupied": 37, "unknown": 0, "closed": 0}}
    lot = await api.lot("GS")
    assert (lot["estimated"], lot["free"], lot["occupied"], lot["unknown"]) == (True, 63, 37, 0)


async def test_an_older_count_changes_nothing_and_a_repeated_one_is_no_news(counter: Counter, town: Town) -> None:
    at = now()
    await counter.say(40, at)
    for occupied, when in ((50, at - timedelta(seconds=1)), (40, at)):
        said = await counter.say(occupied, when)
        assert (said["stored"], said["occupied"], said["at"]) == (False, 40, rfc3339(at))
    assert (await counter.say(41, at + timedelta(milliseconds=1)))["stored"]
    assert await town.scalar("SELECT occupied FROM lot_count") == 41


async def test_of_counts_that_come_at_once_and_in_any_order_the_newest_stays(counter: Counter, town: Town) -> None:
    begin = now()
    order = [7, 2, 11, 0, 5, 9, 1, 10, 3, 8, 6, 4]
    await asyncio.gather(*(counter.say(n, begin + timedelta(milliseconds=n)) for n in order))
    assert await town.scalar("SELECT occupied FROM lot_count") == max(order)


async def test_a_little_too_many_is_full_and_far_too_many_is_refused(api: Api, counter: Counter) -> None:
    said = await counter.say(CAPACITY + 3)
    assert (said["occupied"], said["clamped"]) == (CAPACITY, True)
    await api.until_lot("GS", lambda lot: (lot["free"], lot["occupied"]) == (0, CAPACITY))
    assert (await counter.say(2 * CAPACITY))["clamped"]
    assert slug(await counter.post(2 * CAPACITY + 1)) == (422, "impossible-count")


@pytest.mark.parametrize("occupied", [-1, 1.5, "7", True, None], ids=repr)
async def test_what_is_no_number_of_vehicles_is_refused(counter: Counter, occupied: object) -> None:
    assert slug(await counter.post(occupied)) == (422, "invalid-request")


async def test_a_clock_may_be_a_little_ahead_but_not_far(counter: Counter) -> None:
    assert (await counter.say(1, now() + timedelta(minutes=4, seconds=50)))["stored"]
    answer = await counter.post(1, now() + timedelta(minutes=5, seconds=10))
    assert slug(answer) == (422, "count-from-the-future")


async def test_only_lots_that_count_are_counted(counter: Counter, town: Town) -> None:
    assert slug(await counter.post(1, lot="KA")) == (409, "lot-not-counted")
    assert slug(await counter.post(1, lot="XX")) == (404, "lot-not-found")
    await town.change_lot("GS", retired_at=now())
    assert slug(await counter.post(1)) == (404, "lot-not-found")


async def test_it_takes_the_key_of_a_platform(api: Api, town: Town) -> None:
    for key in ("nothing", "uplink_guessed", await town.key("kiosk")):
        assert slug(await Counter(api, key).post(1)) == (401, "unauthenticated")


async def test_a_count_that_comes_late_is_kept_but_not_shown_as_the_present(api: Api, counter: Counter) -> None:
    assert (await counter.say(5, now() - timedelta(minutes=16)))["stored"]
    assert (await counter.say(6, now() - timedelta(minutes=15, seconds=30)))["stored"]
    assert (await api.lot("GS"))["unknown"] == CAPACITY
    await counter.say(7, now() - timedelta(minutes=14))
    await api.until_lot("GS", lambda lot: lot["occupied"] == 7)


async def test_a_quarter_of_an_hour_after_its_newest_count_a_lot_is_unknown(town: Town) -> None:
    real_ms = time.time_ns() // 1_000_000
    async with running(town.database.url, clock=f"{real_ms}/{real_ms}/300") as api:  # a quarter of an hour in 3 s
        at = api.parts.clock.now()
        await Counter(api, await town.key("uplink")).say(5, at)
        await api.until_lot("GS", lambda lot: lot["occupied"] == 5)
        await api.until_lot("GS", lambda lot: lot["unknown"] == CAPACITY)
        assert api.parts.clock.now_ms() - COUNT_LIMIT_MS >= int(at.timestamp() * 1_000)

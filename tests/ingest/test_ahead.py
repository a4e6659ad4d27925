"""The next batch is prepared while the database writes this one: whatever then fails, nothing of it shows."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import asyncpg
import pytest
from prometheus_client import REGISTRY

from core.clock import RealClock
from core.occupancy import Kind, Reading
from core.session import FoldRules, fold
from ingest.database import connect
from ingest.inbox import Inbox, Message
from ingest.pipeline import Pipeline
from ingest.writer import Writer
from tests.support.desk import HOUR, MINUTE, PREFIX
from tests.support.street import plant
from tests.support.waiting import until

pytestmark = pytest.mark.services

SPACES = 6
BATCH = 7
MESSAGES = 600
REFUSED_SEQ = 666
"""A sequence number that these tests let the database refuse."""
RULES = FoldRules(min_stay_ms=20_000, min_gap_ms=20_000, silence_ms=3 * HOUR)


class Traffic(NamedTuple):
    """Messages in the order they come, and what they say in truth."""

    messages: Sequence[tuple[str, bytes]]
    readings: Sequence[Reading]
    """Each once."""
    refused: int


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    db = await connect(database_url)
    await plant(db, PREFIX, SPACES)
    await db.execute(f"ALTER TABLE reading ADD CONSTRAINT poison CHECK (seq <> {REFUSED_SEQ})")
    yield db
    await db.close()


def drawn(seed: int, until_ms: int) -> Traffic:
    """Stays of minutes; a tenth of the messages repeated, a tenth late, and some that the database refuses."""
    rng = random.Random(seed)
    occupied = [False] * SPACES
    come: list[tuple[float, str, dict[str, object]]] = []
    readings: list[Reading] = []
    refused = 0
    for number in range(MESSAGES):
        at_ms = until_ms - (MESSAGES - number) * 20_000
        space = rng.randrange(SPACES)
        is_change = rng.random() < 0.4
        occupied[space] ^= is_change
        sensor, kind = f"{PREFIX}-{space + 1:03}", Kind.CHANGE if is_change else Kind.HEARTBEAT
        seq = number if rng.random() > 1 / 60 else REFUSED_SEQ
        said: dict[str, object] = {"at": at_ms, "seq": seq, "boot": 1, "occupied": occupied[space], "kind": kind.value}
        said["battery_mv"] = 3_600
        place: float = number + (rng.uniform(0, 80) if rng.random() < 0.1 else 0)
        come.append((place, sensor, said))
        if seq == REFUSED_SEQ:
            refused += 1
            continue
        readings.append(
            Reading(
                sensor=sensor,
                at_ms=at_ms,
                occupied=occupied[space],
                kind=kind,
                seq=seq,
                boot=1,
            )
        )
        if rng.random() < 0.1:
            come.append((place + rng.choice([0, rng.uniform(0, 30)]), sensor, said))
    come.sort(key=lambda one: one[0])
    messages = [(f"parking/x/{sensor}/up", json.dumps(said).encode()) for _, sensor, said in come]
    return Traffic(messages, readings, refused)


class Line:
    """A pipeline with an inbox that holds everything from the start, so that there is always a next batch."""

    def __init__(self, url: str, traffic: Traffic) -> None:
        self.acknowledged: list[int] = []
        clock = RealClock()
        self.writer = Writer(clock, future_tolerance_seconds=300)
        self.pipeline = Pipeline(url, self.writer, ack=self._acknowledge, clock=clock)
        self.inbox = Inbox(batch_size=BATCH, flush_after_ms=20, limit=100_000)
        for mid, (topic, payload) in enumerate(traffic.messages):
            self.inbox.put(Message(topic, payload, clock.now_ms(), 1, mid, 1))
        self.draining = asyncio.create_task(self.pipeline.drain(self.inbox))

    def _acknowledge(self, batch: Sequence[Message]) -> int:
        self.acknowledged.extend(message.mid for message in batch)
        return len(batch)

    async def until_ahead(self) -> None:
        """Wait until a batch is being written and the next is prepared behind it."""

        async def is_ahead() -> bool:
            return self.writer.batches_pending == 2

        await until(is_ahead)

    async def end(self, count: int) -> None:
        async def all_are_written() -> bool:
            assert not self.draining.done(), self.draining.exception()
            return len(self.acknowledged) >= count

        await until(all_are_written)
        self.inbox.close()
        await self.draining
        assert self.acknowledged == list(range(count)), "each once, in the order of arrival"


async def prove(db: asyncpg.Connection, traffic: Traffic) -> None:
    """Stored once each; sessions and folds as one pass over all readings makes them."""
    assert await db.fetchval("SELECT count(*) FROM reading") == len(traffic.readings)
    rows = await db.fetch(
        """
        SELECT sensor.code, entered_at, left_at FROM parking_session AS session
        JOIN sensor_assignment USING (space_id) JOIN sensor ON sensor.id = sensor_assignment.sensor_id
        WHERE status <> 'void' ORDER BY sensor.code, entered_at
        """
    )
    expected = [
        (sensor, span.begin_ms, span.end_ms)
        for sensor in sorted({reading.sensor for reading in traffic.readings})
        for span in fold([one for one in traffic.readings if one.sensor == sensor], RULES).sessions(RULES)
    ]
    assert [tuple(row) for row in rows] == expected
    assert len(expected) > 30


def _overtaken() -> float:
    return REGISTRY.get_sample_value("parking_ingest_retries_total", {"why": "overtaken"}) or 0.0


@pytest.mark.parametrize("seed", range(3))
async def test_one_batch_ahead_ends_in_the_same_sessions_as_one_pass_over_all(
    database_url: str, db: asyncpg.Connection, seed: int
) -> None:
    traffic = drawn(seed, RealClock().now_ms() - MINUTE)
    before = _overtaken()
    line = Line(database_url, traffic)
    await line.end(len(traffic.messages))
    await prove(db, traffic)
    assert _overtaken() == before, "no batch stands in another's way"
    refused = await db.fetchval("SELECT sum(times) FROM refusal WHERE reason = 'rejected-by-database'")
    assert refused == traffic.refused > 0


@pytest.mark.parametrize("seed", range(3, 6))
async def test_whatever_fails_while_the_next_batch_is_prepared_is_made_good(
    database_url: str, db: asyncpg.Connection, seed: int
) -> None:
    """At random, all the time: the transaction broken off, states moved on by somebody else, the registry changed."""
    rng = random.Random(seed)
    traffic = drawn(seed, RealClock().now_ms() - MINUTE)
    spaces = [row["id"] for row in await db.fetch("SELECT id FROM space ORDER BY id")]
    line = Line(database_url, traffic)

    async def break_something() -> None:
        while len(line.acknowledged) < len(traffic.messages):
            match rng.randrange(3):
                case 0:
                    line.pipeline.break_off()
                case 1:
                    await db.execute(
                        "UPDATE space_state SET version = version + 1 WHERE space_id = $1", rng.choice(spaces)
                    )
                case _:
                    await db.execute("NOTIFY parking_registry")
            await asyncio.sleep(rng.uniform(0.02, 0.15))

    breaking = asyncio.create_task(break_something())
    await line.end(len(traffic.messages))
    await breaking
    await prove(db, traffic)


async def test_the_next_batch_really_is_prepared_before_the_commit_of_this_one(
    database_url: str, db: asyncpg.Connection
) -> None:
    """The table is locked, so nothing can be committed; the second batch's folds are in memory all the same."""
    traffic = drawn(9, RealClock().now_ms() - MINUTE)
    async with db.transaction():
        await db.execute("LOCK TABLE reading IN EXCLUSIVE MODE")
        line = Line(database_url, traffic)
        await line.until_ahead()
        assert line.acknowledged == []
    await line.end(len(traffic.messages))
    await prove(db, traffic)


async def test_what_sensors_say_of_themselves_is_told_again_when_the_batch_that_told_it_fails(
    database_url: str, db: asyncpg.Connection
) -> None:
    """Memory took it for stored while the batch was prepared; else it would be missing for an hour of readings."""
    traffic = drawn(10, RealClock().now_ms() - MINUTE)
    async with db.transaction():
        await db.execute("LOCK TABLE reading IN EXCLUSIVE MODE")
        line = Line(database_url, traffic)
        await line.until_ahead()
        line.pipeline.break_off()
    await line.end(len(traffic.messages))
    first = await db.fetch("SELECT sensor_id, min(observed_at) AS at FROM sensor_telemetry GROUP BY sensor_id")
    assert len(first) == SPACES
    begun = min(reading.at_ms for reading in traffic.readings)
    assert all(row["at"] < begun + HOUR for row in first)

"""Quarters of an hour: equal to walking all that is stored, whatever came late."""

import asyncio
import random
from collections import defaultdict

import pytest

from core.quarters import QUARTER_MS
from ingest.database import connect
from ops.rollups import count_quarters
from tests.support.desk import HOUR, MINUTE, Desk, open_desk, stay
from tests.support.waiting import until

pytestmark = pytest.mark.services

BEGIN_MS = 1_795_305_600_000  # 2026-11-22T00:00:00Z
SILENCE_MS = 30 * MINUTE
SPACES = 3

Row = tuple[int, int, int, int]
"""Occupied, heard, begun, ended."""


async def walk(desk: Desk) -> dict[tuple[int, int], Row]:
    """Every quarter of every space, minute by minute, from all that is stored."""
    found: dict[tuple[int, int], Row] = {}
    for space_id in range(1, SPACES + 1):
        heard = [row[0] for row in await desk.db.fetch("SELECT observed_at FROM reading WHERE space_id = $1", space_id)]
        stays = await desk.db.fetch(
            "SELECT entered_at, left_at FROM parking_session WHERE space_id = $1 AND status <> 'void'", space_id
        )
        for quarter_ms in range(BEGIN_MS, desk.clock.ms, QUARTER_MS):
            inside = range(quarter_ms, min(quarter_ms + QUARTER_MS, desk.clock.ms))
            known = [at for at in inside[::MINUTE] if any(one <= at < one + SILENCE_MS for one in heard)]
            taken = [at for at in known if any(begin <= at and (end is None or at < end) for begin, end in stays)]
            begun, ended = sum(begin in inside for begin, _ in stays), sum(end in inside for _, end in stays)
            if known or begun or ended:
                found[space_id, quarter_ms] = (len(taken) * MINUTE, len(known) * MINUTE, begun, ended)
    return found


async def counted(desk: Desk) -> dict[tuple[int, int], Row]:
    rows = await desk.db.fetch("SELECT space_id, quarter_at, occupied_ms, heard_ms, begun, ended FROM space_quarter")
    return {(row[0], row[1]): tuple(row[2:]) for row in rows}


async def counted_of_lots(desk: Desk) -> dict[int, tuple[int, ...]]:
    rows = await desk.db.fetch("SELECT quarter_at, spaces, occupied_ms, heard_ms, begun, ended FROM lot_quarter")
    return {row[0]: tuple(row[1:]) for row in rows}


def added_up(spaces: dict[tuple[int, int], Row]) -> dict[int, tuple[int, ...]]:
    lots: dict[int, list[Row]] = defaultdict(list)
    for (_, quarter_ms), row in spaces.items():
        lots[quarter_ms].append(row)
    return {quarter_ms: (len(rows), *map(sum, zip(*rows, strict=True))) for quarter_ms, rows in lots.items()}


@pytest.mark.parametrize("seed", range(3))
async def test_quarters_are_what_walking_every_minute_finds_whatever_came_late(database_url: str, seed: int) -> None:
    rng = random.Random(seed)
    async with open_desk(database_url, now_ms=BEGIN_MS, spaces=SPACES) as desk:
        await desk.db.execute("UPDATE sensor SET heartbeat_seconds = 600")
        await desk.writer.load(desk.db)
        for _ in range(12):
            desk.clock.ms += rng.randrange(5, 90) * MINUTE
            since_ms = rng.choice([BEGIN_MS, max(BEGIN_MS, desk.clock.ms - HOUR)])
            await desk.send(
                *(
                    {
                        "sensor": f"s-{rng.randrange(1, SPACES + 1):03}",
                        "at": rng.randrange(since_ms, desk.clock.ms, MINUTE),
                        "occupied": rng.random() < 0.5,
                        "kind": rng.choice(["change", "heartbeat"]),
                    }
                    for _ in range(rng.randrange(0, 8))
                )
            )
            if rng.random() < 0.7:
                await count_quarters(desk.db, desk.clock.ms)
        await count_quarters(desk.db, desk.clock.ms)
        expected = await walk(desk)
        assert await counted(desk) == expected
        assert await counted_of_lots(desk) == added_up(expected)


async def test_a_silent_space_is_known_until_its_limit_and_then_left_alone(database_url: str) -> None:
    async with open_desk(database_url, now_ms=BEGIN_MS + MINUTE, spaces=1) as desk:
        await desk.send(*stay("s-001", BEGIN_MS, None))
        await count_quarters(desk.db, desk.clock.ms)
        desk.clock.ms = BEGIN_MS + 10 * HOUR
        assert await count_quarters(desk.db, desk.clock.ms) == 1
        assert await desk.db.fetchval("SELECT sum(occupied_ms) FROM space_quarter") == 3 * HOUR
        assert await count_quarters(desk.db, desk.clock.ms) == 0


async def test_a_change_while_counting_is_counted_the_next_time(database_url: str) -> None:
    async with open_desk(database_url, now_ms=BEGIN_MS + HOUR, spaces=1) as desk:
        await desk.send(*stay("s-001", BEGIN_MS, None))
        other = await connect(database_url)
        write = other.transaction()
        await write.start()
        await other.execute("UPDATE space_state SET version = version + 1")
        counting = asyncio.create_task(count_quarters(desk.db, desk.clock.ms))

        async def waits() -> bool:
            return bool(await other.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))

        await until(waits)
        await write.commit()
        await counting
        assert await other.fetchval("SELECT roll_up_from FROM space_state") == BEGIN_MS
        await other.close()


async def test_a_departure_that_comes_late_takes_occupied_time_back(database_url: str) -> None:
    async with open_desk(database_url, now_ms=BEGIN_MS + HOUR, spaces=1) as desk:
        await desk.send(*stay("s-001", BEGIN_MS, None))
        await count_quarters(desk.db, desk.clock.ms)
        assert await desk.db.fetchval("SELECT sum(occupied_ms) FROM space_quarter") == HOUR
        await desk.send({"sensor": "s-001", "at": BEGIN_MS + 20 * MINUTE, "occupied": False, "kind": "change"})
        await count_quarters(desk.db, desk.clock.ms)
        assert await desk.db.fetchval("SELECT sum(occupied_ms) FROM space_quarter") == 20 * MINUTE

"""Forgetting readings changes no session: not what was, and not what comes late above the floor."""

import random
from collections.abc import AsyncIterator

import pytest

from core.db import Database
from core.occupancy import Kind, Reading
from core.session import FoldRules, fold
from core.settings import Settings
from ingest.database import connect
from ingest.floor import load_floor
from ops.retention import forget, forget_readings, raise_floor, retain, sum_up_folds
from ops.rollups import count_quarters, roll_up
from tests.support.desk import DAY, HOUR, MINUTE, Desk, open_desk, stay

pytestmark = pytest.mark.services

NOW_MS = 1_795_348_800_000  # 2026-11-22T12:00:00Z
RULES = FoldRules(silence_ms=3 * HOUR)
KEPT_DAYS = 30


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with open_desk(database_url, now_ms=NOW_MS) as desk:
        yield desk


async def forget_old(desk: Desk) -> int:
    """As the worker does, after counting quarters; returns the floor."""
    await count_quarters(desk.db, desk.clock.ms)
    assert await forget_readings(desk.db, desk.clock.ms - KEPT_DAYS * DAY) > 0
    return await load_floor(desk.db)


async def test_readings_are_dropped_by_whole_chunks_and_sessions_stay(desk: Desk) -> None:
    for day in range(70, 0, -7):
        begin_ms = NOW_MS - day * DAY
        await desk.send(*stay("s-001", begin_ms, begin_ms + HOUR))
    before = await desk.sessions()
    floor_ms = await forget_old(desk)
    assert NOW_MS - (KEPT_DAYS + 7) * DAY < floor_ms <= NOW_MS - KEPT_DAYS * DAY
    assert await desk.db.fetchval("SELECT min(observed_at) FROM reading") >= floor_ms
    await desk.db.execute("UPDATE space_state SET fold = NULL, version = version + 1")
    await desk.writer.load(desk.db)
    assert await desk.sessions(with_void=True) == before


async def test_a_stay_over_the_floor_keeps_its_id_and_its_begin(desk: Desk) -> None:
    begin_ms = NOW_MS - 70 * DAY
    await desk.send(*stay("s-001", begin_ms, None))
    await desk.send({"sensor": "s-001", "at": NOW_MS - 2 * DAY, "occupied": True, "kind": "heartbeat"})
    ((session_id, *_),) = await desk.sessions()
    await forget_old(desk)
    late = {"sensor": "s-001", "at": NOW_MS - 3 * DAY, "occupied": True, "kind": "heartbeat"}
    assert (await desk.send(late)).refolded == 1
    assert await desk.sessions() == [(session_id, begin_ms, None)]
    await desk.send({"sensor": "s-001", "at": NOW_MS - DAY, "occupied": False, "kind": "change"})
    assert await desk.sessions() == [(session_id, begin_ms, NOW_MS - DAY)]


async def test_a_reading_from_below_the_floor_is_evidence_and_changes_nothing(desk: Desk) -> None:
    await desk.send(*stay("s-001", NOW_MS - 50 * DAY, NOW_MS - 50 * DAY + HOUR), *stay("s-001", NOW_MS - DAY, None))
    floor_ms = await forget_old(desk)
    before = await desk.sessions()
    for _ in range(2):
        await desk.send(
            *stay("s-001", floor_ms - HOUR, floor_ms - MINUTE), *stay("s-002", NOW_MS - 60 * DAY, NOW_MS - 59 * DAY)
        )
    assert await desk.sessions() == before
    assert await desk.sessions(space="KL-002") == []
    assert await desk.db.fetchval("SELECT count(*) FROM late_evidence") == 4
    assert await desk.db.fetchval("SELECT min(observed_at) FROM reading") >= floor_ms


async def test_a_floor_raised_behind_the_writers_back_is_noticed(desk: Desk, database_url: str) -> None:
    await desk.send(*stay("s-001", NOW_MS - 50 * DAY, NOW_MS - 50 * DAY + HOUR))
    other = await connect(database_url)
    await raise_floor(other, NOW_MS - KEPT_DAYS * DAY)
    await sum_up_folds(other, await load_floor(other))
    await other.close()
    before = await desk.sessions()
    await desk.send({"sensor": "s-001", "at": NOW_MS - 50 * DAY + MINUTE, "occupied": False, "kind": "change"})
    assert await desk.sessions() == before
    assert await desk.db.fetchval("SELECT count(*) FROM late_evidence") == 1


async def test_whatever_comes_late_gives_the_sessions_that_keeping_everything_gives(desk: Desk) -> None:
    rng = random.Random(3)
    sent: list[Reading] = []

    async def send(from_ms: int, to_ms: int, count: int) -> None:
        batch = []
        for _ in range(count):
            at_ms = rng.randrange(from_ms, to_ms, MINUTE)
            kind = rng.choice(["change", "change", "heartbeat"])
            occupied = rng.random() < 0.5
            batch.append({"sensor": "s-001", "at": at_ms, "occupied": occupied, "kind": kind})
            sent.append(Reading(sensor="s-001", at_ms=at_ms, occupied=occupied, kind=Kind(kind)))
        await desk.send(*batch)

    await send(NOW_MS - 70 * DAY, NOW_MS, 300)
    floor_ms = await forget_old(desk)
    for _ in range(5):
        await send(floor_ms, NOW_MS, 20)
    desk.clock.ms += 14 * DAY
    floor_ms = await forget_old(desk)
    await send(floor_ms, floor_ms + DAY, 20)
    await send(floor_ms, desk.clock.ms, 20)
    expected = [(span.begin_ms, span.end_ms) for span in fold(sent, RULES).sessions(RULES)]
    assert await desk.times() == expected


async def test_nothing_is_dropped_before_its_quarters_are_counted(desk: Desk) -> None:
    await desk.send(*stay("s-001", NOW_MS - 50 * DAY, NOW_MS - 50 * DAY + HOUR))
    assert await forget_readings(desk.db, NOW_MS - KEPT_DAYS * DAY) == 0
    assert await desk.db.fetchval("SELECT count(*) FROM reading") == 2
    await count_quarters(desk.db, NOW_MS)
    assert await forget_readings(desk.db, NOW_MS - KEPT_DAYS * DAY) == 1
    counted = await desk.db.fetchval("SELECT sum(occupied_ms) FROM space_quarter")
    await count_quarters(desk.db, NOW_MS)
    assert await desk.db.fetchval("SELECT sum(occupied_ms) FROM space_quarter") == counted == HOUR


async def test_each_table_has_its_own_age_and_zero_keeps_for_ever(desk: Desk) -> None:
    await desk.db.execute(
        """
        INSERT INTO space_quarter SELECT 1, to_timestamp(1795348800) - n * interval '1 week', 0, 1, 0, 0
        FROM generate_series(0, 99) AS n
        """
    )
    await desk.db.execute(
        """
        INSERT INTO refusal (digest, reason, detail, topic, payload, payload_bytes, first_received_at, last_received_at)
        SELECT n::text::bytea, 'not-json', '', 't', '', 0, at, at
        FROM (SELECT n, to_timestamp(1795348800) - n * interval '1 week' AS at FROM generate_series(0, 99) AS n) AS old
        """
    )
    for_ever = Settings(
        keep_readings_days=0,
        keep_space_history_days=0,
        keep_refusals_days=0,
        keep_telemetry_days=0,
        keep_late_evidence_days=0,
    )
    assert not await forget(desk.db, for_ever, NOW_MS)
    forgotten = await forget(desk.db, Settings(keep_space_history_days=70, keep_refusals_days=70), NOW_MS)
    assert forgotten.chunks["space_quarter"] == 100 - 11
    assert forgotten.rows["refusal"] == 100 - 11


async def test_what_only_served_its_time_goes_when_that_is_over(desk: Desk) -> None:
    await desk.db.execute(
        """
        INSERT INTO uplink_frame (sensor_id, frame_session, f_cnt, observed_at)
        SELECT 1, 's', n, to_timestamp(1795348800) - n * interval '1 day' FROM generate_series(0, 99) AS n
        """
    )
    await desk.db.execute(
        """
        INSERT INTO job_run (job, due_at, started_at)
        SELECT 'j', at, at
        FROM (SELECT to_timestamp(1795348800) - n * interval '1 day' AS at FROM generate_series(0, 99) AS n) AS old
        """
    )
    forgotten = await forget(desk.db, Settings(), NOW_MS)
    assert (forgotten.rows["uplink_frame"], forgotten.rows["job_run"], forgotten.rows["login"]) == (39, 69, 0)


async def test_the_job_runs_on_what_a_worker_has(desk: Desk, database_url: str) -> None:
    database = Database(database_url)
    await desk.send(*stay("s-001", NOW_MS - 300 * DAY, NOW_MS - 299 * DAY))
    await roll_up(database, desk.clock)
    await retain(database, desk.clock)
    await database.close()
    assert await desk.db.fetchval("SELECT count(*) FROM reading") == 0
    assert len(await desk.sessions()) == 1

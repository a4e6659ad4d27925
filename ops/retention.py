"""What is forgotten, and when: the worker drops whole chunks of old rows, and never what a session still rests on.

Readings go in three steps, each safe to repeat, so that a death between two of them costs nothing but time:

1. the refold floor is raised to the end of the newest chunk that is old enough; from that commit on, nothing below
   it is stored or folded again (``ingest.floor``);
2. every space's fold is summed up as it stood at the floor;
3. the chunks below are dropped.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import asyncpg
import structlog

from core.clock import Clock, instant
from core.db import Database
from core.ids import SpaceId
from core.sensor import DAY_MS
from core.session import FoldRules, base_at
from core.settings import Settings
from ingest.database import connect
from ingest.floor import NO_FLOOR_MS, FoldBase, load_base, load_floor, store_base
from ingest.refolding import load_readings
from ingest.registry import load_registry

log = structlog.get_logger()

LOCK_TIMEOUT: Final = "2s"
"""How long a drop waits for readers of its chunks, and others behind it; then it lets them pass and tries again."""
ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 1.0
SPACES_A_TRANSACTION: Final = 20
"""So many folds are summed up while late readings wait: some tens of milliseconds."""
ROWS_A_TRANSACTION: Final = 10_000

CHUNKED: Final[Mapping[str, str]] = {
    "sensor_telemetry": "keep_telemetry_days",
    "space_quarter": "keep_space_history_days",
    "lot_quarter": "keep_lot_history_days",
}
"""Hypertable -> its setting. Readings are dropped too, in their own way."""

PRUNED: Final[Mapping[str, tuple[str, str]]] = {
    "refusal": ("last_received_at", "keep_refusals_days"),
    "late_evidence": ("received_at", "keep_late_evidence_days"),
}
"""Plain table -> the column its age is counted from, and its setting."""


OVER: Final[Mapping[str, tuple[str, int]]] = {
    "uplink_frame": ("observed_at", 60),
    "job_run": ("due_at", 30),
    "login": ("expires_at", 1),
}
"""What only served its time: radio frames to know repeats by, finished runs, logins that are over; and days."""


@dataclass(slots=True, kw_only=True)
class Forgotten:
    """What one run has dropped."""

    chunks: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything was."""
        return any(self.chunks.values()) or any(self.rows.values())


async def retain(database: Database, clock: Clock) -> None:
    """The job: forget what is older than its setting says."""
    db = await connect(database.url, application="parking-retention")
    try:
        forgotten = await forget(db, Settings(), clock.now_ms())
    finally:
        await db.close()
    if forgotten:
        log.info("rows.forgotten", chunks=forgotten.chunks, rows=forgotten.rows)


async def forget(db: asyncpg.Connection, settings: Settings, now_ms: int) -> Forgotten:
    """Forget through a connection of the hot path's kind (``ingest.database``), one table after the other."""
    forgotten = Forgotten()
    if settings.keep_readings_days:
        forgotten.chunks["reading"] = await forget_readings(db, now_ms - settings.keep_readings_days * DAY_MS)
    for table, setting in CHUNKED.items():
        if days := getattr(settings, setting):
            forgotten.chunks[table] = await _drop_chunks(db, table, now_ms - days * DAY_MS)
    for table, (column, setting) in PRUNED.items():
        if days := getattr(settings, setting):
            forgotten.rows[table] = await _prune(db, table, column, now_ms - days * DAY_MS)
    for table, (column, days) in OVER.items():
        forgotten.rows[table] = await _prune(db, table, column, now_ms - days * DAY_MS)
    return forgotten


async def forget_readings(db: asyncpg.Connection, older_than_ms: int) -> int:
    """Drop the chunks of readings that lie wholly before an instant; returns how many."""
    await raise_floor(db, older_than_ms)
    floor_ms = await load_floor(db)
    if floor_ms == NO_FLOOR_MS:
        return 0
    await sum_up_folds(db, floor_ms)
    if await db.fetchval("SELECT EXISTS (SELECT FROM space_state WHERE roll_up_from < $1)", floor_ms):
        log.info("readings.kept", why="their quarters of an hour are not counted yet", floor=instant(floor_ms))
        return 0
    return await _drop_chunks(db, "reading", floor_ms)


async def raise_floor(db: asyncpg.Connection, older_than_ms: int) -> None:
    """Step 1: the floor rises to the end of the newest chunk that lies wholly before an instant, if there is one."""

    async def attempt() -> None:
        # NOTIFY: ingest reads the floor with its registry; one that has not yet finds out when it holds the floor
        await db.execute(
            """
            WITH risen AS (
                UPDATE refold_floor SET floor_at = newest.range_end
                FROM (SELECT max(range_end) AS range_end FROM timescaledb_information.chunks
                      WHERE hypertable_schema = 'public' AND hypertable_name = 'reading' AND range_end <= $1) AS newest
                WHERE newest.range_end > floor_at
                RETURNING floor_at
            )
            SELECT pg_notify('parking_registry', '') FROM risen
            """,
            older_than_ms,
        )

    await _patiently(db, attempt)


async def sum_up_folds(db: asyncpg.Connection, floor_ms: int) -> None:
    """Step 2: where the fold of every space stood at the floor."""
    rules = (await load_registry(db)).rules
    while True:
        rows = await db.fetch(
            """
            SELECT space.id FROM space LEFT JOIN fold_base AS base ON base.space_id = space.id
            WHERE coalesce(base.floor_at, '-infinity') < $1 ORDER BY space.id LIMIT $2
            """,
            floor_ms,
            SPACES_A_TRANSACTION,
        )
        if not rows:
            return

        async def attempt(space_ids: tuple[SpaceId, ...] = tuple(SpaceId(row["id"]) for row in rows)) -> None:
            await db.execute("SELECT FROM refold_floor FOR UPDATE")
            for space_id in space_ids:
                await _sum_up(db, space_id, floor_ms, rules.get(space_id, FoldRules()))

        await _patiently(db, attempt)


async def _sum_up(db: asyncpg.Connection, space_id: SpaceId, floor_ms: int, rules: FoldRules) -> None:
    before = await load_base(db, space_id)
    readings = await load_readings(db, space_id, before.floor_ms, floor_ms)
    await store_base(db, space_id, FoldBase(base_at(readings, floor_ms, rules, before.state), floor_ms))


async def _drop_chunks(db: asyncpg.Connection, table: str, older_than_ms: int) -> int:
    dropped = 0

    async def attempt() -> None:
        nonlocal dropped
        rows = await db.fetch(f"SELECT drop_chunks('{table}', older_than => $1::timestamptz)", older_than_ms)
        dropped = len(rows)

    await _patiently(db, attempt)
    return dropped


async def _prune(db: asyncpg.Connection, table: str, column: str, older_than_ms: int) -> int:
    pruned = 0
    while True:
        status = await db.execute(
            f"DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {column} < $1 LIMIT $2))",  # noqa: S608 - one of our tables
            older_than_ms,
            ROWS_A_TRANSACTION,
        )
        rows = int(status.rpartition(" ")[2])
        pruned += rows
        if rows < ROWS_A_TRANSACTION:
            return pruned


async def _patiently(db: asyncpg.Connection, attempt: Callable[[], Awaitable[None]]) -> None:
    """Run one transaction that gives way to others: again after a pause when a lock is not to be had.

    Raises:
        asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError: it was not to be had any time.
    """
    for number in range(ATTEMPTS):
        try:
            async with db.transaction():
                await db.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                await attempt()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if number == ATTEMPTS - 1:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return

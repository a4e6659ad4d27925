"""How spaces and lots were used, by the quarter of an hour, kept right whatever comes late.

Every write of a space's state lowers ``roll_up_from`` to the instant from which its use may be another than before,
in the transaction that changes it (``ingest``). Here all quarters from then on are computed again, and the mark is
moved up only if the state's version is still what it was before: whoever wrote meanwhile has made the row a newer one,
and the space comes again. So no change can be missed, no lock is held while computing, and running twice changes
nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import asyncpg
import structlog

from core.clock import Clock
from core.db import Database
from core.ids import SpaceId
from core.quarters import Quarter, known_until, quarter_of, quarters
from core.session import FoldRules
from ingest.database import connect
from ingest.floor import load_base
from ingest.registry import load_registry

log = structlog.get_logger()

SPACES_A_TRANSACTION: Final = 200


@dataclass(frozen=True, slots=True)
class Due:
    """A space whose quarters are to be computed again."""

    space_id: SpaceId
    version: int
    from_ms: int


class Use(NamedTuple):
    """What is stored of a space from an instant on."""

    stays: list[tuple[int, int | None]]
    heard: list[int]


async def roll_up(database: Database, clock: Clock) -> None:
    """The job: compute all quarters again that may be other than before."""
    db = await connect(database.url, application="parking-rollups")
    try:
        counted = await count_quarters(db, clock.now_ms())
    finally:
        await db.close()
    if counted:
        log.info("quarters.counted", spaces=counted)


async def count_quarters(db: asyncpg.Connection, now_ms: int) -> int:
    """Bring quarters up to the present through a connection of the hot path's kind; returns how many spaces it took."""
    rules = (await load_registry(db)).rules
    oldest_ms = await db.fetchval(
        """
        SELECT min(range_start) FROM timescaledb_information.chunks
        WHERE hypertable_schema = 'public' AND hypertable_name = 'reading'
        """
    )
    if oldest_ms is None:
        return 0
    counted, after = 0, (0, 0)
    while True:
        rows = await db.fetch(
            """
            SELECT space.lot_id, state.space_id, state.version, state.roll_up_from
            FROM space_state AS state JOIN space ON space.id = state.space_id
            WHERE state.roll_up_from < $1 AND (space.lot_id, space.id) > ($2, $3)
            ORDER BY space.lot_id, space.id LIMIT $4
            """,
            now_ms,
            *after,
            SPACES_A_TRANSACTION,
        )
        if not rows:
            return counted
        after = (rows[-1]["lot_id"], rows[-1]["space_id"])
        due = [Due(SpaceId(row["space_id"]), row["version"], _from(row["roll_up_from"], oldest_ms)) for row in rows]
        async with db.transaction():
            await _count(db, due, rules, now_ms, oldest_ms)
        counted += len(due)


def _from(marked_ms: int | None, oldest_ms: int) -> int:
    """The first quarter to compute: what lies before the oldest readings kept stays as it was counted."""
    return quarter_of(oldest_ms if marked_ms is None else max(marked_ms, oldest_ms))


async def _count(
    db: asyncpg.Connection, due: Sequence[Due], rules: Mapping[SpaceId, FoldRules], now_ms: int, oldest_ms: int
) -> None:
    uses = await _load_uses(db, due, rules, now_ms, oldest_ms)
    counted: list[tuple[SpaceId, Quarter]] = []
    marks: list[tuple[SpaceId, int, int | None]] = []
    for one in due:
        use, silence_ms = uses[one.space_id], rules[one.space_id].silence_ms
        of_space = quarters(use.stays, use.heard, silence_ms=silence_ms, from_ms=one.from_ms, until_ms=now_ms)
        counted.extend((one.space_id, quarter) for quarter in of_space)
        until_ms = known_until(use.heard, silence_ms)
        goes_on = until_ms is not None and until_ms > quarter_of(now_ms)
        marks.append((one.space_id, one.version, quarter_of(now_ms) if goes_on else None))
    changed = await _store_spaces(db, due, counted)
    await _store_lots(db, changed)
    await _move_marks(db, marks)


async def _load_uses(
    db: asyncpg.Connection, due: Sequence[Due], rules: Mapping[SpaceId, FoldRules], now_ms: int, oldest_ms: int
) -> dict[SpaceId, Use]:
    """Sessions and instants of readings of every space, from its first quarter on, and the reading before."""
    space_ids = [one.space_id for one in due]
    since = [one.from_ms for one in due]
    believed = [one.from_ms - rules[one.space_id].silence_ms for one in due]
    uses = {space_id: Use([], []) for space_id in space_ids}
    for one, believed_ms in zip(due, believed, strict=True):
        if believed_ms < oldest_ms:  # the reading before may have been dropped; the fold's base knows when it was
            base = await load_base(db, one.space_id)
            if base.state.key is not None:
                uses[one.space_id].heard.append(base.state.key[0])
    for row in await db.fetch(
        """
        SELECT due.space_id, session.entered_at, session.left_at
        FROM unnest($1::int[], $2::timestamptz[]) AS due (space_id, from_at)
        JOIN parking_session AS session ON session.space_id = due.space_id AND session.status <> 'void'
            AND tstzrange(session.entered_at, session.left_at) && tstzrange(due.from_at - interval '1 ms', NULL)
        ORDER BY session.entered_at
        """,
        space_ids,
        since,
    ):
        uses[row["space_id"]].stays.append((row["entered_at"], row["left_at"]))
    for row in await db.fetch(
        """
        SELECT due.space_id, array_agg(reading.observed_at ORDER BY reading.observed_at) AS heard
        FROM unnest($1::int[], $2::timestamptz[]) AS due (space_id, believed_at)
        JOIN (SELECT DISTINCT space_id, sensor_id FROM sensor_assignment) AS watch ON watch.space_id = due.space_id
        JOIN reading ON reading.sensor_id = watch.sensor_id AND reading.space_id = due.space_id
            AND reading.observed_at > due.believed_at
        WHERE reading.observed_at > $3 AND reading.observed_at < $4
        GROUP BY due.space_id
        """,
        space_ids,
        believed,
        min(believed),
        now_ms,
    ):
        uses[row["space_id"]].heard.extend(row["heard"])
    return uses


async def _store_spaces(
    db: asyncpg.Connection, due: Sequence[Due], counted: Sequence[tuple[SpaceId, Quarter]]
) -> list[tuple[SpaceId, int]]:
    """Write quarters; returns those that are other than they were."""
    rows = [
        (space_id, quarter.quarter_ms, quarter.occupied_ms, quarter.heard_ms, quarter.begun, quarter.ended)
        for space_id, quarter in counted
        if quarter.heard_ms or quarter.begun or quarter.ended
    ]
    columns = list(zip(*rows, strict=True)) or [()] * 6
    gone = await db.fetch(
        """
        DELETE FROM space_quarter AS row USING unnest($1::int[], $2::timestamptz[]) AS due (space_id, from_at)
        WHERE row.space_id = due.space_id AND row.quarter_at >= due.from_at AND row.quarter_at >= $3
          AND NOT EXISTS (SELECT FROM unnest($4::int[], $5::timestamptz[]) AS heard (space_id, quarter_at)
                          WHERE heard.space_id = row.space_id AND heard.quarter_at = row.quarter_at)
        RETURNING row.space_id, row.quarter_at
        """,
        [one.space_id for one in due],
        [one.from_ms for one in due],
        min(one.from_ms for one in due),
        *columns[:2],
    )
    written = await db.fetch(
        """
        INSERT INTO space_quarter AS row (space_id, quarter_at, occupied_ms, heard_ms, begun, ended)
        SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::int[], $4::int[], $5::smallint[], $6::smallint[])
        ON CONFLICT (space_id, quarter_at) DO UPDATE
        SET occupied_ms = excluded.occupied_ms, heard_ms = excluded.heard_ms, begun = excluded.begun,
            ended = excluded.ended
        WHERE (row.occupied_ms, row.heard_ms, row.begun, row.ended)
              <> (excluded.occupied_ms, excluded.heard_ms, excluded.begun, excluded.ended)
        RETURNING space_id, quarter_at
        """,
        *columns,
    )
    return [(SpaceId(row["space_id"]), row["quarter_at"]) for row in [*gone, *written]]


async def _store_lots(db: asyncpg.Connection, changed: Sequence[tuple[SpaceId, int]]) -> None:
    """Add the quarters of lots up again in which a space's was changed."""
    if not changed:
        return
    space_ids, quarters_ms = zip(*changed, strict=True)
    touched = await db.fetch(
        """
        SELECT DISTINCT space.lot_id, changed.quarter_at
        FROM unnest($1::int[], $2::timestamptz[]) AS changed (space_id, quarter_at)
        JOIN space ON space.id = changed.space_id
        """,
        space_ids,
        quarters_ms,
    )
    lots, quarters_at = [row["lot_id"] for row in touched], [row["quarter_at"] for row in touched]
    await db.execute(
        """
        DELETE FROM lot_quarter AS row USING unnest($1::int[], $2::timestamptz[]) AS touched (lot_id, quarter_at)
        WHERE row.lot_id = touched.lot_id AND row.quarter_at = touched.quarter_at
          AND row.quarter_at BETWEEN $3 AND $4
        """,
        lots,
        quarters_at,
        min(quarters_at),
        max(quarters_at),
    )
    await db.execute(
        """
        INSERT INTO lot_quarter (lot_id, quarter_at, spaces, occupied_ms, heard_ms, begun, ended)
        SELECT touched.lot_id, touched.quarter_at, count(*), sum(quarter.occupied_ms), sum(quarter.heard_ms),
               sum(quarter.begun), sum(quarter.ended)
        FROM unnest($1::int[], $2::timestamptz[]) AS touched (lot_id, quarter_at)
        JOIN space ON space.lot_id = touched.lot_id
        JOIN space_quarter AS quarter ON quarter.space_id = space.id AND quarter.quarter_at = touched.quarter_at
        WHERE quarter.quarter_at BETWEEN $3 AND $4
        GROUP BY touched.lot_id, touched.quarter_at
        """,
        lots,
        quarters_at,
        min(quarters_at),
        max(quarters_at),
    )


async def _move_marks(db: asyncpg.Connection, marks: Sequence[tuple[SpaceId, int, int | None]]) -> None:
    """Move the marks of spaces up that nobody has written meanwhile."""
    await db.execute(
        """
        UPDATE space_state AS state SET roll_up_from = mark.roll_up_from
        FROM unnest($1::int[], $2::bigint[], $3::timestamptz[]) AS mark (space_id, version, roll_up_from)
        WHERE state.space_id = mark.space_id AND state.version = mark.version
        """,
        *zip(*marks, strict=True),
    )

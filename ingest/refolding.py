"""Folding a space again after a late reading: from its stored readings, inside the batch's own transaction."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import asyncpg

from core.ids import SessionId, SpaceId
from core.occupancy import Kind, OrderKey, Reading, order_key
from core.session import FoldRules, fold, restart_at
from ingest.sessions import SessionWrite, SpaceFold, StoredSession, refold

_LOOK_BACK_MS: Final = tuple(int(timedelta(days=days).total_seconds() * 1_000) for days in (1, 7, 60))
"""How far before the late reading to look for a point to begin at; then from the oldest reading kept."""


FROM_THE_START: Final[OrderKey] = (-(1 << 62), -1, -1, "", 0, "")
"""Earlier than any reading: everything is folded again."""


async def refold_space(
    db: asyncpg.Connection, space_id: SpaceId, late: OrderKey, rules: FoldRules, now_ms: int
) -> tuple[SpaceFold, list[SessionWrite]]:
    """Fold the stored readings of a space again, from a point that nothing before ``late`` can influence.

    Returns: where the fold stands then, and the session rows to write so that they agree with it.
    """
    readings, from_ms = await _readings_from_restart(db, space_id, late, rules)
    folded = fold(readings, rules)
    old = await _sessions_from(db, space_id, from_ms)
    return refold(space_id, old, folded, rules, now_ms)


async def _readings_from_restart(
    db: asyncpg.Connection, space_id: SpaceId, late: OrderKey, rules: FoldRules
) -> tuple[list[Reading], int | None]:
    for look_back_ms in _LOOK_BACK_MS if late is not FROM_THE_START else ():
        readings = await _readings_since(db, space_id, late[0] - look_back_ms)
        index = restart_at(readings, late, rules)
        if index is not None:
            return readings[index:], readings[index].at_ms
    return await _readings_since(db, space_id, None), None


async def _readings_since(db: asyncpg.Connection, space_id: SpaceId, since_ms: int | None) -> list[Reading]:
    rows = await db.fetch(
        """
        SELECT sensor.code AS sensor, observed_at, boot, seq, occupancy::text AS occupancy, kind::text AS kind
        FROM reading JOIN sensor ON sensor.id = reading.sensor_id
        WHERE reading.sensor_id = ANY (SELECT sensor_id FROM sensor_assignment WHERE space_id = $1)
          AND reading.space_id = $1 AND observed_at >= coalesce($2::timestamptz, '-infinity')
        """,
        space_id,
        since_ms,
    )
    return sorted((_reading(row) for row in rows), key=order_key)


def _reading(row: Mapping[str, object]) -> Reading:
    return Reading(
        sensor=str(row["sensor"]),
        at_ms=_whole(row["observed_at"]),
        boot=_whole(row["boot"]),
        seq=_whole(row["seq"]),
        occupied=_OCCUPIED[str(row["occupancy"])],
        kind=Kind(str(row["kind"])),
    )


_OCCUPIED: Final[dict[str, bool | None]] = {"occupied": True, "free": False, "unknown": None}


def _whole(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - a column's type, told to the type checker
    return value


async def _sessions_from(db: asyncpg.Connection, space_id: SpaceId, from_ms: int | None) -> list[StoredSession]:
    rows = await db.fetch(
        """
        SELECT row.id, row.entered_at, row.left_at, row.closed_gap_ms, row.begin_why, row.end_why, row.unsure_why,
               sensor.code
        FROM parking_session AS row JOIN sensor ON sensor.id = row.sensor_id
        WHERE row.space_id = $1 AND row.status <> 'void' AND row.entered_at >= coalesce($2::timestamptz, '-infinity')
        ORDER BY row.entered_at
        """,
        space_id,
        from_ms,
    )
    return [
        StoredSession(
            session_id=SessionId(row["id"]),
            begin_ms=row["entered_at"],
            end_ms=row["left_at"],
            closed_gap_ms=row["closed_gap_ms"],
            begin_why=row["begin_why"],
            end_why=row["end_why"],
            unsure_why=row["unsure_why"],
            span_sensor=row["code"],
        )
        for row in rows
    ]

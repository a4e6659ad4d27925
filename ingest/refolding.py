"""Folding a space again after a late reading: from its stored readings, inside the batch's own transaction."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

import asyncpg

from core.ids import SessionId, SpaceId
from core.occupancy import Kind, OrderKey, Reading, order_key
from core.session import INITIAL, FoldRules, FoldState, fold, restart_at
from ingest import statements as sql
from ingest.decode import YEAR_2020_MS
from ingest.floor import hold_floor, load_base
from ingest.registry import Registry
from ingest.sessions import SessionWrite, SpaceFold, StoredSession, changed_since, refold

_LOOK_BACK_MS: Final = tuple(int(timedelta(days=days).total_seconds() * 1_000) for days in (1, 7, 60))
"""How far before the late reading to look for a point to begin at; beyond it, fold all that is kept onto the base."""

FROM_THE_START: Final[OrderKey] = (-(1 << 62), -1, -1, "", 0, "")
"""Earlier than any reading: everything is folded again."""


class Stretch(NamedTuple):
    """Readings to fold again, and what to fold them onto."""

    readings: list[Reading]
    state: FoldState
    from_ms: int
    """No session that began earlier can change."""


async def refold_space(
    db: asyncpg.Connection, space_id: SpaceId, late: OrderKey, rules: FoldRules, now_ms: int
) -> tuple[SpaceFold, list[SessionWrite]]:
    """Fold the stored readings of a space again, from a point that nothing before ``late`` can influence.

    Returns: where the fold stands then, and the session rows to write so that they agree with it.
    """
    stretch = await _stretch(db, space_id, late, rules)
    folded = fold(stretch.readings, rules, stretch.state)
    old = await _sessions_from(db, space_id, stretch.from_ms)
    return refold(space_id, old, folded, rules, now_ms)


async def refold_spaces(
    db: asyncpg.Connection, since: Mapping[SpaceId, int], registry: Registry, now_ms: int
) -> list[SpaceId]:
    """Fold spaces again whose stored readings were changed otherwise than by new ones.

    The states of these spaces are locked until the transaction ends; ingest, should it have folded them meanwhile,
    finds another version than it expects and reads them anew. Change the readings first, as ingest does.

    Args:
        db: in a transaction.
        since: each space with the instant of its first reading that came or went.
        registry: as it was when the readings were changed.
        now_ms: the present.
    Returns: the spaces, in the order in which they were locked.
    """
    space_ids = sorted(since)
    await db.execute(
        "INSERT INTO space_state (space_id) SELECT * FROM unnest($1::int[]) ON CONFLICT DO NOTHING", space_ids
    )
    rows = await db.fetch(
        "SELECT space_id, version FROM space_state WHERE space_id = ANY ($1::int[]) ORDER BY space_id FOR UPDATE",
        space_ids,
    )
    states: list[sql.StateRow] = []
    writes: list[SessionWrite] = []
    for row in rows:
        space_id = SpaceId(row["space_id"])
        late = before_all_of(since[space_id])
        fold, of_space = await refold_space(db, space_id, late, registry.rules[space_id], now_ms)
        writes.extend(of_space)
        changed_ms = changed_since(since[space_id], of_space)
        states.append(sql.state_row(space_id, fold, version=row["version"], heard_ms=None, changed_ms=changed_ms))
    sensor_ids = {code: sensor.sensor_id for code, sensor in registry.sensors.items()}
    await sql.write_sessions(db, writes, sensor_ids, now_ms)
    await sql.write_states(db, states)
    return space_ids


def before_all_of(at_ms: int) -> OrderKey:
    """A key that sorts before every reading of that instant."""
    return (at_ms - 1, 0, 0, "", 0, "")


async def _stretch(db: asyncpg.Connection, space_id: SpaceId, late: OrderKey, rules: FoldRules) -> Stretch:
    for look_back_ms in _LOOK_BACK_MS if late is not FROM_THE_START else ():
        readings = await load_readings(db, space_id, late[0] - look_back_ms)
        index = restart_at(readings, late, rules)
        if index is not None:
            return Stretch(readings[index:], INITIAL, readings[index].at_ms)
    await hold_floor(db)
    base = await load_base(db, space_id)
    return Stretch(await load_readings(db, space_id, base.floor_ms), base.state, base.from_ms)


async def load_readings(
    db: asyncpg.Connection, space_id: SpaceId, from_ms: int, to_ms: int | None = None
) -> list[Reading]:
    """The stored readings of a space during ``[from_ms, to_ms)``, in order, without their bytes."""
    rows = await db.fetch(
        """
        SELECT sensor.code AS sensor, observed_at, boot, seq, occupancy::text AS occupancy, kind::text AS kind
        FROM reading JOIN sensor ON sensor.id = reading.sensor_id
        WHERE reading.sensor_id = ANY (SELECT sensor_id FROM sensor_assignment WHERE space_id = $1)
          AND reading.space_id = $1 AND observed_at >= $2 AND observed_at < coalesce($3::timestamptz, 'infinity')
        """,
        space_id,
        max(from_ms, YEAR_2020_MS),
        to_ms,
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


async def _sessions_from(db: asyncpg.Connection, space_id: SpaceId, from_ms: int) -> list[StoredSession]:
    rows = await db.fetch(
        """
        SELECT row.id, row.entered_at, row.left_at, row.closed_gap_ms, row.begin_why, row.end_why, row.unsure_why,
               sensor.code
        FROM parking_session AS row JOIN sensor ON sensor.id = row.sensor_id
        WHERE row.space_id = $1 AND row.status <> 'void' AND row.entered_at >= $2
        ORDER BY row.entered_at
        """,
        space_id,
        max(from_ms, YEAR_2020_MS),
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

"""The worker's look at every sensor: gathers the facts, asks the core for verdicts, keeps what changed."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import structlog
from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.clock import Clock, instant, milliseconds
from core.db import Database
from core.sensor import DAY_MS, Finding, SensorFacts, Verdict, VerdictRules, judge, silent_after_ms
from core.settings import Settings

log = structlog.get_logger()

sensors_by_verdict = Gauge(
    "parking_sensors", "Sensors that watch a space, by verdict; one may have several", ["verdict"]
)

Row = Mapping[str, Any]


async def watch_sensors(database: Database, clock: Clock) -> None:
    """Judge every sensor that watches a space, and keep the verdicts that began and ended."""
    now = clock.now()
    async with database.transaction() as db:
        found = await judge_sensors(db, _rules(), now=now)
        began, ended = await keep_verdicts(db, found, now=now)
    for verdict in Verdict:
        held = sum(any(one.verdict is verdict for one in findings) for findings in found.values())
        sensors_by_verdict.labels(verdict.value).set(held)
    if began or ended:
        log.info("sensors.judged", sensors=len(found), began=began, ended=ended)


async def judge_sensors(db: AsyncConnection, rules: VerdictRules, *, now: datetime) -> dict[int, tuple[Finding, ...]]:
    """The verdicts on every sensor that watches a space now, by its number."""
    now_ms = milliseconds(now)
    rows: list[Row] = [dict(row) for row in (await db.execute(text(_SENSORS), {"now": now})).mappings()]
    talking = [row["id"] for row in rows if row["last_heard_at"] and now - row["last_heard_at"] < HOUR]
    changes = {
        row.sensor_id: row.changes
        for row in await db.execute(text(_CHANGES), {"sensors": talking, "since": now - HOUR, "now": now})
    }
    neighbours = _Neighbours(rows, since_ms=now_ms - rules.stuck_days * DAY_MS, now_ms=now_ms)
    return {row["id"]: judge(_facts(row, changes.get(row["id"], 0), neighbours), rules, now_ms) for row in rows}


async def keep_verdicts(
    db: AsyncConnection, found: Mapping[int, Sequence[Finding]], *, now: datetime
) -> tuple[int, int]:
    """End the verdicts that hold no more, begin the new ones; returns how many of each."""
    held = {
        (row.sensor_id, row.verdict): row.id
        for row in await db.execute(text("SELECT id, sensor_id, verdict FROM sensor_verdict WHERE ended_at IS NULL"))
    }
    holds = {(sensor_id, one.verdict.value): one.since_ms for sensor_id, all_ in found.items() for one in all_}
    over = [id_ for key, id_ in held.items() if key not in holds]
    new = [(*key, instant(since_ms)) for key, since_ms in holds.items() if key not in held]
    if over:
        await db.execute(text(_END), {"ids": over, "now": now})
    if new:
        sensors, verdicts, since = (list(column) for column in zip(*new, strict=True))
        await db.execute(text(_BEGIN), {"sensors": sensors, "verdicts": verdicts, "since": since})
    return len(new), len(over)


class _Neighbours:
    """Of each lot, when the sensors that are heard last changed."""

    def __init__(self, rows: Sequence[Row], *, since_ms: int, now_ms: int) -> None:
        self._since_ms = since_ms
        self._changed: dict[int, list[int]] = {}
        for row in rows:
            heard = row["last_heard_at"]
            if heard and row["unchanged_since"] and not _is_silent(row, now_ms):
                self._changed.setdefault(row["lot_id"], []).append(milliseconds(row["unchanged_since"]))
        for changed in self._changed.values():
            changed.sort()

    def of(self, row: Row) -> tuple[int, int]:
        """How many others are heard, and how many of those changed since then."""
        changed = self._changed.get(row["lot_id"], [])
        recent = len(changed) - bisect_left(changed, self._since_ms)
        own = milliseconds(row["unchanged_since"]) if row["unchanged_since"] else None
        is_in = own is not None and bool(changed)
        return len(changed) - is_in, recent - (is_in and own is not None and own >= self._since_ms)


def _facts(row: Row, changes: int, neighbours: _Neighbours) -> SensorFacts:
    others, others_changed = neighbours.of(row)
    return SensorFacts(
        codec=row["codec"],
        heartbeat_seconds=row["heartbeat_seconds"],
        watching_since_ms=milliseconds(row["watching_since"]),
        last_heard_ms=milliseconds(row["last_heard_at"]) if row["last_heard_at"] else None,
        changes_in_hour=changes,
        unchanged_since_ms=milliseconds(row["unchanged_since"]) if row["unchanged_since"] else None,
        others=others,
        others_changed=others_changed,
        battery_mv=row["battery_mv"],
        battery_pct=row["battery_pct"],
        battery_low=row["battery_low"],
        battery_low_mv=row["battery_low_mv"],
    )


def _is_silent(row: Row, now_ms: int) -> bool:
    return now_ms - milliseconds(row["last_heard_at"]) > silent_after_ms(row["heartbeat_seconds"])


@cache
def _rules() -> VerdictRules:
    return Settings().verdict_rules


HOUR: Final = timedelta(hours=1)

_SENSORS: Final = """
    SELECT sensor.id, sensor.codec, sensor.heartbeat_seconds, sensor.battery_low_mv, space.lot_id,
           greatest(sensor.created_at, lower(watch.during)) AS watching_since, state.last_heard_at, state.battery_mv,
           state.battery_pct, state.battery_low,
           CASE WHEN known.changed_at IS NOT NULL THEN greatest(known.changed_at, lower(watch.during)) END
                AS unchanged_since
    FROM sensor
    JOIN sensor_assignment AS watch ON watch.sensor_id = sensor.id AND watch.during @> CAST(:now AS timestamptz)
    JOIN space ON space.id = watch.space_id AND space.retired_at IS NULL
    LEFT JOIN sensor_state AS state ON state.sensor_id = sensor.id
    LEFT JOIN space_state AS known ON known.space_id = watch.space_id
"""
_CHANGES: Final = """
    SELECT one.sensor_id, count(*) FILTER (WHERE said.occupancy <> said.before) AS changes
    FROM unnest(CAST(:sensors AS int[])) AS one (sensor_id), LATERAL (
        SELECT occupancy, lag(occupancy) OVER (ORDER BY observed_at, boot, seq) AS before
        FROM reading
        WHERE reading.sensor_id = one.sensor_id AND observed_at > :since AND observed_at <= :now
          AND occupancy <> 'unknown'
    ) AS said
    GROUP BY 1
"""
"""Index scans of one hour of each sensor that was heard in it."""
_END: Final = """
    UPDATE sensor_verdict SET ended_at = greatest(began_at, CAST(:now AS timestamptz)) WHERE id = ANY (:ids)
"""
_BEGIN: Final = """
    INSERT INTO sensor_verdict (sensor_id, verdict, began_at)
    SELECT * FROM unnest(CAST(:sensors AS int[]), CAST(:verdicts AS text[]), CAST(:since AS timestamptz[]))
    ON CONFLICT DO NOTHING
"""

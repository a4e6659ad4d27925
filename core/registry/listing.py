"""Reading the registry: sensors with their verdicts, one sensor with its history, and senders nobody knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import SensorNotFoundError
from core.sensor import WORST_FIRST, Verdict

Row = Mapping[str, Any]

UNASSIGNED: Final = "unassigned"
"""Stands beside the verdicts: sensors that watch nothing are not judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which sensors to list; None is all."""

    verdict: str | None = None
    """One of the verdicts that hold, or ``unassigned``."""
    lot: str | None = None
    search: str | None = None
    """A part of the sensor's or the space's code, maker or model."""
    offset: int = 0
    limit: int | None = None


async def list_sensors(db: AsyncConnection, wanted: Wanted, *, now: datetime) -> list[Row]:
    """Sensors, the worst verdict first, then by code.

    Each has ``code, codec, maker, model, heartbeat_seconds, battery_low_mv, note, created_at, space_code, lot_id,
    watching_since, last_heard_at, observed_at, battery_mv, battery_pct, battery_low, rssi_dbm, temperature_c, firmware,
    verdict, verdict_since, verdicts`` (all that hold, the worst first).
    """
    return await _rows(db, _LIST, _parameters(wanted, now) | {"offset": wanted.offset, "limit": wanted.limit})


async def count_sensors(db: AsyncConnection, wanted: Wanted, *, now: datetime) -> int:
    """How many there are of what is wanted, on all pages."""
    return int((await db.execute(text(_COUNT), _parameters(wanted, now))).scalar_one())


async def count_verdicts(db: AsyncConnection, *, now: datetime) -> dict[str, int]:
    """How many sensors have each verdict, the worst first, then how many watch nothing; a sensor may count twice."""
    rows = await db.execute(text(_HELD))
    counted = {row.verdict: int(row.sensors) for row in rows}
    idle = (await db.execute(text(_IDLE), {"now": now})).scalar_one()
    return {verdict.value: counted.get(verdict.value, 0) for verdict in Verdict} | {UNASSIGNED: int(idle)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorStory:
    """One sensor: as it is, what it watched, how it did, what it said of itself; newest first."""

    sensor: Row
    watches: Sequence[Row]
    verdicts: Sequence[Row]
    telemetry: Sequence[Row]
    reassignments: Sequence[Row]
    """Other looks at its readings that a change asked for; ``done_at`` is null while ingest has not got to it."""


async def fetch_story(
    db: AsyncConnection, sensor: str, *, now: datetime, since: datetime, limit: int = 500
) -> SensorStory:
    """Everything about one sensor; of telemetry and verdicts what is newer than ``since``, at most ``limit`` rows.

    Raises:
        SensorNotFoundError: there is none.
    """
    found = await db.execute(text(_ONE), {"now": now, "worst_first": _ORDER, "code": sensor})
    row = found.mappings().first()
    if row is None:
        raise SensorNotFoundError(f"no sensor is registered as {sensor!r}", sensor_id=sensor)
    about = {"sensor_id": row["id"]}
    recent = {**about, "since": since, "limit": limit}
    return SensorStory(
        sensor=dict(row),
        watches=await _rows(db, _WATCHES, about),
        verdicts=await _rows(db, _VERDICTS, recent),
        telemetry=await _rows(db, _TELEMETRY, recent),
        reassignments=await _rows(db, _REASSIGNMENTS, about),
    )


async def list_strangers(db: AsyncConnection, *, limit: int = 500) -> list[Row]:
    """Senders that are not registered, the newest first: ``sensor_id, times, kinds, first_at, last_at, topic``.

    ``kinds`` counts different messages, ``times`` repetitions too.
    """
    return await _rows(db, _STRANGERS, {"limit": limit})


_ORDER: Final = [verdict.value for verdict in WORST_FIRST]

_FROM: Final = """
    FROM sensor
    LEFT JOIN sensor_assignment AS watch
           ON watch.sensor_id = sensor.id AND watch.during @> CAST(:now AS timestamptz)
    LEFT JOIN space ON space.id = watch.space_id
    LEFT JOIN lot ON lot.id = space.lot_id
    LEFT JOIN sensor_state AS state ON state.sensor_id = sensor.id
    LEFT JOIN LATERAL (
        SELECT verdict, began_at, array_position(CAST(:worst_first AS text[]), verdict) AS place
        FROM sensor_verdict WHERE sensor_id = sensor.id AND ended_at IS NULL ORDER BY place LIMIT 1
    ) AS worst ON true
"""
_SELECT: Final = f"""
    SELECT sensor.id, sensor.code, sensor.codec, sensor.maker, sensor.model, sensor.heartbeat_seconds,
           sensor.battery_low_mv, sensor.note, sensor.created_at, space.code AS space_code, lot.code AS lot_id,
           lower(watch.during) AS watching_since, state.last_heard_at, state.observed_at, state.battery_mv,
           state.battery_pct, state.battery_low, state.rssi_dbm, state.temperature_c, state.firmware,
           worst.verdict, worst.began_at AS verdict_since,
           ARRAY(SELECT verdict FROM sensor_verdict WHERE sensor_id = sensor.id AND ended_at IS NULL
                 ORDER BY array_position(CAST(:worst_first AS text[]), verdict)) AS verdicts
    {_FROM}
"""  # noqa: S608 - put together from our own words
_WHERE: Final = """
    WHERE (CAST(:verdict AS text) IS NULL
           OR EXISTS (SELECT FROM sensor_verdict
                      WHERE sensor_id = sensor.id AND ended_at IS NULL AND verdict = CAST(:verdict AS text))
           OR (CAST(:verdict AS text) = 'unassigned' AND watch.id IS NULL))
      AND (CAST(:lot AS text) IS NULL OR lot.code = CAST(:lot AS text))
      AND (CAST(:search AS text) IS NULL
           OR position(lower(CAST(:search AS text)) IN
                       lower(concat_ws(' ', sensor.code, space.code, sensor.maker, sensor.model))) > 0)
"""
_LIST: Final = (
    _SELECT + _WHERE + "ORDER BY worst.place NULLS LAST, sensor.code OFFSET :offset LIMIT CAST(:limit AS bigint)"
)
_COUNT: Final = "SELECT count(*)" + _FROM + _WHERE
_ONE: Final = _SELECT + "WHERE sensor.code = :code"
_HELD: Final = "SELECT verdict, count(*) AS sensors FROM sensor_verdict WHERE ended_at IS NULL GROUP BY 1"
_IDLE: Final = """
    SELECT count(*) FROM sensor
    WHERE NOT EXISTS (SELECT FROM sensor_assignment WHERE sensor_id = sensor.id AND during @> CAST(:now AS timestamptz))
"""
_WATCHES: Final = """
    SELECT space.code AS space_code, lot.code AS lot_id, lower(watch.during) AS begins, upper(watch.during) AS ends
    FROM sensor_assignment AS watch JOIN space ON space.id = watch.space_id JOIN lot ON lot.id = space.lot_id
    WHERE watch.sensor_id = :sensor_id ORDER BY lower(watch.during) DESC NULLS LAST
"""
_VERDICTS: Final = """
    SELECT verdict, began_at, ended_at FROM sensor_verdict
    WHERE sensor_id = :sensor_id AND (ended_at IS NULL OR ended_at >= :since)
    ORDER BY began_at DESC, id DESC LIMIT :limit
"""
_TELEMETRY: Final = """
    SELECT observed_at, battery_mv, battery_pct, battery_low, rssi_dbm, temperature_c, firmware FROM sensor_telemetry
    WHERE sensor_id = :sensor_id AND observed_at >= :since ORDER BY observed_at DESC LIMIT :limit
"""
_REASSIGNMENTS: Final = """
    SELECT from_at, asked_at, done_at, moved, taken_in, set_aside FROM reassignment
    WHERE sensor_id = :sensor_id ORDER BY id DESC LIMIT 20
"""
_STRANGERS: Final = """
    SELECT sensor AS sensor_id, sum(times)::bigint AS times, count(*) AS kinds, min(first_received_at) AS first_at,
           max(last_received_at) AS last_at, (array_agg(topic ORDER BY last_received_at DESC))[1] AS topic
    FROM refusal
    WHERE reason = 'unknown-sensor' AND resolved_at IS NULL AND sensor IS NOT NULL
      AND NOT EXISTS (SELECT FROM sensor WHERE sensor.code = refusal.sensor)
    GROUP BY sensor ORDER BY last_at DESC, sensor LIMIT :limit
"""


async def _rows(db: AsyncConnection, statement: str, parameters: dict[str, Any]) -> list[Row]:
    return [dict(row) for row in (await db.execute(text(statement), parameters)).mappings()]


def _parameters(wanted: Wanted, now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "worst_first": _ORDER,
        "verdict": wanted.verdict,
        "lot": wanted.lot,
        "search": wanted.search or None,
    }

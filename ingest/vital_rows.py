"""Vitals in the database: read at the start, stored behind the readings, never in their transaction."""

from collections.abc import Iterable

import asyncpg
import structlog

from core.ids import SensorId, SpaceId
from core.occupancy import Reading, Telemetry
from ingest.database import DATA_ERRORS
from ingest.statements import Arrival, arrived, printable
from ingest.vitals import HEARD_EVERY_MS, HEARD_EVERY_OF_HEARTBEAT, News, Vital, Vitals, heard_every_ms

log = structlog.get_logger()


async def load_vitals(db: asyncpg.Connection) -> Vitals:
    """Read what is stored of every sensor."""
    rows = await db.fetch(
        """
        SELECT sensor_id, heartbeat_seconds, last_heard_at, observed_at, boot, seq, battery_mv, battery_pct,
               battery_low, rssi_dbm, temperature_c, firmware
        FROM sensor_state JOIN sensor ON sensor.id = sensor_id
        """
    )
    return Vitals(
        {
            SensorId(row["sensor_id"]): Vital(
                heard_ms=row["last_heard_at"],
                heard_every_ms=heard_every_ms(row["heartbeat_seconds"]),
                at_ms=row["observed_at"],
                history_ms=row["observed_at"],
                boot=row["boot"],
                seq=row["seq"],
                telemetry=Telemetry(**{name: row[name] for name in Telemetry.__struct_fields__}),
            )
            for row in rows
        }
    )


async def load_untold(db: asyncpg.Connection) -> list[Arrival]:
    """The newest readings of sensors whose space was heard of later than they were: a process died before it told.

    Of their telemetry there is what readings keep: voltage, signal and temperature.
    """
    rows = await db.fetch(
        """
        SELECT sensor.id, sensor.code, newest.*
        FROM space_state AS state
        JOIN sensor_assignment AS watch ON watch.space_id = state.space_id AND watch.during @> now()
        JOIN sensor ON sensor.id = watch.sensor_id
        LEFT JOIN sensor_state AS told ON told.sensor_id = sensor.id
        CROSS JOIN LATERAL (
            SELECT observed_at, received_at, boot, seq, space_id, battery_mv, rssi_dbm, temperature_c FROM reading
            WHERE reading.sensor_id = sensor.id ORDER BY observed_at DESC LIMIT 1
        ) AS newest
        WHERE coalesce(
            state.last_heard_at - told.last_heard_at >= least(
                sensor.heartbeat_seconds * INTERVAL '1 second' / $1,
                $2 * INTERVAL '1 millisecond'
            ),
            state.last_heard_at IS NOT NULL
        ) AND coalesce(newest.received_at > told.last_heard_at, true)
        """,
        HEARD_EVERY_OF_HEARTBEAT,
        HEARD_EVERY_MS,
    )
    return [
        arrived(
            Reading(
                sensor=row["code"],
                at_ms=row["observed_at"],
                occupied=None,
                boot=row["boot"],
                seq=row["seq"],
                telemetry=Telemetry(
                    battery_mv=row["battery_mv"], rssi_dbm=row["rssi_dbm"], temperature_c=row["temperature_c"]
                ),
            ),
            SensorId(row["id"]),
            SpaceId(row["space_id"]),
            row["received_at"],
            "",
        )
        for row in rows
    ]


async def store_vitals(db: asyncpg.Connection, vitals: Vitals) -> None:
    """Store what waited longest, in a transaction of its own.

    What the database will not have is dropped, and that is told: the readings themselves are stored in any case.
    """
    news = vitals.waiting()
    if not news:
        return
    try:
        async with db.transaction():
            await _store(db, news)
    except DATA_ERRORS as error:
        log.error("vitals.refused", why=f"{type(error).__name__}: {error}", sensors=len(news))  # noqa: TRY400
    vitals.stored(news)


async def _store(db: asyncpg.Connection, news: Iterable[News]) -> None:
    """The guard is in the statement: values move on only to those of a later event."""
    by_sensor = sorted(news, key=lambda one: one.sensor_id)
    history = [_row(one.sensor_id, vital) for one in by_sensor for vital in one.history]
    if history:
        await db.execute(
            """
            INSERT INTO sensor_telemetry (sensor_id, observed_at, battery_mv, battery_pct, battery_low, rssi_dbm,
                                          temperature_c, firmware)
            SELECT sensor_id, observed_at, battery_mv, battery_pct, battery_low, rssi_dbm, temperature_c, firmware
            FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::int[],
                        $7::smallint[], $8::boolean[], $9::smallint[], $10::float8[], $11::text[])
                 AS one (sensor_id, heard_at, observed_at, boot, seq, battery_mv, battery_pct, battery_low, rssi_dbm,
                         temperature_c, firmware)
            ON CONFLICT DO NOTHING
            """,
            *zip(*history, strict=True),
        )
    await db.execute(
        """
        INSERT INTO sensor_state AS row (sensor_id, last_heard_at, observed_at, boot, seq, battery_mv, battery_pct,
                                         battery_low, rssi_dbm, temperature_c, firmware)
        SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::int[],
                             $7::smallint[], $8::boolean[], $9::smallint[], $10::float8[], $11::text[])
        ON CONFLICT (sensor_id) DO UPDATE
        SET last_heard_at = greatest(row.last_heard_at, excluded.last_heard_at),
            observed_at = greatest(row.observed_at, excluded.observed_at),
            boot = CASE WHEN excluded.observed_at > row.observed_at THEN excluded.boot ELSE row.boot END,
            seq = CASE WHEN excluded.observed_at > row.observed_at THEN excluded.seq ELSE row.seq END,
            battery_mv = CASE WHEN excluded.observed_at > row.observed_at THEN excluded.battery_mv
                ELSE row.battery_mv END,
            battery_pct = CASE WHEN excluded.observed_at > row.observed_at THEN excluded.battery_pct
                ELSE row.battery_pct END,
            battery_low = CASE WHEN excluded.observed_at > row.observed_at THEN excluded.battery_low
                ELSE row.battery_low END,
            rssi_dbm = CASE WHEN excluded.observed_at > row.observed_at THEN excluded.rssi_dbm ELSE row.rssi_dbm END,
            temperature_c = CASE WHEN excluded.observed_at > row.observed_at THEN excluded.temperature_c
                ELSE row.temperature_c END,
            firmware = CASE WHEN excluded.observed_at > row.observed_at THEN excluded.firmware ELSE row.firmware END
        """,
        *zip(*(_row(one.sensor_id, one.vital) for one in by_sensor), strict=True),
    )


def _row(sensor_id: SensorId, vital: Vital) -> tuple[object, ...]:
    telemetry = vital.telemetry
    return (
        sensor_id,
        vital.heard_ms,
        vital.at_ms,
        vital.boot,
        vital.seq,
        telemetry.battery_mv,
        telemetry.battery_pct,
        telemetry.battery_low,
        telemetry.rssi_dbm,
        telemetry.temperature_c,
        None if telemetry.firmware is None else printable(telemetry.firmware),
    )

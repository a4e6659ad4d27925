"""What sensors say of themselves: the newest of it kept, and a thinned history. One statement a batch, or none.

A reading brings news of its sensor when the sensor was not heard for a minute (or a twentieth of its heartbeat), when
an hour has passed since the last row of its history, or when a value is notably another. Battery and signal change
over weeks; every row more would say the same again.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import asyncpg
import msgspec

from core.ids import SensorId
from core.occupancy import NO_TELEMETRY, Reading, Telemetry
from ingest.registry import KnownSensor
from ingest.statements import Arrival, printable

HEARD_EVERY_MS: Final = 60_000
HEARD_EVERY_OF_HEARTBEAT: Final = 20
HISTORY_EVERY_MS: Final = 3_600_000
NOTABLE_MV: Final = 100
NOTABLE_PCT: Final = 5
NOTABLE_DB: Final = 20
NOTABLE_DEGREES: Final = 10


class Vital(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is stored of one sensor."""

    heard_ms: int
    heard_every_ms: int
    """Heard again within this is no news."""
    at_ms: int
    """Event time of the newest telemetry."""
    history_ms: int
    """Event time of the newest row of its history."""
    boot: int
    seq: int
    telemetry: Telemetry


class News(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is to be stored of one sensor, and whether as history too."""

    sensor_id: SensorId
    vital: Vital
    is_history: bool


NewsBySensor = dict[SensorId, News]
Before = dict[SensorId, Vital | None]
"""What was known of sensors before something was kept; None: nothing."""


class Vitals:
    """What is stored of every sensor, in memory. Stale memory costs a row too many or one late, never a wrong one."""

    def __init__(self, known: dict[SensorId, Vital] | None = None) -> None:
        self._known = {} if known is None else known

    @property
    def is_empty(self) -> bool:
        """Whether it knows of nothing yet, as after a start."""
        return not self._known

    def gather(self, arrivals: Iterable[Arrival], sensors: Mapping[str, KnownSensor], found: NewsBySensor) -> None:
        """Add to ``found`` what accepted readings say that is not stored yet."""
        known = self._known
        for arrival in arrivals:
            sensor_id = arrival.sensor_id
            before = found.get(sensor_id)
            vital = known.get(sensor_id) if before is None else before.vital
            if vital is None:
                found[sensor_id] = _first(arrival, sensors)
                continue
            is_history = _is_history(arrival.reading, vital)
            if is_history or before is not None or arrival.received_ms - vital.heard_ms >= vital.heard_every_ms:
                found[sensor_id] = _later(vital, arrival, before, is_history=is_history)

    def keep(self, news: Iterable[News]) -> Before:
        """Take for stored what is, or is about to be; returns what was, for ``restore`` should that fail."""
        before: Before = {}
        for one in news:
            before[one.sensor_id] = self._known.get(one.sensor_id)
            self._known[one.sensor_id] = one.vital
        return before

    def restore(self, before: Before) -> None:
        """It was not stored after all."""
        for sensor_id, vital in before.items():
            if vital is None:
                del self._known[sensor_id]
            else:
                self._known[sensor_id] = vital


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
                heard_every_ms=_heard_every_ms(row["heartbeat_seconds"]),
                at_ms=row["observed_at"],
                history_ms=row["observed_at"],
                boot=row["boot"],
                seq=row["seq"],
                telemetry=Telemetry(**{name: row[name] for name in Telemetry.__struct_fields__}),
            )
            for row in rows
        }
    )


async def store_vitals(db: asyncpg.Connection, news: NewsBySensor) -> None:
    """Store it. The guard is in the statement: values move on only to those of a later event."""
    if not news:
        return
    await db.execute(
        """
        WITH news AS (
            SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[],
                                 $6::int[], $7::smallint[], $8::boolean[], $9::smallint[], $10::float8[], $11::text[],
                                 $12::boolean[])
                 AS one (sensor_id, heard_at, observed_at, boot, seq, battery_mv, battery_pct, battery_low, rssi_dbm,
                         temperature_c, firmware, is_history)
        ), history AS (
            INSERT INTO sensor_telemetry (sensor_id, observed_at, battery_mv, battery_pct, battery_low, rssi_dbm,
                                          temperature_c, firmware)
            SELECT sensor_id, observed_at, battery_mv, battery_pct, battery_low, rssi_dbm, temperature_c, firmware
            FROM news WHERE is_history
            ON CONFLICT DO NOTHING
        )
        INSERT INTO sensor_state AS row (sensor_id, last_heard_at, observed_at, boot, seq, battery_mv, battery_pct,
                                         battery_low, rssi_dbm, temperature_c, firmware)
        SELECT sensor_id, heard_at, observed_at, boot, seq, battery_mv, battery_pct, battery_low, rssi_dbm,
               temperature_c, firmware
        FROM news
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
        *zip(*(_row(news[sensor_id]) for sensor_id in sorted(news)), strict=True),
    )


def _first(arrival: Arrival, sensors: Mapping[str, KnownSensor]) -> News:
    reading = arrival.reading
    vital = Vital(
        heard_ms=arrival.received_ms,
        heard_every_ms=_heard_every_ms(sensors[reading.sensor].heartbeat_seconds),
        at_ms=reading.at_ms,
        history_ms=reading.at_ms,
        boot=reading.boot,
        seq=reading.seq,
        telemetry=reading.telemetry,
    )
    return News(sensor_id=arrival.sensor_id, vital=vital, is_history=reading.telemetry != NO_TELEMETRY)


def _is_history(reading: Reading, vital: Vital) -> bool:
    """Whether a reading makes a row of history: the last is an hour old, or it says something notable."""
    telemetry = reading.telemetry
    if reading.at_ms <= vital.at_ms or telemetry == NO_TELEMETRY:
        return False
    return (
        reading.at_ms - vital.history_ms >= HISTORY_EVERY_MS
        or reading.boot != vital.boot
        or (telemetry != vital.telemetry and _is_notable(telemetry, vital.telemetry))
    )


def _later(vital: Vital, arrival: Arrival, before: News | None, *, is_history: bool) -> News:
    """``vital`` with what a further reading says; of what the batch holds already, a row of history stays one."""
    heard_ms = max(vital.heard_ms, arrival.received_ms)
    was_history = before is not None and before.is_history
    if arrival.reading.at_ms <= vital.at_ms:
        vital = msgspec.structs.replace(vital, heard_ms=heard_ms)
        return News(sensor_id=arrival.sensor_id, vital=vital, is_history=was_history)
    reading = arrival.reading
    is_history = is_history or was_history
    vital = Vital(
        heard_ms=heard_ms,
        heard_every_ms=vital.heard_every_ms,
        at_ms=reading.at_ms,
        history_ms=reading.at_ms if is_history else vital.history_ms,
        boot=reading.boot,
        seq=reading.seq,
        telemetry=_completed(reading.telemetry, vital.telemetry),
    )
    return News(sensor_id=arrival.sensor_id, vital=vital, is_history=is_history)


def _completed(new: Telemetry, old: Telemetry) -> Telemetry:
    """What is known after a message that says only some of it."""
    if new == NO_TELEMETRY:
        return old
    return Telemetry(
        battery_mv=old.battery_mv if new.battery_mv is None else new.battery_mv,
        battery_pct=old.battery_pct if new.battery_pct is None else new.battery_pct,
        battery_low=old.battery_low if new.battery_low is None else new.battery_low,
        rssi_dbm=old.rssi_dbm if new.rssi_dbm is None else new.rssi_dbm,
        temperature_c=old.temperature_c if new.temperature_c is None else new.temperature_c,
        firmware=old.firmware if new.firmware is None else new.firmware,
    )


def _is_notable(new: Telemetry, old: Telemetry) -> bool:
    """Whether an operator would want to see this change in the history, however soon after the last row."""
    return (
        (new.battery_low is not None and new.battery_low is not old.battery_low)
        or (new.firmware is not None and new.firmware != old.firmware)
        or _differs(new.battery_mv, old.battery_mv, NOTABLE_MV)
        or _differs(new.battery_pct, old.battery_pct, NOTABLE_PCT)
        or _differs(new.rssi_dbm, old.rssi_dbm, NOTABLE_DB)
        or _differs(new.temperature_c, old.temperature_c, NOTABLE_DEGREES)
    )


def _differs(new: float | None, old: float | None, by: float) -> bool:
    return new is not None and (old is None or abs(new - old) >= by)


def _heard_every_ms(heartbeat_seconds: int) -> int:
    return min(HEARD_EVERY_MS, heartbeat_seconds * 1_000 // HEARD_EVERY_OF_HEARTBEAT)


def _row(news: News) -> tuple[object, ...]:
    vital = news.vital
    telemetry = vital.telemetry
    return (
        news.sensor_id,
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
        news.is_history,
    )

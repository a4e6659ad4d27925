"""What sensors say of themselves: the newest of it kept, and a thinned history.

A reading brings news of its sensor when the sensor was not heard for a minute (or a twentieth of its heartbeat), when
an hour has passed since the last row of its history, or when a value is notably another. Battery and signal change
over weeks; every row more would say the same again.

News waits in memory until there is nothing else to do, or for some seconds: a backlog is not held up by it, and what a
sensor said many times meanwhile makes one row. What a killed process had not stored is taken from its readings.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import asyncpg
import msgspec
import structlog

from core.ids import SensorId, SpaceId
from core.occupancy import NO_TELEMETRY, Reading, Telemetry
from ingest.database import DATA_ERRORS
from ingest.registry import KnownSensor
from ingest.statements import Arrival, arrived, printable

log = structlog.get_logger()

HEARD_EVERY_MS: Final = 60_000
HEARD_EVERY_OF_HEARTBEAT: Final = 20
HISTORY_EVERY_MS: Final = 3_600_000
NOTABLE_MV: Final = 100
NOTABLE_PCT: Final = 5
NOTABLE_DB: Final = 20
NOTABLE_DEGREES: Final = 10

WAITS_SECONDS: Final = 5.0
"""News waits no longer than this, however many readings are queued."""
SENSORS_AT_ONCE: Final = 5_000
"""News of so many sensors is stored in one transaction."""
SLICE: Final = 500
"""After so many readings looked through the event loop has its turn."""


class Vital(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of one sensor."""

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
    """What is to be stored of one sensor: the newest, and what of it belongs into its history."""

    sensor_id: SensorId
    vital: Vital
    history: tuple[Vital, ...] = ()


class Vitals:
    """What is known of every sensor, in memory. Stale memory costs a row too many or one late, never a wrong one."""

    def __init__(self, known: dict[SensorId, Vital] | None = None) -> None:
        self._known = {} if known is None else known
        self._heard: deque[tuple[Sequence[Arrival], Mapping[str, KnownSensor]]] = deque()
        self._news: dict[SensorId, News] = {}
        self._waiting_since: float | None = None

    @property
    def has_news(self) -> bool:
        """Whether anything waits to be stored."""
        return bool(self._news)

    @property
    def is_overdue(self) -> bool:
        """Whether some of it has waited for as long as it may."""
        return self._waiting_since is not None and time.monotonic() - self._waiting_since >= WAITS_SECONDS

    def hear(self, arrivals: Sequence[Arrival], sensors: Mapping[str, KnownSensor]) -> None:
        """Remember readings that are stored; ``note`` looks through them."""
        if arrivals:
            self._heard.append((arrivals, sensors))

    def note(self) -> Iterator[None]:
        """Look through what was heard for news, pausing after each slice."""
        while self._heard:
            arrivals, sensors = self._heard.popleft()
            for first in range(0, len(arrivals), SLICE):
                self._note(arrivals[first : first + SLICE], sensors)
                yield

    def waiting(self, most: int = SENSORS_AT_ONCE) -> list[News]:
        """News to store, the longest waiting first."""
        return list(islice(self._news.values(), most))

    def stored(self, news: Iterable[News]) -> None:
        """It is stored, but for what has come since."""
        for one in news:
            if self._news[one.sensor_id] is one:
                del self._news[one.sensor_id]
        if not self._news:
            self._waiting_since = None

    def _note(self, arrivals: Iterable[Arrival], sensors: Mapping[str, KnownSensor]) -> None:
        known = self._known
        for arrival in arrivals:
            vital = known.get(arrival.sensor_id)
            if vital is None:
                vital = _first(arrival, sensors[arrival.reading.sensor])
                self._tell(arrival.sensor_id, vital, is_history=arrival.reading.telemetry != NO_TELEMETRY)
                continue
            is_history = _is_history(arrival.reading, vital)
            if is_history or arrival.received_ms - vital.heard_ms >= vital.heard_every_ms:
                self._tell(arrival.sensor_id, _later(vital, arrival, is_history=is_history), is_history=is_history)

    def _tell(self, sensor_id: SensorId, vital: Vital, *, is_history: bool) -> None:
        self._known[sensor_id] = vital
        before = self._news.get(sensor_id)
        history = () if before is None else before.history
        self._news[sensor_id] = News(
            sensor_id=sensor_id, vital=vital, history=(*history, vital) if is_history else history
        )
        if self._waiting_since is None:
            self._waiting_since = time.monotonic()


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


async def load_untold(db: asyncpg.Connection) -> list[Arrival]:
    """The newest readings of sensors whose space was heard of later than they were: a process died before it told.

    Of their telemetry there is what readings keep: voltage, signal and temperature.
    """
    rows = await db.fetch(
        f"""
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
                sensor.heartbeat_seconds * INTERVAL '1 second' / {HEARD_EVERY_OF_HEARTBEAT},
                {HEARD_EVERY_MS} * INTERVAL '1 millisecond'
            ),
            state.last_heard_at IS NOT NULL
        ) AND coalesce(newest.received_at > told.last_heard_at, true)
        """  # noqa: S608 - two numbers of our own
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


def _first(arrival: Arrival, sensor: KnownSensor) -> Vital:
    reading = arrival.reading
    return Vital(
        heard_ms=arrival.received_ms,
        heard_every_ms=_heard_every_ms(sensor.heartbeat_seconds),
        at_ms=reading.at_ms,
        history_ms=reading.at_ms,
        boot=reading.boot,
        seq=reading.seq,
        telemetry=reading.telemetry,
    )


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


def _later(vital: Vital, arrival: Arrival, *, is_history: bool) -> Vital:
    """``vital`` with what a further reading says."""
    heard_ms = max(vital.heard_ms, arrival.received_ms)
    reading = arrival.reading
    if reading.at_ms <= vital.at_ms:
        return msgspec.structs.replace(vital, heard_ms=heard_ms)
    return Vital(
        heard_ms=heard_ms,
        heard_every_ms=vital.heard_every_ms,
        at_ms=reading.at_ms,
        history_ms=reading.at_ms if is_history else vital.history_ms,
        boot=reading.boot,
        seq=reading.seq,
        telemetry=_completed(reading.telemetry, vital.telemetry),
    )


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

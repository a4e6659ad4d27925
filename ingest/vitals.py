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

import msgspec

from core.ids import SensorId
from core.occupancy import NO_TELEMETRY, Reading, Telemetry
from ingest.registry import KnownSensor
from ingest.statements import Arrival

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


def _first(arrival: Arrival, sensor: KnownSensor) -> Vital:
    reading = arrival.reading
    return Vital(
        heard_ms=arrival.received_ms,
        heard_every_ms=heard_every_ms(sensor.heartbeat_seconds),
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


def heard_every_ms(heartbeat_seconds: int) -> int:
    """How long after it was heard a sensor is news again."""
    return min(HEARD_EVERY_MS, heartbeat_seconds * 1_000 // HEARD_EVERY_OF_HEARTBEAT)

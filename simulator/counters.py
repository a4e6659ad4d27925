"""Lots that only count vehicles: who is in them, and what their counters believe. Pure.

Such a lot has no spaces in the city file, so it is given as many as it holds, and they live as all others do. Its
counter sees vehicles pass the barrier and misses one now and then: that is why what it says is an estimate. In the
quiet hours of the night somebody sets it right, so what is believed at an instant does not depend on when a run began.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.clock import instant, milliseconds
from core.occupancy import Kind
from simulator.dice import Dice, key_of, mixed
from simulator.rhythms import rhythm_of
from simulator.sensors import (
    SHORTEST_GAP_SECONDS,
    SHORTEST_STAY_SECONDS,
    SensedCity,
    Watched,
    busyness_of,
    properties_by_kind,
    refusing_bad_files,
)
from simulator.world import Event, events

MISSED: Final = 0.004
"""Share of the vehicles passing that a counter does not see."""
SET_RIGHT_AT_HOUR: Final = 4
"""The local hour at which the night's rounds set every counter right."""
_SETTLING_MS: Final = 60_000
"""Twice as long as the places of a beginning city take until none of their stays is left out."""
_NO_HEARTBEATS_MS: Final = 7 * 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedLot:
    """A lot with a counter, and the places in it that nothing watches."""

    code: str
    capacity: int
    places: tuple[Watched, ...]


def read_counted_lots(document: bytes | Mapping[str, Any]) -> tuple[CountedLot, ...]:
    """The lots of a city file whose source is ``counter``, by code; empty where it has none.

    Raises:
        InvalidError: it is no city file.
    """
    with refusing_bad_files():
        lots = [lot for lot in properties_by_kind(document)["lot"] if lot.get("source") == "counter"]
        return tuple(_counted(lot) for lot in sorted(lots, key=lambda lot: str(lot["code"])))


class Counters:
    """All counters of a city, at an instant that only moves forward."""

    def __init__(self, lots: tuple[CountedLot, ...], *, seed: int, begins_ms: int, zone: ZoneInfo) -> None:
        """Begin at the last time before ``begins_ms`` that every counter was right."""
        self._lots = [lot.code for lot in lots for _ in lot.places]
        self._chance_key = key_of(seed, "counters")
        self._zone = zone
        self._inside = Counter({lot.code: 0 for lot in lots})
        self._believed = Counter(self._inside)
        self._events: Iterator[Event] = iter(())
        set_right_ms = _last_set_right(begins_ms, zone)
        if self._lots:
            city = SensedCity(name="", watched=tuple(place for lot in lots for place in lot.places), silent=0)
            self._events = events(city, seed=seed, begins_ms=set_right_ms - _SETTLING_MS, zone=zone)
        self._upcoming = next(self._events, None)
        self._set_right_ms = set_right_ms
        self.advance(begins_ms)

    def advance(self, to_ms: int) -> None:
        """Let happen what happens until then."""
        while self._set_right_ms <= to_ms:
            self._happen_before(self._set_right_ms)
            self._believed = Counter(self._inside)
            self._set_right_ms = _next_set_right(self._set_right_ms, self._zone)
        self._happen_before(to_ms)

    def inside(self, lot: str) -> int:
        """How many vehicles are really there."""
        return self._inside[lot]

    def counted(self, lot: str) -> int:
        """How many the counter believes to be there: never below 0, perhaps a few more than there is room for."""
        return max(0, self._believed[lot])

    def _happen_before(self, to_ms: int) -> None:
        while self._upcoming is not None and self._upcoming.at_ms < to_ms:
            self._pass(self._upcoming)
            self._upcoming = next(self._events, None)

    def _pass(self, event: Event) -> None:
        if event.kind is not Kind.CHANGE:
            return
        lot, step = self._lots[event.number], 1 if event.occupied else -1
        self._inside[lot] += step
        if Dice(mixed(self._chance_key, event.number, event.at_ms)).uniform() >= MISSED:
            self._believed[lot] += step


def _counted(lot: Mapping[str, Any]) -> CountedLot:
    code, capacity = str(lot["code"]), int(lot["capacity"])
    return CountedLot(code=code, capacity=capacity, places=tuple(_places(lot, code, capacity)))


def _places(lot: Mapping[str, Any], code: str, capacity: int) -> Iterator[Watched]:
    busyness, names = busyness_of(code), f"{lot.get('name', '')} {lot.get('name_en', '')}"
    for number in range(1, capacity + 1):
        dice = Dice(key_of("place", code, number))
        yield Watched(
            space=f"{code} place {number}",  # a code of the city file has no blanks
            sensor="",
            lot=code,
            tariff=None,
            heartbeat_ms=_NO_HEARTBEATS_MS,
            installed_ms=None,
            shortest_stay_ms=SHORTEST_STAY_SECONDS * 1_000,
            shortest_gap_ms=SHORTEST_GAP_SECONDS * 1_000,
            rhythm=rhythm_of(lot_kind=str(lot.get("lot_kind")), names=names, chance=dice.uniform()),
            busyness=busyness * (0.75 + 0.5 * dice.uniform()),
        )


def _last_set_right(at_ms: int, zone: ZoneInfo) -> int:
    local = instant(at_ms).astimezone(zone)
    right = local.replace(hour=SET_RIGHT_AT_HOUR, minute=0, second=0, microsecond=0)
    return milliseconds(right if right <= local else right - timedelta(days=1))


def _next_set_right(at_ms: int, zone: ZoneInfo) -> int:
    return milliseconds(instant(at_ms).astimezone(zone) + timedelta(days=1))

"""From options, a scenario and a clock to everything that decides what happens in a run."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.clock import instant, rfc3339
from core.errors import InvalidError
from core.settings import Settings
from core.wire import parse_instant
from simulator.crowds import days_off
from simulator.faults import Fault, Faults
from simulator.faults.speaking import Sensors, Utterance, utterances
from simulator.scenarios import Scenario
from simulator.sensors import SensedCity, Watched
from simulator.slow_pricer import PRICERS, Changes
from simulator.truth import Header, SpaceLine
from simulator.world import events

_DAYS_BEFORE, _DAYS_KNOWN = 7, 800
"""Of public holidays: from before the first episode that may reach into the run."""
_UNITS_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Everything that decides what happens."""

    city: SensedCity
    seed: int
    begins_ms: int
    zone: ZoneInfo
    faults: Faults
    prices: Changes = field(default_factory=dict)
    """Tariffs that change during the run."""
    weekdays: Mapping[int, int] = field(default_factory=dict)
    """Local days that are lived as another weekday (``simulator.crowds.days_off``)."""

    @property
    def clocks_apart_ms(self) -> int:
        """By how much a sensor's own clock may be wrong, either way."""
        drifts = self.faults.spell(Fault.DRIFTING_CLOCK) is not None
        return self.faults.drift_up_to_ms if drifts else 0

    def utterances(self) -> Iterator[Utterance]:
        """All that happens, as it is said and sent: oldest first, without end, the same each time."""
        offset = instant(self.begins_ms).astimezone(self.zone).utcoffset() or timedelta()
        watched = self.city.watched
        sensors = Sensors(lots=[one.lot for one in watched], keeps_time=[one.keeps_time for one in watched])
        happening = events(self.city, seed=self.seed, begins_ms=self.begins_ms, zone=self.zone, weekdays=self.weekdays)
        zone_ms = offset // timedelta(milliseconds=1)
        return utterances(happening, sensors, self.faults, seed=self.seed, zone_ms=zone_ms)


def course_of(
    sensed: SensedCity, header: Header, faults: Faults, played: Scenario, settings: Settings, *, history_ms: int
) -> Course:
    """Everything that decides what happens; prices change at the midnight after the history ends."""
    begins_ms = parse_instant(header.begins_at)
    begins_at = instant(begins_ms).astimezone(settings.zone)
    return Course(
        city=sensed,
        seed=header.seed,
        begins_ms=begins_ms,
        zone=settings.zone,
        faults=faults,
        prices=played.prices_from(instant(begins_ms + history_ms), settings.zone),
        weekdays=days_off(settings.zone.key, begins_at.date() - timedelta(days=_DAYS_BEFORE), _DAYS_KNOWN),
    )


def faults_of(
    described: Faults, *, repeat: float | None, late: float | None, late_up_to: str | None, lost: float | None
) -> Faults:
    """The scenario's, with what the command line says of the air instead."""
    said: dict[str, Any] = {"repeat": repeat, "late": late, "lost": lost}
    said["late_up_to_ms"] = None if late_up_to is None else milliseconds_of(late_up_to)
    return dataclasses.replace(described, **{name: value for name, value in said.items() if value is not None})


def header_of(
    sensed: SensedCity,
    *,
    seed: int,
    begins_ms: int,
    faults: Faults,
    settings: Settings,
    installation: str,
    played: Scenario,
    history_ms: int,
) -> Header:
    """What the truth says of the run before anything happens."""
    return Header(
        installation=installation,
        city=sensed.name,
        city_digest=sensed.digest,
        spaces=len(sensed.watched),
        seed=seed,
        begins_at=rfc3339(instant(begins_ms)),
        zone=settings.zone.key,
        clock=settings.clock,
        repeat=faults.repeat,
        late=faults.late,
        late_up_to_ms=faults.late_up_to_ms,
        lost=faults.lost,
        walked_tariffs=sorted(PRICERS),
        faults=faults.told(),
        scenario=played.label,
        prices=played.prices_from(instant(begins_ms + history_ms), settings.zone),
        readings_told=True,
    )


def space_line(watched: Watched) -> SpaceLine:
    """What the truth says of a space, so that what its sensor says can be read without the city's file."""
    return SpaceLine(
        watched.space,
        watched.sensor,
        watched.lot,
        watched.tariff,
        min_stay_seconds=watched.min_stay_seconds,
        min_gap_seconds=watched.min_gap_seconds,
        heartbeat_seconds=watched.heartbeat_ms // 1_000,
    )


def milliseconds_of(text: str) -> int:
    """A length of time as options write it.

    Raises:
        InvalidError: it is none.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    if found is None or (not found[2] and float(found[1])):
        raise InvalidError(f"{text!r} is no length of time: write 90s, 30m, 6h, 2d or 0")
    return int(float(found[1]) * _UNITS_MS.get(found[2], 0))

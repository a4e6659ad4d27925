"""Official holidays and make-up working days, as a value that an operator can correct. Pure.

The table is seeded from the ``chinesecalendar`` package, which repeats the State Council's yearly notices and needs a
new release each November; a date that no table covers is priced by its weekday, with a mark on the line.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Final, Literal, get_args

Holiday = Literal[
    "new_year", "spring_festival", "qingming", "labour", "dragon_boat", "mid_autumn", "national_day", "other_holiday"
]

NAMES: Final[Mapping[str, Holiday]] = {
    "New Year's Day": "new_year",
    "Spring Festival": "spring_festival",
    "Tomb-sweeping Day": "qingming",
    "Labour Day": "labour",
    "Dragon Boat Festival": "dragon_boat",
    "Mid-autumn Festival": "mid_autumn",
    "National Day": "national_day",
}
"""The package's names in a notice's words; any other day off is ``other_holiday``."""

HOLIDAYS: Final[frozenset[str]] = frozenset(get_args(Holiday))

DayKind = Literal["workday", "rest", "holiday"]
"""What an operator calls a day: worked, not worked, or an official holiday."""
DAY_KINDS: Final[frozenset[str]] = frozenset(get_args(DayKind))
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay:
    """A date that is not simply its weekday: a day off, or a weekend day worked in exchange."""

    on: date
    kind: Literal["holiday", "make_up", "rest"]
    """``rest``: a Monday to Friday that is not worked, though no official holiday."""
    holiday: Holiday
    """Which holiday it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calendar:
    """The special days of whole years. Compared by identity, so that what was computed from it can be kept."""

    special: Mapping[date, SpecialDay]
    years: frozenset[int]
    """The years that are known; a date in any other is assumed to be its weekday."""
    known: frozenset[date] = frozenset()
    """Single days that somebody has decided on, in years that are not known."""
    free: Mapping[date, str] = field(default_factory=dict)
    """Days on which nothing is charged by decree, each with the reason; already those of one lot and notice."""

    def knows(self, on: date) -> bool:
        """Whether the official notice for this date is in the table."""
        return on.year in self.years or on in self.known

    def find(self, on: date) -> SpecialDay | None:
        """What is special about a date, if anything is."""
        return self.special.get(on)


def calendar_of(days: Iterable[SpecialDay], years: Iterable[int]) -> Calendar:
    """A calendar from the rows of a table; of two rows for one date the last holds, so corrections come after seeds."""
    return Calendar(special={day.on: day for day in days}, years=frozenset(years))


def special_day(on: date, kind: DayKind, holiday: Holiday) -> SpecialDay | None:
    """What a row of the table says about a date; None where the date is simply its weekday."""
    on_weekend = on.weekday() >= _SATURDAY
    match kind:
        case "holiday":
            return SpecialDay(on=on, kind="holiday", holiday=holiday)
        case "workday":
            return SpecialDay(on=on, kind="make_up", holiday=holiday) if on_weekend else None
        case "rest":
            return None if on_weekend else SpecialDay(on=on, kind="rest", holiday=holiday)


def used_days(calendar: Calendar, first: date, last: date) -> dict[str, Any]:
    """What a calendar says of ``[first, last]``, as a bill keeps it: ``calendar_used`` makes a calendar of it again."""

    def inside(on: date) -> bool:
        return first <= on <= last

    return {
        "years": sorted(year for year in calendar.years if first.year <= year <= last.year),
        "days": [
            [day.on.isoformat(), day.kind, day.holiday]
            for day in sorted((day for day in calendar.special.values() if inside(day.on)), key=lambda day: day.on)
        ],
        "known": sorted(on.isoformat() for on in calendar.known if inside(on)),
        "free": {on.isoformat(): reason for on, reason in sorted(calendar.free.items()) if inside(on)},
    }


def calendar_used(kept: Mapping[str, Any]) -> Calendar:
    """The calendar that a bill keeps; it knows nothing beyond the bill's own days."""
    days = [SpecialDay(on=date.fromisoformat(on), kind=kind, holiday=holiday) for on, kind, holiday in kept["days"]]
    return Calendar(
        special={day.on: day for day in days},
        years=frozenset(kept["years"]),
        known=frozenset(date.fromisoformat(on) for on in kept["known"]),
        free={date.fromisoformat(on): reason for on, reason in kept["free"].items()},
    )


def seed_days() -> tuple[list[SpecialDay], list[int]]:
    """The special days the installed package knows, and the years it covers: what the table begins with."""
    import chinese_calendar.constants as known  # noqa: PLC0415 - a large table that only seeding needs

    days = [SpecialDay(on=on, kind="holiday", holiday=_word(name)) for on, name in known.holidays.items()]
    days += [SpecialDay(on=on, kind="make_up", holiday=_word(name)) for on, name in known.workdays.items()]
    years = sorted({day.on.year for day in days if day.kind == "holiday"})
    return sorted(days, key=lambda day: day.on), years


@lru_cache(maxsize=1)
def seeded() -> Calendar:
    """The calendar of the installed package, for whoever has no table."""
    return calendar_of(*seed_days())


NOTHING_KNOWN: Final = Calendar(special={}, years=frozenset())
"""A calendar without a single year: every date is assumed."""


def _word(name: str) -> Holiday:
    return NAMES.get(name, "other_holiday")

"""What kind of day a date is to a notice: its weekday, the official calendar, and the notice's own classes. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Final, get_args

from billing.calendar import Calendar
from billing.tariff.document import CalendarRules, DayClass, DayMatch, Kind, Weekday

WEEKDAYS: Final[tuple[str, ...]] = get_args(Weekday)
KINDS: Final[frozenset[str]] = frozenset(get_args(Kind))
PLAIN_DAYS: Final[frozenset[str]] = frozenset({"all", *WEEKDAYS})
SATURDAY: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A date in a notice's words."""

    words: frozenset[str]
    """``all``, the weekday, the kinds that apply, and the notice's own class or ``other``."""
    assumed: bool
    """The official calendar would have decided, and does not know this year yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRules:
    """How a notice tells days apart."""

    calendar: CalendarRules
    classes: tuple[DayClass, ...]
    asks_calendar: bool
    """Whether any window or class depends on official holidays."""

    def day(self, on: date, calendar: Calendar) -> Day:
        """The words that fit a date."""
        kinds, holiday = self._kinds(on, calendar)
        weekday = WEEKDAYS[on.weekday()]
        own = next(
            (
                one.name
                for one in self.classes
                if any(_fits(match, on, weekday, kinds, holiday) for match in one.any_of)
            ),
            "other",
        )
        return Day(
            words=frozenset({"all", weekday, own, *kinds}),
            assumed=self.asks_calendar and self.calendar.official and not calendar.knows(on),
        )

    def _kinds(self, on: date, calendar: Calendar) -> tuple[frozenset[str], str | None]:
        special = calendar.find(on) if self.calendar.official else None
        on_weekend = on.weekday() >= SATURDAY
        if special is None:
            return (_WEEKEND if on_weekend else _WORKDAY), None
        if special.kind == "make_up":
            works = self.calendar.make_up_days == "workday" or not on_weekend
            return (_WORKDAY if works else _WEEKEND) | {"make_up"}, None
        if special.kind == "rest":
            return _REST, None
        if on_weekend:
            return _WEEKEND | {"holiday"}, special.holiday
        rests = self.calendar.holidays == "restday"
        return (_REST if rests else _WORKDAY) | {"holiday"}, special.holiday


_WEEKEND: Final = frozenset({"weekend", "restday"})
_WORKDAY: Final = frozenset({"workday"})
_REST: Final = frozenset({"restday"})


def _fits(match: DayMatch, on: date, weekday: str, kinds: frozenset[str], holiday: str | None) -> bool:
    return (
        (match.kind is None or match.kind in kinds)
        and (not match.holidays or holiday in match.holidays)
        and (not match.weekdays or weekday in match.weekdays)
        and (not match.between or any(_in_season(on, *season) for season in match.between))
        and (not match.dates or on in match.dates)
    )


def _in_season(on: date, first: str, last: str) -> bool:
    day = f"{on:%m-%d}"
    return first <= day <= last if first <= last else day >= first or day <= last

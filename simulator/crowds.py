"""A city with more or fewer people in it than on an ordinary day, and the days on which they are off work. Pure."""

import dataclasses
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import chinese_calendar

from core.errors import InvalidError
from simulator.rhythms import HOURS_OF_WEEK, RHYTHMS, Rhythm
from simulator.scenarios.scenario import Arrivals
from simulator.sensors import SensedCity

CHINA: Final = "Asia/Shanghai"
_MONDAY, _SUNDAY = 0, 6
_DAY_HOURS: Final = 24
_EPOCH: Final = date(1970, 1, 1)


def lively(city: SensedCity, arrivals: Arrivals) -> SensedCity:
    """The same city with another day's arrivals."""
    if arrivals == Arrivals():
        return city
    rhythms = {rhythm.name: _off_work(rhythm) if arrivals.holiday else rhythm for rhythm in RHYTHMS}
    watched = tuple(
        dataclasses.replace(
            one,
            rhythm=rhythms[one.rhythm.name],
            busyness=one.busyness * arrivals.factor * arrivals.by_place.get(one.rhythm.name, 1.0),
        )
        for one in city.watched
    )
    return dataclasses.replace(city, watched=watched)


def days_off(zone: str, since: date, days: int) -> Mapping[int, int]:
    """Which days are lived as another weekday: public holidays as Sundays, made-up workdays as Mondays.

    Args:
        zone: only China's days are known; elsewhere every day is lived as itself.
        since: the first day that matters.
        days: how many.
    Returns: number of the local day since 1970 -> weekday, Monday 0. What the calendar does not know yet is left out.
    """
    if zone != CHINA:
        return {}
    found: dict[int, int] = {}
    for number in range(days):
        day = since + timedelta(days=number)
        try:
            is_off = chinese_calendar.is_holiday(day)
        except NotImplementedError:
            break  # the calendar ends with the last year whose holidays were announced; so does every day after it
        is_weekend = day.weekday() >= 5  # noqa: PLR2004 - Saturday
        if is_off and not is_weekend:
            found[(day - _EPOCH).days] = _SUNDAY
        elif is_weekend and not is_off:
            found[(day - _EPOCH).days] = _MONDAY
    return found


def weekday_lived(day: date, zone: str) -> int:
    """As which weekday a day is lived, Monday 0."""
    return days_off(zone, day, 1).get((day - _EPOCH).days, day.weekday())


def _off_work(rhythm: Rhythm) -> Rhythm:
    sunday = rhythm.arrivals[_SUNDAY * _DAY_HOURS :]
    if len(sunday) != _DAY_HOURS:
        raise InvalidError(f"rhythm {rhythm.name!r} has no Sunday")
    return dataclasses.replace(rhythm, arrivals=sunday * (HOURS_OF_WEEK // _DAY_HOURS))

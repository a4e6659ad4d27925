"""Which band each moment of a stay lies in: windows on the wall become pieces of time. Pure.

A local day is worked out once and remembered; only there does the zone come in. Where the clocks change, a window
opens and closes at the instants the wall shows, so an hour that happens twice is twice in it and a skipped one is not.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from billing.calendar import Calendar
from billing.tariff.days import DayRules
from billing.tariff.model import MS_IN_MINUTE, Rate, Window
from core.clock import instant, milliseconds

OUTSIDE: Final = -1
"""The band of time that no band claims."""
WAITS: Final = 1
RUNS: Final = 2
AGAIN: Final = 3
DECREE: Final = "decree:"
"""Before the reason, in ``Piece.free_by`` of a day that is free by decree."""
DAY_MINUTES: Final = 24 * 60
WINDOWS_A_DAY: Final = 1 << 10


class Piece(NamedTuple):
    """A stretch of a stay in one band; a tuple because there is one for every window of every day."""

    from_ms: int
    to_ms: int
    band: int
    occurrence: int
    """Which opening of which window this is: equal on both sides of midnight."""
    day: int
    """The calendar day by the notice's own begin of days, as an ordinal."""
    period: int
    """How many rolling periods have passed since the arrival."""
    free: int
    """0: as the band says; else free and the clock 1 waits, 2 runs, 3 begins again after it."""
    assumed: bool
    """The day's kind is assumed, see ``Day.assumed``."""
    free_by: str = ""
    """The rule whose deducted minutes these are, or what covers them, with its kind before a colon."""


def pieces_of(spans: Iterable[tuple[int, int]], rate: Rate, zone: ZoneInfo, calendar: Calendar) -> list[Piece]:
    """The stay cut at every window and midnight, oldest first.

    Args:
        spans: half-open milliseconds, ascending; more than one where an absence does not count.
        rate: whose windows and days.
        zone: of the wall that the windows are read from.
        calendar: official holidays.
    """
    pieces: list[Piece] = []
    for from_ms, to_ms in spans:
        ordinal = instant(from_ms).astimezone(zone).toordinal()
        at_ms = from_ms
        while at_ms < to_ms:
            for piece in _day(rate, zone, calendar, ordinal):
                if piece.to_ms > from_ms:
                    if piece.from_ms >= to_ms:
                        break
                    if piece.from_ms < from_ms or piece.to_ms > to_ms:
                        piece = piece._replace(  # noqa: PLW2901 - the day's piece, cut to the stay
                            from_ms=max(piece.from_ms, from_ms), to_ms=min(piece.to_ms, to_ms)
                        )
                    pieces.append(piece)
            ordinal += 1
            at_ms = wall_ms(zone, ordinal, 0)
    return pieces


def cut_at_periods(pieces: Iterable[Piece], origin_ms: int, length_ms: int) -> list[Piece]:
    """The pieces cut where a rolling period ends, each with how many have passed."""
    cut: list[Piece] = []
    for piece in pieces:
        from_ms = piece.from_ms
        period = (from_ms - origin_ms) // length_ms
        while (end_ms := origin_ms + (period + 1) * length_ms) < piece.to_ms:
            cut.append(piece._replace(from_ms=from_ms, to_ms=end_ms, period=period))
            from_ms, period = end_ms, period + 1
        cut.append(piece._replace(from_ms=from_ms, period=period))
    return cut


@lru_cache(maxsize=32_768)
def _day(rate: Rate, zone: ZoneInfo, calendar: Calendar, ordinal: int) -> tuple[Piece, ...]:
    """One local day from midnight to midnight, without a gap."""
    on = date.fromordinal(ordinal)
    if (reason := calendar.free.get(on)) is not None:
        return (
            Piece(
                wall_ms(zone, ordinal, 0),
                wall_ms(zone, ordinal + 1, 0),
                OUTSIDE,
                0,
                ordinal,
                0,
                WAITS,
                False,
                DECREE + reason,
            ),
        )
    day = rate.days.day(on, calendar)
    claims = list(_claims(rate, calendar, ordinal))
    marks = sorted({0, DAY_MINUTES, rate.day_begins % DAY_MINUTES, *(m for claim in claims for m in claim[:2])})
    found: list[Piece] = []
    for low, high in pairwise(marks):
        inside = [(window.priority, window, opened) for start, end, window, opened in claims if start <= low < end]
        band, occurrence = OUTSIDE, 0
        if inside:
            _, window, opened = max(inside, key=lambda claim: claim[0])
            band, occurrence = window.band, opened * WINDOWS_A_DAY + window.index
        own_day = ordinal if low >= rate.day_begins else ordinal - 1
        from_ms, to_ms = wall_ms(zone, ordinal, low), wall_ms(zone, ordinal, high)
        if from_ms < to_ms:
            found.append(Piece(from_ms, to_ms, band, occurrence, own_day, 0, 0, day.assumed))
    return tuple(found)


def _claims(rate: Rate, calendar: Calendar, ordinal: int) -> Iterable[tuple[int, int, Window, int]]:
    """Which windows are open when on this date: from, to, window, the ordinal of the day it opened on."""
    for window in rate.windows:
        for start, end, opened in open_on(window, rate.days, calendar, ordinal):
            yield start, end, window, opened


def open_on(window: Window, days: DayRules, calendar: Calendar, ordinal: int) -> Iterable[tuple[int, int, int]]:
    """When a window is open on a date: from and to in minutes, and the ordinal of the day it opened on."""
    for back in range((window.closes - 1) // DAY_MINUTES + 1):
        opened = ordinal - back
        decides = ordinal if window.each_day else opened
        start, end = max(window.opens - back * DAY_MINUTES, 0), min(window.closes - back * DAY_MINUTES, DAY_MINUTES)
        if start < end and days.day(date.fromordinal(decides), calendar).words & window.days:
            yield start, end, opened


def overlaps_on(rate: Rate, calendar: Calendar, ordinal: int) -> Iterable[tuple[int, Window, Window]]:
    """Minutes of a date that two windows of different bands claim with the same priority."""
    claims = list(_claims(rate, calendar, ordinal))
    for index, (start, end, window, _) in enumerate(claims):
        for other_start, other_end, other, _ in claims[index + 1 :]:
            if max(start, other_start) < min(end, other_end) and window.priority == other.priority:
                yield max(start, other_start), window, other


@lru_cache(maxsize=131_072)
def wall_ms(zone: ZoneInfo, ordinal: int, minute: int) -> int:
    """The instant at which the wall first shows a minute of a date; for a skipped one, the instant of the skip."""
    wall = datetime.fromordinal(ordinal) + timedelta(minutes=minute)
    first = wall.replace(tzinfo=zone, fold=0)
    at = first.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall:
        return milliseconds(at)
    return _skip_ms(zone, at)


def _skip_ms(zone: ZoneInfo, near: datetime) -> int:
    """The instant of the clock change within the day around ``near``, to the minute."""
    low, high = milliseconds(near) - 12 * 60 * MS_IN_MINUTE, milliseconds(near) + 12 * 60 * MS_IN_MINUTE
    before = instant(low).astimezone(zone).utcoffset()
    while high - low > MS_IN_MINUTE:
        middle = (low + high) // 2 // MS_IN_MINUTE * MS_IN_MINUTE
        if instant(middle).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high

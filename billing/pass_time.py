"""When a pass stands for a stay: inside its validity and windows, and while no other of its vehicles has it. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from billing.calendar import Calendar
from billing.engine.timeline import open_on, wall_ms
from billing.tariff.days import DayRules
from billing.tariff.document import CalendarRules, Window
from billing.tariff.read import windows_of
from core.clock import instant, milliseconds

Spans = tuple[tuple[datetime, datetime], ...]
"""Half-open, ascending, apart from each other."""

_DAYS: Final = DayRules(calendar=CalendarRules(), classes=(), asks_calendar=True)


def pass_time(
    windows: Sequence[Window],
    since: datetime,
    until: datetime,
    *,
    taken: Iterable[tuple[datetime, datetime]],
    zone: ZoneInfo,
    calendar: Calendar,
) -> Spans:
    """The spans of ``[since, until)`` for which a pass stands.

    Args:
        windows: when it is valid; none: always.
        since: the later of the stay's and the pass's begin.
        until: the earlier of their ends.
        taken: when another of its vehicles, which came before, has it.
        zone: the lot's, whose wall the windows are read from.
        calendar: which days are worked.
    """
    from_ms, to_ms = milliseconds(since), milliseconds(until)
    if from_ms >= to_ms:
        return ()
    spans = [(from_ms, to_ms)]
    if windows:
        spans = _joined(_open(windows, from_ms, to_ms, zone, calendar))
    for begin, end in taken:
        spans = _without(spans, milliseconds(begin), milliseconds(end))
    return tuple((instant(begin), instant(end)) for begin, end in spans)


def _open(
    windows: Sequence[Window], from_ms: int, to_ms: int, zone: ZoneInfo, calendar: Calendar
) -> list[tuple[int, int]]:
    first, last = (instant(ms).astimezone(zone).toordinal() for ms in (from_ms, to_ms))
    found = []
    for ordinal in range(first, last + 1):
        for window in windows_of(windows):
            for opens, closes, _ in open_on(window, _DAYS, calendar, ordinal):
                begin, end = max(wall_ms(zone, ordinal, opens), from_ms), min(wall_ms(zone, ordinal, closes), to_ms)
                if begin < end:
                    found.append((begin, end))
    return sorted(found)


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that touch or overlap made one; they come in ascending."""
    joined: list[tuple[int, int]] = []
    for begin, end in spans:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def _without(spans: Sequence[tuple[int, int]], from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    left = []
    for begin, end in spans:
        left += [(begin, min(end, from_ms)), (max(begin, to_ms), end)]
    return [(begin, end) for begin, end in left if begin < end]

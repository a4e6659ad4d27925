"""Where the demo's clock begins: some hours before a lively moment, which it reaches within two minutes. Pure.

Whoever starts a demo at three at night wants to see a county at work, not one asleep; and one at work has bills,
payments and debts of this morning already. So the clock lives through the hours before at a rush, then at its own pace.
"""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.clock import RushingClock, VirtualClock, milliseconds
from simulator.crowds import weekday_lived

BEGINS: Final = time(10, 30)
"""Where the ordinary pace begins when the present is not lively itself."""
LIVELY_HOURS: Final = range(9, 18)
RUSH: Final = timedelta(hours=3)
RUSH_SPEED: Final = 120.0
_FRIDAY: Final = 4


def lively_clock(now: datetime, zone: ZoneInfo, *, speed: float) -> RushingClock | VirtualClock:
    """The clock of a demo that starts ``now``: a rush through the hours before, then ``speed``.

    On a working day between nine and six it ends its rush in the present; at any other time at half past ten on the
    newest working day. One that is as fast as the rush by itself has none.
    """
    real_ms = milliseconds(now)
    if speed >= RUSH_SPEED:
        return VirtualClock(
            real_start_ms=real_ms, virtual_start_ms=milliseconds(lively_moment(now, zone) - RUSH), speed=speed
        )
    lasts = RUSH / RUSH_SPEED
    arrives_ms = milliseconds(lively_moment(now + lasts, zone))
    rush = VirtualClock(
        real_start_ms=real_ms, virtual_start_ms=arrives_ms - RUSH // timedelta(milliseconds=1), speed=RUSH_SPEED
    )
    then = VirtualClock(
        real_start_ms=real_ms + lasts // timedelta(milliseconds=1), virtual_start_ms=arrives_ms, speed=speed
    )
    return RushingClock(rush=rush, then=then)


def lively_moment(now: datetime, zone: ZoneInfo) -> datetime:
    """The newest instant, ``now`` included, at which a county is at work."""
    local = now.astimezone(zone)
    if _is_workday(local.date(), zone) and local.hour in LIVELY_HOURS:
        return now
    day = local.date() if local.time() >= BEGINS else local.date() - timedelta(days=1)
    while not _is_workday(day, zone):
        day -= timedelta(days=1)
    return datetime.combine(day, BEGINS, zone)


def _is_workday(day: date, zone: ZoneInfo) -> bool:
    return weekday_lived(day, zone.key) <= _FRIDAY

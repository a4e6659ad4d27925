"""Which days' bills exist, whichever provider's they are."""

from datetime import date, datetime, time, timedelta
from typing import Final

from simulator.gateway.clock import CALENDAR
from simulator.gateway.parts import Gateway

MADE_AT: Final = time(10)
"""Of the next day."""


def day_of(day: date) -> tuple[datetime, datetime]:
    """The day's begin and end by the providers' calendar, half-open."""
    begin = datetime.combine(day, time(), CALENDAR)
    return begin, datetime.combine(day + timedelta(days=1), time(), CALENDAR)


def is_made(gateway: Gateway, day: date) -> bool:
    """Whether that day's bill can be had."""
    now = gateway.clock.now()
    if gateway.faults.script.bills_at_once:
        return day <= now.astimezone(CALENDAR).date()
    return now >= datetime.combine(day + timedelta(days=1), MADE_AT, CALENDAR)


def yuan_text(fen: int) -> str:
    """``-123`` fen is ``-1.23``."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // 100}.{fen % 100:02d}"

"""How a pass's price is spread over its days. Pure."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.clock import instant
from core.errors import InvalidError


def earned_fen(price_fen: int, days: int, gone: int) -> int:
    """What the first ``gone`` of so many days come to: never more than the price, all of it after the last day."""
    if days < 1 or not 0 <= gone <= days:
        raise InvalidError(f"{gone} days of {days} are not to be counted")
    return price_fen * gone // days


def days_over(begins_on: date, days: int, today: date) -> int:
    """How many of a pass's days are over, today not counted."""
    return min(max((today - begins_on).days, 0), days)


def days_used(begins_on: date, days: int, today: date) -> int:
    """How many of its days are over or under way."""
    return days_over(begins_on, days, today + timedelta(days=1))


def midnight(on: date, zone: ZoneInfo) -> datetime:
    """Where a day begins on the wall, in UTC."""
    at = datetime(on.year, on.month, on.day, tzinfo=zone)
    return instant(round(at.timestamp() * 1000))

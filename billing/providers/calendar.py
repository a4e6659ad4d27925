"""The providers' own calendar: its zone, and when a day's bill must have been made. Pure."""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

PROVIDERS_ZONE: Final = ZoneInfo("Asia/Shanghai")
"""Of both providers' days and written times, wherever the installation is."""
MADE_BY: Final = time(12)
"""Both providers promise ten in the morning of the next day; by noon "no bill" means "no trade"."""


def is_made(day: date, now: datetime) -> bool:
    """Whether a bill that does not exist now means that the day had no trade."""
    return now >= datetime.combine(day + timedelta(days=1), MADE_BY, PROVIDERS_ZONE)

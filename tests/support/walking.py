"""A second pricer, slow and obvious: one function a notice, written from its words, walking minute by minute.

It shares no code with ``billing``: it counts minutes off one by one and adds a price whenever a unit begins (or, where
only complete units are charged, ends). Arrivals are on whole minutes here, so that a minute lies in one window only;
``kerb`` alone walks by the second. Holidays are asked of ``chinese_calendar`` directly.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import chinese_calendar

Visit = tuple[datetime, datetime]
Walker = Callable[[datetime, datetime, str, Sequence[Visit]], int]

CHINA = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


class Meter:
    """Counts minutes; a price is added when a unit begins."""

    def __init__(self, *tiers: tuple[int, int, int]) -> None:
        self.tiers = tiers
        """Until which minute, unit, price; the last until beyond all stays."""
        self.minute = 0
        self.left = 0
        self.fee = 0

    def tick(self) -> int:
        """One more minute: what it adds."""
        added = 0
        if self.left == 0:
            until, unit, added = next(tier for tier in self.tiers if self.minute < tier[0])
            self.left = min(unit, until - self.minute)
        self.left -= 1
        self.minute += 1
        self.fee += added
        return added

    def ticks(self, minutes: int) -> int:
        """Many minutes: the fee so far."""
        for _ in range(minutes):
            self.tick()
        return self.fee


ALWAYS = 10**9


def minutes_of(entry: datetime, leave: datetime, zone: ZoneInfo) -> list[datetime]:
    """The wall's time at the beginning of each whole minute of a stay."""
    count = int((leave - entry).total_seconds()) // 60
    start = entry.astimezone(UTC)
    return [(start + timedelta(minutes=index)).astimezone(zone) for index in range(count)]


def between(at: datetime, opens: float, closes: float) -> bool:
    """Whether the wall's time lies in a window of hours on one day."""
    return opens <= at.hour + at.minute / 60 < closes


def per[Key: Hashable](minutes: Iterable[datetime], key: Callable[[datetime], Key]) -> dict[Key, int]:
    """How many minutes there are for each key, in their order."""
    counts: dict[Key, int] = defaultdict(int)
    for at in minutes:
        counts[key(at)] += 1
    return counts

"""A second pricer, slow and obvious: one function a notice, written from its words, walking minute by minute.

It shares no code with ``billing``: it counts minutes off one by one and adds a price whenever a unit begins (or, where
only complete units are charged, ends). Arrivals are on whole minutes here, so that a minute lies in one window only;
the kerb's notice is walked by the second too. Holidays are asked of ``chinese_calendar`` directly.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
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


@cache
def rest_day(on: date) -> bool:
    return bool(chinese_calendar.is_holiday(on))


def between(at: datetime, opens: float, closes: float) -> bool:
    """Whether the wall's time lies in a window of hours on one day."""
    return opens <= at.hour + at.minute / 60 < closes


def per(minutes: Iterable[datetime], key: Callable[[datetime], Hashable]) -> dict[Hashable, int]:
    """How many minutes there are for each key, in their order."""
    counts: dict[Hashable, int] = defaultdict(int)
    for at in minutes:
        counts[key(at)] += 1
    return counts


def day_or_night(at: datetime, opens: int, closes: int) -> tuple[date, str]:
    """Which day window or night this minute lies in; a night belongs to the evening."""
    if opens <= at.hour < closes:
        return at.date(), "day"
    return (at.date() if at.hour >= closes else at.date() - timedelta(days=1)), "night"


def kerb(entry: datetime, leave: datetime, _vehicle: str, _history: Sequence[Visit]) -> int:
    minutes = sum(between(at, 7.5, 21) for at in minutes_of(entry, leave, CHINA))
    return 0 if minutes <= 30 else Meter((ALWAYS, 60, 300)).ticks(minutes)


def kerb_by_the_second(entry: datetime, leave: datetime) -> int:
    """The same from any instant, each whole second looked up on the wall."""
    seconds, at = 0, entry
    while at + timedelta(seconds=1) <= leave:
        seconds += between(at.astimezone(CHINA), 7.5, 21)
        at += timedelta(seconds=1)
    return 0 if seconds // 60 <= 30 else Meter((ALWAYS, 60, 300)).ticks(seconds // 60)


def ninghai(closes: int, cap: int, *tiers: tuple[int, int, int]) -> Walker:
    def walk(entry: datetime, leave: datetime, _vehicle: str, _history: Sequence[Visit]) -> int:
        minutes, fee = minutes_of(entry, leave, CHINA), 0
        for start in range(0, len(minutes), 24 * 60):
            paid = sum(between(at, 8, closes) for at in minutes[start : start + 24 * 60])
            fee += min(cap, Meter(*tiers).ticks(paid)) if paid > 30 else 0
        return fee

    return walk


def taizhou(entry: datetime, leave: datetime, _vehicle: str, _history: Sequence[Visit]) -> int:
    fee = 0
    for paid in per((at for at in minutes_of(entry, leave, CHINA) if between(at, 8, 20)), datetime.date).values():
        if paid <= 30:
            continue
        today = 500
        for minute in range(60, paid):
            today += 200 if minute % 60 == 15 else 0  # the sixteenth minute of an hour that is begun
        fee += min(today, 2000)
    return fee


def west_lake(entry: datetime, leave: datetime, vehicle: str, _history: Sequence[Visit]) -> int:
    fee = 0
    windows = per(minutes_of(entry, leave, CHINA), lambda at: day_or_night(at, 8, 20))
    for window, minutes in windows.items():
        assert isinstance(window, tuple)
        on, part = window
        hour = 1000 if vehicle == "large" else west_lake_hour(on)
        fee += 500 if part == "night" else Meter((60, 60, hour), (ALWAYS, 30, hour // 2)).ticks(minutes)
    return fee


def west_lake_hour(on: date) -> int:
    off, holiday = chinese_calendar.get_holiday_detail(on)
    if off and holiday in {"Spring Festival", "National Day"}:
        return 3000
    if off and holiday:
        return 2000
    season = (3, 15) <= (on.month, on.day) <= (5, 31) or (9, 15) <= (on.month, on.day) <= (11, 30)
    return 2000 if off and season else 1000


def shenzhen(entry: datetime, leave: datetime, vehicle: str, history: Sequence[Visit]) -> int:
    def charged(at: datetime) -> bool:
        return between(at, 10 if rest_day(at.date()) else 7.5, 20)

    free: dict[date, int] = defaultdict(lambda: 120 if vehicle == "small-nev" else 0)
    for arrived, left in history:
        for at in minutes_of(arrived, left, CHINA):
            free[at.date()] -= charged(at)
    works = Meter((30, 30, 300), (180, 30, 600), (ALWAYS, 30, 1000))
    rests = Meter((30, 30, 120), (180, 30, 240), (ALWAYS, 30, 400))
    fee, last = 0, works
    for at in minutes_of(entry, leave, CHINA):
        if not charged(at):
            continue
        if free[at.date()] > 0:
            free[at.date()] -= 1
            continue
        meter = rests if rest_day(at.date()) else works
        if meter is not last:
            meter.minute, meter.left = last.minute, 0
        fee += meter.tick()
        last = meter
    return fee


def beijing(entry: datetime, leave: datetime, vehicle: str, _history: Sequence[Visit]) -> int:
    fee = 0
    for window, minutes in per(minutes_of(entry, leave, CHINA), lambda at: day_or_night(at, 7, 19)).items():
        assert isinstance(window, tuple)
        for minute in range(1, minutes + 1):
            if window[1] == "night":
                fee += 100 if minute % 120 == 0 else 0
            elif minute % 15 == 0:
                fee += 250 if minute <= 60 else 375
    return fee * (2 if vehicle == "large" else 1)


def chengdu(entry: datetime, leave: datetime, vehicle: str, history: Sequence[Visit]) -> int:
    minutes = minutes_of(entry, leave, CHINA)
    if len(minutes) < 15:
        return 0
    first = entry.astimezone(CHINA).date()
    again = any(arrived.astimezone(CHINA).date() == first for arrived, _ in history)
    free = 120 if vehicle == "small-nev" and not again else 0
    meters: dict[tuple[date, str], Meter] = {}
    fee = 0
    for index, at in enumerate(minutes):
        window = day_or_night(at, 8, 19)
        if window not in meters:
            night = Meter((ALWAYS, 240, 300 if vehicle == "large" else 200))
            meters[window] = Meter((60, 60, 1000), (ALWAYS, 30, 300)) if window[1] == "day" else night
        if index < free:
            meters[window].minute += 1
        else:
            fee += meters[window].tick()
    return fee


def suizhou(entry: datetime, leave: datetime, _vehicle: str, _history: Sequence[Visit]) -> int:
    minutes = minutes_of(entry, leave, CHINA)
    meter, days = Meter((60, 60, 300), (ALWAYS, 60, 200)), dict[date, int]()
    for at in minutes:
        days[at.date()] = days.get(at.date(), 0) + meter.tick()
    return sum(min(day, 2000) for day in days.values()) if len(minutes) > 30 else 0


def county_lot(entry: datetime, leave: datetime, vehicle: str, _history: Sequence[Visit]) -> int:
    free, until, first, hour, cap = {
        "small": (90, 120, 500, 100, 2000),
        "large": (90, 120, 600, 200, 3000),
        "small-nev": (180, 240, 250, 100, 1000),
    }[vehicle]
    minutes, fee = len(minutes_of(entry, leave, CHINA)), 0
    while minutes > 0:
        today = min(minutes, 24 * 60)
        fee += min(cap, Meter((until, until, first), (ALWAYS, 60, hour)).ticks(today)) if today > free else 0
        minutes -= today
    return fee


def yangzhou(entry: datetime, leave: datetime, vehicle: str, _history: Sequence[Visit]) -> int:
    minutes = len(minutes_of(entry, leave, CHINA))
    if vehicle != "small-nev":
        return Meter((ALWAYS, 60, 500)).ticks(minutes)
    half = Fraction(Meter((ALWAYS, 60, 500)).ticks(max(minutes - 60, 0)), 2)
    return int(half / 100 + Fraction(1, 2)) * 100


def frederick(entry: datetime, leave: datetime, _vehicle: str, _history: Sequence[Visit]) -> int:
    windows: dict[tuple[date, str], int] = {}
    for at in minutes_of(entry, leave, NEW_YORK):
        if at.weekday() == 6 and between(at, 8, 14):
            continue
        clock = at.hour * 60 + at.minute
        if 390 <= clock < 930:
            window = at.date(), "day"
        else:
            window = (at.date() if clock >= 930 else at.date() - timedelta(days=1)), "evening"
        windows[window] = windows.get(window, 0) + 1
    caps = {"day": 1200, "evening": 500}
    return sum(min(caps[part], Meter((ALWAYS, 60, 100)).ticks(count)) for (_, part), count in windows.items())


def wilson(entry: datetime, leave: datetime, _vehicle: str, history: Sequence[Visit]) -> int:
    first, paid = entry, 0
    for arrived, left in reversed(history):
        if first - left > timedelta(minutes=60):
            break
        if first == entry:
            paid = wilson(arrived, left, "small", history[:-1]) + wilson_credit(history)
        first = arrived
    minutes = int((leave - first).total_seconds()) // 60
    return Meter((ALWAYS, 60, 400)).ticks(max(minutes - 180, 0)) - paid


def wilson_credit(history: Sequence[Visit]) -> int:
    """What the stays before the last were charged, as far as they are linked to it."""
    if len(history) < 2 or history[-1][0] - history[-2][1] > timedelta(minutes=60):
        return 0
    earlier = history[:-1]
    return wilson(*earlier[-1], "small", earlier[:-1]) + wilson_credit(earlier)


def ocpi_week(entry: datetime, leave: datetime, _vehicle: str, _history: Sequence[Visit]) -> int:
    def window(at: datetime) -> tuple[date, int]:
        if at.weekday() < 5 and between(at, 9, 18):
            return at.date(), 500
        return at.date(), 600 if at.weekday() == 5 and between(at, 10, 17) else 0

    fee = Fraction(0)
    for key, minutes in per(minutes_of(entry, leave, AMSTERDAM), window).items():
        assert isinstance(key, tuple)
        fee += Fraction(key[1] * (-(-minutes // 5) * 5), 60)
    return int(fee + Fraction(1, 2))


def ocpi_step(entry: datetime, leave: datetime, _vehicle: str, _history: Sequence[Visit]) -> int:
    prices = [500 if at.hour < 17 else 700 for at in minutes_of(entry, leave, AMSTERDAM)]
    fee = Fraction(0)
    for start in range(0, len(prices), 10):
        step = [max(prices[start : end + 1]) for end in range(start, min(start + 10, len(prices)))]
        fee += Fraction(sum(step) + (10 - len(step)) * step[-1], 60)
    return int(fee + Fraction(1, 2))


def ocpi_step_at_last_price(entry: datetime, leave: datetime, _vehicle: str, _history: Sequence[Visit]) -> int:
    prices = [500 if at.hour < 17 else 700 for at in minutes_of(entry, leave, AMSTERDAM)]
    if not prices:
        return 0
    return int(Fraction(sum(prices) + (-len(prices) % 10) * prices[-1], 60) + Fraction(1, 2))


def curb_hours(entry: datetime, leave: datetime, _vehicle: str, _history: Sequence[Visit]) -> int:
    return Meter((ALWAYS, 60, 500)).ticks(len(minutes_of(entry, leave, NEW_YORK)))


def curb_days(entry: datetime, leave: datetime, _vehicle: str, _history: Sequence[Visit]) -> int:
    return 3000 * len(per(minutes_of(entry, leave, NEW_YORK), datetime.date))


def car_park(free: int) -> Walker:
    def walk(entry: datetime, leave: datetime, vehicle: str, _history: Sequence[Visit]) -> int:
        minutes = minutes_of(entry, leave, CHINA)
        if len(minutes) <= free:
            return 0
        day, nights, fee, today = Meter((60, 60, 500), (ALWAYS, 60, 200)), set[date](), 0, None
        for at in minutes:
            on, part = day_or_night(at, 8, 17)
            if part == "night":
                nights.add(on)
                continue
            if on != today:
                day.left, today = 0, on
            fee += day.tick()
        return (fee + 300 * len(nights)) * {"small": 100, "large": 200, "motorcycle": 50}[vehicle] // 100

    return walk


def scenic(entry: datetime, leave: datetime, vehicle: str, _history: Sequence[Visit]) -> int:
    minutes = minutes_of(entry, leave, CHINA)
    visit = {"small": 1000, "large": 2000, "small-nev": 500, "motorcycle": 300}[vehicle]
    return visit * len(per(minutes, datetime.date)) if len(minutes) > 30 else 0


def yard(_entry: datetime, _leave: datetime, _vehicle: str, _history: Sequence[Visit]) -> int:
    return 0


def long_stay(entry: datetime, leave: datetime, vehicle: str, _history: Sequence[Visit]) -> int:
    minutes = len(minutes_of(entry, leave, CHINA))
    fee = 0
    for minute in range(1, minutes + 1):
        if vehicle == "large":
            each = 600 if minute <= 240 else 400
            fee = max(fee, each * len(range(0, minute, 30)))
        elif minute <= 480:
            fee = (200 if minute <= 120 else 300) * len(range(0, minute, 60))
        else:
            fee = 3000
    return fee


def commuter(entry: datetime, leave: datetime, vehicle: str, _history: Sequence[Visit]) -> int:
    minutes = minutes_of(entry, leave, CHINA)
    times, meter = 2 if vehicle == "large" else 1, Meter((ALWAYS, 60, 400))
    days = dict[date, int]()
    for at in minutes:
        days[at.date()] = days.get(at.date(), 0) + meter.tick() * times
    fee = sum(min(day, 6000) for day in days.values())
    came, went = entry.astimezone(CHINA), leave.astimezone(CHINA)
    nights = (went.date() - came.date()).days
    if not rest_day(came.date()) and between(came, 6, 9.5) and nights == 0 and between(went, 0, 19 + 1 / 60):
        fee = min(fee, 2000 * times)
    if came.hour >= 18 and (nights == 0 or (nights == 1 and between(went, 0, 8 + 1 / 60))):
        fee = min(fee, 1000 * times)
    return fee


WALKERS: dict[str, tuple[Walker, tuple[str, ...]]] = {
    "xinchang-kerb": (kerb, ("small", "large")),
    "xinchang-carpark-30": (car_park(30), ("small", "large", "motorcycle")),
    "xinchang-carpark-45": (car_park(45), ("small",)),
    "xinchang-carpark-90": (car_park(90), ("small",)),
    "xinchang-scenic": (scenic, ("small", "large", "small-nev", "motorcycle")),
    "xinchang-yard": (yard, ("small",)),
    "sample-long-stay": (long_stay, ("small", "large")),
    "sample-commuter": (commuter, ("small", "large")),
    "cn-zj-ninghai-zone1": (
        ninghai(20, 3000, (60, 60, 300), (120, 30, 150), (180, 30, 200), (ALWAYS, 30, 300)),
        ("small",),
    ),
    "cn-zj-ninghai-zone2": (ninghai(17, 2500, (60, 60, 200), (120, 30, 100), (ALWAYS, 30, 200)), ("small",)),
    "cn-zj-taizhou-zone1": (taizhou, ("small",)),
    "cn-zj-hangzhou-westlake": (west_lake, ("small", "large")),
    "cn-sz-class1": (shenzhen, ("small", "small-nev")),
    "cn-bj-class1": (beijing, ("small", "large")),
    "cn-cd-class1": (chengdu, ("small", "large", "small-nev")),
    "cn-hb-suizhou-1": (suizhou, ("small",)),
    "cn-county-lot-90min": (county_lot, ("small", "large", "small-nev")),
    "cn-js-yangzhou-nev": (yangzhou, ("small", "small-nev")),
    "us-frederick-md-garage": (frederick, ("small",)),
    "au-wilson-westpoint-reentry": (wilson, ("small",)),
    "eu-ocpi-parking-weekday-sat": (ocpi_week, ("small",)),
    "eu-ocpi-step-across-price-change": (ocpi_step, ("small",)),
    "eu-ocpi-step-across-price-change--last-price": (ocpi_step_at_last_price, ("small",)),
    "us-cds-rate-units": (curb_hours, ("small",)),
    "us-cds-rate-units--hour_rolling": (curb_hours, ("small",)),
    "us-cds-rate-units--day_calendar": (curb_days, ("small",)),
}
"""Every shipped notice, and the vehicles that it tells apart."""

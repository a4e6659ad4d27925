"""May this notice be published? Its windows, caps and fees looked at through the stays they would price. Pure.

Each problem names a stay that shows it, so that whoever wrote the notice can see it on the board.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from billing.calendar import Calendar, seeded
from billing.engine.history import job_for
from billing.engine.timeline import DAY_MINUTES, OUTSIDE, overlaps_on, pieces_of
from billing.engine.work import work
from billing.phrases import minutes_text
from billing.tariff.document import TariffDocument
from billing.tariff.model import MS_IN_MINUTE, PERCENTS, Rate, Tariff
from billing.tariff.problems import Problem
from billing.tariff.read import tariff_of
from billing.tariff.static import problems_in
from core.clock import instant, milliseconds
from core.money import yuan_text
from core.stay import Stay

FIRST_DAY: Final = date(2025, 1, 1)
DAYS_LOOKED_AT: Final = 730
"""Two whole years with known holidays: every kind of day after every other that really comes."""
LEAP_DAY: Final = date(2024, 2, 29)
"""Beside them: seasons that end with 28 February leave it out."""
BEFORE: Final = (1, 4, 7, 13)
"""Arrivals so many minutes before a window opens: in the middle of a step when the price changes."""
STAY_LOOKED_AT: Final = timedelta(hours=50)


def check(document: TariffDocument, calendar: Calendar | None = None) -> list[Problem]:
    """Every reason not to publish; empty when there is none."""
    if problems := problems_in(document):
        return problems
    tariff = tariff_of(document)
    calendar = calendar or seeded()
    found: list[Problem] = []
    plans: set[int] = set()
    for name, rate in tariff.rates.items():
        at = f"plans.{rate.rules.plan or next(iter(document.plans))}"
        if id(rate.plan) not in plans:
            plans.add(id(rate.plan))
            found += _windows(rate, calendar, at)
        found += _caps(rate, tariff.currency, f"classes.{name}")
        found += _falls(tariff, rate, calendar, f"classes.{name}")
    return found


def kinds_of_day(rate: Rate, calendar: Calendar, first: date = FIRST_DAY) -> dict[tuple[str, ...], date]:
    """One date for each day that the notice tells apart from others, by the words in its windows that fit."""
    used = _words_used(rate)
    found: dict[tuple[str, ...], date] = {}
    for day in range(DAYS_LOOKED_AT):
        on = first + timedelta(days=day)
        words = rate.days.day(on, calendar).words & used
        found.setdefault(tuple(sorted(words)), on)
    return found


def _words_used(rate: Rate) -> frozenset[str]:
    rules = (*rate.limits, *rate.flats)
    windows = (*rate.windows, *(window for rule in rules for window in rule.arrives))
    return frozenset(word for window in windows for word in window.days)


def _turns_of_day(rate: Rate, calendar: Calendar) -> list[date]:
    """One date for each kind of day with each kind that follows it: a price may be the lower one on that day only."""
    used = _words_used(rate)
    days = [FIRST_DAY + timedelta(days=day) for day in range(DAYS_LOOKED_AT)]
    words = [rate.days.day(on, calendar).words & used for on in days]
    found: dict[tuple[frozenset[str], frozenset[str]], date] = {}
    for on, turn in zip(days, pairwise(words), strict=False):
        found.setdefault(turn, on)
    return list(found.values())


def _windows(rate: Rate, calendar: Calendar, at: str) -> Iterator[Problem]:
    """Overlaps, and hours that no band claims though the notice does not say that they are free."""
    overlaps: set[tuple[int, int]] = set()
    gap_found = rate.plan.outside == "free"
    for on in (*(FIRST_DAY + timedelta(days=day) for day in range(DAYS_LOOKED_AT)), LEAP_DAY):
        for minute, one, other in overlaps_on(rate, calendar, on.toordinal()):
            if (one.index, other.index) not in overlaps:
                overlaps.add((one.index, other.index))
                names = " and ".join(sorted({rate.bands[one.band].name, rate.bands[other.band].name}))
                yield Problem(
                    at=f"{at}.bands",
                    what=f"overlap: two windows of {names} claim the same time and neither has the higher priority",
                    shows=f"a stay on {on} at {_clock(minute)} has two prices",
                )
        if not gap_found and (gap := _gap_on(rate, calendar, on)) is not None:
            gap_found = True
            yield Problem(
                at=f"{at}.outside",
                what='gap: no band claims some hours; write "outside": "free" if they are free, or a band for them',
                shows=f"a stay on {on} at {_clock(gap)} has no price",
            )


def _gap_on(rate: Rate, calendar: Calendar, on: date) -> int | None:
    """The first minute of a day that no band claims."""
    start_ms = milliseconds(datetime(on.year, on.month, on.day, tzinfo=UTC))
    span = (start_ms, start_ms + DAY_MINUTES * MS_IN_MINUTE)
    for piece in pieces_of([span], rate, ZoneInfo("UTC"), calendar):
        if piece.band == OUTSIDE:
            return (piece.from_ms - start_ms) // MS_IN_MINUTE
    return None


def _caps(rate: Rate, currency: str, at: str) -> Iterator[Problem]:
    for cap in rate.caps:
        for band in rate.bands:
            if band.free or (cap.bands and band.index not in cap.bands):
                continue
            tier = next((one for one in band.tiers if one.price or one.per_minute), band.tiers[0])
            first = tier.price_of(tier.from_ms, tier.from_ms + tier.unit_ms) * rate.percent_before_cap // PERCENTS
            if cap.amount < first:
                most, price = (yuan_text(amount // rate.scale, currency) for amount in (cap.amount, first))
                yield Problem(
                    at=at,
                    what=f"the cap {cap.name!r} of {most} is below the first price of the band {band.name!r}, {price}",
                    shows=f"the shortest charged stay is {price} by the tier and {most} by the cap",
                )


def _falls(tariff: Tariff, rate: Rate, calendar: Calendar, at: str) -> Iterator[Problem]:
    """A longer stay that costs less than a shorter one from the same arrival.

    Charges are never below 0 and are only ever added, but where a step is repriced at the last price, where a longer
    stay has another price for all of it, and where a flat price begins or ends to hold.
    """
    if not rate.may_fall:
        return
    zone = tariff.zone
    length = STAY_LOOKED_AT + timedelta(milliseconds=_last_tier_ms(rate))
    for on in _turns_of_day(rate, calendar):
        for minute in _arrivals(rate):
            arrival = datetime(on.year, on.month, on.day, minute // 60, minute % 60, tzinfo=zone).astimezone(UTC)
            stay = Stay(entered_at=arrival, left_at=arrival)
            job = job_for(tariff, rate, stay, zone=zone, history=(), calendar=calendar)
            end_ms = milliseconds(arrival + length)
            flats = {at_ms for one in job.flats for at_ms in (one.from_ms - rate.tick_ms, one.from_ms, one.to_ms)}
            due = sorted(
                {charge.due_ms for charge in work(job, end_ms).ever} | {at for at in flats if at > job.from_ms}
            )
            totals = [(at_ms, work(job, at_ms).total_fen) for at_ms in due]
            for (shorter_ms, more), (longer_ms, less) in pairwise(totals):
                if less < more:
                    lengths = [minutes_text((ms - job.from_ms) // MS_IN_MINUTE, "en") for ms in (shorter_ms, longer_ms)]
                    fees = [yuan_text(fen, tariff.currency) for fen in (more, less)]
                    begun = instant(job.from_ms).astimezone(zone)
                    yield Problem(
                        at=at,
                        what="the fee falls as time goes on",
                        shows=f"from {begun:%Y-%m-%d %H:%M}, {lengths[0]} cost {fees[0]} and {lengths[1]} {fees[1]}",
                    )
                    return


def _arrivals(rate: Rate) -> list[int]:
    """Minutes of the day at which to arrive: before and while windows open, and at the ends of flat prices' own."""
    opens = {window.opens for window in rate.windows}
    ends = {at % DAY_MINUTES for flat in rate.flats for one in flat.arrives for at in (one.opens, one.closes - 1)}
    by = {flat.leaves_by % DAY_MINUTES for flat in rate.flats}
    return sorted({*((at - before) % DAY_MINUTES for at in opens | by for before in BEFORE), *ends, 9 * 60})


def _last_tier_ms(rate: Rate) -> int:
    """Where the last tier of the whole stay's begins."""
    return max(
        (band.tiers[-1].from_ms for band in rate.bands if band.tiers and band.reached_tier != "its_part"), default=0
    )


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"

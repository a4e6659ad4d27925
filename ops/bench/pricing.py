"""How many stays a core prices, beside the same notice written out by hand, and how long a year of the county takes."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter, process_time
from typing import Any, Final
from zoneinfo import ZoneInfo

from billing.notices import read
from billing.preview import Recorded
from billing.pricing import price_stay, price_total
from billing.tariff import Tariff, load_tariff
from core.stay import Stay
from ops.bench.ingest import Show
from ops.bench.report import Report, Row
from ops.preview import STAYS_A_PART, in_processes

ZONE: Final = ZoneInfo("Asia/Shanghai")
COUNTY_YEAR: Final = 5_000_000
OPENS, CLOSES = timedelta(hours=7, minutes=30), timedelta(hours=21)
FREE, CAP = 30, 2_000
FIRST, FIRST_FEN, UNIT, UNIT_FEN = 60, 400, 30, 200
MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingPlan:
    """How much to price."""

    stays: int = 20_000
    """A round on one core."""
    sample: int = 200_000
    """Of the county's year, by all cores."""
    rounds: int = 3
    """The fastest counts."""
    seed: int = 1


def two_tiers() -> dict[str, Any]:
    """A notice with a window, free minutes, two tiers and a cap on the day, as a document."""
    document: dict[str, Any] = json.loads(read("xinchang-kerb"))
    (plan,) = document["plans"].values()
    plan["free"] = [{"minutes": FREE}]
    plan["caps"] = [{"amount_fen": CAP, "per": "calendar_day"}]
    (band,) = plan["bands"]
    band["tiers"] = [
        {"from_min": 0, "to_min": FIRST, "price_fen": FIRST_FEN},
        {"from_min": FIRST, "unit_min": UNIT, "price_fen": UNIT_FEN},
    ]
    return document


def bench_pricing(plan: PricingPlan, show: Show) -> Report:
    """Every figure; takes a minute."""
    report = Report(bench="pricing")
    document = json.dumps(two_tiers()).encode()
    tariff = load_tariff(document)
    stays = county_stays(plan.stays, plan.seed)
    by_hand = _fastest("the notice by hand", stays, price_by_hand, plan, show)
    totals = _fastest("totals", stays, lambda stay: price_total(tariff, stay, zone=ZONE), plan, show)
    lines = _fastest("bills with lines", stays, lambda stay: price_stay(tariff, stay, zone=ZONE), plan, show)
    report.add(Row(what="two tiers, window, cap", value=totals, unit="stays/s", at_least=20_000))
    report.add(_beside("the same, compared", totals, by_hand))
    report.add(_beside("bills with lines", lines, by_hand))
    equal = sum(price_total(tariff, stay, zone=ZONE) == price_by_hand(stay) for stay in stays)
    report.add(Row(what="fees equal", value=100 * equal / len(stays), unit="%", at_least=100))
    for notice in ("xinchang-kerb", "cn-sz-class1", "cn-zj-hangzhou-westlake", "cn-county-lot-90min"):
        other = load_tariff(read(notice))
        rate = _fastest(notice, stays, lambda stay, of=other: price_total(of, stay, zone=ZONE), plan, show)  # type: ignore[misc]  # bound in the loop on purpose
        report.add(Row(what=f"notice {notice}", value=rate, unit="stays/s"))
    report.add(_year(document, tariff, plan, show))
    return report


def county_stays(number: int, seed: int) -> list[Stay]:
    """Stays of a year: arrivals mostly by day, lengths from minutes to days, an hour in the middle."""
    dice = random.Random(seed)  # noqa: S311 - a seeded generator is the point
    first = datetime(2025, 12, 31, 16, tzinfo=UTC)
    stays = []
    for _ in range(number):
        minute = dice.gauss(13 * 60, 4 * 60) % (24 * 60)
        begin = first + timedelta(days=dice.randrange(365), milliseconds=int(minute * 60_000))
        length = timedelta(milliseconds=min(int(dice.lognormvariate(15.1, 1.1)), 10 * 86_400_000))
        stays.append(Stay(entered_at=begin, left_at=begin + length))
    return stays


def price_by_hand(stay: Stay) -> int:
    """The fee of the notice above in fen, by a function that knows nothing else: what the engine is measured by."""
    at, end = stay.entered_at.astimezone(ZONE).replace(tzinfo=None), stay.left_at.astimezone(ZONE).replace(tzinfo=None)
    day = datetime(at.year, at.month, at.day)  # noqa: DTZ001 - wall time; this zone has no changes
    counted: list[tuple[int, int]] = []
    passed_ms = 0
    while day < end:
        open_ms = (min(end, day + CLOSES) - max(at, day + OPENS)) // MS
        if open_ms > 0:
            counted.append((passed_ms, passed_ms + open_ms))
            passed_ms += open_ms
        day += timedelta(days=1)
    minutes = passed_ms // 60_000
    if minutes <= FREE:
        return 0
    total = 0
    for from_ms, to_ms in counted:
        until = min(-(-to_ms // 60_000), minutes)
        begins = -(-from_ms // 60_000)
        of_day = FIRST_FEN if begins == 0 else 0
        later = max(-(-(begins - FIRST) // UNIT), 0)
        of_day += UNIT_FEN * max(-(-(until - FIRST) // UNIT) - later, 0)
        total += min(of_day, CAP)
    return total


def _fastest(
    words: str, stays: Sequence[Stay], price: Callable[[Stay], object], plan: PricingPlan, show: Show
) -> float:
    """Stays a second of processor time, the best of some rounds."""
    best = 0.0
    for number in range(plan.rounds):
        show(words, number, plan.rounds)
        began = process_time()
        for stay in stays:
            price(stay)
        best = max(best, len(stays) / (process_time() - began))
    return best


def _beside(what: str, rate: float, by_hand: float) -> Row:
    return Row(what=what, value=rate, unit="stays/s", ratio=rate / by_hand, against="hand-written")


def _year(document: bytes, tariff: Tariff, plan: PricingPlan, show: Show) -> Row:
    """A year repriced by as many processes as there are cores, from a part of it."""
    stays = [
        Recorded("", "KL", ZONE.key, one.entered_at, one.left_at, 0, None)
        for one in county_stays(plan.sample, plan.seed + 1)
    ]

    async def parts(of: list[Recorded]) -> AsyncIterator[list[Recorded]]:
        for first in range(0, len(of), STAYS_A_PART):
            yield of[first : first + STAYS_A_PART]

    async def priced() -> float:
        done, began = 0, 0.0
        async for tally in in_processes(parts(stays), document):
            done += tally.total.stays
            if not began:  # from the first part on: until then processes start
                began, started = perf_counter(), done
            show(f"a year of the county by {tariff.code}", done, plan.sample)
        return (done - started) / (perf_counter() - began) if done > started else 0.0

    rate = asyncio.run(priced())
    return Row(
        what="a year of the county",
        value=COUNTY_YEAR / rate / 60 if rate else float("inf"),
        unit="minutes",
        at_most=10,
        note=f"{COUNTY_YEAR:,} at {rate:,.0f}/s",
    )

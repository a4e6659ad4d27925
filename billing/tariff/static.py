"""What can be seen wrong with a price notice without pricing a stay by it. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from billing.tariff.days import KINDS, PLAIN_DAYS
from billing.tariff.document import Band, Cap, Free, Plan, Rounding, TariffDocument, Tier
from billing.tariff.problems import Problem, did_you_mean
from billing.tariff.special import special_problems

EARLIEST_YEAR: Final = 1900
LATEST_YEAR: Final = 2199


def problems_in(document: TariffDocument) -> list[Problem]:
    """Every problem with the references, tiers and words of a document; empty when it can be priced by."""
    found = [*_header(document), *_classes(document)]
    for name, plan in document.plans.items():
        found += _plan(document, plan, f"plans.{name}")
    return found


def _header(document: TariffDocument) -> Iterator[Problem]:
    if document.valid_from and document.valid_until and document.valid_until <= document.valid_from:
        yield Problem(
            at="valid_until", what=f"it is in force from {document.valid_from} and ends at or before that day"
        )
    if document.valid_from and not EARLIEST_YEAR <= document.valid_from.year <= LATEST_YEAR:
        what = f"no notice comes into force on {document.valid_from}: a year from {EARLIEST_YEAR} to {LATEST_YEAR}"
        yield Problem(at="valid_from", what=what)
    try:
        ZoneInfo(document.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem(at="zone", what=f"{document.zone!r} is no time zone; one is written like 'Asia/Shanghai'")
    if document.order[-1:] != ("rounding",) or len(set(document.order)) != len(document.order):
        yield Problem(at="order", what="each step is written once, and 'rounding' is the last")
    if len(set(document.coupons.stacking)) != len(document.coupons.stacking):
        yield Problem(at="coupons.stacking", what="each kind of coupon is written once")
    for step in ("class", "cap", "reduction", "coupon", "rounding"):
        if step not in document.order:
            yield Problem(at="order", what=f"the step {step!r} is missing: when does it happen?")
    seen: set[str] = set()
    for index, one in enumerate(document.day_classes):
        if one.name in KINDS | PLAIN_DAYS | {"other"} | seen:
            yield Problem(at=f"day_classes.{index}", what=f"{one.name!r} already means something: choose another name")
        seen.add(one.name)


def _classes(document: TariffDocument) -> Iterator[Problem]:
    if document.default_class not in document.classes:
        yield Problem(
            at="default_class",
            what=f"no class is {document.default_class!r}; {did_you_mean(document.default_class, document.classes)}",
            shows="a stay without a plate has no price",
        )
    for name, rules in document.classes.items():
        at = f"classes.{name}"
        if rules.plan is None and len(document.plans) > 1:
            yield Problem(at=at, what=f"which plan? {did_you_mean(name, document.plans)}", shows=_no_price(name))
        elif rules.plan is not None and rules.plan not in document.plans:
            what = f"there is no plan {rules.plan!r}; {did_you_mean(rules.plan, document.plans)}"
            yield Problem(at=at, what=what, shows=_no_price(name))
        if name in document.exempt:
            yield Problem(at=at, what=f"{name!r} is exempt and has a price: which?", shows=_no_price(name))
        plan = document.plans.get(rules.plan or next(iter(document.plans)))
        if plan and rules.free:
            yield from _names(plan, rules.free, at)
        yield from _unknown_bands(rules.free, plan.bands if plan else (), f"{at}.free")
    used = {rules.plan or next(iter(document.plans)) for rules in document.classes.values()}
    for name in document.plans:
        if name not in used:
            yield Problem(at=f"plans.{name}", what="no vehicle class pays by this plan")


def _plan(document: TariffDocument, plan: Plan, at: str) -> Iterator[Problem]:
    days = KINDS | PLAIN_DAYS | {"other"} | {one.name for one in document.day_classes}
    for index, band in enumerate(plan.bands):
        yield from _windows(band, f"{at}.bands.{index}", days)
        yield from _tiers(band, plan.rounding, f"{at}.bands.{index}")
    yield from _names(plan, (), at)
    yield from _clocks(plan, at)
    yield from _unknown_bands(plan.free, plan.bands, f"{at}.free")
    yield from _unknown_bands(plan.caps, plan.bands, f"{at}.caps")
    yield from special_problems(plan, at, days)
    if plan.across_bands in {"step_at_last_price", "step_at_higher_price"}:
        yield from _steps(plan, at)


def _names(plan: Plan, more: Sequence[Free], at: str) -> Iterator[Problem]:
    """Rules that one bill could name are named apart."""
    names = Counter(rule.name for rules in (plan.bands, plan.caps, plan.free, plan.flats, more) for rule in rules)
    for name, count in names.items():
        if count > 1:
            yield Problem(at=at, what=f"{count} rules are named {name!r}: no bill could say which it means")


def _windows(band: Band, at: str, days: frozenset[str]) -> Iterator[Problem]:
    for index, window in enumerate(band.windows):
        here = f"{at}.windows.{index}"
        for word in window.days:
            if word not in days:
                yield Problem(at=f"{here}.days", what=f"no days are named {word!r}; {did_you_mean(word, days)}")
        if window.opens == "24:00":
            yield Problem(at=f"{here}.opens", what="a window opens at 00:00 of a day, not at 24:00")


def _tiers(band: Band, rounding: Rounding, at: str) -> Iterator[Problem]:
    expected: int | None = 0
    for index, tier in enumerate(band.tiers):
        here = f"{at}.tiers.{index}"
        yield from _unit(tier, tier.rounding or rounding, here)
        if expected is None:
            yield Problem(at=here, what="only the last tier has no end")
            return
        if tier.from_min != expected:
            yield _misfit(tier, expected, here)
        if tier.to_min is not None and tier.to_min <= tier.from_min:
            yield Problem(at=here, what=f"the tier ends at minute {tier.to_min}, not after it begins")
        expected = tier.to_min
    if band.tiers and expected is not None:
        shows = f"a stay of {expected + 1} charged minutes has no price for its last minute"
        yield Problem(at=f"{at}.tiers", what=f"gap: nothing is said beyond minute {expected}", shows=shows)


def _misfit(tier: Tier, expected: int, at: str) -> Problem:
    gap = tier.from_min > expected
    return Problem(
        at=at,
        what=f"{'gap' if gap else 'overlap'}: the tier begins at minute {tier.from_min}, "
        f"the one before ends at minute {expected}",
        shows=f"minute {min(expected, tier.from_min) + 1} of a charged stay has {'no price' if gap else 'two prices'}",
    )


def _unit(tier: Tier, rounding: Rounding, at: str) -> Iterator[Problem]:
    if tier.unit_min is None:
        if tier.per_min is not None:
            yield Problem(at=at, what="a price by time (per_min) needs the step it is charged in (unit_min)")
        return
    if tier.to_min is not None and tier.unit_min > tier.to_min - tier.from_min:
        yield Problem(
            at=at,
            what=f"a unit of {tier.unit_min} minutes does not fit into the tier's {tier.to_min - tier.from_min}",
            shows=f"the unit begun at minute {tier.from_min} would be cut short and cost all the same",
        )
    if rounding.ignore_tail_min >= tier.unit_min:
        what = f"a tail of {rounding.ignore_tail_min} minutes is ignored in units of {tier.unit_min}: nothing is left"
        yield Problem(at=at, what=what)


def _clocks(plan: Plan, at: str) -> Iterator[Problem]:
    restarts: dict[str, str] = {}
    for index, band in enumerate(plan.bands):
        if band.clock is None:
            continue
        mine = band.restarts or plan.restarts
        first = restarts.setdefault(band.clock, mine)
        if first != mine:
            what = f"the bands of clock {band.clock!r} disagree when it restarts: {first!r} and {mine!r}"
            yield Problem(at=f"{at}.bands.{index}", what=what)


def _steps(plan: Plan, at: str) -> Iterator[Problem]:
    steps = {tier.unit_min for band in plan.bands for tier in band.tiers}
    if len(steps) != 1 or None in steps or any(tier.per_min is None for band in plan.bands for tier in band.tiers):
        what = "a step across prices needs the same unit_min and a per_min in every tier"
        yield Problem(at=at, what=what)
    if any((tier.rounding or plan.rounding).mode != "up" for band in plan.bands for tier in band.tiers):
        yield Problem(at=at, what="a step across prices is rounded up")


def _unknown_bands(rules: Sequence[Free | Cap], bands: Sequence[Band], at: str) -> Iterator[Problem]:
    known = [band.name for band in bands]
    for index, rule in enumerate(rules):
        for name in rule.bands:
            if name not in known:
                yield Problem(at=f"{at}.{index}.bands", what=f"no band is named {name!r}; {did_you_mean(name, known)}")


def _no_price(name: str) -> str:
    return f"a stay of a {name} vehicle has no single price"

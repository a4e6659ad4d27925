"""What is wrong with a notice's rarer rules: prices of the whole stay, flat prices, later caps, discs. Pure."""

from collections.abc import Iterator

from billing.tariff.document import Band, Cap, Flat, Free, Plan, Window
from billing.tariff.problems import Problem, did_you_mean


def special_problems(plan: Plan, at: str, days: frozenset[str]) -> Iterator[Problem]:
    """Every problem with them in one plan; ``days`` are the words that a window may name."""
    for index, band in enumerate(plan.bands):
        yield from _whole_stay(plan, band, f"{at}.bands.{index}")
    for index, cap in enumerate(plan.caps):
        yield from _periods(plan, cap, f"{at}.caps.{index}")
        yield from _arrivals(cap.arrives, f"{at}.caps.{index}", days)
    for index, free in enumerate(plan.free):
        yield from _disc(free, f"{at}.free.{index}")
        yield from _arrivals(free.arrives, f"{at}.free.{index}", days)
    for index, flat in enumerate(plan.flats):
        yield from _flat(flat, f"{at}.flats.{index}")
        yield from _arrivals(flat.arrives, f"{at}.flats.{index}", days)


def _whole_stay(plan: Plan, band: Band, at: str) -> Iterator[Problem]:
    if band.reached_tier == "its_part":
        return
    if band.clock is not None or plan.across_bands in {"step_at_last_price", "step_at_higher_price"}:
        what = "a tier that prices the whole stay needs a clock of its band's own, and parts rounded each for itself"
        yield Problem(at=at, what=what)
    if (band.incomplete_units or plan.incomplete_units) == "end_with_window":
        what = "units that end with their window cannot be counted anew for the whole stay"
        yield Problem(at=at, what=what)
    if any(free.mode == "deducted" and free.tier_clock == "runs" for free in plan.free):
        what = "deducted minutes during which the clock runs would be charged when the next tier is reached"
        yield Problem(at=at, what=what)
    for index, tier in enumerate(band.tiers):
        if tier.unit_min and tier.from_min % tier.unit_min:
            yield Problem(
                at=f"{at}.tiers.{index}",
                what=f"units of {tier.unit_min} minutes counted from the arrival do not meet at minute {tier.from_min}",
                shows=f"a stay of {tier.from_min} minutes is no whole number of them",
            )


def _periods(plan: Plan, cap: Cap, at: str) -> Iterator[Problem]:
    special = cap.rolling_min is not None or cap.from_period > 1 or cap.to_period is not None
    if not special:
        return
    if cap.per != "rolling" or cap.stays != "each" or plan.rolling_from != "arrival":
        what = "periods of its own, or only some of them, has a cap that is rolling from the arrival of each stay"
        yield Problem(at=at, what=what)
    if cap.to_period is not None and cap.to_period < cap.from_period:
        yield Problem(at=at, what=f"it begins with period {cap.from_period} and ends with {cap.to_period}")


def _disc(free: Free, at: str) -> Iterator[Problem]:
    whole = free.mode == "lost_when_exceeded" and free.measures == "whole" and free.per == "stay"
    if free.disc_min is not None and not (whole and free.stays == "each"):
        what = 'a disc needs "mode": "lost_when_exceeded", "measures": "whole" and "per": "stay", for each stay'
        yield Problem(at=at, what=what)


def _flat(flat: Flat, at: str) -> Iterator[Problem]:
    if flat.leaves_from is not None and flat.leaves_from >= flat.leaves_by:
        yield Problem(at=at, what=f"it leaves from {flat.leaves_from} and by {flat.leaves_by}: never")
    by = (flat.leaves_by_days_later, flat.leaves_by)
    for index, window in enumerate(flat.arrives):
        if by <= (0, window.opens):
            yield Problem(
                at=f"{at}.arrives.{index}",
                what=f"who arrives from {window.opens} on cannot have left by {flat.leaves_by}; the next day?",
                shows='write "leaves_by_days_later": 1',
            )


def _arrivals(windows: tuple[Window, ...], at: str, days: frozenset[str]) -> Iterator[Problem]:
    for index, window in enumerate(windows):
        for word in window.days:
            if word not in days:
                what = f"no days are named {word!r}; {did_you_mean(word, days)}"
                yield Problem(at=f"{at}.arrives.{index}.days", what=what)

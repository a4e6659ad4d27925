"""Random price notices: any combination of the rules that a document can write, sensible or not."""

import json
from typing import Any

from hypothesis import strategies as st

from billing.tariff import Tariff, load_tariff

SCOPES = ["stay", "window", "calendar_day", "rolling", "calendar_week"]
scopes = st.sampled_from(SCOPES)
prices = st.integers(0, 900)


@st.composite
def tier_lists(draw: st.DrawFn, *, step: int | None = None) -> list[dict[str, Any]]:
    """One to three tiers without a gap; with a step, all are priced by time in that step."""
    ends = sorted(draw(st.sets(st.sampled_from([15, 30, 60, 120, 180]), max_size=2)))
    tiers: list[dict[str, Any]] = []
    for start, end in zip([0, *ends], [*ends, None], strict=True):
        width = 10_000 if end is None else end - start
        unit = step or draw(st.sampled_from([None, *(one for one in (5, 15, 30, 60) if one <= width)]))
        tier: dict[str, Any] = {"from_min": start, "to_min": end, "unit_min": unit, "price_fen": draw(prices)}
        if unit is not None and (step or draw(st.booleans())):
            tier["per_min"] = draw(st.sampled_from([7, 15, 60]))
        tiers.append(tier)
    return tiers


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    opens, closes = draw(st.sampled_from([("07:30", "21:00"), ("08:00", "17:00"), ("06:00", "18:30")]))
    across = draw(st.sampled_from(["each_part", "unit_as_begun", "step_at_higher_price"]))
    step = 10 if across == "step_at_higher_price" else None
    shared = {"clock": "c"} if step or draw(st.booleans()) else {}
    tiers = tier_lists(step=step)
    day: dict[str, Any] = {
        "name": "day",
        "windows": [{"opens": opens, "closes": closes}],
        "tiers": draw(tiers),
        **shared,
    }
    night: dict[str, Any] = {
        "name": "night",
        "windows": [{"opens": closes, "closes": opens}],
        "tiers": draw(tiers),
        **shared,
    }
    rest: dict[str, Any] = {
        "name": "rest",
        "windows": [{"days": ["restday"]}],
        "priority": 1,
        "tiers": draw(tiers),
        **shared,
    }
    names = ["day", *draw(st.sets(st.sampled_from(["night", "rest"])))]
    if step:  # priced bands only: a step needs a price everywhere
        names = ["day", "night"]
    bands = [band for band in (day, night, rest) if band["name"] in names]
    some_bands = st.lists(st.sampled_from(names), max_size=1)
    rounding = st.sampled_from([{"mode": "up"}, {"mode": "down"}, {"mode": "nearest"}, {"ignore_tail_min": 4}])
    free = st.fixed_dictionaries(
        {
            "name": st.sampled_from(["free-a", "free-b"]),
            "minutes": st.sampled_from([10, 15, 30, 90]),
            "boundary": st.sampled_from(["inclusive", "exclusive"]),
            "mode": st.sampled_from(["lost_when_exceeded", "deducted"]),
            "per": scopes,
            "measures": st.sampled_from(["chargeable", "whole"]),
            "tier_clock": st.sampled_from(["runs", "waits"]),
            "bands": some_bands,
        }
    )
    cap = st.fixed_dictionaries(
        {
            "name": st.sampled_from(["cap-a", "cap-b"]),
            "amount_fen": st.integers(0, 3_000),
            "per": scopes,
            "bands": some_bands,
        }
    )
    flat = st.fixed_dictionaries(
        {
            "name": st.sampled_from(["flat-a", "flat-b"]),
            "price_fen": st.integers(0, 3_000),
            "arrives": st.just([{"opens": "06:00", "closes": "10:00"}]),
            "leaves_by": st.sampled_from(["12:30", "19:00"]),
            "leaves_by_days_later": st.integers(0, 1),
        }
    )
    incomplete = draw(st.sampled_from(["continue", "end_with_window"]))
    frees = draw(st.lists(free, max_size=2, unique_by=lambda one: one["name"]))
    runs = any(one["mode"] == "deducted" and one["tier_clock"] == "runs" for one in frees)
    if not step and not shared and incomplete == "continue" and not runs and draw(st.booleans()):
        for band in bands:
            band.update(tiers=_aligned(band["tiers"]), reached_tier="whole_stay_never_less")
    return {
        "bands": bands,
        "outside": "free",
        "flats": draw(st.lists(flat, max_size=2, unique_by=lambda one: one["name"])),
        "counting": draw(st.sampled_from(["inside_windows", "whole_stay_once_touched", "price_at_arrival"])),
        "across_bands": across,
        "incomplete_units": incomplete,
        "restarts": draw(scopes),
        "rolling_min": draw(st.sampled_from([300, 1440])),
        "rolling_from": draw(st.sampled_from(["arrival", "first_charged_minute"])),
        "day_begins": draw(st.sampled_from(["00:00", "04:30"])),
        "rounding": {"mode": "up"} if step else draw(rounding),
        "free": frees,
        "caps": draw(st.lists(cap, max_size=2, unique_by=lambda one: one["name"])),
    }


def _aligned(tiers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tiers with units that, counted from the arrival, meet where each begins."""
    return [
        {**tier, "unit_min": None, "per_min": None}
        if tier["unit_min"] and tier["from_min"] % tier["unit_min"]
        else tier
        for tier in tiers
    ]


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    """A tariff that could be loaded; whether a city would publish it is another question."""
    document = {
        "code": "random",
        "name": {"zh": "r", "en": "r"},
        "notice": {"source": "a test"},
        "zone": draw(st.sampled_from(["Asia/Shanghai", "Europe/Amsterdam"])),
        "seconds": draw(st.sampled_from(["drop_from_duration", "drop_from_instants", "count"])),
        "plans": {"p": draw(plans())},
        "classes": {
            "small": {
                "percent": draw(st.sampled_from([100, 200, 33])),
                "reduced_to_percent": draw(st.sampled_from([100, 50, 33])),
            }
        },
        "order": draw(
            st.sampled_from(
                [
                    ["class", "cap", "reduction", "coupon", "rounding"],
                    ["cap", "class", "reduction", "coupon", "rounding"],
                ]
            )
        ),
        "settlement": {
            "to_fen": draw(st.sampled_from([1, 10, 100])),
            "mode": draw(st.sampled_from(["up", "down", "half_up", "half_even"])),
        },
    }
    return load_tariff(json.dumps(document).encode())

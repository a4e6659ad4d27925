"""A notice's bytes become a tariff, or are refused with everything that is wrong with them. Pure but for reading."""

import json
import re
from collections.abc import Iterable
from math import lcm
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from billing.tariff import document as doc
from billing.tariff.days import KINDS, PLAIN_DAYS, DayRules
from billing.tariff.model import (
    FOREVER,
    MS_IN_MINUTE,
    PERCENTS,
    Band,
    Cap,
    Flat,
    Free,
    Rate,
    Reentry,
    Tariff,
    Tier,
    Window,
)
from billing.tariff.problems import Problem, problems_of
from billing.tariff.static import problems_in
from core.errors import InvalidError
from core.stay import VehicleClass

DAY_MINUTES: Final = 24 * 60
_NULL: Final = re.compile(r"(?<!\\)(\\\\)*\\u0000")
"""As JSON writes it; PostgreSQL keeps no text with it."""
FIRST_OF: Final[dict[str, Literal["day", "period"]]] = {"first_of_day": "day", "first_of_period": "period"}


class TariffInvalidError(InvalidError):
    """The document is no tariff that could be published. Carries ``problems``, one sentence each."""

    slug = "tariff-invalid"

    def __init__(self, problems: list[Problem]) -> None:
        sentences = [str(problem) for problem in problems]
        super().__init__("this price notice cannot be used: " + "; ".join(sentences), problems=sentences)
        self.problems = problems


def load_tariff(source: bytes | Path) -> Tariff:
    """The tariff a document describes.

    Raises:
        TariffInvalidError: with every problem that can be seen without pricing a stay.
    """
    document = read_document(source)
    if problems := problems_in(document):
        raise TariffInvalidError(problems)
    return tariff_of(document)


def read_document(source: bytes | Path) -> doc.TariffDocument:
    """The document as written: its form is right, its sense is not looked at.

    Raises:
        TariffInvalidError: no JSON, an unknown word (the nearest valid one is named), a value of the wrong kind.
    """
    text = source.read_bytes() if isinstance(source, Path) else source
    try:
        raw = json.loads(text, object_pairs_hook=_without_repeats)
        written = json.dumps(raw)
    except (ValueError, RecursionError) as error:
        raise TariffInvalidError([Problem(at="", what=f"this is no JSON document: {error}")]) from error
    if _NULL.search(written):
        raise TariffInvalidError([Problem(at="", what="a character of no width and no meaning (U+0000) is in a text")])
    try:
        return doc.TariffDocument.model_validate_json(written)
    except ValidationError as error:
        raise TariffInvalidError(problems_of(error.errors(include_url=False))) from error


def tariff_of(document: doc.TariffDocument) -> Tariff:
    """The engine's form of a document without problems."""
    only_plan = next(iter(document.plans))
    rates = {
        VehicleClass(name): _rate(document, name, rules, document.plans[rules.plan or only_plan])
        for name, rules in document.classes.items()
    }
    return Tariff(
        document=document,
        code=document.code,
        version=document.version,
        valid_from=document.valid_from,
        valid_until=document.valid_until,
        currency=document.currency,
        zone=ZoneInfo(document.zone),
        cuts_instants=document.seconds == "drop_from_instants",
        rates=MappingProxyType(rates),
        default_class=VehicleClass(document.default_class),
        exempt=frozenset(VehicleClass(word) for word in document.exempt),
        reentry=_reentry(document.reentry),
        exit_window_minutes=document.exit_window.minutes,
    )


def _rate(document: doc.TariffDocument, name: str, rules: doc.VehicleClassRules, plan: doc.Plan) -> Rate:
    scale = PERCENTS * lcm(*(tier.per_min or 1 for band in plan.bands for tier in band.tiers))
    tick_ms = 1 if document.seconds == "count" else MS_IN_MINUTE
    clocks: dict[str, int] = {}
    bands = tuple(
        Band(
            index=index,
            name=band.name,
            tiers=tuple(_tier(tier, tier.rounding or plan.rounding, scale, tick_ms) for tier in band.tiers),
            clock=clocks.setdefault(f"shared {band.clock}" if band.clock else f"own {band.name}", len(clocks)),
            restarts=band.restarts or plan.restarts,
            ends_with_window=(band.incomplete_units or plan.incomplete_units) == "end_with_window",
            reached_tier=band.reached_tier,
        )
        for index, band in enumerate(plan.bands)
    )
    indexes = {band.name: band.index for band in bands}
    cap_at, coupon_at = document.order.index("cap"), document.order.index("coupon")
    steps = {"class": rules.percent, "reduction": rules.reduced_to_percent}
    before = [steps[step] for step in document.order[:cap_at] if step in steps]
    after = [steps[step] for step in document.order[cap_at:] if step in steps]
    settlement = rules.settlement or document.settlement
    return Rate(
        vehicle=VehicleClass(name),
        plan=plan,
        rules=rules,
        scale=scale,
        tick_ms=tick_ms,
        bands=bands,
        clocks=len(clocks),
        windows=_plan_windows(plan),
        days=_day_rules(document, plan),
        counting=plan.counting,
        across=plan.across_bands,
        rolling_ms=plan.rolling_min * MS_IN_MINUTE,
        rolls_from_charge=plan.rolling_from == "first_charged_minute",
        day_begins=_wall(plan.day_begins),
        free=tuple(_free(free, indexes, tick_ms) for free in (*plan.free, *rules.free)),
        caps=tuple(_cap(cap, indexes, scale) for cap in plan.caps),
        flats=tuple(_flat(flat, scale) for flat in plan.flats),
        percent_before_cap=_product(before),
        percent_after_cap=_product(after),
        coupons_before_cap=coupon_at < cap_at,
        percent_before_coupons=_product(
            [steps[step] for step in document.order[cap_at : max(coupon_at, cap_at)] if step in steps]
        ),
        to_fen=settlement.to_fen,
        rounding=settlement.mode,
    )


def _tier(tier: doc.Tier, rounding: doc.Rounding, scale: int, tick_ms: int) -> Tier:
    from_ms = tier.from_min * MS_IN_MINUTE
    to_ms = FOREVER if tier.to_min is None else tier.to_min * MS_IN_MINUTE
    whole_ms = to_ms - from_ms if to_ms < FOREVER else FOREVER
    unit_ms = whole_ms if tier.unit_min is None else tier.unit_min * MS_IN_MINUTE
    match rounding.mode:
        case "up":
            need_ms = rounding.ignore_tail_min * MS_IN_MINUTE + tick_ms
        case "down":
            need_ms = unit_ms
        case "nearest":
            need_ms = (unit_ms // 2 + tick_ms - 1) // tick_ms * tick_ms
    return Tier(
        from_ms=from_ms,
        to_ms=to_ms,
        unit_ms=unit_ms,
        need_ms=need_ms,
        price=0 if tier.per_min else tier.price_fen * scale,
        per_minute=tier.price_fen * scale // tier.per_min if tier.per_min else 0,
        once=tier.unit_min is None,
    )


def _free(free: doc.Free, bands: dict[str, int], tick_ms: int) -> Free:
    exact_ms = free.minutes * MS_IN_MINUTE
    deducted = free.mode == "deducted"
    return Free(
        name=free.name,
        minutes=free.minutes,
        inclusive=free.boundary == "inclusive",
        lost_from_ms=exact_ms if deducted or free.boundary == "exclusive" else exact_ms + tick_ms,
        deducted=deducted,
        per=free.per,
        shared=free.stays == "shared",
        first_of=FIRST_OF.get(free.stays, "each"),
        times=free.times,
        whole=free.measures == "whole",
        runs=free.tier_clock == "runs",
        bands=frozenset(bands[band] for band in free.bands),
        arrives=windows_of(free.arrives),
        disc_ms=(free.disc_min or 0) * MS_IN_MINUTE,
    )


def _cap(cap: doc.Cap, bands: dict[str, int], scale: int) -> Cap:
    return Cap(
        name=cap.name,
        amount=cap.amount_fen * scale,
        per=cap.per,
        shared=cap.stays == "shared",
        bands=frozenset(bands[band] for band in cap.bands),
        arrives=windows_of(cap.arrives),
        rolling_ms=(cap.rolling_min or 0) * MS_IN_MINUTE,
        periods=(cap.from_period - 1, cap.to_period or FOREVER),
    )


def _flat(flat: doc.Flat, scale: int) -> Flat:
    midnight = flat.leaves_by_days_later * DAY_MINUTES
    return Flat(
        name=flat.name,
        amount=flat.price_fen * scale,
        arrives=windows_of(flat.arrives),
        leaves_from=None if flat.leaves_from is None else midnight + _wall(flat.leaves_from),
        leaves_by=midnight + _wall(flat.leaves_by),
        holds_before=flat.leaves_from is None or flat.before_that == "at_most_the_flat",
        always=flat.applies == "always",
    )


def windows_of(windows: Iterable[doc.Window], band: int = 0, priority: int = 0, first: int = 0) -> tuple[Window, ...]:
    """Windows as the engine reads them, of one band, numbered from ``first``."""
    return tuple(
        Window(
            index=index,
            band=band,
            priority=priority,
            days=frozenset(window.days),
            opens=_wall(window.opens),
            closes=_closes(window),
            each_day=window.midnight == "each_day",
        )
        for index, window in enumerate(windows, first)
    )


def _closes(window: doc.Window) -> int:
    """Minutes after the midnight before the window opens."""
    opens, closes = _wall(window.opens), _wall(window.closes) + window.closes_days_later * DAY_MINUTES
    return closes if closes > opens else closes + DAY_MINUTES


def _plan_windows(plan: doc.Plan) -> tuple[Window, ...]:
    windows: tuple[Window, ...] = ()
    for index, band in enumerate(plan.bands):
        windows += windows_of(band.windows or (doc.Window(),), index, band.priority, len(windows))
    return windows


def _day_rules(document: doc.TariffDocument, plan: doc.Plan) -> DayRules:
    rules: tuple[doc.Free | doc.Cap | doc.Flat, ...] = (*plan.free, *plan.caps, *plan.flats)
    windows = [
        *(window for band in plan.bands for window in band.windows),
        *(window for rule in rules for window in rule.arrives),
    ]
    used = {word for window in windows for word in window.days}
    own_classes_ask = any(match.kind or match.holidays for one in document.day_classes for match in one.any_of)
    asks = any(word in KINDS or (own_classes_ask and word not in PLAIN_DAYS) for word in used)
    return DayRules(calendar=document.calendar, classes=document.day_classes, asks_calendar=asks)


def _reentry(reentry: doc.Reentry | None) -> Reentry | None:
    if reentry is None:
        return None
    return Reentry(
        within_ms=reentry.within_min * MS_IN_MINUTE + (reentry.boundary == "inclusive"),
        from_first_arrival=reentry.effect == "count_from_first_arrival",
        absence_counts=reentry.absence == "counts",
        credit=reentry.credit == "what_was_due",
    )


def _wall(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _product(percents: list[int]) -> int:
    """Percentages multiplied, in ten-thousandths."""
    product = PERCENTS
    for percent in percents:
        product = product * percent // 100
    return product


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are all different; the second of two would silently win otherwise."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is written twice")
        found[key] = value
    return found

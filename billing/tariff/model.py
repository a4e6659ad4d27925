"""A tariff as the engine reads it: minutes have become milliseconds, prices exact integers, words numbers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, Literal
from zoneinfo import ZoneInfo

from billing.phrases import Lang
from billing.tariff import words
from billing.tariff.days import DayRules
from billing.tariff.document import Across, Counting, Plan, ReachedTier, Scope, TariffDocument, VehicleClassRules
from core.money import Halves
from core.stay import VehicleClass

MS_IN_MINUTE: Final = 60_000
PERCENTS: Final = 100 * 100
"""Amounts are kept in parts so small that two percentages of them are exact."""
FOREVER: Final = 1 << 62
"""The end of a tier or a unit that has none, in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Prices of ``[from_ms, to_ms)`` on a clock."""

    from_ms: int
    to_ms: int
    unit_ms: int
    """``FOREVER`` for a tier that is one unit."""
    need_ms: int
    """A unit is charged once so much of it has passed."""
    price: int
    """Of a whole unit, in ``Rate.scale`` parts of a fen; 0 where ``per_minute`` is the price."""
    per_minute: int
    """Where the price is by time: of a minute, in the same parts."""
    once: bool
    """The whole tier is one unit."""

    def price_of(self, from_ms: int, to_ms: int) -> int:
        """What the unit ``[from_ms, to_ms)`` costs."""
        return self.price or self.per_minute * (to_ms - from_ms) // MS_IN_MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Windows with one price."""

    index: int
    name: str
    tiers: tuple[Tier, ...]
    clock: int
    restarts: Scope
    ends_with_window: bool
    reached_tier: ReachedTier

    @property
    def free(self) -> bool:
        """Whether time in this band costs nothing."""
        return not self.tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a band is open, in minutes on the wall."""

    index: int
    band: int
    priority: int
    days: frozenset[str]
    opens: int
    closes: int
    """Above 1440 when it closes on a later day."""
    each_day: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """Minutes that cost nothing."""

    name: str
    minutes: int
    inclusive: bool
    lost_from_ms: int
    """A stay that measures so much is no longer free; for the deducted kind, how much is deducted."""
    deducted: bool
    per: Scope
    shared: bool
    first_of: Literal["each", "day", "period"]
    """Whether all stays have them, or only the first ``times`` of a day or of a rolling period."""
    times: int
    whole: bool
    runs: bool
    bands: frozenset[int]
    """Empty: all."""
    arrives: tuple[Window, ...]
    """Empty: whenever the stay arrives."""
    disc_ms: int
    """Above 0: the minutes begin at the next full so many milliseconds on the wall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most so much in a period."""

    name: str
    amount: int
    """In ``Rate.scale`` parts of a fen."""
    per: Scope
    shared: bool
    bands: frozenset[int]
    """Empty: all."""
    arrives: tuple[Window, ...]
    """Empty: whenever the stay arrives."""
    rolling_ms: int
    """The length of its own periods; 0: the rate's."""
    periods: tuple[int, int]
    """In which periods it holds, half-open, the first being 0."""

    @property
    def everywhere(self) -> bool:
        """Whether it goes by the rate's own periods, and holds in all of them."""
        return not self.rolling_ms and self.periods == (0, FOREVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """One price for stays that come and go by certain hours."""

    name: str
    amount: int
    """In ``Rate.scale`` parts of a fen, before any percentage."""
    arrives: tuple[Window, ...]
    leaves_from: int | None
    """In minutes after the midnight before the arrival's window opened."""
    leaves_by: int
    """That minute included."""
    holds_before: bool
    """It is the most that somebody pays who leaves before ``leaves_from``."""
    always: bool


@dataclass(frozen=True, kw_only=True, eq=False)  # no slots: what is derived once is kept
class Rate:
    """What one vehicle class pays. Compared by identity: a loaded tariff is one value for as long as it lives."""

    vehicle: VehicleClass
    plan: Plan
    """As it is written, for the words of a bill."""
    rules: VehicleClassRules
    scale: int
    """Amounts are whole numbers of 1/scale fen until the total is settled."""
    tick_ms: int
    """The smallest time that counts: a minute where seconds are dropped, else a millisecond."""
    bands: tuple[Band, ...]
    clocks: int
    windows: tuple[Window, ...]
    days: DayRules
    counting: Counting
    across: Across
    rolling_ms: int
    rolls_from_charge: bool
    """Rolling periods begin with the first charged minute, not with the arrival."""
    day_begins: int
    free: tuple[Free, ...]
    caps: tuple[Cap, ...]
    flats: tuple[Flat, ...]
    percent_before_cap: int
    percent_after_cap: int
    coupons_before_cap: bool
    """Whether caps see what coupons have left."""
    percent_before_coupons: int
    """The part of ``percent_after_cap`` that comes before the coupons, where they come after the cap."""
    to_fen: int
    rounding: Halves

    @property
    def limits(self) -> tuple[Free | Cap, ...]:
        """The rules that go by a scope: free minutes and caps."""
        return (*self.free, *self.caps)

    @cached_property
    def steps(self) -> bool:
        """Whether a step runs on across a change of price and is repriced there."""
        return self.across in {"step_at_last_price", "step_at_higher_price"}

    @cached_property
    def rolls(self) -> bool:
        """Whether anything here goes by periods from the arrival."""
        return "rolling" in {*(band.restarts for band in self.bands), *(rule.per for rule in self.limits)}

    @cached_property
    def looks_back(self) -> bool:
        """Whether earlier stays of the plate use up something of this one."""
        return any(rule.shared for rule in self.limits) or any(free.first_of != "each" for free in self.free)

    @cached_property
    def looks_at_arrival(self) -> bool:
        """Whether some rule is only for stays that arrive in its windows."""
        return bool(self.flats) or any(rule.arrives for rule in self.limits) or any(free.disc_ms for free in self.free)

    @cached_property
    def replaces(self) -> bool:
        """Whether reaching a tier makes what was charged before it cost otherwise."""
        return any(band.reached_tier != "its_part" for band in self.bands)

    @cached_property
    def may_fall(self) -> bool:
        """Whether a fee could fall as time goes on; whether it does, the check finds out before publication."""
        return (
            self.across == "step_at_last_price"
            or any(band.reached_tier == "whole_stay" for band in self.bands)
            or any(flat.always or not flat.holds_before for flat in self.flats)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reentry:
    """The same plate comes back soon."""

    within_ms: int
    """An absence shorter than this is linked."""
    from_first_arrival: bool
    absence_counts: bool
    credit: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tariff:
    """One version of one price notice, ready to price stays."""

    document: TariffDocument
    code: str
    version: int
    valid_from: date | None
    valid_until: date | None
    currency: str
    zone: ZoneInfo
    cuts_instants: bool
    rates: Mapping[VehicleClass, Rate]
    default_class: VehicleClass
    exempt: frozenset[VehicleClass]
    reentry: Reentry | None
    exit_window_minutes: int

    @property
    def asks_history(self) -> bool:
        """Whether earlier stays of the plate may change what a stay costs."""
        return self.reentry is not None or any(rate.looks_back for rate in self.rates.values())

    def summary(self, lang: Lang) -> list[str]:
        """The rules as sentences without full stops, in the order in which a notice prints them."""
        return words.summary(self.document, lang)

    def price_summary(self, lang: Lang) -> str:
        """The default class's price in one line, for the map."""
        return words.price_summary(self.document, lang)

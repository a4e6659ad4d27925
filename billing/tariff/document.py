"""A price notice as a JSON document: every rule that notices contain, and every point on which they disagree. Pure.

The words beside each field are its meaning; they are published as ``billing/schema/tariff.schema.json``. Defaults are
the commonest reading that favours the driver.
"""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from billing.calendar import Holiday
from billing.coupons import CouponKind
from core.money import Halves


def _written_as_day(value: object) -> object:
    """Refuse ``20260301`` and ``1767225600``, which would be read as seconds since 1970."""
    written = value.isoformat() if isinstance(value, date) else str(value)
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written):
        raise ValueError("a day is written like 2026-03-10")
    return value


Day = Annotated[date, BeforeValidator(_written_as_day)]
YesNo = Annotated[bool, Field(strict=True)]
Minutes = Annotated[int, Field(strict=True, ge=0, le=527_040)]
Amount = Annotated[int, Field(strict=True, ge=0, le=100_000_000)]
Percent = Annotated[int, Field(strict=True, ge=0, le=10_000)]
WallTime = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")]

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Kind = Literal["workday", "restday", "weekend", "holiday", "make_up"]
Scope = Literal["stay", "window", "calendar_day", "rolling", "calendar_week", "calendar_month"]
Counting = Literal["inside_windows", "whole_stay_once_touched", "price_at_arrival"]
Across = Literal["each_part", "unit_as_begun", "step_at_last_price", "step_at_higher_price"]
Step = Literal["class", "cap", "reduction", "coupon", "rounding"]
ReachedTier = Literal["its_part", "whole_stay", "whole_stay_never_less"]


class Part(BaseModel):
    """What every part of a notice has in common: nothing unknown is accepted, and it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Text(Part):
    """A name in the languages the pages speak."""

    zh: Annotated[str, Field(min_length=1, max_length=200)]
    en: Annotated[str, Field(min_length=1, max_length=200)]


class Notice(Part):
    """Where the rules come from."""

    number: str | None = None
    """The number the notice was published under, where it has one."""
    issuer: str | None = None
    """Who published it."""
    source: Annotated[str, Field(min_length=1)]
    """The public source these fields were read from."""
    summary: str | None = None
    """The rules in plain words, as a person would read them out."""
    readings: tuple[str, ...] = ()
    """What the notice leaves open, and how it is read here."""
    synthetic: str | None = None
    """What in this document is not from the source (an invented price, an invented lot)."""


class DayMatch(Part):
    """Days to which everything written here applies; what is left out does not narrow."""

    kind: Kind | None = None
    """``workday`` or ``restday`` by the official calendar as ``calendar`` says; ``weekend``: Saturday and Sunday
    unless worked; ``holiday``: an official holiday; ``make_up``: a weekend day that is worked in exchange."""
    holidays: tuple[Holiday, ...] = ()
    """The named official holidays, all their days off."""
    weekdays: tuple[Weekday, ...] = ()
    """By the plain calendar, whatever is a holiday."""
    between: tuple[tuple[MonthDay, MonthDay], ...] = ()
    """Seasons, both days included; one that ends before it begins runs over the new year."""
    dates: tuple[Day, ...] = ()
    """Single days, such as those freed by decree."""


class DayClass(Part):
    """A kind of day of the notice's own.

    The classes are tried in the order written and the first that fits is the day's class, so a holiday written above a
    season outranks it; a day that fits none is ``other``.
    """

    name: Name
    label: Text | None = None
    any_of: Annotated[tuple[DayMatch, ...], Field(min_length=1)]


class CalendarRules(Part):
    """How official holidays and make-up days are read."""

    official: YesNo = True
    """False: only Monday to Sunday count, no table is asked (notices from elsewhere)."""
    make_up_days: Literal["workday", "weekend"] = "workday"
    """What a Saturday or Sunday is that is officially worked."""
    holidays: Literal["restday", "weekday"] = "restday"
    """What an official holiday on a Monday to Friday is: a rest day, or the plain weekday."""


class Window(Part):
    """Part of each day, by the clock on the lot's wall, half-open."""

    days: Annotated[tuple[str, ...], Field(min_length=1)] = ("all",)
    """``all``, ``mon`` ... ``sun``, a kind (``workday``, ``restday``, ``weekend``, ``holiday``, ``make_up``), the name
    of a day class, or ``other``; any of them."""
    opens: WallTime = "00:00"
    closes: WallTime = "24:00"
    """At or before ``opens``: on the next day."""
    closes_days_later: Annotated[int, Field(strict=True, ge=0, le=6)] = 0
    """For a window of several days, such as a weekend: how many days after its opening day it closes."""
    midnight: Literal["opening_day", "each_day"] = "opening_day"
    """For a window over midnight: the day it opens on decides for all of it, or each side's own day does."""


class Rounding(Part):
    """What an incomplete unit counts as."""

    mode: Literal["up", "down", "nearest"] = "up"
    """``up``: a started unit is charged; ``down``: only a complete one; ``nearest``: one of which half has passed."""
    ignore_tail_min: Minutes = 0
    """With ``up``: a unit of which at most so many minutes were used is not charged."""


class Tier(Part):
    """The price of the minutes from ``from_min`` to ``to_min`` on a band's clock; a unit ends with its tier."""

    from_min: Minutes
    to_min: Minutes | None = None
    """Not included; none in the last tier."""
    unit_min: Annotated[int, Field(strict=True, gt=0, le=527_040)] | None = None
    """The step that is charged; none: the whole tier is one unit (a first hour, a price for a visit)."""
    price_fen: Amount
    """For one unit, or for ``per_min`` minutes where that is given."""
    per_min: Annotated[int, Field(strict=True, gt=0, le=527_040)] | None = None
    """The price is for so many minutes and a unit costs its share (5.00 an hour in steps of 5 minutes)."""
    rounding: Rounding | None = None
    """None: as the plan's."""


class Band(Part):
    """Windows with one price."""

    name: Name
    label: Text | None = None
    windows: tuple[Window, ...] = ()
    """None: always."""
    priority: Annotated[int, Field(strict=True, ge=0, le=99)] = 0
    """Where two bands claim the same minute the higher takes it; the same priority twice is refused as an overlap."""
    tiers: tuple[Tier, ...] = ()
    """None: time in this band is free."""
    clock: Name | None = None
    """Bands that name the same clock share their place in the tiers; none: a clock of the band's own."""
    restarts: Scope | None = None
    """When the tiers begin again at minute 0: never within a ``stay``, at each new ``window``, each ``calendar_day``,
    or every ``rolling`` period from the arrival. None: as the plan's. Bands of one clock agree."""
    reached_tier: ReachedTier = "its_part"
    """What the tier prices that the clock has reached: its own minutes, those before at the tiers before; or all
    minutes since the clock began, so that a longer stay pays its own rate for the whole of it (a tier without
    ``unit_min`` is then the price of the whole stay). Where a longer stay's rate is the lower one a fee would fall at
    the border; with ``whole_stay_never_less`` it stands still there until the lower rate has caught up."""
    incomplete_units: Literal["continue", "end_with_window"] | None = None
    """Whether a unit begun in one window runs on in the same band's next one, or is rounded where its window closes.
    None: as the plan's."""


class Free(Part):
    """Minutes that cost nothing."""

    name: Name = "free"
    label: Text | None = None
    minutes: Annotated[int, Field(strict=True, gt=0, le=527_040)]
    boundary: Literal["inclusive", "exclusive"] = "inclusive"
    """Whether a stay of exactly so many minutes is free ("up to 30") or not ("under 15")."""
    mode: Literal["lost_when_exceeded", "deducted"] = "lost_when_exceeded"
    """A longer stay pays from its first minute, or always only for what is beyond."""
    per: Scope = "stay"
    """How often they are granted. ``rolling``: once in each period from the arrival."""
    stays: Literal["each", "shared", "first_of_day", "first_of_period"] = "each"
    """Whether each stay of a plate has them, all its stays within ``per`` share them, or only the first stays that
    begin on a day, or that begin within a rolling period of one that had them."""
    times: Annotated[int, Field(strict=True, ge=1, le=99)] = 1
    """How many are the first: 2 where the first two stays of a day have the free minutes."""
    measures: Literal["chargeable", "whole"] = "chargeable"
    """What is measured: minutes that a band charges for, or all minutes of the stay."""
    tier_clock: Literal["runs", "waits"] = "waits"
    """For ``deducted``: whether the tiers' clock runs during the free minutes or begins after them."""
    bands: tuple[Name, ...] = ()
    """Only minutes in these bands; none named: in all."""
    arrives: tuple[Window, ...] = ()
    """Only for stays that arrive in one of these windows; none: whenever they arrive."""
    disc_min: Annotated[int, Field(strict=True, gt=0, le=720)] | None = None
    """A parking disc shows the arrival: the minutes begin at the next full so many minutes on the wall (30: the disc
    is set to the next half hour), and until then it is free too. Only for whole stays."""


class Cap(Part):
    """At most so much within a period. Where several apply each holds."""

    name: Name = "cap"
    label: Text | None = None
    amount_fen: Amount
    per: Scope
    """``rolling``: every period from the arrival. A unit belongs to the period in which it begins."""
    stays: Literal["each", "shared"] = "each"
    """Whether each stay has the cap to itself or all stays of a plate within the period share it (a shared rolling
    period begins with the first stay that no earlier period covers)."""
    bands: tuple[Name, ...] = ()
    """Only what these bands charge; none named: all of it."""
    arrives: tuple[Window, ...] = ()
    """Only for stays that arrive in one of these windows (an evening ticket); none: whenever they arrive."""
    rolling_min: Annotated[int, Field(strict=True, gt=0, le=527_040)] | None = None
    """For ``rolling``: a period of its own length, counted from the arrival (a week beside the plan's 24 hours)."""
    from_period: Annotated[int, Field(strict=True, ge=1, le=999)] = 1
    """For ``rolling``: only from the so-manieth period on (2: each later day of an airport's car park)."""
    to_period: Annotated[int, Field(strict=True, ge=1, le=999)] | None = None
    """And only up to it, included; none: for ever."""


class Flat(Part):
    """One price for a stay that comes and goes by certain hours: an early bird, an evening ticket.

    Who leaves later pays the ordinary price of the whole stay.
    """

    name: Name = "flat"
    label: Text | None = None
    price_fen: Amount
    """For the whole stay, in place of what bands and caps come to; the step ``class`` applies to it."""
    arrives: Annotated[tuple[Window, ...], Field(min_length=1)]
    """The windows in which such a stay arrives."""
    leaves_by: WallTime
    """Until when it has left, that minute of the wall included."""
    leaves_by_days_later: Annotated[int, Field(strict=True, ge=0, le=6)] = 0
    """How many days after the day on which the arrival's window opened."""
    leaves_from: WallTime | None = None
    """On the day of ``leaves_by``: not before. None: whenever it likes."""
    before_that: Literal["ordinary_price", "at_most_the_flat"] = "at_most_the_flat"
    """What one pays who leaves sooner than ``leaves_from``. A fee that is above the flat price by then falls there."""
    applies: Literal["if_cheaper", "always"] = "if_cheaper"
    """Whether a stay that would cost less by the bands pays less, or the flat price all the same. One that is free
    stays free."""


class Plan(Part):
    """How time becomes an amount for some vehicle classes."""

    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    outside: Literal["free", "nothing"] = "nothing"
    """What time is that no band claims: ``free``, or ``nothing``, which promises that the bands cover every day."""
    counting: Counting = "inside_windows"
    """Which minutes count: those inside charged windows; all of a stay that touches one (time outside counts with the
    window before it, or the first one); or those inside, all at the price of the band in which the stay began."""
    across_bands: Across = "each_part"
    """A unit that is not complete when another band of the same clock begins: rounded there; finished at the price it
    was begun with; or paid by the minute on each side with only the last step rounded, at the last price. Where
    the last price is the lower one a fee would fall with time; ``step_at_higher_price`` leaves such a step alone."""
    incomplete_units: Literal["continue", "end_with_window"] = "continue"
    restarts: Scope = "stay"
    rolling_min: Annotated[int, Field(strict=True, gt=0, le=527_040)] = 1440
    """The length of a ``rolling`` period."""
    rolling_from: Literal["arrival", "first_charged_minute"] = "arrival"
    """Where the first rolling period begins."""
    day_begins: WallTime = "00:00"
    """Where one ``calendar_day`` ends and the next begins."""
    rounding: Rounding = Rounding()
    free: tuple[Free, ...] = ()
    caps: tuple[Cap, ...] = ()
    flats: tuple[Flat, ...] = ()
    """Prices for stays by certain hours; where several fit the lowest."""


class Settlement(Part):
    """How the total becomes a round amount. Happens once, last."""

    to_fen: Annotated[int, Field(strict=True, gt=0, le=10_000)] = 1
    mode: Halves = "half_up"


class VehicleClassRules(Part):
    """What a class of vehicles pays."""

    label: Text | None = None
    plan: Name | None = None
    """None: the tariff's only plan."""
    percent: Percent = 100
    """Of the plan's prices: 200 for double. The step ``class``."""
    reduced_to_percent: Percent = 100
    """Of what is due: 50 for half price. The step ``reduction``."""
    free: tuple[Free, ...] = ()
    """Beside the plan's."""
    settlement: Settlement | None = None
    """None: as the tariff's."""


class Reentry(Part):
    """The same plate comes back soon."""

    within_min: Minutes
    boundary: Literal["inclusive", "exclusive"] = "inclusive"
    """Whether an absence of exactly so many minutes still counts."""
    effect: Literal["count_from_first_arrival", "no_new_free_time"]
    """The linked stays are priced as one, or this one has no free minutes."""
    absence: Literal["counts", "does_not_count"] = "counts"
    """Whether the time away is priced too."""
    credit: Literal["what_was_due", "nothing"] = "what_was_due"
    """Whether what the linked earlier stays cost is taken off."""


class ExitWindow(Part):
    """Pay first, then leave."""

    minutes: Minutes = 15
    over: Literal["difference", "new_stay"] = "difference"
    """Who stays longer pays the difference to the fee of the whole stay, or begins a new one when he had paid."""


class CouponRules(Part):
    """How coupons and merchants' validations meet on one stay."""

    most: Annotated[int, Field(strict=True, ge=0, le=20)] = 3
    """At most so many count, those given first."""
    stacking: Annotated[tuple[CouponKind, ...], Field(min_length=4, max_length=4)] = (
        "free_until",
        "minutes",
        "percent",
        "amount",
    )
    """In which order; each kind once. Time comes off before money whatever is written here."""
    most_off_fen: Amount | None = None
    """Shares and amounts together take off at most so much of a stay."""


class TariffDocument(Part):
    """One version of one price notice."""

    format: Literal[1] = 1
    code: Name
    version: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1
    name: Text
    notice: Notice
    valid_from: Day | None = None
    """The first local day on which it is in force."""
    valid_until: Day | None = None
    """The first local day on which it no longer is."""
    when_price_changes: Literal["version_at_arrival", "version_at_departure"] = "version_at_arrival"
    """Which version prices a stay during which the notice changed; always all of it."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "CNY"
    zone: str = "Asia/Shanghai"
    """The zone of instants written without one; a lot's stays are priced in the lot's own zone."""
    seconds: Literal["drop_from_duration", "drop_from_instants", "count"] = "drop_from_duration"
    """Parts of a minute: the counted time loses what is beyond its last whole minute; arrival and departure are both
    cut to their minute; or every started unit is charged from its first instant on."""
    calendar: CalendarRules = CalendarRules()
    day_classes: tuple[DayClass, ...] = ()
    plans: Annotated[dict[Name, Plan], Field(min_length=1)]
    classes: dict[Name, VehicleClassRules] = {"small": VehicleClassRules()}
    default_class: Name = "small"
    """The class of a vehicle of which nothing is known."""
    exempt: tuple[Name, ...] = ()
    """Vehicle words that pay nothing."""
    order: tuple[Step, ...] = ("class", "cap", "reduction", "coupon", "rounding")
    """In which order a price becomes the fee; ``rounding`` is last. ``cap`` before ``class`` doubles the cap too."""
    settlement: Settlement = Settlement()
    coupons: CouponRules = CouponRules()
    reentry: Reentry | None = None
    exit_window: ExitWindow = ExitWindow()

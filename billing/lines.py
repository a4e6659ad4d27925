"""A bill: lines of facts whose amounts add up exactly to its total, and what a quote adds. Pure.

A line says why in facts, not in words: a word is chosen when the line is shown (``billing.wording``), so a bill from
five years ago can be read in either language, and computed again gives the same facts.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Final

from billing.coupons import CouponKind
from billing.covers import CoverKind
from billing.tariff.document import Scope
from core.clock import rfc3339
from core.errors import InvalidError
from core.money import Fen, Halves
from core.stay import Stay, VehicleClass

Label = tuple[str, str]
"""A rule's name in Chinese and in English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsCharged:
    """Units of a tier. With 0 units: an incomplete one that is not charged."""

    code: ClassVar[str] = "units"
    units: int
    unit_min: int | None
    """None: the tier is one unit."""
    from_min: int
    to_min: int | None
    price_fen: int
    percent: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCharged:
    """Minutes of a tier whose price is by time, rounded to its step."""

    code: ClassVar[str] = "time"
    charged_min: int
    step_min: int
    price_fen: int
    per_min: int
    percent: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinFreeMinutes:
    """The stay kept within its free minutes."""

    code: ClassVar[str] = "within-free-minutes"
    free_min: int
    inclusive: bool
    per: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeMinutesDeducted:
    """Free minutes were taken off the counted time."""

    code: ClassVar[str] = "free-minutes-deducted"
    free_min: int
    per: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideWindows:
    """No band charges at this time."""

    code: ClassVar[str] = "outside-windows"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeBand:
    """A band that is free."""

    code: ClassVar[str] = "free-band"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecreedFree:
    """Nothing is charged on this day, by decree."""

    code: ClassVar[str] = "decreed-free"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredBy:
    """An exempt vehicle, a pass or a voucher stands for this time."""

    code: ClassVar[str] = "covered"
    kind: CoverKind
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponTaken:
    """A coupon takes off money."""

    code: ClassVar[str] = "coupon"
    kind: CouponKind
    value: int
    bearer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapReached:
    """What is above a cap is not charged."""

    code: ClassVar[str] = "cap"
    cap_fen: int
    per: Scope
    rolling_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedTierCharged:
    """The stay is longer than ``over_min`` minutes: all of it costs what such a stay does."""

    code: ClassVar[str] = "reached-tier"
    units: int
    unit_min: int | None
    """None: one price for the whole stay."""
    over_min: int
    price_fen: int
    percent: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LongerPriceWaits:
    """At the price of so long a stay nothing more is due than before."""

    code: ClassVar[str] = "longer-price-waits"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatPrice:
    """One price for a stay that comes and goes by certain hours."""

    code: ClassVar[str] = "flat"
    price_fen: int
    leaves_by: str
    """The instant by which it has left, RFC 3339."""
    percent: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentDue:
    """Of what was due only (or even more than) so many percent are."""

    code: ClassVar[str] = "percent"
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedStaysCredited:
    """The plate was here just before; what those stays cost is taken off."""

    code: ClassVar[str] = "linked-stays-credited"
    stays: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The total is made round."""

    code: ClassVar[str] = "settled"
    to_fen: int
    mode: Halves


@dataclass(frozen=True, slots=True, kw_only=True)
class Exempt:
    """This kind of vehicle pays nothing."""

    code: ClassVar[str] = "exempt"
    vehicle: str


Why = (
    UnitsCharged
    | TimeCharged
    | WithinFreeMinutes
    | FreeMinutesDeducted
    | OutsideWindows
    | FreeBand
    | DecreedFree
    | CoveredBy
    | CouponTaken
    | CapReached
    | ReachedTierCharged
    | LongerPriceWaits
    | FlatPrice
    | PercentDue
    | LinkedStaysCredited
    | Settled
    | Exempt
)
"""Why a line has its amount."""

_WHYS: Final[Mapping[str, type[Any]]] = {kind.code: kind for kind in Why.__args__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One rule's part of a bill."""

    rule: str
    """Which rule of the notice, such as ``paid.1`` (the first tier of the band ``paid``) or ``cap``."""
    label: Label
    from_at: datetime
    to_at: datetime
    """Half-open; time in between that the rule does not count is not in ``minutes``."""
    minutes: int
    amount_fen: Fen
    """Below 0 where the rule takes something off."""
    why: Why
    calendar_assumed: bool = False
    """The kind of day was taken from the weekday, as no official calendar is known for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a stay costs and why. Lines oldest first, their amounts add up to ``total_fen``."""

    stay: Stay
    tariff_code: str
    tariff_version: int
    currency: str
    vehicle: VehicleClass
    """The class that was priced."""
    class_assumed: bool
    """Nothing was known of the vehicle, or the notice has no price for it: the default class was taken."""
    lines: tuple[Line, ...]
    total_fen: Fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A bill at an instant, and when it changes if the stay goes on."""

    bill: Bill
    next_change_at: datetime | None
    """The first departure at which the fee is another; none within the horizon."""
    next_total_fen: Fen | None


def why_to_json(why: Why) -> dict[str, Any]:
    """The facts of a line, with their code."""
    return {"code": why.code, **asdict(why)}


def line_to_json(line: Line) -> dict[str, Any]:
    """A line as it is stored with a bill."""
    return {
        "rule": line.rule,
        "label": list(line.label),
        "from": rfc3339(line.from_at),
        "to": rfc3339(line.to_at),
        "minutes": line.minutes,
        "amount_fen": line.amount_fen,
        "why": why_to_json(line.why),
        "calendar_assumed": line.calendar_assumed,
    }


def line_from_json(stored: Mapping[str, Any]) -> Line:
    """The line that was stored.

    Raises:
        InvalidError: the facts are of no kind this version knows.
    """
    facts = dict(stored["why"])
    kind = _WHYS.get(facts.pop("code", ""))
    if kind is None or facts.keys() - {field.name for field in fields(kind)}:
        raise InvalidError("a stored bill line has facts of no known kind")
    zh, en = stored["label"]
    return Line(
        rule=stored["rule"],
        label=(zh, en),
        from_at=datetime.fromisoformat(stored["from"]),
        to_at=datetime.fromisoformat(stored["to"]),
        minutes=stored["minutes"],
        amount_fen=Fen(stored["amount_fen"]),
        why=kind(**facts),
        calendar_assumed=stored["calendar_assumed"],
    )


def bill_to_json(bill: Bill) -> dict[str, Any]:
    """A bill as facts, for storage: ``bill_from_json`` gives back an equal one."""
    return {
        "entered_at": rfc3339(bill.stay.entered_at),
        "left_at": rfc3339(bill.stay.left_at),
        "tariff": {"code": bill.tariff_code, "version": bill.tariff_version},
        "currency": bill.currency,
        "vehicle": bill.vehicle,
        "class_assumed": bill.class_assumed,
        "lines": [line_to_json(line) for line in bill.lines],
        "total_fen": bill.total_fen,
    }


def bill_from_json(stored: Mapping[str, Any]) -> Bill:
    """The bill that was stored."""
    return Bill(
        stay=Stay(
            entered_at=datetime.fromisoformat(stored["entered_at"]), left_at=datetime.fromisoformat(stored["left_at"])
        ),
        tariff_code=stored["tariff"]["code"],
        tariff_version=stored["tariff"]["version"],
        currency=stored["currency"],
        vehicle=VehicleClass(stored["vehicle"]),
        class_assumed=stored["class_assumed"],
        lines=tuple(line_from_json(line) for line in stored["lines"]),
        total_fen=Fen(stored["total_fen"]),
    )

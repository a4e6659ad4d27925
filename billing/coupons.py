"""Coupons and merchants' validations as a stay meets them: minutes, a time, a share, an amount. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal

from core.clock import rfc3339
from core.errors import InvalidError

CouponKind = Literal["minutes", "free_until", "percent", "amount"]
WHOLE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """One coupon on one stay."""

    kind: CouponKind
    value: int = 0
    """Minutes, percent off, or fen; of ``free_until`` nothing."""
    until: datetime | None = None
    """Of ``free_until``: nothing is charged before it."""
    bearer: str
    """Who pays for it: the operator, or a merchant. Shown on the bill."""

    def __post_init__(self) -> None:
        """Refuse a coupon that gives nothing, or more than there is."""
        if (self.kind == "free_until") != (self.until is not None):
            raise InvalidError("a coupon that frees until a time names it, no other does")
        if self.kind != "free_until" and self.value <= 0:
            raise InvalidError("a coupon takes something off")
        if self.kind == "percent" and self.value > WHOLE:
            raise InvalidError("a coupon takes off 100 % at most")


def stacked(coupons: Sequence[Coupon], order: Sequence[CouponKind], most: int) -> list[Coupon]:
    """The coupons that count for one stay, in the order in which they are applied: at most so many, first come."""
    return sorted(coupons[:most], key=lambda coupon: order.index(coupon.kind))


def coupon_to_json(coupon: Coupon) -> dict[str, Any]:
    """A coupon as a bill keeps it."""
    return {**asdict(coupon), "until": rfc3339(coupon.until) if coupon.until else None}


def coupon_from_json(kept: Mapping[str, Any]) -> Coupon:
    """The coupon that was kept."""
    until = datetime.fromisoformat(kept["until"]) if kept["until"] else None
    return Coupon(kind=kept["kind"], value=kept["value"], until=until, bearer=kept["bearer"])

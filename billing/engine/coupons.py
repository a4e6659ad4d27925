"""What coupons take off an amount: shares and amounts, each in its turn, together at most so much. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from billing.coupons import Coupon
from billing.engine.reach import Charge


@dataclass(frozen=True, slots=True, kw_only=True)
class Offs:
    """The coupons of one stay that take off money."""

    coupons: tuple[Coupon, ...]
    """Percentages and amounts, in their order."""
    most: int | None
    """All of them together at most so much, in ``Rate.scale`` parts of a fen."""


class Taken(NamedTuple):
    """What one coupon took off."""

    coupon: Coupon
    amount: int
    """In ``Rate.scale`` parts of a fen."""


def take_off(offs: Offs, due: int, scale: int) -> list[Taken]:
    """What each coupon takes off an amount; never more than there is.

    For a higher amount what is left is never lower: a share leaves a share, an amount or the most leave the rest.
    """
    left, room = due, due if offs.most is None else min(offs.most, due)
    taken = []
    for coupon in offs.coupons:
        wanted = left - left * (100 - coupon.value) // 100 if coupon.kind == "percent" else coupon.value * scale
        amount = max(min(wanted, left, room), 0)
        left, room = left - amount, room - amount
        taken.append(Taken(coupon, amount))
    return taken


def without(charges: Sequence[Charge], off: int) -> list[Charge]:
    """The charges less an amount, taken from the earliest first: what caps see where coupons come before them."""
    after = []
    for charge in charges:
        cut = max(min(off, charge.amount), 0)
        off -= cut
        after.append(charge._replace(amount=charge.amount - cut))
    return after

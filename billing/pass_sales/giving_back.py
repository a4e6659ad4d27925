"""A pass is given back: it ends now, and the days that nobody used go back to whoever paid."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.by_hand import RefundView, ask_refund
from billing.pass_sales.days import days_used, earned_fen
from billing.pass_sales.earning import earn
from billing.pass_sales.orders import lock_order
from billing.passes import end_pass
from core.errors import ConflictError
from core.tables import PassOrder


class PassNotSoldError(ConflictError):
    """It was not bought online, or its money went back already. Carries ``pass_number``."""

    slug = "pass-not-sold"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """What became of a pass."""

    pass_number: int
    order_id: UUID
    days: int
    days_used: int
    """Today is used once it has begun."""
    amount_fen: int
    refund: RefundView | None
    """None: no day was left."""


async def give_back(
    db: AsyncConnection, number: int, *, reason: str, by: str, limit_fen: int, at: datetime
) -> GivenBack:
    """End a pass and give back the days that are left, all of it before the first; above a sum a second person agrees.

    Args:
        db: the transaction.
        number: the pass's.
        reason: why, in words, for the refund.
        by: ``operator:<login>``.
        limit_fen: above it the refund is held for a second person.
        at: on the installation's clock.

    Raises:
        PassNotFoundError: there is none.
        PassNotSoldError: it was not bought online, or was given back.
        PassEndedError: it was ended before.
    """
    order_id = (await db.execute(select(PassOrder.id).where(PassOrder.pass_id == number))).scalar_one_or_none()
    ended = await end_pass(db, None, number, actor=by, at=at)
    if order_id is None:
        raise PassNotSoldError(f"pass {number} was not bought online", pass_number=number)
    order = await lock_order(db, order_id)
    if order.status != "paid":
        raise PassNotSoldError(f"pass {number} was given back before", pass_number=number)
    used = days_used(order.begins_on, order.days, at.astimezone(ZoneInfo(order.zone)).date())
    await earn(db, order, used, at=at)
    left_fen = order.price_fen - earned_fen(order.price_fen, order.days, used)
    refund = None
    if left_fen:
        refund = await ask_refund(db, order.payment_id, left_fen, reason=reason, by=by, limit_fen=limit_fen, at=at)
    await db.execute(update(PassOrder).where(PassOrder.id == order_id).values(status="refunded"))
    return GivenBack(
        pass_number=ended.id, order_id=order_id, days=order.days, days_used=used, amount_fen=left_fen, refund=refund
    )

"""A pass's price becomes revenue day by day, as its days pass; days missed are caught up."""

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Row, cast, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import entries
from billing.ledger.journal import post
from billing.pass_sales.days import days_over, earned_fen
from core.tables import PassOffer, PassOrder

AT_ONCE: Final = 500


async def earn_passes(db: AsyncConnection, *, at: datetime, limit: int = AT_ONCE) -> int:
    """Post what the days that are over have earned; how many passes moved. ``at`` on the installation's clock."""
    today = cast(func.timezone(PassOffer.zone, at), Date)
    query = (
        select(PassOrder.__table__, PassOffer.days, PassOffer.price_fen, PassOffer.zone)
        .join(PassOffer, PassOffer.id == PassOrder.offer_id)
        .where(PassOrder.status == "paid", PassOrder.days_earned < PassOffer.days)
        .where(PassOrder.begins_on + PassOrder.days_earned < today)
        .order_by(PassOrder.begins_on)
        .limit(limit)
        .with_for_update(of=PassOrder.__table__, skip_locked=True)
    )
    moved = 0
    for order in (await db.execute(query)).all():
        over = days_over(order.begins_on, order.days, at.astimezone(ZoneInfo(order.zone)).date())
        moved += await earn(db, order, over, at=at)
    return moved


async def earn(db: AsyncConnection, order: Row[Any], days: int, *, at: datetime) -> bool:
    """Make revenue of the first so many days of a pass, if they are not yet; the caller holds its order."""
    if days <= order.days_earned:
        return False
    fen = earned_fen(order.price_fen, order.days, days) - earned_fen(order.price_fen, order.days, order.days_earned)
    await post(
        db, entries.earn_pass(order.id, days, payment_id=order.payment_id, amount_fen=fen), source="worker", at=at
    )
    await db.execute(update(PassOrder).where(PassOrder.id == order.id).values(days_earned=days))
    return True

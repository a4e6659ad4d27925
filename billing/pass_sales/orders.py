"""Orders of passes: made for a plate without a word about it, open for an hour, paid or closed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.pass_sales.offers import Offer, fetch_offer, offer_of
from billing.plates import PlateVault, masked, store_plate
from core.errors import InvalidError, NotFoundError
from core.plate import Plate
from core.tables import PassOffer, PassOrder, PlateRow, Refund

OrderStatus = Literal["open", "paid", "closed", "refunded"]

OPEN_FOR: Final = timedelta(hours=1)
AHEAD: Final = timedelta(days=62)
"""How long before its first day a pass may be bought."""


class OrderNotFoundError(NotFoundError):
    """No order has this id. Carries ``order_id``."""

    slug = "pass-order-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOrderView:
    """An order as whoever has its id sees it; nothing in it depends on what is known of the plate otherwise."""

    id: UUID
    offer: Offer
    plate: str
    """Masked."""
    begins_on: date
    ends_on: date
    """Its last day."""
    status: OrderStatus
    expires_at: datetime
    payment_id: UUID | None
    pass_id: int | None
    refunded_fen: int
    """Given back, or on its way."""


async def make_order(
    db: AsyncConnection,
    vault: PlateVault,
    offer_code: str,
    plate: Plate,
    begins_on: date,
    *,
    now: datetime,
    at: datetime,
) -> PassOrderView:
    """Order a pass for a plate.

    Args:
        db: the transaction.
        vault: seals the plate.
        offer_code: of what is on sale.
        plate: whose it will be; whoever orders it need not own it, and learns nothing of it.
        begins_on: the first day, on the wall of the offer's lots.
        now: on the installation's clock.
        at: in real time, which orders live on.

    Raises:
        OfferNotFoundError: it is not on sale.
        InvalidError: it would begin before today, or too far ahead.
    """
    offer = await fetch_offer(db, offer_code)
    today = now.astimezone(offer.zone).date()
    if not today <= begins_on <= today + AHEAD:
        raise InvalidError(f"a pass begins between {today} and {today + AHEAD}", begins_on=str(begins_on))
    values = {
        "offer_id": offer.id,
        "plate_id": await store_plate(db, vault, plate, at=now),
        "begins_on": begins_on,
        "status": "open",
        "created_at": at,
        "expires_at": at + OPEN_FOR,
    }
    order_id = (await db.execute(insert(PassOrder).values(values).returning(PassOrder.id))).scalar_one()
    return await fetch_order(db, vault, order_id, at=at)


async def fetch_order(db: AsyncConnection, vault: PlateVault | None, order_id: UUID, *, at: datetime) -> PassOrderView:
    """An order as it stands; ``at`` in real time.

    Raises:
        OrderNotFoundError: there is none.
    """
    back = select(func.coalesce(func.sum(Refund.amount_fen), 0)).where(
        Refund.payment_id == PassOrder.payment_id, Refund.status != "rejected"
    )
    query = (
        select(PassOrder.__table__, PlateRow.ciphertext, PlateRow.key_number, back.scalar_subquery().label("back_fen"))
        .join(PlateRow, PlateRow.id == PassOrder.plate_id)
        .where(PassOrder.id == order_id)
    )
    row = (await db.execute(query)).first()
    if row is None:
        raise OrderNotFoundError("no order of a pass has this id", order_id=str(order_id))
    offer = offer_of((await db.execute(select(PassOffer.__table__).where(PassOffer.id == row.offer_id))).one())
    return PassOrderView(
        id=row.id,
        offer=offer,
        plate=masked(vault, row.ciphertext, row.key_number),
        begins_on=row.begins_on,
        ends_on=row.begins_on + timedelta(days=offer.terms.days - 1),
        status="closed" if row.status == "open" and row.expires_at <= at else row.status,
        expires_at=row.expires_at,
        payment_id=row.payment_id,
        pass_id=row.pass_id,
        refunded_fen=int(row.back_fen),
    )


async def lock_order(db: AsyncConnection, order_id: UUID) -> Row[Any]:
    """The order's row and its offer's terms, held until the transaction ends."""
    columns = (
        PassOrder.__table__,
        PassOffer.days,
        PassOffer.price_fen,
        PassOffer.zone,
        PassOffer.lots,
        PassOffer.windows,
        PassOffer.rest,
        PassOffer.code,
    )
    query = select(*columns).join(PassOffer, PassOffer.id == PassOrder.offer_id).where(PassOrder.id == order_id)
    row = (await db.execute(query.with_for_update(of=PassOrder.__table__))).first()
    if row is None:
        raise OrderNotFoundError("no order of a pass has this id", order_id=str(order_id))
    return row


async def close_old_orders(db: AsyncConnection, *, at: datetime) -> int:
    """Close what was never paid; how many. ``at`` in real time."""
    old = update(PassOrder).where(PassOrder.status == "open", PassOrder.expires_at <= at).values(status="closed")
    return (await db.execute(old)).rowcount

"""A paid order becomes a pass, in the transaction that books its money; money for a closed one goes back."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.pass_sales.days import midnight
from billing.pass_sales.orders import lock_order
from billing.passes import PassTerms, store_pass
from billing.tariff.document import Window
from billing.who import price_again_later
from core.audit import AuditEntry, write_audit
from core.tables import ParkingSession, PassOrder, Payment, PlateEvidence


async def deliver_pass(db: AsyncConnection, order_id: UUID, payment_id: UUID, *, at: datetime) -> bool:
    """Make the pass that was paid for; False where the order was paid before or had run out when the payer paid.

    A pass for today is in force from the payment on. Stays of the plate that are under way are priced with it the next
    time anybody asks; what ended since is billed again.

    Args:
        db: the transaction that books the payment.
        order_id: what was paid for.
        payment_id: by which payment; it counts when the payer paid by the provider's time, however late we hear of it.
        at: on the installation's clock.
    """
    order = await lock_order(db, order_id)
    paid_at = (await db.execute(select(Payment.paid_at).where(Payment.id == payment_id))).scalar_one()
    if order.pass_id is not None or paid_at is None or paid_at > order.expires_at:
        return False
    terms = _terms(order, at)
    number = await store_pass(db, [order.plate_id], terms, actor=f"order:{order_id}", at=at)
    bought = {"status": "paid", "pass_id": number, "payment_id": payment_id}
    await db.execute(update(PassOrder).where(PassOrder.id == order_id).values(bought))
    for session_id in await _ended_since(db, order.plate_id, terms):
        await price_again_later(db, session_id, at=at)
    after = {"offer": order.code, "price_fen": order.price_fen, "payment": str(payment_id)}
    entry = AuditEntry(at=at, actor=f"payment:{payment_id}", action="pass.sold", subject=f"pass:{number}", after=after)
    await write_audit(db, entry)
    return True


def _terms(order: Row[Any], at: datetime) -> PassTerms:
    zone = ZoneInfo(order.zone)
    windows = tuple(Window.model_validate(window) for window in order.windows)
    ends = midnight(order.begins_on + timedelta(days=order.days), zone)
    begins = max(midnight(order.begins_on, zone), at)
    return PassTerms(
        kind="off_peak" if windows else "monthly",
        lots=tuple(order.lots),
        windows=windows,
        rest=order.rest,
        valid_from=min(begins, ends - timedelta(seconds=1)),
        valid_to=ends,
        price_fen=order.price_fen,
    )


async def _ended_since(db: AsyncConnection, plate_id: UUID, terms: PassTerms) -> list[UUID]:
    """Ended stays of the plate that reach into the pass."""
    query = (
        select(ParkingSession.id)
        .join(PlateEvidence, PlateEvidence.session_id == ParkingSession.id)
        .where(PlateEvidence.plate_id == plate_id, PlateEvidence.source != "claim")
        .where(ParkingSession.status == "ended", ParkingSession.left_at > terms.valid_from)
        .where(ParkingSession.entered_at < terms.valid_to)
        .distinct()
    )
    return list((await db.scalars(query)).all())

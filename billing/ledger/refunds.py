"""Giving back: decided once, under the payment's lock, never more than what came (I5)."""

import secrets
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import accounts, entries
from billing.ledger.balances import balance_of
from billing.ledger.journal import post
from core.errors import ConflictError
from core.tables import JournalLine, ParkingSession, Payment, Refund

Cause = Literal["overpaid", "correction", "operator"]

GOES_BACK: Final = ("held", "requested", "accepted", "succeeded")
"""Refunds that count against what was received; those of the other states came to nothing."""
REFUND_NO_BYTES: Final = 12


class RefundExceedsPaymentError(ConflictError):
    """More would go back than came. Carries ``refundable_fen``."""

    slug = "refund-exceeds-payment"


class RefundNotHeldError(ConflictError):
    """This refund waits for nobody's decision. Carries ``status``."""

    slug = "refund-not-held"


async def lock_money(db: AsyncConnection, payment_id: UUID) -> Row[Any]:
    """Lock a payment's session and then the payment itself, in this order everywhere; the payment's row."""
    session_id = (await db.execute(select(Payment.session_id).where(Payment.id == payment_id))).scalar_one()
    if session_id is not None:
        await db.execute(
            select(ParkingSession.id).where(ParkingSession.id == session_id).with_for_update(key_share=True)
        )
    return (await db.execute(select(Payment.__table__).where(Payment.id == payment_id).with_for_update())).one()


async def request_refund(
    db: AsyncConnection,
    payment_id: UUID,
    amount_fen: int,
    *,
    cause: Cause,
    reason: str,
    requested_by: str,
    at: datetime,
    held: bool = False,
) -> UUID:
    """Decide that so much of a payment goes back; it is sent by whoever sweeps the payments.

    Args:
        db: the transaction.
        payment_id: of a payment that was received.
        amount_fen: above 0.
        cause: why, for the books.
        reason: why, in words.
        requested_by: ``worker`` or ``operator:<login>``.
        at: on the installation's clock.
        held: until a second person approves it nothing moves.

    Raises:
        RefundExceedsPaymentError: that much of it is not left.
    """
    payment = await lock_money(db, payment_id)
    left = (payment.received_fen or 0) - await _going_back(db, payment_id)
    if amount_fen > left:
        raise RefundExceedsPaymentError(
            f"of this payment {left} fen are left to give back, not {amount_fen}", refundable_fen=left
        )
    now = datetime.now(UTC)
    row = insert(Refund).values(
        payment_id=payment_id,
        refund_no=f"R{secrets.token_hex(REFUND_NO_BYTES).upper()}",
        amount_fen=amount_fen,
        cause=cause,
        reason=reason,
        requested_by=requested_by,
        status="held" if held else "requested",
        created_at=now,
        changed_at=now,
        poll_at=None if held else now,
    )
    refund_id: UUID = (await db.execute(row.returning(Refund.id))).scalar_one()
    if not held:
        await _start(db, refund_id, payment, amount_fen, cause, at=at, by=requested_by)
    return refund_id


async def release_refund(db: AsyncConnection, refund_id: UUID, *, approved_by: str, at: datetime) -> None:
    """A second person agrees to a held refund: it is on its way.

    Raises:
        RefundNotHeldError: it is not waiting (any more).
    """
    refund, payment = await _held(db, refund_id)
    now = datetime.now(UTC)
    values = {"status": "requested", "approved_by": approved_by, "changed_at": now, "poll_at": now}
    await db.execute(update(Refund).where(Refund.id == refund_id).values(values))
    await _start(db, refund_id, payment, refund.amount_fen, refund.cause, at=at, by=approved_by)


async def reject_refund(db: AsyncConnection, refund_id: UUID, *, rejected_by: str) -> None:
    """A second person refuses a held refund: nothing has moved, nothing will.

    Raises:
        RefundNotHeldError: it is not waiting (any more).
    """
    await _held(db, refund_id)
    values = {"status": "rejected", "approved_by": rejected_by, "changed_at": datetime.now(UTC)}
    await db.execute(update(Refund).where(Refund.id == refund_id).values(values))


async def refund_overpaid(db: AsyncConnection, session_id: UUID, *, cause: Cause, reason: str, at: datetime) -> None:
    """Give back what a session has been paid too much, from its newest payments first."""
    left = (await balance_of(db, session_id)).overpaid_fen
    query = select(Payment.id, Payment.received_fen).where(Payment.session_id == session_id, Payment.status == "paid")
    for payment in (await db.execute(query.order_by(Payment.changed_at.desc(), Payment.id))).all():
        amount = min(left, payment.received_fen - await _not_to_give(db, payment.id))
        if amount > 0:
            await request_refund(db, payment.id, amount, cause=cause, reason=reason, requested_by="worker", at=at)
            left -= amount


async def _held(db: AsyncConnection, refund_id: UUID) -> tuple[Row[Any], Row[Any]]:
    payment_id = (await db.execute(select(Refund.payment_id).where(Refund.id == refund_id))).scalar_one()
    payment = await lock_money(db, payment_id)
    refund = (await db.execute(select(Refund.__table__).where(Refund.id == refund_id).with_for_update())).one()
    if refund.status != "held":
        raise RefundNotHeldError(f"this refund is {refund.status}: nobody's decision is awaited", status=refund.status)
    return refund, payment


async def _start(
    db: AsyncConnection, refund_id: UUID, payment: Row[Any], amount_fen: int, cause: str, *, at: datetime, by: str
) -> None:
    account = accounts.OVERPAID if cause != "operator" else await _whose(db, payment, amount_fen)
    entry = entries.start_refund(
        refund_id, account, payment_id=payment.id, session_id=payment.session_id, amount_fen=amount_fen
    )
    await post(db, entry, source=by, at=at)


async def _whose(db: AsyncConnection, payment: Row[Any], amount_fen: int) -> str:
    """Where an operator's refund is taken from: what is owed anyway first, else it is goodwill."""
    if await _in_suspense(db, payment.id) >= amount_fen:
        return accounts.SUSPENSE
    if payment.session_id is None:
        return accounts.PREPAID
    balance = await balance_of(db, payment.session_id)
    return accounts.OVERPAID if balance.overpaid_fen >= amount_fen else accounts.GOODWILL


async def _going_back(db: AsyncConnection, payment_id: UUID) -> int:
    query = select(func.coalesce(func.sum(Refund.amount_fen), 0))
    query = query.where(Refund.payment_id == payment_id, Refund.status.in_(GOES_BACK))
    return int((await db.execute(query)).scalar_one())


async def _not_to_give(db: AsyncConnection, payment_id: UUID) -> int:
    """What of a payment is no longer, or not, the payer's of the stay: gone back already, or in suspense."""
    return await _going_back(db, payment_id) + await _in_suspense(db, payment_id)


async def _in_suspense(db: AsyncConnection, payment_id: UUID) -> int:
    query = select(func.coalesce(func.sum(JournalLine.credit_fen - JournalLine.debit_fen), 0))
    query = query.where(JournalLine.payment_id == payment_id, JournalLine.account == accounts.SUSPENSE)
    return int((await db.execute(query)).scalar_one())

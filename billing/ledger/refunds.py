"""Giving back: decided once, under the payment's lock, never more than what came (I5)."""

import secrets
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import accounts, entries
from billing.ledger.balances import balance_of
from billing.ledger.entries import CNY
from billing.ledger.journal import post
from core.errors import ConflictError
from core.tables import JournalEntry, JournalLine, ParkingSession, Payment, Refund

Cause = Literal["overpaid", "correction", "operator"]

CLAIMS: Final = ("held", "requested", "accepted", "succeeded", "failed", "abnormal")
"""Refunds that count against what was received: all but those that a second person refused.

One that failed keeps its claim: the provider may do it after all, so the same money is never asked for under a second
number; a person pays it out.
"""
FAILED: Final = ("failed", "abnormal")
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
    left = (payment.received_fen or 0) - await _gone(db, payment_id)
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
    """Give back what a session has been paid too much, from its newest payments first.

    What refunds that failed have a claim on is not given back a second time.
    """
    left = (await balance_of(db, session_id)).overpaid_fen - await _claimed(db, session_id)
    query = select(Payment.id, Payment.received_fen).where(Payment.session_id == session_id, Payment.status == "paid")
    for payment in (await db.execute(query.order_by(Payment.changed_at.desc(), Payment.id))).all():
        amount = min(left, payment.received_fen - await _not_to_give(db, payment.id))
        if amount > 0:
            await request_refund(db, payment.id, amount, cause=cause, reason=reason, requested_by="worker", at=at)
            left -= amount


async def fetch_currency(db: AsyncConnection, payment_id: UUID) -> str:
    """In which currency a payment was received."""
    booked = select(JournalLine.currency).where(JournalLine.payment_id == payment_id).limit(1)
    return (await db.execute(booked)).scalar() or CNY


async def is_paid_out(db: AsyncConnection, refund_id: UUID) -> bool:
    """Whether a person gave back what the provider could not."""
    posted = select(JournalEntry.id).where(JournalEntry.business_key == entries.payout_key(refund_id))
    return (await db.execute(posted)).first() is not None


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
        refund_id,
        account,
        payment_id=payment.id,
        session_id=payment.session_id,
        amount_fen=amount_fen,
        currency=await fetch_currency(db, payment.id),
    )
    await post(db, entry, source=by, at=at)


async def _whose(db: AsyncConnection, payment: Row[Any], amount_fen: int) -> str:
    """Where an operator's refund is taken from: suspense, a pass, else goodwill (what is overpaid goes by itself)."""
    if await in_suspense(db, payment.id) >= amount_fen:
        return accounts.SUSPENSE
    return accounts.PREPAID if payment.session_id is None else accounts.GOODWILL


async def in_suspense(db: AsyncConnection, payment_id: UUID) -> int:
    """What of a payment answers to nothing yet."""
    query = select(func.coalesce(func.sum(JournalLine.credit_fen - JournalLine.debit_fen), 0))
    query = query.where(JournalLine.payment_id == payment_id, JournalLine.account == accounts.SUSPENSE)
    return int((await db.execute(query)).scalar_one())


async def _gone(db: AsyncConnection, payment_id: UUID) -> int:
    """What of a payment was, is or may yet be given back, by the provider or out of suspense by hand."""
    refunds = select(func.coalesce(func.sum(Refund.amount_fen), 0))
    refunds = refunds.where(Refund.payment_id == payment_id, Refund.status.in_(CLAIMS))
    by_hand = (
        select(func.coalesce(func.sum(JournalLine.debit_fen), 0))
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(JournalLine.payment_id == payment_id, JournalEntry.kind == entries.SUSPENSE_PAID_OUT)
        .where(JournalLine.account == accounts.SUSPENSE)
    )
    return int((await db.execute(refunds)).scalar_one()) + int((await db.execute(by_hand)).scalar_one())


async def _not_to_give(db: AsyncConnection, payment_id: UUID) -> int:
    """What of a payment is no longer, or not, the payer's of the stay: given back already, or in suspense."""
    return await _gone(db, payment_id) + await in_suspense(db, payment_id)


async def _claimed(db: AsyncConnection, session_id: UUID) -> int:
    """What of a session's overpaid money waits for a person, because the provider could not give it back."""
    paid_out = select(JournalEntry.id).where(JournalEntry.business_key == func.concat("payout:", Refund.id)).exists()
    query = (
        select(func.coalesce(func.sum(Refund.amount_fen), 0))
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.session_id == session_id, Refund.status.in_(FAILED), ~paid_out)
    )
    return int((await db.execute(query)).scalar_one())

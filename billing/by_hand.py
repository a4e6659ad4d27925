"""Money that people move: refunds, with two pairs of eyes above a sum; pay-outs by hand; waivers.

Each has a reason and an author; whoever calls writes the audit in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import accounts, entries
from billing.ledger.balances import balance_of
from billing.ledger.journal import post
from billing.ledger.refunds import fetch_currency, lock_money, reject_refund, release_refund, request_refund
from billing.ledger.sending_again import send_again
from core.errors import ConflictError, DeniedError, NotFoundError
from core.money import Fen
from core.tables import JournalEntry, ParkingSession, Payment, Refund

FAILED: Final = frozenset({"failed", "abnormal"})
COUNTS: Final = ("held", "requested", "accepted", "succeeded", "failed", "abnormal")
"""Refunds that count towards the limit: all but those that a second person refused."""


class PaymentNotFoundError(NotFoundError):
    """There is no such payment. Carries ``payment_id``."""

    slug = "payment-not-found"


class PaymentNotPaidError(ConflictError):
    """What was not paid cannot be given back. Carries ``status``."""

    slug = "payment-not-paid"


class RefundNotFoundError(NotFoundError):
    """There is no such refund. Carries ``refund_id``."""

    slug = "refund-not-found"


class SamePersonError(DeniedError):
    """Whoever asked for a refund cannot decide about it."""

    slug = "same-person"


class RefundNotFailedError(ConflictError):
    """Only what a provider could not give back is paid out by hand, once. Carries ``status``."""

    slug = "refund-not-failed"


class SessionUnknownError(NotFoundError):
    """There is no such session. Carries ``session_id``."""

    slug = "session-not-found"


class WaiverExceedsDueError(ConflictError):
    """More would be given up than is due. Carries ``due_fen``."""

    slug = "waiver-exceeds-due"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundView:
    """A refund as people see it."""

    id: UUID
    payment_id: UUID
    session_id: UUID | None
    refund_no: str
    amount_fen: Fen
    received_fen: Fen
    provider: str
    cause: str
    reason: str
    requested_by: str
    approved_by: str | None
    status: str
    why: str | None
    is_paid_out: bool
    """By hand, after the provider could not."""
    created_at: datetime
    changed_at: datetime


async def ask_refund(
    db: AsyncConnection, payment_id: UUID, amount_fen: int, *, reason: str, by: str, limit_fen: int, at: datetime
) -> RefundView:
    """Give so much of a payment back, at once or held for a second person.

    It is held where this and what people gave back of the payment before is together above ``limit_fen``, so that
    small pieces do not add up to a large one unseen.

    Raises:
        PaymentNotFoundError, PaymentNotPaidError, RefundExceedsPaymentError: see there.
    """
    await _refuse_unpaid(db, payment_id)
    await lock_money(db, payment_id)
    given = select(func.coalesce(func.sum(Refund.amount_fen), 0)).where(
        Refund.payment_id == payment_id, Refund.cause == "operator", Refund.status.in_(COUNTS)
    )
    together_fen = int((await db.execute(given)).scalar_one() or 0) + amount_fen
    refund_id = await request_refund(
        db,
        payment_id,
        amount_fen,
        cause="operator",
        reason=reason,
        requested_by=by,
        at=at,
        held=together_fen > limit_fen,
    )
    await _announce(db, payment_id)
    return await fetch_refund(db, refund_id)


async def decide(db: AsyncConnection, refund_id: UUID, *, approve: bool, by: str, at: datetime) -> RefundView:
    """A second person approves a held refund, or refuses it.

    Raises:
        RefundNotFoundError, SamePersonError, RefundNotHeldError: see there.
    """
    refund = await fetch_refund(db, refund_id)
    if refund.requested_by == by:
        raise SamePersonError("a second person has to decide: you asked for this refund yourself")
    if approve:
        await release_refund(db, refund_id, approved_by=by, at=at)
    else:
        await reject_refund(db, refund_id, rejected_by=by)
    await _announce(db, refund.payment_id)
    return await fetch_refund(db, refund_id)


async def pay_out(db: AsyncConnection, refund_id: UUID, *, by: str, at: datetime) -> RefundView:
    """What the provider could not give back was paid from the bank, by a person.

    Raises:
        RefundNotFoundError, RefundNotFailedError: see there.
    """
    refund = await fetch_refund(db, refund_id)
    await lock_money(db, refund.payment_id)
    refund = await fetch_refund(db, refund_id)
    if refund.status not in FAILED or refund.is_paid_out:
        status = "paid-out" if refund.is_paid_out else refund.status
        raise RefundNotFailedError(f"this refund is {status}: there is nothing to pay out by hand", status=status)
    entry = entries.pay_out(
        refund_id,
        payment_id=refund.payment_id,
        session_id=refund.session_id,
        amount_fen=refund.amount_fen,
        currency=await fetch_currency(db, refund.payment_id),
    )
    await post(db, entry, source=by, at=at)
    await _announce(db, refund.payment_id)
    return await fetch_refund(db, refund_id)


async def try_again(db: AsyncConnection, refund_id: UUID, *, by: str, at: datetime) -> RefundView:
    """Ask the provider once more, under the same number, for a refund that failed.

    Raises:
        RefundNotFoundError, RefundIsNotOwedError: see there.
    """
    refund = await fetch_refund(db, refund_id)
    await send_again(db, refund_id, by=by, at=at)
    await _announce(db, refund.payment_id)
    return await fetch_refund(db, refund_id)


async def waive(db: AsyncConnection, session_id: UUID, amount_fen: int | None, *, by: str, at: datetime) -> Fen:
    """Ask no more for so much of what a session owes, all of it if nothing is said; how much that was.

    Raises:
        SessionUnknownError, WaiverExceedsDueError: see there.
    """
    locked = select(ParkingSession.id).where(ParkingSession.id == session_id).with_for_update(key_share=True)
    if (await db.execute(locked)).first() is None:
        raise SessionUnknownError("there is no such session", session_id=str(session_id))
    balance = await balance_of(db, session_id)
    due_fen = balance.due_fen
    wanted = due_fen if amount_fen is None else amount_fen
    if wanted == 0 or wanted > due_fen:
        raise WaiverExceedsDueError(f"this session owes {due_fen} fen", due_fen=due_fen)
    key = f"waiver:{uuid4()}"
    entry = entries.give_up(
        key, "waiver", accounts.WAIVER, session_id=session_id, amount_fen=wanted, later=balance.later
    )
    await post(db, entry, source=by, at=at)
    return Fen(wanted)


async def fetch_refund(db: AsyncConnection, refund_id: UUID) -> RefundView:
    """One refund.

    Raises:
        RefundNotFoundError: there is none.
    """
    row = (await db.execute(_VIEW.where(Refund.id == refund_id))).mappings().first()
    if row is None:
        raise RefundNotFoundError("there is no such refund", refund_id=str(refund_id))
    return RefundView(**row)


async def list_refunds(
    db: AsyncConnection, *, status: str | None = None, payment_id: UUID | None = None, limit: int = 100
) -> list[RefundView]:
    """Refunds, newest first."""
    wanted: Select[Any] = _VIEW.order_by(Refund.created_at.desc(), Refund.id).limit(limit)
    if status is not None:
        wanted = wanted.where(Refund.status == status)
    if payment_id is not None:
        wanted = wanted.where(Refund.payment_id == payment_id)
    return [RefundView(**row) for row in (await db.execute(wanted)).mappings()]


async def _refuse_unpaid(db: AsyncConnection, payment_id: UUID) -> None:
    status = await db.scalar(select(Payment.status).where(Payment.id == payment_id))
    if status is None:
        raise PaymentNotFoundError("there is no such payment", payment_id=str(payment_id))
    if status != "paid":
        raise PaymentNotPaidError("this payment was not paid: nothing can be given back", status=status)


async def _announce(db: AsyncConnection, payment_id: UUID) -> None:
    await db.execute(select(func.pg_notify("parking_payment", str(payment_id))))


_VIEW: Final = select(
    Refund.id,
    Refund.payment_id,
    Payment.session_id,
    Refund.refund_no,
    Refund.amount_fen,
    Payment.received_fen,
    Payment.provider,
    Refund.cause,
    Refund.reason,
    Refund.requested_by,
    Refund.approved_by,
    Refund.status,
    Refund.why,
    select(JournalEntry.id)
    .where(JournalEntry.business_key == func.concat("payout:", Refund.id))
    .exists()
    .label("is_paid_out"),
    Refund.created_at,
    Refund.changed_at,
).join(Payment, Payment.id == Refund.payment_id)

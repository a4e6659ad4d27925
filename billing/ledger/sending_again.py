"""A refund that failed is tried once more, under its own number: the same decision, so never twice the money."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import accounts, entries
from billing.ledger.entries import Entry
from billing.ledger.journal import post
from billing.ledger.refunds import FAILED, fetch_currency, is_paid_out, lock_money
from core.errors import ConflictError
from core.tables import JournalEntry, Refund


class RefundIsNotOwedError(ConflictError):
    """Only what failed, and was not paid out by hand, can be tried again. Carries ``status``."""

    slug = "refund-not-failed"


async def send_again(db: AsyncConnection, refund_id: UUID, *, by: str, at: datetime) -> None:
    """Put a refund that failed on its way again; whoever sweeps sends it.

    Raises:
        RefundIsNotOwedError: see there.
    """
    payment_id = (await db.execute(select(Refund.payment_id).where(Refund.id == refund_id))).scalar_one()
    payment = await lock_money(db, payment_id)
    refund = (await db.execute(select(Refund.__table__).where(Refund.id == refund_id).with_for_update())).one()
    paid_out = await is_paid_out(db, refund_id)
    if refund.status not in FAILED or paid_out:
        status = "paid-out" if paid_out else refund.status
        raise RefundIsNotOwedError(f"this refund is {status}: there is nothing to try again", status=status)
    entry = entries.start_refund(
        refund_id,
        accounts.OVERPAID,
        payment_id=payment.id,
        session_id=payment.session_id,
        amount_fen=refund.amount_fen,
        currency=await fetch_currency(db, payment.id),
    )
    number = await _times(db, refund_id) + 1
    await post(db, _renamed(entry, f"{_again(refund_id)}{number}"), source=by, at=at)
    now = datetime.now(UTC)
    values = {"status": "requested", "why": None, "polls": 0, "poll_at": now, "changed_at": now}
    await db.execute(update(Refund).where(Refund.id == refund_id).values(values))


async def failure_of(db: AsyncConnection, refund_id: UUID, **about: Any) -> Entry | None:
    """The entry of a failure: of the first one, or of one more after it was tried again."""
    entry, times = entries.fail_refund(refund_id, **about), await _times(db, refund_id)
    return entry if times == 0 or entry is None else _renamed(entry, f"{entry.business_key}:{times}")


async def _times(db: AsyncConnection, refund_id: UUID) -> int:
    """How often it was tried again."""
    tried = select(func.count()).where(JournalEntry.business_key.startswith(_again(refund_id)))
    return int((await db.execute(tried)).scalar_one())


def _again(refund_id: UUID) -> str:
    return f"refund-again:{refund_id}:"


def _renamed(entry: Entry | None, business_key: str) -> Entry | None:
    return None if entry is None else replace(entry, business_key=business_key)

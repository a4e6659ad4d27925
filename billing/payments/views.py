"""A payment as it is shown, and how everybody who waits for it is told that it changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.payments.states import PaymentStatus, PublicStatus, public_status
from core.errors import NotFoundError
from core.money import Fen
from core.tables import Payment, Refund


class PaymentNotFoundError(NotFoundError):
    """No payment has this id. Carries ``payment_id``."""

    slug = "payment-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """What may be said of a payment to whoever has its id."""

    id: UUID
    session_id: UUID | None
    """None where it is for a pass, or for an arrear, whose payer is not told which stay that was."""
    provider: str
    channel: str
    amount_fen: Fen
    status: PublicStatus
    code_url: str | None
    pay_url: str | None
    bridge: Mapping[str, str] | None
    """Only while it may still be paid, like the two above."""
    created_at: datetime
    expires_at: datetime
    covers_to: datetime | None
    paid_at: datetime | None
    received_fen: Fen | None
    refunded_fen: Fen
    is_late: bool
    why: str | None


async def fetch_view(db: AsyncConnection, payment_id: UUID) -> PaymentView:
    """A payment as it stands.

    Raises:
        PaymentNotFoundError: there is none.
    """
    refunded = (
        select(func.coalesce(func.sum(Refund.amount_fen), 0))
        .where(Refund.payment_id == Payment.id, Refund.status == "succeeded")
        .scalar_subquery()
        .label("refunded_fen")
    )
    row = (await db.execute(select(*_SHOWN, refunded).where(Payment.id == payment_id))).first()
    if row is None:
        raise PaymentNotFoundError("no payment has this id", payment_id=str(payment_id))
    status = public_status(PaymentStatus(row.status), received_fen=row.received_fen, refunded_fen=int(row.refunded_fen))
    opened: dict[str, Any] = row.opened or {}
    if status not in {PublicStatus.PENDING, PublicStatus.UNKNOWN}:
        opened = {}
    return PaymentView(
        id=row.id,
        session_id=None if row.arrear_id else row.session_id,
        provider=row.provider,
        channel=row.channel,
        amount_fen=row.amount_fen,
        status=status,
        code_url=opened.get("code_url"),
        pay_url=opened.get("pay_url"),
        bridge=opened.get("bridge"),
        created_at=row.created_at,
        expires_at=row.expires_at,
        covers_to=row.covers_to,
        paid_at=row.paid_at,
        received_fen=row.received_fen,
        refunded_fen=Fen(int(row.refunded_fen)),
        is_late=row.late,
        why=row.why,
    )


async def announce(db: AsyncConnection, payment_id: UUID) -> None:
    """Tell whoever waits for a payment that it changed; heard when the transaction is committed."""
    await db.execute(select(func.pg_notify("parking_payment", str(payment_id))))


_SHOWN = (
    Payment.id,
    Payment.session_id,
    Payment.arrear_id,
    Payment.provider,
    Payment.channel,
    Payment.amount_fen,
    Payment.status,
    Payment.opened,
    Payment.created_at,
    Payment.expires_at,
    Payment.covers_to,
    Payment.paid_at,
    Payment.received_fen,
    Payment.late,
    Payment.why,
)

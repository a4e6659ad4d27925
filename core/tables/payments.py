"""What was asked of payment providers and what they said: the intent is written before the call."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Fen


class Payment(Base):
    """One attempt to collect money through one channel; whether it is money is said by the journal alone."""

    __tablename__ = "payment"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    purpose: Mapped[str]
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("parking_session.id"))
    """The stay whose money it is; also of an arrear, whose payer is not told which stay that was."""
    arrear_id: Mapped[UUID | None] = mapped_column(ForeignKey("arrear.id"))
    pass_order_id: Mapped[UUID | None] = mapped_column(ForeignKey("pass_order.id"))
    """Of a payment for a pass."""
    order_no: Mapped[str] = mapped_column(unique=True)
    """Our number of it at the provider."""
    provider: Mapped[str]
    channel: Mapped[str]
    amount_fen: Mapped[int] = mapped_column(Fen)
    tariff_version_id: Mapped[int | None] = mapped_column(ForeignKey("tariff_version.id"))
    quote: Mapped[dict[str, Any] | None]
    """The fee as facts (as on a bill) that was due when it was asked for."""
    covers_to: Mapped[datetime | None]
    """Until when that fee was counted."""
    status: Mapped[str]
    late: Mapped[bool] = mapped_column(server_default=text("false"))
    """Paid after we had closed it."""
    why: Mapped[str | None]
    """The provider's code of a failure."""
    asked: Mapped[dict[str, Any] | None]
    """The rest of the order as it was sent, for sending it again word for word; erased once the payment is final."""
    opened: Mapped[dict[str, Any] | None]
    """What the payer needs: ``code_url``, ``pay_url`` or ``bridge``."""
    transaction_id: Mapped[str | None]
    received_fen: Mapped[int | None] = mapped_column(Fen)
    paid_at: Mapped[datetime | None]
    """The provider's time."""
    device_key_id: Mapped[int | None] = mapped_column(ForeignKey("device_key.id"))
    """The kiosk it was asked for at."""
    again_of: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id"))
    """Nobody asked for this one: it is a further transaction of that payment's order, which was paid before."""
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    polls: Mapped[int] = mapped_column(server_default=text("0"))
    poll_at: Mapped[datetime | None]
    """When the provider is to be asked next, in real time; None: never again."""

    __table_args__ = (
        CheckConstraint("purpose IN ('stay', 'arrear', 'pass')", name="purpose"),
        CheckConstraint(
            "(purpose = 'pass') = (session_id IS NULL) AND (purpose = 'arrear') = (arrear_id IS NOT NULL)",
            name="is_for_what_it_says",
        ),
        CheckConstraint("(purpose = 'pass') = (pass_order_id IS NOT NULL)", name="a_pass_is_paid_for_by_its_order"),
        CheckConstraint("order_no ~ '^[A-Za-z0-9]{6,32}$'", name="order_no"),
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("received_fen > 0", name="received_fen"),
        CheckConstraint("status IN ('created', 'sent', 'unknown', 'paid', 'closed', 'failed')", name="status"),
        CheckConstraint(
            "(status = 'paid') = (paid_at IS NOT NULL AND transaction_id IS NOT NULL AND received_fen IS NOT NULL)",
            name="paid_is_known_whole",
        ),
        CheckConstraint("again_of IS NULL OR status = 'paid'", name="again_is_paid"),
        Index("payment_transaction_key", "provider", "transaction_id", unique=True),
        Index("payment_again_of_idx", "again_of", postgresql_where=text("again_of IS NOT NULL")),
        Index("payment_session_id_idx", "session_id"),
        Index("payment_arrear_id_idx", "arrear_id", postgresql_where=text("arrear_id IS NOT NULL")),
        Index("payment_pass_order_id_idx", "pass_order_id", postgresql_where=text("pass_order_id IS NOT NULL")),
        Index("payment_poll_idx", "poll_at", postgresql_where=text("poll_at IS NOT NULL")),
        Index("payment_created_at_idx", "created_at"),
    )


class Refund(Base):
    """Money that goes back: one decision, one number, however often it is sent."""

    __tablename__ = "refund"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"))
    refund_no: Mapped[str] = mapped_column(unique=True)
    amount_fen: Mapped[int] = mapped_column(Fen)
    cause: Mapped[str]
    reason: Mapped[str]
    """In a person's words, or ours."""
    requested_by: Mapped[str]
    approved_by: Mapped[str | None]
    status: Mapped[str]
    provider_refund_id: Mapped[str | None]
    why: Mapped[str | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    polls: Mapped[int] = mapped_column(server_default=text("0"))
    poll_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("refund_no ~ '^[A-Za-z0-9]{6,32}$'", name="refund_no"),
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("cause IN ('overpaid', 'correction', 'operator')", name="cause"),
        CheckConstraint(
            "status IN ('held', 'rejected', 'requested', 'accepted', 'succeeded', 'failed', 'abnormal')", name="status"
        ),
        Index("refund_payment_id_idx", "payment_id"),
        Index("refund_poll_idx", "poll_at", postgresql_where=text("poll_at IS NOT NULL")),
    )


class ProviderMessage(Base):
    """What a provider told us about money, verified, kept as it came but for what identifies a payer. Insert-only."""

    __tablename__ = "provider_message"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    provider: Mapped[str]
    source: Mapped[str]
    key: Mapped[str | None]
    """Of a notification: the same on each repetition."""
    order_no: Mapped[str]
    """Perhaps of no order we know: such a message waits here for a person."""
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id"))
    outcome: Mapped[str]
    facts: Mapped[dict[str, Any]]
    heard_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("source IN ('notification', 'query', 'close', 'bill', 'refund')", name="source"),
        Index("provider_message_key", "provider", "key", unique=True),
        Index("provider_message_order_no_idx", "order_no"),
        Index("provider_message_payment_id_idx", "payment_id"),
    )


class IdempotencyKey(Base):
    """What was answered to a request that may be repeated."""

    __tablename__ = "idempotency_key"

    scope: Mapped[str] = mapped_column(primary_key=True)
    """Who called what."""
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    """Of the request's body."""
    status: Mapped[int | None]
    """None while it is being answered for the first time."""
    body: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]

    __table_args__ = (Index("idempotency_key_created_at_idx", "created_at"),)

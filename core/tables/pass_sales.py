"""Passes sold online: what is offered, and who ordered it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Fen


class PassOffer(Base):
    """A pass as it is on sale: its terms never change; another price is another offer. Ended, never deleted."""

    __tablename__ = "pass_offer"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    lots: Mapped[list[Any]]
    """Their codes; none: everywhere."""
    windows: Mapped[list[Any]]
    """As in a notice's bands; none: always."""
    rest: Mapped[str]
    days: Mapped[int]
    price_fen: Mapped[int] = mapped_column(Fen)
    zone: Mapped[str]
    """On whose wall its days begin and end."""
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("code ~ '^[a-z0-9][a-z0-9_-]{0,47}$'", name="code"),
        CheckConstraint("rest IN ('fresh_tiers', 'clock_goes_on')", name="rest"),
        CheckConstraint("days BETWEEN 1 AND 3660", name="days"),
        CheckConstraint("price_fen > 0", name="price_fen"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        Index("pass_offer_code_key", "code", unique=True, postgresql_where=text("ended_at IS NULL")),
    )


class PassOrder(Base):
    """Somebody wants a pass for a plate: open until it is paid or runs out. Its payments say ``pass_order_id``."""

    __tablename__ = "pass_order"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    offer_id: Mapped[int] = mapped_column(ForeignKey("pass_offer.id"))
    plate_id: Mapped[UUID] = mapped_column(ForeignKey("plate.id"))
    begins_on: Mapped[date]
    status: Mapped[str]
    pass_id: Mapped[int | None] = mapped_column(ForeignKey("parking_pass.id"))
    """The pass that was made when it was paid."""
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id", use_alter=True, deferrable=True))
    """The payment that bought it."""
    days_earned: Mapped[int] = mapped_column(server_default=text("0"))
    """How many of its days have become revenue."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """In real time: money that comes later goes back."""

    __table_args__ = (
        CheckConstraint("status IN ('open', 'paid', 'closed', 'refunded')", name="status"),
        CheckConstraint(
            "(status IN ('paid', 'refunded')) = (pass_id IS NOT NULL AND payment_id IS NOT NULL)", name="bought"
        ),
        CheckConstraint("days_earned >= 0", name="days_earned"),
        Index(None, "plate_id"),
        Index("pass_order_pass_id_key", "pass_id", unique=True),
        Index("pass_order_earning_idx", "begins_on", postgresql_where=text("status = 'paid'")),
    )

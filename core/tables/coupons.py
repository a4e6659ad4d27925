"""Coupons and merchants' validations: issued once, on one stay at a time."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Fen


class CouponRow(Base):
    """A coupon: on no stay yet, or on exactly one. Withdrawn, never deleted."""

    __tablename__ = "coupon"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    value: Mapped[int]
    until: Mapped[datetime | None]
    bearer: Mapped[str]
    """Who pays for it; shown on the bill."""
    lots: Mapped[list[Any]]
    """Codes; none: everywhere."""
    valid_to: Mapped[datetime]
    after_payment: Mapped[bool] = mapped_column(server_default=text("true"))
    """Whether it may be given to a stay that is billed already: then the difference is paid back."""
    issued_by: Mapped[str]
    issued_at: Mapped[datetime]
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("parking_session.id"))
    attached_by: Mapped[str | None]
    attached_at: Mapped[datetime | None]
    worth_fen: Mapped[int] = mapped_column(Fen, server_default=text("0"))
    """What it has taken off by its stay's newest bill, and its bearer bears."""
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('minutes', 'free_until', 'percent', 'amount')", name="kind"),
        CheckConstraint("(kind = 'free_until') = (until IS NOT NULL)", name="until"),
        CheckConstraint("kind = 'free_until' OR value > 0", name="value"),
        CheckConstraint("kind <> 'percent' OR value <= 100", name="percent"),
        CheckConstraint(
            "(session_id IS NULL) = (attached_at IS NULL) AND (attached_at IS NULL) = (attached_by IS NULL)",
            name="attached",
        ),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name="withdrawn"),
        CheckConstraint("session_id IS NULL OR withdrawn_at IS NULL", name="either"),
        CheckConstraint("worth_fen >= 0", name="worth_fen"),
        Index(None, "session_id"),
        Index("coupon_bearer_idx", "bearer"),
    )

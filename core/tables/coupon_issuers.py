"""Who gives coupons: the operator's campaigns and merchants who pay for their customers."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Identity, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Fen


class CouponIssuer(Base):
    """Somebody who bears what coupons take off, up to a budget. Ended, never deleted."""

    __tablename__ = "coupon_issuer"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    """As it is shown on bills; coupons name it as their bearer."""
    is_merchant: Mapped[bool]
    """It owes us what its coupons take off; else it is given by the operator."""
    budget_fen: Mapped[int | None] = mapped_column(Fen)
    """None: without limit."""
    gives_kind: Mapped[str | None]
    gives_value: Mapped[int | None]
    """What one validation by its own key gives; none: it has no key."""
    lots: Mapped[list[Any]]
    """Where its validations count, by code; none: everywhere."""
    key_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    validations: Mapped[int] = mapped_column(server_default=text("0"))
    """How many it has given, for its own count."""

    __table_args__ = (
        CheckConstraint("budget_fen >= 0", name="budget_fen"),
        CheckConstraint("gives_kind IN ('minutes', 'percent', 'amount')", name="gives_kind"),
        CheckConstraint("gives_value > 0 AND (gives_kind <> 'percent' OR gives_value <= 100)", name="gives_value"),
        CheckConstraint(
            "(gives_kind IS NULL) = (gives_value IS NULL) AND (gives_kind IS NULL) = (key_digest IS NULL)",
            name="validates",
        ),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
    )

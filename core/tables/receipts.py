"""What a payer was given as proof: immutable, found by a number that nobody guesses."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class ReceiptRow(Base):
    """One receipt: of a payment, or of a stay that cost nothing. What went back since is not in it."""

    __tablename__ = "receipt"

    number: Mapped[str] = mapped_column(primary_key=True)
    """The day it was issued and ten random characters."""
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("parking_session.id"))
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id"), unique=True)
    """None: the stay cost nothing."""
    content: Mapped[dict[str, Any]]
    """Facts, not words: they are worded in the language they are read in."""
    issued_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("number ~ '^[0-9]{8}-[0-9A-HJKMNP-TV-Z]{10}$'", name="number"),
        CheckConstraint("session_id IS NOT NULL OR payment_id IS NOT NULL", name="of_something"),
        Index("receipt_session_id_idx", "session_id"),
        Index("receipt_free_stay_key", "session_id", unique=True, postgresql_where=text("payment_id IS NULL")),
    )

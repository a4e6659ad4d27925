"""Bills that a person has to look at before anything is made of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class BillHold(Base):
    """A bill on thin evidence: it may be paid, but becomes no arrears before somebody has released it."""

    __tablename__ = "bill_hold"

    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"), primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("parking_session.id"))
    reasons: Mapped[list[Any]]
    """``unsure``, ``late_arrival``, ``long_stay``, ``large_amount``."""
    held_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]
    release_reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(
            "(released_at IS NULL) = (released_by IS NULL) AND (released_at IS NULL) = (release_reason IS NULL)",
            name="released",
        ),
        Index(None, "session_id"),
        Index("bill_hold_held_idx", "held_at", postgresql_where=text("released_at IS NULL")),
    )

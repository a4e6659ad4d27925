"""What people decided about money that answers to nothing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Fen


class SuspenseDecision(Base):
    """One decision about the money of one entry in suspense: with a reason, an author, and perhaps a second person."""

    __tablename__ = "suspense_decision"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    entry_id: Mapped[int] = mapped_column(ForeignKey("journal_entry.id"))
    """By which the money came."""
    outcome: Mapped[str]
    """``stay``: it pays what its stay owes; ``paid-out``: it was given back from the bank."""
    amount_fen: Mapped[int] = mapped_column(Fen)
    """When it was asked for; what a decision moves is in the journal."""
    reason: Mapped[str]
    requested_by: Mapped[str]
    decided_by: Mapped[str | None]
    status: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("outcome IN ('stay', 'paid-out')", name="outcome"),
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("status IN ('held', 'rejected', 'done')", name="status"),
        Index("suspense_decision_entry_id_idx", "entry_id"),
    )

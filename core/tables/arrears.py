"""Debts that nobody paid in time. How much is owed is said by the journal alone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class Arrear(Base):
    """A stay that ended, was billed and not paid: of a vehicle that is known by evidence, or of nobody known."""

    __tablename__ = "arrear"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    """Told to whoever asks about a plate; it reveals no session."""
    session_id: Mapped[UUID] = mapped_column(ForeignKey("parking_session.id"), unique=True)
    plate_id: Mapped[UUID | None] = mapped_column(ForeignKey("plate.id"))
    """By a warden's or a camera's evidence; None: nobody knows who it was."""
    colour: Mapped[str | None]
    left_at: Mapped[datetime]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    """A person has to look at the stay, or it turned out to be none: nobody is asked for the money."""
    disputed_at: Mapped[datetime | None]
    dispute: Mapped[str | None]
    """In the words of whoever says that he owes nothing."""
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
    answer: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("(disputed_at IS NULL) = (dispute IS NULL)", name="dispute"),
        CheckConstraint(
            "(answered_at IS NULL) = (answered_by IS NULL) AND (answered_at IS NULL) = (answer IS NULL)", name="answer"
        ),
        Index("arrear_plate_id_idx", "plate_id", "left_at"),
        Index("arrear_left_at_idx", "left_at"),
    )

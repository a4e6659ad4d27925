"""Vehicles that pay nothing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class ExemptVehicle(Base):
    """A plate that is not charged, for a time, in some lots. Ended, never deleted."""

    __tablename__ = "exempt_vehicle"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    plate_id: Mapped[UUID] = mapped_column(ForeignKey("plate.id"))
    lots: Mapped[list[Any]]
    """Their codes; none: everywhere."""
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    reason: Mapped[str]
    """Shown on the bill."""
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("valid_to > valid_from", name="begins_before_it_ends"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        Index(None, "plate_id"),
    )

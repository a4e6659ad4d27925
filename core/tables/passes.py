"""Passes: time paid for in advance, for some plates, in some lots, at some hours."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Fen


class ParkingPass(Base):
    """A pass is valid for one vehicle at a time. Ended, never deleted."""

    __tablename__ = "parking_pass"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    lots: Mapped[list[Any]]
    """Their codes; none: everywhere."""
    windows: Mapped[list[Any]]
    """As in a notice's bands; none: always."""
    rest: Mapped[str]
    """What prices a stay's time after it: tiers from their beginning, or the clock from where it stood."""
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    price_fen: Mapped[int] = mapped_column(Fen)
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('monthly', 'off_peak')", name="kind"),
        CheckConstraint("rest IN ('fresh_tiers', 'clock_goes_on')", name="rest"),
        CheckConstraint("valid_to > valid_from", name="begins_before_it_ends"),
        CheckConstraint("price_fen >= 0", name="price_fen"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
    )


class PassPlate(Base):
    """One of the plates a pass is for."""

    __tablename__ = "pass_plate"

    pass_id: Mapped[int] = mapped_column(ForeignKey("parking_pass.id"), primary_key=True)
    plate_id: Mapped[UUID] = mapped_column(ForeignKey("plate.id"), primary_key=True)

    __table_args__ = (Index(None, "plate_id"),)

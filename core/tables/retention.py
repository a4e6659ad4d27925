"""What outlives dropped readings: the floor below which nothing is folded again, and where every fold stood there."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base
from core.tables.readings import kind_type, occupancy_type


class RefoldFloor(Base):
    """The refold floor: a single row.

    Whoever folds again, or stores a reading older than a day, holds this row (``FOR SHARE``) until its commit; whoever
    raises the floor changes it. So below the floor nothing moves any more, and it can be summed up and dropped.
    """

    __tablename__ = "refold_floor"

    only: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"), autoincrement=False)
    floor_at: Mapped[datetime] = mapped_column(server_default=text("'-infinity'"))
    """Readings before it change nothing; ``-infinity`` until readings are dropped for the first time."""

    __table_args__ = (CheckConstraint('"only"', name="only"),)


class FoldBase(Base):
    """Where a space's fold stood at a floor: all that dropped readings can still mean to later ones."""

    __tablename__ = "fold_base"

    space_id: Mapped[int] = mapped_column(ForeignKey("space.id"), primary_key=True, autoincrement=False)
    floor_at: Mapped[datetime]
    state: Mapped[dict[str, Any]] = mapped_column(JSON)
    """``core.session.FoldState`` as JSON; a space without a row begins with the initial one."""


class LateEvidence(Base):
    """A reading that came when its time was below the floor: kept once, changing nothing. Pruned by age."""

    __tablename__ = "late_evidence"

    sensor_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    observed_at: Mapped[datetime] = mapped_column(primary_key=True)
    boot: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    occupancy: Mapped[str] = mapped_column(occupancy_type, primary_key=True)
    kind: Mapped[str] = mapped_column(kind_type, primary_key=True)
    space_id: Mapped[int]
    received_at: Mapped[datetime]
    topic: Mapped[str]
    raw: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index(None, "received_at"),)

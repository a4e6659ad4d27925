"""Occupancy by the quarter of an hour, of each space and of each lot: hypertables by ``quarter_at``."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class SpaceQuarter(Base):
    """How one space was used in the quarter of an hour from ``quarter_at`` on. No row: nothing was heard.

    Time counts as occupied or free only while the space's sensor was heard; the rest of a quarter is unknown.
    """

    __tablename__ = "space_quarter"

    space_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    quarter_at: Mapped[datetime] = mapped_column(primary_key=True)
    occupied_ms: Mapped[int]
    heard_ms: Mapped[int]
    """At most 900 000; what was heard and not occupied was free."""
    begun: Mapped[int] = mapped_column(SmallInteger)
    """Sessions that began in it."""
    ended: Mapped[int] = mapped_column(SmallInteger)

    __table_args__ = (CheckConstraint("occupied_ms <= heard_ms", name="occupied_is_heard"),)


class LotQuarter(Base):
    """The sum of a lot's spaces in one quarter of an hour; it outlives the rows of the spaces."""

    __tablename__ = "lot_quarter"

    lot_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    quarter_at: Mapped[datetime] = mapped_column(primary_key=True)
    spaces: Mapped[int]
    """How many of its spaces were heard at all in it."""
    occupied_ms: Mapped[int] = mapped_column(BigInteger)
    heard_ms: Mapped[int] = mapped_column(BigInteger)
    begun: Mapped[int]
    ended: Mapped[int]

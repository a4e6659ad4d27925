"""Which days are worked, which are not, and on which nothing is charged by decree."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class CalendarDay(Base):
    """A date that is not simply its weekday, or that somebody decided about: that row no seed touches."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    """Which holiday it belongs to, in the notices' words."""
    source: Mapped[str]
    reason: Mapped[str | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("kind IN ('workday', 'rest', 'holiday')", name="kind"),
        CheckConstraint("source IN ('library', 'operator')", name="source"),
    )


class CalendarYear(Base):
    """A year whose official notice is in the table; a date in any other is priced by its weekday, with a mark."""

    __tablename__ = "calendar_year"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[str]
    changed_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("source IN ('library', 'operator')", name="source"),)


class FreeDecree(Base):
    """Days on which nothing is charged: in the county, in one lot, or under one notice. Ended, never deleted."""

    __tablename__ = "free_decree"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    """Included."""
    lot: Mapped[str | None]
    """A lot's code; none: every lot."""
    tariff: Mapped[str | None]
    """A notice's code; none: every notice."""
    reason: Mapped[str]
    """Shown on the bill."""
    decreed_by: Mapped[str]
    decreed_at: Mapped[datetime]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="begins_before_it_ends"),
        CheckConstraint("last_day - first_day < 366", name="length"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        Index("free_decree_last_day_idx", "last_day", postgresql_where=text("ended_at IS NULL")),
    )

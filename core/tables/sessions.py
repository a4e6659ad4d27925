"""One vehicle's visit to a space, for ever under one id (S4)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, literal_column, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base

TO_BILL = (
    "(status = 'ended' OR (status = 'void' AND billed_revision IS NOT NULL))"
    " AND billed_revision IS DISTINCT FROM revision"
)
"""Which sessions want a bill, or another one."""


class ParkingSession(Base):
    """A session is a function of the readings; ``revision`` rises whenever a refold changes it."""

    __tablename__ = "parking_session"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    space_id: Mapped[int] = mapped_column(ForeignKey("space.id"))
    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"))
    """The sensor whose reading began it."""
    status: Mapped[str]
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    begin_why: Mapped[str]
    end_why: Mapped[str | None]
    closed_gap_ms: Mapped[int] = mapped_column(server_default=text("0"))
    """How much of it is free gaps that were closed because the sensor flapped."""
    unsure: Mapped[bool] = mapped_column(server_default=text("false"))
    """Of an ended session; whether an open one is unsure depends on the present and is computed."""
    unsure_why: Mapped[str | None]
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    billed_revision: Mapped[int | None]
    """The revision its current bill was made for: billing finds its work where the two differ."""
    recorded_at: Mapped[datetime]
    """When its row was written first, on the installation's clock."""
    revised_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("status IN ('open', 'ended', 'void')", name="status"),
        CheckConstraint("status = 'void' OR (status = 'open') = (left_at IS NULL)", name="open_has_no_end"),
        CheckConstraint(
            "left_at > entered_at OR (status = 'void' AND left_at = entered_at)", name="begins_before_it_ends"
        ),
        CheckConstraint("begin_why IN ('change', 'heartbeat', 'repeated_change')", name="begin_why"),
        CheckConstraint("end_why IN ('change', 'last_occupied')", name="end_why"),
        CheckConstraint("revision >= 1", name="revision"),
        ExcludeConstraint(
            ("space_id", "="),
            (literal_column("tstzrange(entered_at, left_at)"), "&&"),
            name="parking_session_never_overlap",
            where=text("status <> 'void'"),
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("parking_session_open_idx", "space_id", postgresql_where=text("status = 'open'")),
        Index("parking_session_void_idx", "space_id", postgresql_where=text("status = 'void'")),
        Index("parking_session_to_bill_idx", "left_at", postgresql_where=text(TO_BILL)),
        Index("parking_session_space_id_entered_at_idx", "space_id", "entered_at"),
        Index("parking_session_entered_at_idx", "entered_at"),
    )

"""The sensor registry: which sensor watches which space, and when."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class Sensor(Base):
    """A sensor: its own id (free text, DevEUI in lower-case hex, IMEI), how to read it, how often it speaks."""

    __tablename__ = "sensor"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    """The ``sensor_id`` of topics and city files."""
    codec: Mapped[str] = mapped_column(server_default=text("'native'"))
    heartbeat_seconds: Mapped[int] = mapped_column(server_default=text("3600"))
    maker: Mapped[str | None]
    model: Mapped[str | None]
    battery_low_mv: Mapped[int | None]
    """Below so many millivolts its battery is low; unset: the limit of its model, or of the installation."""
    note: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint("heartbeat_seconds > 0", name="heartbeat"),
        CheckConstraint("battery_low_mv > 0", name="battery_low_mv"),
    )


class Assignment(Base):
    """A sensor watches one space during ``[from, to)``; sensors are swapped, history stays."""

    __tablename__ = "sensor_assignment"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"))
    space_id: Mapped[int] = mapped_column(ForeignKey("space.id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)

    __table_args__ = (
        ExcludeConstraint(
            ("sensor_id", "="),
            ("during", "&&"),
            name="sensor_assignment_one_space",
            deferrable=True,
            initially="DEFERRED",
        ),
        ExcludeConstraint(
            ("space_id", "="),
            ("during", "&&"),
            name="sensor_assignment_one_sensor",
            deferrable=True,
            initially="DEFERRED",
        ),
        CheckConstraint("NOT isempty(during)", name="not_empty"),
    )


class Reassignment(Base):
    """A sensor's assignments changed: its readings from an instant on are to be looked at again.

    Written with the change, done by ingest, because whoever folds is the only one who folds: stored readings move to
    the space their sensor watched after all, refused ones are taken in, and the sessions of all these spaces follow.
    """

    __tablename__ = "reassignment"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"))
    from_at: Mapped[datetime | None]
    """The earliest instant at which it watches something else than before; null: from ever."""
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    moved: Mapped[int] = mapped_column(server_default=text("0"))
    """Readings that went to another space."""
    taken_in: Mapped[int] = mapped_column(server_default=text("0"))
    """Readings that had been refused and are stored now."""
    set_aside: Mapped[int] = mapped_column(server_default=text("0"))
    """Readings that are refused now: their sensor watched no space then."""

    __table_args__ = (
        Index(None, "sensor_id"),
        Index("reassignment_pending_idx", "id", postgresql_where=text("done_at IS NULL")),
    )

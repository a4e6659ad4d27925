"""The sensor registry: which sensor watches which space, and when."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, func, text
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
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (CheckConstraint("heartbeat_seconds > 0", name="heartbeat"),)


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

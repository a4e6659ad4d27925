"""What decided about sessions before somebody changed it; triggers write the rows, whoever makes the change."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class PastLotRules(Base):
    """A lot's shortest stay and gap as they were until then."""

    __tablename__ = "past_lot_rules"

    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    until: Mapped[datetime] = mapped_column(primary_key=True)
    min_stay_seconds: Mapped[int]
    min_gap_seconds: Mapped[int]


class PastSensorRhythm(Base):
    """How often a sensor was to be heard until then; three times that is silence."""

    __tablename__ = "past_sensor_rhythm"

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"), primary_key=True)
    until: Mapped[datetime] = mapped_column(primary_key=True)
    heartbeat_seconds: Mapped[int]

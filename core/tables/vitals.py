"""How sensors are doing: what each said of itself last, that over time (a hypertable), and the verdicts on it."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base

VERDICTS = "('silent', 'never-heard', 'stuck', 'flapping', 'late', 'low-battery', 'online')"


class SensorState(Base):
    """The newest of everything a sensor says of itself; a late message never moves it back."""

    __tablename__ = "sensor_state"

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"), primary_key=True, autoincrement=False)
    last_heard_at: Mapped[datetime]
    """When its newest reading was received, exact to a twentieth of its heartbeat and to a minute."""
    observed_at: Mapped[datetime]
    """Event time of the newest of the values below."""
    boot: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    battery_mv: Mapped[int | None]
    battery_pct: Mapped[int | None] = mapped_column(SmallInteger)
    battery_low: Mapped[bool | None]
    rssi_dbm: Mapped[int | None] = mapped_column(SmallInteger)
    temperature_c: Mapped[float | None]
    firmware: Mapped[str | None]


class SensorTelemetry(Base):
    """What a sensor said of itself over time, thinned. A hypertable by ``observed_at``, one chunk a week."""

    __tablename__ = "sensor_telemetry"

    sensor_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    observed_at: Mapped[datetime] = mapped_column(primary_key=True)
    battery_mv: Mapped[int | None]
    battery_pct: Mapped[int | None] = mapped_column(SmallInteger)
    battery_low: Mapped[bool | None]
    rssi_dbm: Mapped[int | None] = mapped_column(SmallInteger)
    temperature_c: Mapped[float | None]
    firmware: Mapped[str | None]


class SensorVerdict(Base):
    """A verdict on a sensor, from when it began to hold until it ceased to."""

    __tablename__ = "sensor_verdict"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"))
    verdict: Mapped[str]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"verdict IN {VERDICTS}", name="verdict"),
        CheckConstraint("ended_at >= began_at", name="begins_before_it_ends"),
        Index(
            "sensor_verdict_holds_idx", "sensor_id", "verdict", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
        Index("sensor_verdict_sensor_id_began_at_idx", "sensor_id", "began_at"),
    )

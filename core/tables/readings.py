"""What sensors said: readings (a hypertable), what could not be read, and where each space stands now."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import ENUM
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base

occupancy_type = ENUM("occupied", "free", "unknown", name="occupancy", create_type=False)
kind_type = ENUM("boot", "change", "heartbeat", "report", name="reading_kind", create_type=False)


class ReadingRow(Base):
    """An accepted reading, once (R1). A hypertable by ``observed_at``, one chunk a week.

    No foreign key leaves it: locks on the referenced tables deadlock when a chunk is made. One index serves identity
    and refolding: readings of a space are found through the sensors that ever watched it.
    """

    __tablename__ = "reading"

    sensor_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    observed_at: Mapped[datetime] = mapped_column(primary_key=True)
    boot: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    occupancy: Mapped[str] = mapped_column(occupancy_type, primary_key=True)
    """``unknown`` when the message says nothing about the space."""
    kind: Mapped[str] = mapped_column(kind_type, primary_key=True)
    space_id: Mapped[int]
    """The space its sensor watched at ``observed_at``."""
    received_at: Mapped[datetime]
    """When we first received it."""
    topic: Mapped[str]
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    """The message as it came, so that it can be decoded again."""
    battery_mv: Mapped[int | None]
    rssi_dbm: Mapped[int | None] = mapped_column(SmallInteger)
    temperature_c: Mapped[float | None]


class UplinkFrame(Base):
    """A LoRaWAN frame already stored, whatever event time a second server gave it. Pruned by age."""

    __tablename__ = "uplink_frame"

    sensor_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    frame_session: Mapped[str] = mapped_column(primary_key=True)
    f_cnt: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    observed_at: Mapped[datetime]

    __table_args__ = (Index(None, "observed_at"),)


class RefusalRow(Base):
    """Bytes that make no reading, kept once with the reason and how often they came (R2)."""

    __tablename__ = "refusal"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """SHA-256 of topic, reason and payload: the same refusal again only raises ``times``."""
    reason: Mapped[str]
    detail: Mapped[str]
    topic: Mapped[str]
    sensor: Mapped[str | None]
    """The sensor it claims to come from."""
    observed_at: Mapped[datetime | None]
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    payload_bytes: Mapped[int]
    """The length as received; ``payload`` keeps the first part of a very long one."""
    first_received_at: Mapped[datetime]
    last_received_at: Mapped[datetime]
    times: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    resolved_at: Mapped[datetime | None]
    """When a replay turned it into a reading after all."""

    __table_args__ = (Index(None, "last_received_at"), Index(None, "sensor"))


class SpaceState(Base):
    """Where a space stands now: the live map reads it, and the fold goes on from it after a restart."""

    __tablename__ = "space_state"

    space_id: Mapped[int] = mapped_column(ForeignKey("space.id"), primary_key=True, autoincrement=False)
    occupancy: Mapped[str] = mapped_column(occupancy_type, server_default=text("'unknown'"))
    changed_at: Mapped[datetime | None]
    """Event time of the last change."""
    last_heard_at: Mapped[datetime | None]
    """When the newest message of any kind was received: trust is judged by this."""
    last_occupied_at: Mapped[datetime | None]
    """Event time of the last reading that said occupied: where an unheard stay's fee stands still."""
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Raised by every write; a writer that expected another version has been overtaken."""
    fold: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """``core.session.FoldState`` as JSON."""
    roll_up_from: Mapped[datetime | None]
    """From then on its use by the quarter of an hour is to be computed again; every write lowers it."""
    written_xid: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Transaction of the last write, by which readers find what is new."""

    __table_args__ = (CheckConstraint("version >= 0", name="version"),)

"""Who parked, at rest: a plate is ciphertext plus keyed search tokens (P1), evidence is a row with source and trust."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class PlateRow(Base):
    """A number plate nobody can read without the key, found by tokens that only the key can make."""

    __tablename__ = "plate"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    key_number: Mapped[int] = mapped_column(SmallInteger)
    """Which key encrypted it and made its tokens."""
    exact_token: Mapped[bytes] = mapped_column(LargeBinary)
    last4_token: Mapped[bytes] = mapped_column(LargeBinary)
    last5_token: Mapped[bytes] = mapped_column(LargeBinary)
    skeleton_token: Mapped[bytes] = mapped_column(LargeBinary)
    """Of the plate with look-alike characters (0/D/Q, 8/B, 2/Z ...) made equal."""
    first_seen_at: Mapped[datetime]
    erase_at: Mapped[datetime | None]

    __table_args__ = (
        Index("plate_exact_token_key", "key_number", "exact_token", unique=True),
        Index(None, "last4_token"),
        Index(None, "last5_token"),
        Index(None, "skeleton_token"),
    )


class PlateEvidence(Base):
    """Somebody or something says that this plate stood in that session. The best evidence wins, the others stay."""

    __tablename__ = "plate_evidence"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    session_id: Mapped[UUID] = mapped_column(ForeignKey("parking_session.id"))
    plate_id: Mapped[UUID] = mapped_column(ForeignKey("plate.id"))
    source: Mapped[str]
    colour: Mapped[str | None]
    confidence_percent: Mapped[int | None] = mapped_column(SmallInteger)
    observed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str | None]
    photo: Mapped[str | None]
    """Name of the photo, which is kept outside the database."""

    __table_args__ = (
        CheckConstraint("source IN ('warden', 'camera', 'claim')", name="source"),
        CheckConstraint("confidence_percent BETWEEN 0 AND 100", name="confidence"),
        Index(None, "session_id"),
        Index(None, "plate_id"),
    )

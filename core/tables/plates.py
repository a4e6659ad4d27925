"""Who parked, at rest: a plate is ciphertext plus keyed search tokens (P1), evidence is a row with source and trust."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, LargeBinary, SmallInteger, func, text
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
    erased_at: Mapped[datetime | None]
    """From then on its ciphertext is empty, its tokens are random and nobody can read or find it; the row stays."""

    __table_args__ = (
        Index("plate_exact_token_key", "key_number", "exact_token", unique=True),
        Index(None, "last4_token"),
        Index(None, "last5_token"),
        Index(None, "skeleton_token"),
    )


SURE_FROM_PERCENT: Final = 90
"""A camera that is less sure than this helps to look, and never makes anybody owe anything."""


class PlateEvidence(Base):
    """Somebody or something says that this plate stood there. The best evidence of a session wins, the others stay."""

    __tablename__ = "plate_evidence"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("parking_session.id"))
    """The session it belongs to as far as is known now; None: no session of the space was seen at that time yet."""
    space_id: Mapped[int | None] = mapped_column(ForeignKey("space.id"))
    """Where it was seen; None for a claim, which is about a session, and not about a place and a time."""
    plate_id: Mapped[UUID] = mapped_column(ForeignKey("plate.id"))
    source: Mapped[str]
    colour: Mapped[str | None]
    confidence_percent: Mapped[int | None] = mapped_column(SmallInteger)
    """Of a camera: how sure it says it is."""
    is_sure: Mapped[bool] = mapped_column(
        Computed(f"source = 'warden' OR (source = 'camera' AND coalesce(confidence_percent, 0) >= {SURE_FROM_PERCENT})")
    )
    """Whether it alone may identify the vehicle: a person saw it, or a camera that read it clearly."""
    observed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str | None]
    photo: Mapped[str | None]
    """Name of the photo, which is kept outside the database."""
    photo_erased_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("session_id IS NOT NULL OR space_id IS NOT NULL", name="somewhere"),
        CheckConstraint("source IN ('warden', 'camera', 'claim')", name="source"),
        CheckConstraint("confidence_percent BETWEEN 0 AND 100", name="confidence"),
        Index(None, "session_id"),
        Index(None, "plate_id"),
        Index("plate_evidence_unplaced_idx", "observed_at", postgresql_where=text("session_id IS NULL")),
        Index("plate_evidence_photo_idx", "recorded_at", postgresql_where=text("photo IS NOT NULL")),
        Index(
            "plate_evidence_seen_once_key",
            "space_id",
            "plate_id",
            "observed_at",
            "recorded_by",
            unique=True,
            postgresql_where=text("source <> 'claim' AND space_id IS NOT NULL"),
        ),
    )

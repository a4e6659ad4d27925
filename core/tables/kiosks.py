"""What payment kiosks looked for, and what they told us of themselves."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class KioskFind(Base):
    """One search at a kiosk and what it led to; times are real ones. A match still to be confirmed is a choice."""

    __tablename__ = "kiosk_find"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    """Of a choice: all that the kiosk is told."""
    device_key_id: Mapped[int] = mapped_column(ForeignKey("device_key.id"))
    by: Mapped[str]
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("parking_session.id"))
    """None: nothing was found."""
    found_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    """From then on, for a while, this kiosk may show the session and take money for it."""
    wrong: Mapped[int] = mapped_column(server_default=text("0"))
    """How often somebody chose it and did not know the rest."""

    __table_args__ = (
        CheckConstraint("by IN ('space', 'plate', 'code')", name="by"),
        CheckConstraint("confirmed_at IS NULL OR session_id IS NOT NULL", name="confirmed"),
        CheckConstraint("wrong >= 0", name="wrong"),
        Index("kiosk_find_device_key_id_idx", "device_key_id", "found_at"),
        Index("kiosk_find_found_at_idx", "found_at"),
    )


class KioskEvent(Base):
    """What happened at a kiosk while it may have been alone; numbered by the kiosk, kept once."""

    __tablename__ = "kiosk_event"

    device_key_id: Mapped[int] = mapped_column(ForeignKey("device_key.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    """By the kiosk's clock, which may be wrong."""
    kind: Mapped[str]
    detail: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("seq > 0", name="seq"),
        CheckConstraint("kind IN ('printer-empty', 'offline', 'online', 'reset', 'help', 'error')", name="kind"),
    )

"""Who may do what, and the trace it leaves."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base


class Operator(Base):
    """A person with a login and one role."""

    __tablename__ = "operator"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]
    """argon2id."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    disabled_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("role IN ('admin', 'operator', 'warden', 'finance')", name="role"),)


class Login(Base):
    """One browser that is logged in; the cookie itself is not stored, only its digest."""

    __tablename__ = "login"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    __table_args__ = (Index(None, "operator_id"), Index(None, "expires_at"))


class DeviceKey(Base):
    """A kiosk's or platform's key: shown once, stored as a digest, revocable."""

    __tablename__ = "device_key"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    """Where a kiosk stands, if it stands in a lot."""

    __table_args__ = (CheckConstraint("kind IN ('kiosk', 'uplink', 'camera')", name="kind"),)


class Audit(Base):
    """A change of money or rights: who, when, what, before and after. Insert-only (a trigger refuses the rest)."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    """``operator:<login>``, ``device:<id>``, ``command`` or a process's name."""
    action: Mapped[str]
    subject: Mapped[str]
    """``kind:id`` of what was changed."""
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    request_id: Mapped[str | None]

    __table_args__ = (Index(None, "subject"), Index(None, "at"))

"""Price notices and what stays cost by them. Both are immutable: a correction is a new row."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Fen


class Tariff(Base):
    """A price notice by its code, which lots refer to."""

    __tablename__ = "tariff"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)


class TariffVersion(Base):
    """One published version of a notice: immutable (a trigger refuses changes).

    In force at an instant is the highest version whose ``[valid_from, valid_to)`` contains it, so a correction is a
    further version and nothing published is ever touched.
    """

    __tablename__ = "tariff_version"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariff.id"))
    version: Mapped[int]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    document: Mapped[dict[str, Any]]
    published_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        UniqueConstraint("tariff_id", "version"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("valid_to > valid_from", name="begins_before_it_ends"),
    )


class Bill(Base):
    """What a session costs at one of its revisions: immutable; a correction names the bill it replaces.

    A session's bills form one chain: one first bill, each replaced at most once. The one that nothing replaces is the
    current one, so there is never more than one (B1). It keeps what it was computed from (B2).
    """

    __tablename__ = "bill"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    session_id: Mapped[UUID] = mapped_column(ForeignKey("parking_session.id"))
    session_revision: Mapped[int]
    replaces_id: Mapped[UUID | None]
    tariff_version_id: Mapped[int | None] = mapped_column(ForeignKey("tariff_version.id"))
    """None only for a void session's bill of 0."""
    total_fen: Mapped[int] = mapped_column(Fen)
    fee: Mapped[dict[str, Any]]
    """Lines as facts, and the inputs: entered, left, zone, vehicle, calendar days used, engine version."""
    issued_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("total_fen >= 0", name="total_fen"),
        CheckConstraint("session_revision >= 1", name="session_revision"),
        UniqueConstraint("id", "session_id"),
        UniqueConstraint("replaces_id"),
        UniqueConstraint("session_id", "session_revision"),
        ForeignKeyConstraint(["replaces_id", "session_id"], ["bill.id", "bill.session_id"], name="bill_replaces_fkey"),
        Index("bill_one_first", "session_id", unique=True, postgresql_where="replaces_id IS NULL"),
    )

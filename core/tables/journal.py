"""The journal: double entry, insert-only, balanced entry by entry. Paid and due are sums over it and stored nowhere."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Fen


class JournalEntry(Base):
    """Something that happened to money, once: its business key says what."""

    __tablename__ = "journal_entry"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    posted_at: Mapped[datetime]
    business_key: Mapped[str] = mapped_column(unique=True)
    """Such as ``bill:<id>`` or ``payment:wechat:<transaction>``."""
    kind: Mapped[str]
    source: Mapped[str]
    """Which path it came by: ``worker``, ``notification``, ``query``, ``bill``, ``operator:<login>`` ..."""
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("journal_entry.id"), unique=True)

    __table_args__ = (Index("journal_entry_posted_at_idx", "posted_at"),)


class JournalLine(Base):
    """One side of an entry."""

    __tablename__ = "journal_line"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("journal_entry.id"))
    account: Mapped[str]
    debit_fen: Mapped[int] = mapped_column(Fen, server_default=text("0"))
    credit_fen: Mapped[int] = mapped_column(Fen, server_default=text("0"))
    currency: Mapped[str] = mapped_column(server_default="CNY")
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("parking_session.id"))
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id"))

    __table_args__ = (
        CheckConstraint(
            "debit_fen >= 0 AND credit_fen >= 0 AND (debit_fen = 0) <> (credit_fen = 0)", name="one_side_above_zero"
        ),
        Index("journal_line_entry_id_idx", "entry_id"),
        Index("journal_line_account_idx", "account"),
        Index("journal_line_session_id_idx", "session_id", postgresql_where=text("session_id IS NOT NULL")),
        Index("journal_line_payment_id_idx", "payment_id", postgresql_where=text("payment_id IS NOT NULL")),
    )


class JournalDigest(Base):
    """A fingerprint of all entries up to the end of a day, so that a change of the past would show."""

    __tablename__ = "journal_digest"

    day: Mapped[date] = mapped_column(primary_key=True)
    last_entry_id: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """Over the digest of the day before and every entry since, in order."""
    made_at: Mapped[datetime]

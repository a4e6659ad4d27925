"""The daily close: what the providers' bills said, and how each day's three books agreed."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from core.tables.base import Base, Fen


class ProviderBillRow(Base):
    """A provider's bill of one day, imported whole or not at all. Insert-only."""

    __tablename__ = "provider_bill"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    provider: Mapped[str]
    day: Mapped[date]
    """Of the provider's own calendar."""
    paid_fen: Mapped[int] = mapped_column(Fen)
    refunded_fen: Mapped[int] = mapped_column(Fen)
    fee_fen: Mapped[int] = mapped_column(Fen)
    """What the provider keeps; what it gives back of it is taken off."""
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """Of its lines, so that another bill for the same day is noticed."""
    imported_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("paid_fen >= 0 AND refunded_fen >= 0", name="sums"),
        Index("provider_bill_day_key", "provider", "day", unique=True),
    )


class ProviderBillLine(Base):
    """One payment or refund on it. Insert-only."""

    __tablename__ = "provider_bill_line"

    bill_id: Mapped[int] = mapped_column(ForeignKey("provider_bill.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    order_no: Mapped[str]
    transaction_id: Mapped[str]
    refund_no: Mapped[str | None]
    """None: a payment."""
    amount_fen: Mapped[int] = mapped_column(Fen)
    fee_fen: Mapped[int] = mapped_column(Fen)
    at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        Index("provider_bill_line_transaction_id_idx", "transaction_id"),
        Index("provider_bill_line_refund_no_idx", "refund_no"),
    )


class DayClose(Base):
    """How a day stood when it was closed. A day may be closed again; the newest row counts. Insert-only."""

    __tablename__ = "day_close"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    provider: Mapped[str]
    day: Mapped[date]
    outcome: Mapped[str]
    """``balanced``, ``explained`` (every difference has a cause that needs nobody) or ``open``."""
    sums: Mapped[dict[str, Any]]
    """Paid, refunded and fee by each of the three books, in fen."""
    differences: Mapped[list[Any]]
    closed_at: Mapped[datetime]
    closed_by: Mapped[str]

    __table_args__ = (
        CheckConstraint("outcome IN ('balanced', 'explained', 'open')", name="outcome"),
        Index("day_close_day_idx", "day", "provider", "id"),
    )

"""Our side of a day: orders, refunds, and what the journal booked for each."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.closing.matching import A_DAY, Books, Movement, key_of
from billing.ledger import accounts
from billing.providers.port import BillLine
from core.money import Fen
from core.tables import JournalEntry, JournalLine, Payment, ProviderBillLine, ProviderBillRow, Refund


async def load_books(
    db: AsyncConnection,
    provider: str,
    day: date,
    bill: Sequence[BillLine],
    *,
    zone: ZoneInfo,
    booked_now: frozenset[str] = frozenset(),
) -> Books:
    """All that is to be compared for one provider's day."""
    begin, end = (datetime.combine(one, time(), tzinfo=zone) for one in (day - A_DAY, day + A_DAY))
    named = [key_of(line) for line in bill]
    payments = await db.execute(_payments(provider, begin, end, named))
    refunds = await db.execute(_refunds(provider, begin, end, named))
    ours = [_movement(row, "payment") for row in payments] + [_movement(row, "refund") for row in refunds]
    days = await _days_with_bills(db, provider)
    return Books(
        day=day,
        zone=zone,
        ours=ours,
        bill=bill,
        billed=await _billed(db, provider, [one.key for one in ours]),
        has_bill_before=day - A_DAY in days,
        has_bill_after=day + A_DAY in days,
        booked_now=booked_now,
    )


def _payments(provider: str, begin: datetime, end: datetime, named: Sequence[str]) -> Select[Any]:
    booked = (
        select(func.coalesce(func.sum(JournalLine.debit_fen), 0))
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(
            JournalLine.payment_id == Payment.id,
            JournalLine.account == accounts.clearing(provider),
            JournalEntry.kind == "payment",
        )
        .scalar_subquery()
    )
    return select(
        Payment.transaction_id.label("key"),
        Payment.order_no,
        Payment.received_fen.label("order_fen"),
        booked.label("journal_fen"),
        Payment.paid_at.label("at"),
    ).where(
        Payment.provider == provider,
        Payment.status == "paid",
        or_(and_(Payment.paid_at >= begin, Payment.paid_at < end), Payment.transaction_id.in_(named)),
    )


def _refunds(provider: str, begin: datetime, end: datetime, named: Sequence[str]) -> Select[Any]:
    booked = (
        select(func.coalesce(func.sum(JournalLine.credit_fen), 0))
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(
            JournalEntry.business_key == func.concat("refund-done:", Refund.id),
            JournalLine.account == accounts.clearing(provider),
        )
        .scalar_subquery()
    )
    return (
        select(
            Refund.refund_no.label("key"),
            Payment.order_no,
            Refund.amount_fen.label("order_fen"),
            booked.label("journal_fen"),
            Refund.changed_at.label("at"),
        )
        .join(Payment, Payment.id == Refund.payment_id)
        .where(
            Payment.provider == provider,
            Refund.status == "succeeded",
            or_(and_(Refund.changed_at >= begin, Refund.changed_at < end), Refund.refund_no.in_(named)),
        )
    )


def _movement(row: Any, kind: Any) -> Movement:
    return Movement(
        kind=kind,
        key=row.key,
        order_no=row.order_no,
        order_fen=Fen(int(row.order_fen)),
        journal_fen=Fen(int(row.journal_fen)),
        at=row.at,
    )


async def _days_with_bills(db: AsyncConnection, provider: str) -> set[date]:
    days = select(ProviderBillRow.day).where(ProviderBillRow.provider == provider)
    return set((await db.execute(days)).scalars())


async def _billed(db: AsyncConnection, provider: str, keys: Sequence[str]) -> dict[str, date]:
    key = func.coalesce(ProviderBillLine.refund_no, ProviderBillLine.transaction_id)
    query = (
        select(key.label("key"), ProviderBillRow.day)
        .join(ProviderBillRow, ProviderBillRow.id == ProviderBillLine.bill_id)
        .where(ProviderBillRow.provider == provider)
        .where(or_(ProviderBillLine.transaction_id.in_(keys), ProviderBillLine.refund_no.in_(keys)))
    )
    return {row.key: row.day for row in await db.execute(query)}

"""Closing a day: fetch its bill, book what was missed, compare, and write down how it stands.

Safe to repeat: the bill is stored once, a booking has its business key, and a further close is a further row of which
the newest counts.
"""

from datetime import date, datetime, time, timedelta
from typing import Any, Final

import structlog
from prometheus_client import Counter
from sqlalchemy import Row, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.closing.books import load_books
from billing.closing.importing import find_bill, import_bill
from billing.closing.matching import Closed, Difference, compare, key_of, missing_here, outcome_of, sums_of
from billing.ledger import accounts
from billing.ledger.booking import UnknownOrderError, book_payment, book_refund
from billing.ledger.entries import Entry, Line, payment_key
from billing.ledger.journal import post
from billing.payments.till import Till, real_now
from billing.providers.calendar import PROVIDERS_ZONE
from billing.providers.port import (
    BillLine,
    BillNotReadyError,
    OrderStatus,
    ProviderBill,
    ProviderRefusedError,
    RefundStatus,
)
from core.clock import rfc3339
from core.tables import DayClose, ProviderMessage

log = structlog.get_logger()

EMPTY_IS_BELIEVED: Final = timedelta(days=3)
"""After the day's begin: from then on a bill without a line is taken as it is, and what it lacks is an alarm."""
PAID: Final = frozenset({OrderStatus.PAID, OrderStatus.REFUNDED})

differences_found = Counter("parking_close_differences", "Differences found by the daily close", ["provider", "cause"])


async def close_day(till: Till, provider: str, day: date, *, by: str) -> Closed:
    """Close one provider's day.

    Args:
        till: see there.
        provider: its name.
        day: of the provider's own calendar, over.
        by: ``worker``, ``command`` or ``operator:<login>``.

    Raises:
        BillNotReadyError: there is no bill yet, or it was cut short: nothing of it is used.
        BillChangedError: there is another one than before.
        ProviderUnavailableError: no answer.
    """
    at = till.clock.now()
    bill = await _bill(till, provider, day, at)
    async with till.database.transaction() as db:
        books = await load_books(db, provider, day, bill.lines, zone=PROVIDERS_ZONE)
    booked_now = {
        key_of(line) for line in missing_here(books.ours, bill.lines) if await _book(till, provider, line, at)
    }
    async with till.database.transaction() as db:
        books = await load_books(db, provider, day, bill.lines, zone=PROVIDERS_ZONE, booked_now=frozenset(booked_now))
        found = compare(books)
        closed = Closed(
            provider=provider,
            day=day,
            outcome=outcome_of(found),
            sums=sums_of(books),
            differences=found,
            closed_at=at,
            closed_by=by,
        )
        await db.execute(insert(DayClose).values(_row(closed)))
    _tell(closed)
    return closed


async def fetch_close(db: AsyncConnection, day: date) -> list[Closed]:
    """How each provider's day stands by its newest close, by name; empty where it was never closed."""
    newest = (
        select(DayClose.__table__)
        .where(DayClose.day == day)
        .distinct(DayClose.provider)
        .order_by(DayClose.provider, DayClose.id.desc())
    )
    return [_closed(row) for row in await db.execute(newest)]


async def list_closes(db: AsyncConnection, *, limit: int) -> list[Closed]:
    """The newest close of each provider's day, the newest day first."""
    newest = (
        select(DayClose.__table__)
        .distinct(DayClose.day, DayClose.provider)
        .order_by(DayClose.day.desc(), DayClose.provider, DayClose.id.desc())
        .limit(limit)
    )
    return [_closed(row) for row in await db.execute(newest)]


async def _bill(till: Till, provider: str, day: date, at: datetime) -> ProviderBill:
    """The stored bill, else the provider's, stored now."""
    async with till.database.transaction() as db:
        stored = await find_bill(db, provider, day)
    if stored is not None:
        return stored
    bill = await till.provider(provider).fetch_bill(day)
    async with till.database.transaction() as db:
        if not bill.lines and real_now() < datetime.combine(day + EMPTY_IS_BELIEVED, time(), tzinfo=PROVIDERS_ZONE):
            await _refuse_if_we_sold(db, provider, day)
        await import_bill(db, provider, day, bill, at=at)
    return bill


async def _refuse_if_we_sold(db: AsyncConnection, provider: str, day: date) -> None:
    """An empty bill of a day on which we were paid is more likely late than true, and once stored it would count."""
    books = await load_books(db, provider, day, (), zone=PROVIDERS_ZONE)
    if any(sums_of(books)["orders"].values()):
        raise BillNotReadyError(f"{provider} has an empty bill of {day}, and we were paid that day: asked again later")


async def _book(till: Till, provider: str, line: BillLine, at: datetime) -> bool:
    """Book what the bill has and we have not, if the provider confirms it; whether it is known here now."""
    try:
        if line.refund_no is None:
            return await _book_payment(till, provider, line, at)
        return await _book_refund(till, provider, line, line.refund_no, at)
    except UnknownOrderError:
        await _keep_in_suspense(till, provider, line, at)
        return False
    except ProviderRefusedError as error:
        log.warning("close.denied", provider=provider, order_no=line.order_no, code=error.facts.get("code"))
        return False


async def _book_payment(till: Till, provider: str, line: BillLine, at: datetime) -> bool:
    state = await till.provider(provider).query(line.order_no)
    if state.status not in PAID or state.transaction_id != line.transaction_id:
        return False
    async with till.database.transaction() as db:
        booked = await book_payment(db, state, provider=provider, source="bill", at=at)
    log.warning("payment.booked_by_bill", provider=provider, payment_id=str(booked.payment_id))
    return booked.new


async def _book_refund(till: Till, provider: str, line: BillLine, refund_no: str, at: datetime) -> bool:
    state = await till.provider(provider).query_refund(line.order_no, refund_no)
    if state.status is not RefundStatus.SUCCEEDED:
        return False
    async with till.database.transaction() as db:
        await book_refund(db, state, provider=provider, source="bill", at=at)
    return True


async def _keep_in_suspense(till: Till, provider: str, line: BillLine, at: datetime) -> None:
    """Money for an order that is none of ours: it did arrive, so it is in the books, and waits for a person."""
    async with till.database.transaction() as db:
        if line.refund_no is None:
            amounts = ((accounts.clearing(provider), line.amount_fen), (accounts.SUSPENSE, -line.amount_fen))
            lines = tuple(Line.of(account, signed, session_id=None) for account, signed in amounts)
            key = payment_key(provider, line.transaction_id)
            await post(db, Entry(business_key=key, kind="unknown-payment", lines=lines), source="bill", at=at)
        message = upsert(ProviderMessage).values(
            provider=provider,
            source="bill",
            key=f"bill:{key_of(line)}",
            order_no=line.order_no,
            payment_id=None,
            outcome="unknown-order",
            facts={
                "transaction_id": line.transaction_id,
                "refund_no": line.refund_no,
                "amount_fen": line.amount_fen,
                "at": rfc3339(line.at),
            },
            heard_at=real_now(),
        )
        await db.execute(message.on_conflict_do_nothing(index_elements=["provider", "key"]))


def _tell(closed: Closed) -> None:
    for one in closed.differences:
        differences_found.labels(closed.provider, str(one.cause)).inc()
        if not one.is_explained:
            log.error(
                "close.difference",
                provider=closed.provider,
                day=closed.day.isoformat(),
                cause=str(one.cause),
                key=one.key,
                bill_fen=one.bill_fen,
                order_fen=one.order_fen,
                journal_fen=one.journal_fen,
            )
    log.info(
        "day.closed",
        provider=closed.provider,
        day=closed.day.isoformat(),
        outcome=closed.outcome,
        differences=len(closed.differences),
    )


def _closed(row: Row[Any]) -> Closed:
    return Closed(
        provider=row.provider,
        day=row.day,
        outcome=row.outcome,
        sums=row.sums,
        differences=tuple(Difference.from_json(one) for one in row.differences),
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )


def _row(closed: Closed) -> dict[str, Any]:
    return {
        "provider": closed.provider,
        "day": closed.day,
        "outcome": closed.outcome,
        "sums": closed.sums,
        "differences": [one.to_json() for one in closed.differences],
        "closed_at": closed.closed_at,
        "closed_by": closed.closed_by,
    }

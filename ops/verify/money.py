"""People's payments and the books of a live installation: read, compared, and asked whether their invariants hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger.invariants import INVARIANTS
from billing.ledger.totals import totals_of
from core.clock import instant, rfc3339
from ops.verify.payments import Received, compare_payments, ways
from ops.verify.report import Difference, Payments, Why
from simulator.drivers.told import PaymentLine, read_payments
from simulator.orders import Carried

OF_THE_BOOKS: Final = tuple(one for one in INVARIANTS if one.number not in {"I10", "I12"})
"""Those two are about time that passes: at a clock sixty times as fast ten minutes are ten seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Where the people of a simulated city tell what they did."""

    drivers: Path
    orders: Path | None = None
    """Of visitors who park by the map."""


async def compare_money(
    db: AsyncConnection, people: People, told: Mapping[str, PaymentLine], *, now: datetime
) -> tuple[Payments, list[Difference]]:
    """Hold what people say they paid against what is stored, and ask the books.

    Args:
        db: a transaction; ``REPEATABLE READ`` gives one picture of all.
        people: where they tell.
        told: what they had told when the comparison began; what they pay meanwhile may still be on its way.
        now: on the installation's clock.

    Raises:
        InvalidError: a file of theirs cannot be read.
    """
    stored = await _fetch_payments(db)
    known = read_payments(people.drivers)
    visited = _visited(people.orders)
    found = list(compare_payments(told, stored, known=known.keys(), visited=visited))
    broken = await broken_books(db, now=now)
    found += [_of_books(f"{number}: {holds}; broken by {offender}") for number, holds, offender in broken]
    totals = await totals_of(db)
    if not totals.is_whole:
        found.append(_of_books(f"{totals.received_fen} fen were received, {totals.found_fen} are found"))
    paid = [line for line in told.values() if line.state == "paid"]
    by_nobody_told = [one for one in stored if one.status == "paid" and one.payment_id not in known]
    return (
        Payments(
            told=len(paid),
            told_fen=sum(line.amount_fen for line in paid),
            cut_off=len(told) - len(paid),
            visitors=sum((one.space, one.entered_at) in visited for one in by_nobody_told),
            ways=tuple(ways(told, stored)),
            received_fen=totals.received_fen,
            charged_fen=totals.charged_fen,
            due_fen=totals.due_fen,
            broken=tuple(number for number, *_ in broken),
        ),
        found,
    )


async def broken_books(db: AsyncConnection, *, now: datetime) -> Sequence[tuple[str, str, str]]:
    """Of the invariants that do not hold: number, what should be, and the first offender."""
    parameters = {"now": now, "real_now": datetime.now(UTC)}
    asked = [(one, (await db.execute(text(one.broken_by), parameters)).first()) for one in OF_THE_BOOKS]
    return [(one.number, one.holds, f"{row.what} ({row.why})") for one, row in asked if row is not None]


async def _fetch_payments(db: AsyncConnection) -> list[Received]:
    return [
        Received(
            payment_id=str(row.id),
            purpose=row.purpose,
            session_id=None if row.session_id is None else str(row.session_id),
            space=row.space,
            entered_at=None if row.entered_at is None else rfc3339(row.entered_at),
            channel=row.channel,
            status=row.status,
            amount_fen=row.amount_fen,
            received_fen=row.received_fen,
            bookings=row.bookings,
            booked_fen=int(row.booked_fen),
        )
        for row in await db.execute(_PAYMENTS)
    ]


def _visited(orders: Path | None) -> set[tuple[str, str]]:
    """Spaces and begins of visitors' stays; a torn last line is left out."""
    if orders is None or not orders.exists():
        return set()
    lines = orders.read_bytes()
    whole = lines[: lines.rfind(b"\n") + 1].splitlines()
    carried = (msgspec.json.decode(line, type=Carried) for line in whole)
    return {(one.space, rfc3339(instant(one.at_ms))) for one in carried if one.verb == "park"}


def _of_books(detail: str) -> Difference:
    return Difference(why=Why.BOOKS, space=None, session_id=None, entered_at=None, detail=detail)


_PAYMENTS: Final = text(
    r"""
    WITH booked AS (
        SELECT payment_id, count(DISTINCT entry_id) AS bookings, sum(debit_fen) AS fen
        FROM journal_line JOIN journal_entry ON journal_entry.id = entry_id
        WHERE kind = 'payment' AND account LIKE 'provider\:%' AND debit_fen > 0 GROUP BY payment_id
    )
    SELECT payment.id, payment.purpose, payment.session_id, space.code AS space, entered_at, channel, payment.status,
           amount_fen, received_fen, coalesce(bookings, 0) AS bookings, coalesce(booked.fen, 0) AS booked_fen
    FROM payment LEFT JOIN parking_session ON parking_session.id = payment.session_id
        LEFT JOIN space ON space.id = parking_session.space_id
        LEFT JOIN booked ON booked.payment_id = payment.id
    ORDER BY payment.created_at
    """
)

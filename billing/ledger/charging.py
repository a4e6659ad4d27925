"""Bills become debts: posted in the transaction that writes them, so no bill is ever without its entry."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import entries
from billing.ledger.accounts import OVERPAID, SUSPENSE
from billing.ledger.balances import NOTHING_YET, balances_of
from billing.ledger.exits import allowance_fen, exit_by_of
from billing.ledger.journal import post_all
from billing.ledger.refunds import refund_overpaid
from core.tables import JournalLine, Lot, ParkingSession, Payment, Space


async def charge_bills(db: AsyncConnection, bills: Sequence[Mapping[str, Any]], *, at: datetime) -> None:
    """Charge each bill's session what the bill says; the caller holds the sessions' rows.

    A correction moves only the difference. Who had paid and left in time is charged no more than what the payment
    covered; what was paid too much is given back.
    """
    session_ids = [bill["session_id"] for bill in bills]
    balances = await balances_of(db, session_ids)
    places = await _places(db, session_ids)
    covered = await _covered(db, [one for one in session_ids if one in balances])
    posted = [
        entries.charge(
            f"bill:{bill['id']}",
            bill["session_id"],
            places[bill["session_id"]].code,
            balances.get(bill["session_id"], NOTHING_YET).stand,
            total_fen=bill["total_fen"],
            exit_window_fen=_allowance(bill, places[bill["session_id"]].left_at, covered.get(bill["session_id"])),
        )
        for bill in bills
    ]
    await post_all(db, posted, source="worker", at=at)
    for bill, entry in zip(bills, posted, strict=True):
        if entry is not None and any(line.account == OVERPAID for line in entry.lines):
            await refund_overpaid(db, bill["session_id"], cause="correction", reason="the fee was corrected", at=at)


def _allowance(bill: Mapping[str, Any], left_at: datetime | None, covered: Any) -> int:
    if covered is None or left_at is None or bill["total_fen"] == 0:
        return 0
    return allowance_fen(
        total_fen=bill["total_fen"],
        covered_fen=int(covered.quote["total_fen"]),
        left_at=left_at,
        exit_by=exit_by_of(covered.covers_to, int(covered.quote.get("exit_window_minutes", 0))),
    )


async def _places(db: AsyncConnection, session_ids: Sequence[UUID]) -> dict[UUID, Any]:
    query = (
        select(ParkingSession.id, ParkingSession.left_at, Lot.code)
        .join(Space, Space.id == ParkingSession.space_id)
        .join(Lot, Lot.id == Space.lot_id)
        .where(ParkingSession.id.in_(session_ids))
    )
    return {row.id: row for row in await db.execute(query)}


async def _covered(db: AsyncConnection, session_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Of each session the payment that covers it longest, among those that brought what was asked for."""
    if not session_ids:
        return {}
    odd = JournalLine.account == SUSPENSE
    query = (
        select(Payment.session_id, Payment.covers_to, Payment.quote)
        .where(Payment.session_id.in_(session_ids), Payment.status == "paid")
        .where(Payment.received_fen == Payment.amount_fen, Payment.quote.is_not(None))
        .where(~select(JournalLine.id).where(JournalLine.payment_id == Payment.id, odd).exists())
        .order_by(Payment.session_id, Payment.covers_to.desc())
        .distinct(Payment.session_id)
    )
    return {row.session_id: row for row in await db.execute(query)}

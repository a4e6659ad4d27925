"""What is still to be paid for a session, and until when its vehicle may leave: the fee held against the journal."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger.accounts import SUSPENSE
from billing.ledger.balances import SessionBalance, balance_of
from billing.ledger.exits import exit_by_of
from billing.standing import Standing
from core.money import Fen
from core.tables import JournalLine, Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Owing:
    """Where a session stands with its money."""

    paid_fen: Fen
    due_fen: Fen
    exit_by: datetime | None
    """Leaving by then costs nothing more; None: nothing was paid, or the notice knows no such window."""


async def owing_of(db: AsyncConnection, standing: Standing) -> Owing:
    """What a session owes as it stands."""
    balance = await balance_of(db, standing.session_id)
    covered_to = await _covered_to(db, standing.session_id)
    exit_by = exit_by_of(covered_to, standing.exit_window_minutes)
    return Owing(paid_fen=Fen(balance.paid_fen), due_fen=due_of(standing, balance, exit_by), exit_by=exit_by)


def due_of(standing: Standing, balance: SessionBalance, exit_by: datetime | None) -> Fen:
    """What is open: the journal's own answer once the session is billed, else the fee less what is settled of it.

    Within the exit window nothing is added to what was charged when it was paid for. The window itself is free to
    whoever leaves within it; who stays longer pays for all of it.
    """
    if standing.is_billed or (exit_by is not None and standing.counted_to <= exit_by):
        return Fen(balance.due_fen)
    settled = balance.charged_fen - balance.due_fen
    return Fen(max(0, standing.total_fen - settled))


async def _covered_to(db: AsyncConnection, session_id: UUID) -> datetime | None:
    """Of the payments that brought what was asked for; one that went to suspense (amount, currency) covers nothing."""
    odd = select(JournalLine.id).where(JournalLine.payment_id == Payment.id, JournalLine.account == SUSPENSE).exists()
    paid = select(func.max(Payment.covers_to)).where(Payment.session_id == session_id, Payment.status == "paid", ~odd)
    covered_to: datetime | None = (await db.execute(paid)).scalar_one()
    return covered_to

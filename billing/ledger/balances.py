"""What the journal says of a session: sums over its lines, stored nowhere else."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import accounts
from billing.ledger.entries import CNY, Later, Stand
from core.money import Fen
from core.tables import JournalLine


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionBalance:
    """A session's money, all in fen."""

    charged_fen: Fen
    exit_window_fen: Fen
    """Not asked for, as the vehicle left in time."""
    given_up: Mapping[str, int]
    """Not asked for by account: waived, written off, or given back though it was owed."""
    due_fen: Fen
    """In whichever account it is owed."""
    overpaid_fen: Fen
    """To be given back, and not yet on its way."""
    later: Later = ()
    """Of the due, by account: what was not paid in time."""

    @property
    def allowed_fen(self) -> Fen:
        """All of the charged that is not asked for."""
        return Fen(self.exit_window_fen + sum(self.given_up.values()))

    @property
    def paid_fen(self) -> Fen:
        """Money that settles the fee: what goes back, or answers to nothing, is not in it."""
        return Fen(self.charged_fen - self.allowed_fen - self.due_fen)

    @property
    def stand(self) -> Stand:
        """As the entries want it."""
        return Stand(
            charged_fen=self.charged_fen,
            exit_window_fen=self.exit_window_fen,
            due_fen=self.due_fen,
            later=self.later,
            given_up=tuple(self.given_up.items()),
        )


NOTHING_YET: Final = SessionBalance(
    charged_fen=Fen(0), exit_window_fen=Fen(0), given_up={}, due_fen=Fen(0), overpaid_fen=Fen(0)
)


async def balance_of(db: AsyncConnection, session_id: UUID) -> SessionBalance:
    """One session's balance; all 0 where nothing ever moved."""
    return (await balances_of(db, [session_id])).get(session_id, NOTHING_YET)


async def balances_of(db: AsyncConnection, session_ids: Sequence[UUID]) -> dict[UUID, SessionBalance]:
    """The balances of those sessions for which anything ever moved."""
    if not session_ids:
        return {}
    sums: dict[UUID, dict[str, int]] = defaultdict(dict)
    for row in await db.execute(_SUMS.where(JournalLine.session_id.in_(session_ids))):
        sums[row.session_id][row.account] = int(row.debit_fen)
    return {session_id: _balance(accounts_of) for session_id, accounts_of in sums.items()}


def _balance(debits: Mapping[str, int]) -> SessionBalance:
    """From the balance of each account, debits less credits."""
    return SessionBalance(
        charged_fen=Fen(-sum(fen for account, fen in debits.items() if account.startswith(accounts.REVENUE))),
        exit_window_fen=Fen(debits.get(accounts.EXIT_WINDOW, 0)),
        given_up={account: debits.get(account, 0) for account in accounts.GIVEN_UP},
        due_fen=Fen(sum(debits.get(account, 0) for account in (accounts.RECEIVABLE, *accounts.LATER))),
        later=tuple((account, debits[account]) for account in accounts.LATER if debits.get(account)),
        overpaid_fen=Fen(-debits.get(accounts.OVERPAID, 0)),
    )


_SUMS = (
    select(
        JournalLine.session_id,
        JournalLine.account,
        func.sum(JournalLine.debit_fen - JournalLine.credit_fen).label("debit_fen"),
    )
    .where(JournalLine.currency == CNY)
    .group_by(JournalLine.session_id, JournalLine.account)
)

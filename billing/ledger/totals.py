"""Where all money is: of everything that was ever received each fen is in exactly one place."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.money import Fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over the whole installation, in fen; other currencies than the yuan are not in them."""

    received_fen: Fen
    """By the payments themselves, not by the journal, like what was refunded: so that the sum proves something."""
    settled_fen: Fen
    """Of stays that owe nothing more."""
    part_paid_fen: Fen
    """Of stays that still owe something."""
    passes_fen: Fen
    """Of what is bought without a stay."""
    suspense_fen: Fen
    overpaid_fen: Fen
    """To be given back by a person, as a refund of it failed."""
    on_its_way_fen: Fen
    refunded_fen: Fen
    """By the providers, and by hand from the bank."""
    charged_fen: Fen
    due_fen: Fen

    @property
    def paid_fen(self) -> Fen:
        """What settles fees of stays."""
        return Fen(self.settled_fen + self.part_paid_fen)

    @property
    def found_fen(self) -> Fen:
        """The sum of all places."""
        held_fen = self.suspense_fen + self.overpaid_fen + self.on_its_way_fen
        return Fen(self.paid_fen + self.passes_fen + held_fen + self.refunded_fen)

    @property
    def is_whole(self) -> bool:
        """Whether each fen that was received is somewhere, and none is in two places."""
        return self.found_fen == self.received_fen


async def totals_of(db: AsyncConnection) -> Totals:
    """Sum it all up; one pass over the journal."""
    return Totals(**{name: Fen(int(value)) for name, value in (await db.execute(_TOTALS)).mappings().one().items()})


_TOTALS: Final = text(
    r"""
    WITH stays AS (
        -- what is charged, given up and owed; what is left of it was paid
        SELECT session_id, sum(credit_fen - debit_fen) AS paid,
               coalesce(sum(debit_fen - credit_fen) FILTER (WHERE account LIKE 'receivable\:%'), 0) AS due,
               coalesce(sum(credit_fen - debit_fen) FILTER (WHERE account LIKE 'revenue\:%'), 0) AS charged
        FROM journal_line
        WHERE currency = 'CNY' AND account NOT LIKE 'provider\:%' AND account NOT IN ('bank', 'fee\:provider',
            'overpaid', 'suspense', 'refund\:pending', 'receivable\:returned-twice')
        GROUP BY session_id
    ), of_stays AS (
        SELECT sum(paid) FILTER (WHERE session_id IS NOT NULL AND due = 0) AS settled,
               sum(paid) FILTER (WHERE session_id IS NOT NULL AND due <> 0) AS part_paid,
               sum(paid) FILTER (WHERE session_id IS NULL) AS passes,
               sum(charged) FILTER (WHERE session_id IS NOT NULL) AS charged,
               sum(due) AS due
        FROM stays
    ), held AS (
        SELECT sum(credit_fen - debit_fen) FILTER (WHERE account = 'suspense') AS suspense,
               sum(credit_fen - debit_fen) FILTER (WHERE account = 'overpaid') AS overpaid,
               sum(credit_fen - debit_fen) FILTER (WHERE account = 'refund\:pending') AS on_its_way,
               sum(debit_fen - credit_fen) FILTER (WHERE account = 'receivable\:returned-twice') AS returned_twice,
               sum(credit_fen) FILTER (WHERE account = 'bank' AND kind IN ('payout', 'suspense-paid-out')) AS by_hand,
               sum(debit_fen) FILTER (WHERE account LIKE 'provider\:%' AND kind = 'unknown-payment') AS unasked
        FROM journal_line JOIN journal_entry ON journal_entry.id = entry_id WHERE currency = 'CNY'
    ), foreign_money AS (
        SELECT DISTINCT payment_id FROM journal_line WHERE currency <> 'CNY' AND payment_id IS NOT NULL
    ), came AS (
        SELECT sum(received_fen) AS received FROM payment
        WHERE status = 'paid' AND id NOT IN (SELECT payment_id FROM foreign_money)
    ), went AS (
        SELECT sum(amount_fen) AS refunded FROM refund
        WHERE status = 'succeeded' AND payment_id NOT IN (SELECT payment_id FROM foreign_money)
    )
    SELECT coalesce(received, 0) + coalesce(unasked, 0) AS received_fen, coalesce(settled, 0) AS settled_fen,
           coalesce(part_paid, 0) AS part_paid_fen, coalesce(passes, 0) AS passes_fen,
           coalesce(suspense, 0) AS suspense_fen, coalesce(overpaid, 0) AS overpaid_fen,
           coalesce(on_its_way, 0) AS on_its_way_fen,
           coalesce(refunded, 0) + coalesce(by_hand, 0) - coalesce(returned_twice, 0) AS refunded_fen,
           coalesce(charged, 0) AS charged_fen, coalesce(due, 0) AS due_fen
    FROM of_stays, held, came, went
    """
)

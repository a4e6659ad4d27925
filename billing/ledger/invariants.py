"""What always holds in the books, as one question each: an answer with rows is a fault. Pure.

I1 to I12, in the numbering of ``docs/ledger.md``. Each statement returns ``what`` (the offender) and ``why`` (figures).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """One of them."""

    number: str
    holds: str
    """In words, as it is printed."""
    broken_by: str
    """SQL; ``:now`` is the present on the installation's clock, ``:real_now`` the real one."""


INVARIANTS: Final = (
    Invariant(
        number="I1",
        holds="each entry balances, in each currency",
        broken_by="""
            SELECT 'entry ' || entry_id AS what, 'debits less credits: ' || sum(debit_fen - credit_fen) AS why
            FROM journal_line GROUP BY entry_id, currency HAVING sum(debit_fen) <> sum(credit_fen)
            UNION ALL
            SELECT 'entry ' || id, 'no lines' FROM journal_entry
            WHERE NOT EXISTS (SELECT FROM journal_line WHERE entry_id = journal_entry.id)
        """,
    ),
    Invariant(
        number="I2",
        holds="the trial balance is zero",
        broken_by="""
            SELECT currency AS what, 'off by ' || sum(debit_fen - credit_fen) AS why
            FROM journal_line GROUP BY currency HAVING sum(debit_fen - credit_fen) <> 0
        """,
    ),
    Invariant(
        number="I3",
        holds="each payment received is booked once, each booking is of a payment received",
        broken_by="""
            SELECT 'payment ' || payment.id AS what, count(entry.id) || ' bookings' AS why
            FROM payment LEFT JOIN journal_entry AS entry
                ON entry.business_key = 'payment:' || payment.provider || ':' || payment.transaction_id
            WHERE payment.status = 'paid' GROUP BY payment.id HAVING count(entry.id) <> 1
            UNION ALL
            SELECT 'entry ' || entry.id, 'books a payment that was not received'
            FROM journal_entry AS entry JOIN journal_line AS line ON line.entry_id = entry.id
            LEFT JOIN payment ON payment.id = line.payment_id
            WHERE entry.kind = 'payment' AND payment.status IS DISTINCT FROM 'paid'
        """,
    ),
    Invariant(
        number="I4",
        holds="each event is posted once",
        broken_by="""
            SELECT business_key AS what, count(*) || ' entries' AS why
            FROM journal_entry GROUP BY business_key HAVING count(*) > 1
        """,
    ),
    Invariant(
        number="I5",
        holds="of no payment more goes back than came",
        broken_by="""
            SELECT 'payment ' || payment.id AS what,
                   sum(refund.amount_fen) || ' of ' || coalesce(payment.received_fen, 0) AS why
            FROM payment JOIN refund ON refund.payment_id = payment.id
            WHERE refund.status IN ('held', 'requested', 'accepted', 'succeeded')
            GROUP BY payment.id HAVING sum(refund.amount_fen) > coalesce(payment.received_fen, 0)
        """,
    ),
    Invariant(
        number="I6",
        holds="each billed stay is charged exactly what its current bill says",
        broken_by="""
            WITH charged AS (
                SELECT session_id, sum(credit_fen - debit_fen) AS fen FROM journal_line
                WHERE account LIKE 'revenue:%' GROUP BY session_id
            )
            SELECT 'session ' || bill.session_id AS what,
                   'charged ' || coalesce(charged.fen, 0) || ', billed ' || bill.total_fen AS why
            FROM current_bill AS bill LEFT JOIN charged ON charged.session_id = bill.session_id
            WHERE coalesce(charged.fen, 0) <> bill.total_fen
        """,
    ),
    Invariant(
        number="I7",
        holds="no stay owes less than nothing, and nothing is both owed and overpaid",
        broken_by="""
            WITH sums AS (
                SELECT session_id,
                       coalesce(sum(debit_fen - credit_fen) FILTER (WHERE account = 'receivable:stay'), 0) AS due,
                       coalesce(sum(credit_fen - debit_fen) FILTER (WHERE account = 'overpaid'), 0) AS overpaid
                FROM journal_line WHERE session_id IS NOT NULL GROUP BY session_id
            )
            SELECT 'session ' || session_id AS what, 'due ' || due || ', overpaid ' || overpaid AS why
            FROM sums WHERE due < 0 OR overpaid < 0
        """,
    ),
    Invariant(
        number="I9",
        holds="what each provider holds for us is what it received less what it gave back and paid out",
        broken_by="""
            WITH books AS (
                SELECT split_part(account, ':', 2) AS provider, sum(debit_fen - credit_fen) AS fen
                FROM journal_line JOIN journal_entry AS entry ON entry.id = entry_id
                WHERE split_part(account, ':', 3) = 'clearing' AND entry.kind IN ('payment', 'refund-done') GROUP BY 1
            ), orders AS (
                SELECT payment.provider, sum(payment.received_fen) - coalesce(sum(back.fen), 0) AS fen
                FROM payment LEFT JOIN (
                    SELECT payment_id, sum(amount_fen) AS fen FROM refund WHERE status = 'succeeded' GROUP BY 1
                ) AS back ON back.payment_id = payment.id
                WHERE payment.status = 'paid' GROUP BY 1
            )
            SELECT coalesce(books.provider, orders.provider) AS what,
                   'books ' || coalesce(books.fen, 0) || ', orders ' || coalesce(orders.fen, 0) AS why
            FROM books FULL JOIN orders ON orders.provider = books.provider
            WHERE coalesce(books.fen, 0) <> coalesce(orders.fen, 0)
            UNION ALL
            SELECT 'refund:pending', 'books ' || books.fen || ', refunds under way ' || under_way.fen
            FROM (SELECT coalesce(sum(credit_fen - debit_fen), 0) AS fen FROM journal_line
                  WHERE account = 'refund:pending') AS books,
                 (SELECT coalesce(sum(amount_fen), 0) AS fen FROM refund
                  WHERE status IN ('requested', 'accepted')) AS under_way
            WHERE books.fen <> under_way.fen
        """,
    ),
    Invariant(
        number="I10",
        holds="every attempt to collect money that is older than a day has come to its end",
        broken_by="""
            SELECT 'payment ' || id AS what, status || ' since ' || changed_at AS why FROM payment
            WHERE status IN ('created', 'sent', 'unknown')
                AND created_at < CAST(:real_now AS timestamptz) - interval '24 hours'
        """,
    ),
    Invariant(
        number="I12",
        holds="every stay that ended is billed: none is in limbo",
        broken_by="""
            SELECT 'session ' || id AS what, 'ended ' || left_at || ', revised ' || revised_at AS why
            FROM parking_session
            WHERE status = 'ended' AND billed_revision IS DISTINCT FROM revision
                AND greatest(left_at, revised_at) < CAST(:now AS timestamptz) - interval '10 minutes'
        """,
    ),
)
"""I8 (nothing was ever changed) and I11 (bills compute again) need more than a statement: see ``checking``."""

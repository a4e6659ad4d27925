"""What holds of the journal by itself. Pure."""

from typing import Final

from billing.ledger.invariants.shape import Invariant

BALANCED: Final = Invariant(
    number="I1",
    holds="each entry has lines, and balances in each currency",
    broken_by="""
        SELECT 'entry ' || entry_id AS what,
               'debits less credits: ' || sum(debit_fen - credit_fen) || ' ' || currency AS why
        FROM journal_line GROUP BY entry_id, currency HAVING sum(debit_fen) <> sum(credit_fen)
        UNION ALL
        SELECT 'entry ' || id, 'no lines' FROM journal_entry
        WHERE NOT EXISTS (SELECT FROM journal_line WHERE entry_id = journal_entry.id)
    """,
)

TRIAL_BALANCE: Final = Invariant(
    number="I2",
    holds="over all accounts the debits are the credits, in each currency",
    broken_by="""
        SELECT currency AS what, 'off by ' || sum(debit_fen - credit_fen) AS why
        FROM journal_line GROUP BY currency HAVING sum(debit_fen - credit_fen) <> 0
    """,
)

POSTED_ONCE: Final = Invariant(
    number="I4",
    holds="each event is posted once, and each step that a refund has taken is posted",
    broken_by="""
        SELECT business_key AS what, count(*) || ' entries' AS why
        FROM journal_entry GROUP BY business_key HAVING count(*) > 1
        UNION ALL
        SELECT 'refund ' || refund.id, status || ', begun: ' || begun || ', done: ' || done || ', failed: ' || failed
        FROM refund CROSS JOIN LATERAL (
            SELECT EXISTS (SELECT FROM journal_entry WHERE business_key = 'refund:' || refund.id) AS begun,
                   EXISTS (SELECT FROM journal_entry WHERE business_key = 'refund-done:' || refund.id) AS done,
                   EXISTS (SELECT FROM journal_entry WHERE business_key = 'refund-failed:' || refund.id) AS failed
        ) AS posted
        WHERE begun <> (status NOT IN ('held', 'rejected')) OR done <> (status = 'succeeded')
            OR (status IN ('failed', 'abnormal') AND NOT failed)
    """,
)

IMMUTABLE: Final = Invariant(
    number="I8",
    holds="nothing that was posted was ever changed: the triggers that refuse it are in force, the daily seals hold",
    broken_by="""
        SELECT 'table ' || wanted.table_name AS what, 'its trigger ' || wanted.name || ' is off or missing' AS why
        FROM (VALUES ('journal_entry', 'journal_entry_is_immutable'), ('journal_line', 'journal_line_is_immutable'),
                     ('journal_entry', 'journal_entry_balances'), ('journal_line', 'journal_line_balances'),
                     ('journal_digest', 'journal_digest_is_immutable')) AS wanted (table_name, name)
        WHERE NOT EXISTS (
            SELECT FROM pg_trigger
            WHERE tgrelid = to_regclass(wanted.table_name) AND tgname = wanted.name AND tgenabled IN ('O', 'A')
        )
    """,
)

"""What holds of each stay's money. Pure."""

from typing import Final

from billing.ledger.invariants.shape import Invariant

CHARGED_AS_BILLED: Final = Invariant(
    number="I6",
    holds="each billed stay is charged exactly what its current bill says; one without a bill, no more than was asked"
    " for when it was paid",
    broken_by="""
        WITH charged AS (
            SELECT session_id, sum(credit_fen - debit_fen) AS fen FROM journal_line
            WHERE account LIKE 'revenue:%' AND session_id IS NOT NULL GROUP BY session_id
        ), asked AS (
            SELECT session_id, max(coalesce((quote ->> 'total_fen')::bigint, amount_fen)) AS fen FROM payment
            WHERE status = 'paid' AND again_of IS NULL GROUP BY session_id
        )
        SELECT 'session ' || bill.session_id AS what,
               'charged ' || coalesce(charged.fen, 0) || ', billed ' || bill.total_fen AS why
        FROM current_bill AS bill LEFT JOIN charged ON charged.session_id = bill.session_id
        WHERE coalesce(charged.fen, 0) <> bill.total_fen
        UNION ALL
        SELECT 'session ' || charged.session_id,
               'charged ' || charged.fen || ' without a bill, asked for ' || coalesce(asked.fen, 0)
        FROM charged LEFT JOIN asked ON asked.session_id = charged.session_id
        WHERE NOT EXISTS (SELECT FROM bill WHERE bill.session_id = charged.session_id)
            AND charged.fen > coalesce(asked.fen, 0)
    """,
)

NONE_BELOW_NOTHING: Final = Invariant(
    number="I7",
    holds="nothing that a stay owes, that was given up, that is overpaid, in suspense or on its way back is below"
    " nothing; what is overpaid is what refunds that failed have a claim on, to the fen",
    broken_by="""
        SELECT 'session or payment ' || coalesce(session_id, payment_id) AS what,
               account || ' ' || sum(debit_fen - credit_fen) || ' ' || currency AS why
        FROM journal_line WHERE coalesce(session_id, payment_id) IS NOT NULL
        GROUP BY coalesce(session_id, payment_id), account, currency
        HAVING CASE
            WHEN account LIKE 'receivable:%' OR account LIKE 'discount:%' OR account = 'writeoff'
                THEN sum(debit_fen - credit_fen) < 0
            ELSE account IN ('overpaid', 'suspense', 'refund:pending') AND sum(credit_fen - debit_fen) < 0
        END
        UNION ALL
        SELECT 'session or payment ' || coalesce(books.whose, claims.whose),
               'overpaid ' || coalesce(books.fen, 0) || ', claimed ' || coalesce(claims.fen, 0)
        FROM (SELECT coalesce(session_id, payment_id) AS whose, sum(credit_fen - debit_fen) AS fen FROM journal_line
              WHERE account = 'overpaid' GROUP BY 1) AS books
            FULL JOIN (
                SELECT coalesce(payment.session_id, payment.id) AS whose, sum(refund.amount_fen) AS fen
                FROM refund JOIN payment ON payment.id = refund.payment_id
                WHERE refund.status IN ('failed', 'abnormal')
                    AND NOT EXISTS (SELECT FROM journal_entry WHERE business_key = 'payout:' || refund.id)
                GROUP BY 1
            ) AS claims ON claims.whose = books.whose
        WHERE coalesce(books.fen, 0) <> coalesce(claims.fen, 0)
    """,
)

NONE_IN_LIMBO: Final = Invariant(
    number="I12",
    holds="every stay that ended or changed ten minutes ago is billed as it is, and one that turned out to be none has"
    " its bill taken back: what is billed is paid, given up or owed, and nothing is in limbo; what is owed later is"
    " asked of the vehicle that was seen, or kept as nobody's",
    broken_by="""
        SELECT 'session ' || id AS what,
               status || ', left ' || coalesce(left_at::text, 'never') || ', revised ' || revised_at || ', not billed'
                   AS why
        FROM parking_session
        WHERE (status = 'ended' OR (status = 'void' AND billed_revision IS NOT NULL))
            AND billed_revision IS DISTINCT FROM revision
            AND greatest(left_at, revised_at) < CAST(:now AS timestamptz) - interval '10 minutes'
        UNION ALL
        SELECT 'session ' || session.id, 'said to be billed, and has no bill'
        FROM parking_session AS session
        WHERE status IN ('ended', 'void') AND billed_revision = revision
            AND NOT EXISTS (SELECT FROM bill WHERE bill.session_id = session.id)
        UNION ALL
        SELECT 'session ' || session.id, 'is none, and billed ' || bill.total_fen
        FROM parking_session AS session JOIN current_bill AS bill ON bill.session_id = session.id
        WHERE status = 'void' AND billed_revision = revision AND bill.total_fen <> 0
        UNION ALL
        SELECT 'session ' || owed.session_id, owed.fen || ' in ' || owed.account || ', kept as '
               || CASE WHEN arrear.id IS NULL THEN 'nothing' WHEN arrear.withdrawn_at IS NOT NULL THEN 'withdrawn'
                       WHEN arrear.plate_id IS NULL THEN 'nobody''s' ELSE 'a vehicle''s' END
        FROM (SELECT session_id, account, sum(debit_fen - credit_fen) AS fen FROM journal_line
              WHERE account IN ('receivable:arrears', 'receivable:unidentified')
              GROUP BY session_id, account HAVING sum(debit_fen - credit_fen) <> 0) AS owed
            LEFT JOIN arrear ON arrear.session_id = owed.session_id
        WHERE arrear.id IS NULL OR arrear.withdrawn_at IS NOT NULL
            OR (arrear.plate_id IS NOT NULL) <> (owed.account = 'receivable:arrears')
    """,
)

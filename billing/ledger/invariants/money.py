"""What holds between the journal and what providers collected, gave back and paid out. Pure."""

from typing import Final

from billing.ledger.invariants.shape import Invariant

BOOKED_ONCE: Final = Invariant(
    number="I3",
    holds="each payment received is booked once, whole and in its provider's account; nothing else is booked there as"
    " a payment",
    broken_by="""
        WITH booked AS (
            SELECT entry.business_key, line.account, line.payment_id, sum(line.debit_fen - line.credit_fen) AS fen
            FROM journal_entry AS entry JOIN journal_line AS line ON line.entry_id = entry.id
            WHERE entry.kind = 'payment' AND split_part(line.account, ':', 3) = 'clearing'
            GROUP BY entry.business_key, line.account, line.payment_id
        )
        SELECT coalesce('payment ' || payment.id, booked.business_key) AS what,
               'booked ' || coalesce(booked.fen::text, 'nothing') || ', received '
                   || coalesce(payment.received_fen::text, 'nothing') AS why
        FROM booked FULL JOIN (SELECT * FROM payment WHERE status = 'paid') AS payment
            ON booked.payment_id = payment.id
            AND booked.account = 'provider:' || payment.provider || ':' || 'clearing'
            AND booked.business_key = 'payment:' || payment.provider || ':' || payment.transaction_id
        WHERE booked.fen IS DISTINCT FROM payment.received_fen
    """,
)

NO_MORE_THAN_CAME: Final = Invariant(
    number="I5",
    holds="of no payment more goes back than came, failed refunds counted; each refund moves exactly its amount",
    broken_by="""
        WITH refunds AS (
            SELECT payment_id, sum(amount_fen) AS fen FROM refund WHERE status <> 'rejected' GROUP BY payment_id
        ), by_hand AS (
            SELECT line.payment_id, sum(line.debit_fen) AS fen
            FROM journal_entry AS entry JOIN journal_line AS line ON line.entry_id = entry.id
            WHERE entry.kind = 'suspense-paid-out' AND line.account = 'suspense' GROUP BY line.payment_id
        )
        SELECT 'payment ' || payment.id AS what,
               coalesce(refunds.fen, 0) + coalesce(by_hand.fen, 0) || ' of ' || coalesce(received_fen, 0) AS why
        FROM payment LEFT JOIN refunds ON refunds.payment_id = payment.id
            LEFT JOIN by_hand ON by_hand.payment_id = payment.id
        WHERE coalesce(refunds.fen, 0) + coalesce(by_hand.fen, 0) > coalesce(received_fen, 0)
        UNION ALL
        SELECT 'refund ' || refund.id, entry.kind || ' moves ' || sum(line.debit_fen) || ' of ' || refund.amount_fen
        FROM refund
            JOIN journal_entry AS entry ON entry.business_key = ANY (ARRAY['refund:' || refund.id,
                'refund-done:' || refund.id, 'refund-failed:' || refund.id, 'payout:' || refund.id])
            JOIN journal_line AS line ON line.entry_id = entry.id
        GROUP BY refund.id, entry.id HAVING sum(line.debit_fen) <> refund.amount_fen
    """,
)

HELD_BY_PROVIDERS: Final = Invariant(
    number="I9",
    holds="what each provider holds for us is what was received less what went back and what its bills have settled;"
    " each bill settled the sum of its lines; what is on its way back is the refunds under way",
    broken_by="""
        WITH books AS (
            SELECT split_part(account, ':', 2) AS provider, currency, sum(debit_fen - credit_fen) AS fen
            FROM journal_line WHERE split_part(account, ':', 3) = 'clearing' GROUP BY 1, 2
        ), currencies AS (
            SELECT DISTINCT ON (payment_id) payment_id, currency FROM journal_line
            WHERE split_part(account, ':', 3) = 'clearing' AND payment_id IS NOT NULL ORDER BY payment_id, id
        ), movements AS (
            SELECT payment.provider, coalesce(currency, 'CNY') AS currency, received_fen AS fen
            FROM payment LEFT JOIN currencies ON currencies.payment_id = payment.id WHERE status = 'paid'
            UNION ALL
            SELECT payment.provider, coalesce(currency, 'CNY'), -refund.amount_fen
            FROM refund JOIN payment ON payment.id = refund.payment_id
                LEFT JOIN currencies ON currencies.payment_id = payment.id
            WHERE refund.status = 'succeeded'
            UNION ALL
            SELECT provider, 'CNY', (facts ->> 'amount_fen')::bigint FROM provider_message
            WHERE source = 'bill' AND outcome = 'unknown-order' AND facts ->> 'refund_no' IS NULL
            UNION ALL
            SELECT provider, 'CNY', refunded_fen - paid_fen FROM provider_bill
        ), expected AS (
            SELECT provider, currency, sum(fen) AS fen FROM movements GROUP BY 1, 2
        )
        SELECT provider || ' in ' || currency AS what,
               'books ' || coalesce(books.fen, 0) || ', orders and bills ' || coalesce(expected.fen, 0) AS why
        FROM books FULL JOIN expected USING (provider, currency)
        WHERE coalesce(books.fen, 0) <> coalesce(expected.fen, 0)
        UNION ALL
        SELECT 'bill of ' || provider || ' for ' || day, 'its sums are not those of its lines, or not what was posted'
        FROM provider_bill AS bill CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_fen) FILTER (WHERE refund_no IS NULL), 0) AS paid,
                   coalesce(sum(amount_fen) FILTER (WHERE refund_no IS NOT NULL), 0) AS refunded,
                   coalesce(sum(fee_fen), 0) AS fee
            FROM provider_bill_line AS line WHERE line.bill_id = bill.id
        ) AS lines CROSS JOIN LATERAL (
            SELECT coalesce(sum(debit_fen - credit_fen) FILTER (WHERE account = 'bank'), 0) AS bank,
                   coalesce(sum(debit_fen - credit_fen) FILTER (WHERE account = 'fee:provider'), 0) AS fee
            FROM journal_entry AS entry JOIN journal_line AS line ON line.entry_id = entry.id
            WHERE entry.business_key = 'settlement:' || bill.provider || ':' || bill.day
        ) AS posted
        WHERE (paid_fen, refunded_fen, fee_fen) IS DISTINCT FROM (lines.paid, lines.refunded, lines.fee)
            OR (posted.bank, posted.fee) IS DISTINCT FROM (paid_fen - refunded_fen - fee_fen, fee_fen)
        UNION ALL
        SELECT 'payment ' || coalesce(books.payment_id, under_way.payment_id),
               'on its way back: books ' || coalesce(books.fen, 0) || ', refunds ' || coalesce(under_way.fen, 0)
        FROM (SELECT payment_id, sum(credit_fen - debit_fen) AS fen FROM journal_line
              WHERE account = 'refund:pending' GROUP BY payment_id) AS books
            FULL JOIN (SELECT payment_id, sum(amount_fen) AS fen FROM refund
                       WHERE status IN ('requested', 'accepted') GROUP BY payment_id) AS under_way
            ON under_way.payment_id = books.payment_id
        WHERE coalesce(books.fen, 0) <> coalesce(under_way.fen, 0)
    """,
)

ENDED: Final = Invariant(
    number="I10",
    holds="every attempt to collect money has come to its end within a day; every refund was taken by its provider"
    " within a day, and has ended within a week",
    broken_by="""
        SELECT 'payment ' || id AS what, status || ' since ' || changed_at AS why FROM payment
        WHERE status IN ('created', 'sent', 'unknown')
            AND created_at < CAST(:real_now AS timestamptz) - interval '24 hours'
        UNION ALL
        SELECT 'refund ' || id, status || ' since ' || changed_at FROM refund
        WHERE (status = 'requested' AND changed_at < CAST(:real_now AS timestamptz) - interval '24 hours')
            OR (status = 'accepted' AND changed_at < CAST(:real_now AS timestamptz) - interval '7 days')
    """,
)

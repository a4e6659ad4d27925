"""Each invariant sees the books broken in the way it guards against, and names who is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import text

from billing.closing.importing import import_bill
from billing.ledger.checking import Finding, check_ledger
from billing.ledger.digests import digest_days
from billing.providers.port import BillLine, ProviderBill, RefundStatus
from core.money import Fen
from tests.ledger.till import ARRIVAL, LATER, Till
from tests.support.county import SHANGHAI

pytestmark = pytest.mark.services

NOW: Final = LATER + timedelta(days=10)
OPEN: Final = """
    ALTER TABLE journal_entry DISABLE TRIGGER USER; ALTER TABLE journal_line DISABLE TRIGGER USER;
    ALTER TABLE journal_digest DISABLE TRIGGER USER; ALTER TABLE bill DISABLE TRIGGER USER;
    ALTER TABLE provider_bill DISABLE TRIGGER USER; ALTER TABLE provider_bill_line DISABLE TRIGGER USER;
    CREATE TEMP VIEW first AS SELECT min(id) FROM journal_entry WHERE kind = 'payment';
    CREATE TEMP VIEW billed AS SELECT session_id FROM current_bill WHERE total_fen > 0 ORDER BY session_id LIMIT 1;
"""
"""Somebody who may do anything, and does."""

BREAKS: Final = {
    "a line too much": ("I1", "entry", """
        INSERT INTO journal_line (entry_id, account, debit_fen) VALUES ((TABLE first), 'bank', 1)"""),
    "an entry without lines": ("I1", "no lines", """
        INSERT INTO journal_entry (posted_at, business_key, kind, source) VALUES (now(), 'x', 'x', 'x')"""),
    "half an entry": ("I2", "CNY", """
        DELETE FROM journal_line WHERE entry_id = (TABLE first) AND debit_fen > 0"""),
    "a payment that was never booked": ("I3", "booked nothing", """
        UPDATE payment SET transaction_id = 'T-another'
        WHERE id = (SELECT id FROM payment WHERE status = 'paid' LIMIT 1)"""),
    "a payment booked with another amount": ("I3", "booked 1200, received 600", """
        UPDATE journal_line SET debit_fen = debit_fen * 2, credit_fen = credit_fen * 2
        WHERE entry_id = (TABLE first)"""),
    "a payment booked that never came": ("I3", "received nothing", """
        UPDATE payment SET status = 'closed', transaction_id = NULL, received_fen = NULL, paid_at = NULL
        WHERE status = 'paid' AND NOT EXISTS (SELECT FROM refund WHERE payment_id = payment.id)"""),
    "an event posted twice": ("I4", "2 entries", """
        ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_business_key_key;
        INSERT INTO journal_entry (posted_at, business_key, kind, source)
        SELECT posted_at, business_key, kind, source FROM journal_entry WHERE id = (TABLE first)"""),
    "a refund done that is not posted": ("I4", "succeeded, begun: true, done: false", """
        UPDATE refund SET status = 'succeeded' WHERE status = 'abnormal'"""),
    "more given back than came": ("I5", "601 of 600", "UPDATE refund SET amount_fen = 601 WHERE status = 'succeeded'"),
    "a refund that moves another sum": ("I5", "refund-done moves 1200 of 600", """
        UPDATE journal_line SET debit_fen = debit_fen * 2, credit_fen = credit_fen * 2
        WHERE entry_id = (SELECT max(id) FROM journal_entry WHERE kind = 'refund-done')"""),
    "a stay charged what its bill does not say": ("I6", "charged 1200, billed 600", """
        UPDATE journal_line SET debit_fen = debit_fen * 2, credit_fen = credit_fen * 2
        WHERE entry_id = (SELECT id FROM journal_entry
            WHERE business_key = 'bill:' || (SELECT id FROM current_bill WHERE session_id = (TABLE billed)))"""),
    "a stay charged that nobody billed": ("I6", "without a bill", """
        WITH entry AS (INSERT INTO journal_entry (posted_at, business_key, kind, source)
            VALUES (now(), 'charge:x', 'charge', 'x') RETURNING id)
        INSERT INTO journal_line (entry_id, account, debit_fen, credit_fen, session_id)
        SELECT entry.id, account, debit, credit, session.id
        FROM entry, (SELECT id FROM parking_session WHERE status = 'open' LIMIT 1) AS session,
             (VALUES ('receivable:stay', 1, 0), ('revenue:parking:KA', 0, 1)) AS line (account, debit, credit)"""),
    "a stay that owes less than nothing": ("I7", "receivable:stay -600", """
        UPDATE journal_line SET account = 'receivable:stay'
        WHERE account = 'overpaid' AND entry_id IN (SELECT id FROM journal_entry WHERE kind = 'refund-failed')"""),
    "overpaid money that nobody has a claim on": ("I7", "overpaid 600, claimed 0", """
        UPDATE refund SET status = 'succeeded' WHERE status = 'abnormal'"""),
    "a discount of less than nothing": ("I7", "discount:waiver -600", """
        UPDATE journal_line SET account = 'discount:waiver'
        WHERE account = 'receivable:stay' AND credit_fen > 0 AND entry_id = (TABLE first)"""),
    "an amount changed on both sides": ("I8", "seal is broken", """
        UPDATE journal_line SET debit_fen = debit_fen * 2, credit_fen = credit_fen * 2
        WHERE entry_id = (SELECT min(id) FROM journal_entry)"""),
    "a seal forged": ("I8", "seal is broken", "UPDATE journal_digest SET digest = sha256('x')"),
    "the fence taken down": ("I8", "journal_line_is_immutable",
        "ALTER TABLE journal_line DISABLE TRIGGER journal_line_is_immutable"),
    "money on the wrong provider's account": ("I9", "alipay in CNY: books 600, orders and bills 0", """
        UPDATE journal_line SET account = 'provider:alipay:clearing'
        WHERE entry_id = (TABLE first) AND debit_fen > 0"""),
    "a bill settled twice": ("I9", "wechat in CNY", """
        WITH entry AS (INSERT INTO journal_entry (posted_at, business_key, kind, source)
            VALUES (now(), 'settlement:again', 'settlement', 'x') RETURNING id)
        INSERT INTO journal_line (entry_id, account, debit_fen, credit_fen)
        SELECT entry.id, account, debit, credit
        FROM entry, (VALUES ('bank', 5, 0), ('provider:wechat:clearing', 0, 5)) AS line (account, debit, credit)"""),
    "a bill that is not its lines": ("I9", "not those of its lines",
        "UPDATE provider_bill_line SET amount_fen = amount_fen + 1"),
    "a refund under way that is not in the books": ("I9", "books 0, refunds 600", """
        UPDATE refund SET status = 'accepted' WHERE status = 'abnormal'"""),
    "an order that never ends": ("I10", "unknown since", """
        UPDATE payment SET status = 'unknown', transaction_id = NULL, received_fen = NULL, paid_at = NULL,
            created_at = now() - interval '25 hours'"""),
    "a refund nobody took": ("I10", "requested since", """
        UPDATE refund SET status = 'requested', changed_at = now() - interval '25 hours'"""),
    "a refund that takes for ever": ("I10", "accepted since", """
        UPDATE refund SET status = 'accepted', changed_at = now() - interval '8 days'"""),
    "a fee that the stay does not cost": ("I11", "says 601 fen",
        "UPDATE bill SET total_fen = total_fen + 1 WHERE total_fen > 0"),
    "a line on a bill that was not there": ("I11", "computes to another fee", """
        UPDATE bill SET fee = jsonb_set(fee, '{bill,lines,0,amount_fen}', '1') WHERE total_fen > 0"""),
    "a stay that nobody bills": ("I12", "not billed", """
        UPDATE parking_session SET revision = revision + 1 WHERE status = 'ended'"""),
    "a stay said to be billed": ("I12", "has no bill", """
        UPDATE parking_session SET status = 'ended', left_at = entered_at + interval '1 hour', end_why = 'change',
            billed_revision = revision WHERE status = 'open'"""),
    "a stay that was none, and is billed": ("I12", "is none, and billed 600", """
        UPDATE parking_session SET status = 'void' WHERE id = (TABLE billed)"""),
}  # fmt: skip


async def lively(till: Till) -> None:
    """A little of everything: paid, owed, paid twice and given back, refund failed, in suspense, going on, settled."""
    spaces = ("KA-001", "KA-002", "KA-003", "KB-001")
    sessions = [await till.stay(75, space=space) for space in spaces]
    going_on = await till.stay(None, space="KB-002")
    await till.bill()
    await till.book(await till.ask(sessions[0], minutes=75))
    await paid_twice(till, sessions[0])
    await till.answer(RefundStatus.SUCCEEDED)
    await till.book(await till.ask(sessions[1], minutes=75))
    await paid_twice(till, sessions[1])
    await till.answer(RefundStatus.ABNORMAL)
    await till.book(await till.ask(sessions[2], minutes=75), total_fen=1)
    await till.book(await till.ask(going_on, minutes=45, quote={"total_fen": 300}))
    await settle(till)
    async with till.town.database.transaction() as db:
        assert await digest_days(db, now=NOW, zone=SHANGHAI)


async def paid_twice(till: Till, session: UUID) -> None:
    await till.book(await till.ask(session, minutes=75))


async def settle(till: Till) -> None:
    """The bill of the first payment's day, which the bank has seen."""
    number = await till.value("SELECT transaction_id FROM payment WHERE status = 'paid' ORDER BY changed_at LIMIT 1")
    line = BillLine(
        order_no="P1", transaction_id=number, refund_no=None, amount_fen=Fen(600), fee_fen=Fen(4), at=ARRIVAL
    )
    day = ARRIVAL.date()
    async with till.town.database.transaction() as db:
        assert await import_bill(db, "wechat", day, ProviderBill(day=day, lines=(line,)), at=LATER)


@asynccontextmanager
async def broken(till: Till, statements: str) -> AsyncIterator[dict[str, Finding]]:
    """What the proof says of books that were tampered with; afterwards they are as before."""
    async with till.town.database.engine.connect() as db:
        for statement in f"{OPEN}{statements}".split(";"):
            if statement.strip():
                await db.execute(text(statement.replace(":", "\\:")))
        yield {finding.number: finding for finding in await check_ledger(db, now=NOW)}
        await db.rollback()


async def test_whoever_tampers_with_the_books_is_named(till: Till) -> None:
    await lively(till)
    await till.prove()
    for what, (number, named, statements) in BREAKS.items():
        async with broken(till, statements) as findings:
            offences = [f"{offence.what}: {offence.why}" for offence in findings[number].offences]
            assert any(named in offence for offence in offences), f"{what}: {offences}"
    await till.prove()


def test_every_invariant_is_broken_in_some_way() -> None:
    assert {number for number, _, _ in BREAKS.values()} == {f"I{number}" for number in range(1, 13)}

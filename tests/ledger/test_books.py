"""The books after each thing that can happen: every invariant holds."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from billing.ledger import accounts, entries
from billing.ledger.booking import UnknownOrderError, book_payment
from billing.ledger.checking import check_ledger
from billing.ledger.digests import digest_days, find_broken_seals
from billing.ledger.journal import post
from billing.ledger.refunds import (
    RefundExceedsPaymentError,
    RefundNotHeldError,
    reject_refund,
    release_refund,
    request_refund,
)
from billing.providers.port import OrderState, OrderStatus, RefundStatus
from core.money import Fen
from tests.ledger.till import LATER, Till
from tests.support.county import SHANGHAI

pytestmark = pytest.mark.services


async def test_an_ended_stay_is_owed_and_its_payment_settles_it(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    assert await till.money(session) == (0, 600, 0)
    booked = await till.book(await till.ask(session, minutes=75))
    assert booked.new
    assert await till.money(session) == (600, 0, 0)
    await till.prove()


async def test_paid_before_leaving_and_gone_in_time_costs_no_more(till: Till) -> None:
    session = await till.stay(None)
    payment = await till.ask(session, minutes=110, quote={"total_fen": 600, "exit_window_minutes": 15})
    await till.book(payment)
    assert await till.money(session) == (600, 0, 0)
    await till.end(session, 125)  # 09:00 to 11:05, which by itself would cost 9.00
    await till.bill()
    assert await till.money(session) == (600, 0, 0)
    await till.prove()


async def test_f30_who_stays_beyond_the_exit_window_pays_the_difference(till: Till) -> None:
    session = await till.stay(None)
    await till.book(await till.ask(session, minutes=110, quote={"total_fen": 600, "exit_window_minutes": 15}))
    await till.end(session, 126)
    await till.bill()
    assert await till.money(session) == (600, 300, 0)
    await till.prove()


async def test_f31_a_departure_before_the_payment_gives_the_difference_back(till: Till) -> None:
    session = await till.stay(None)
    payment = await till.ask(session, minutes=110)
    await till.book(payment)
    await till.end(session, 50)
    await till.bill()
    assert await till.refunds(payment) == [(300, "correction", "requested")]
    assert await till.money(session) == (300, 0, 0)
    await till.answer(RefundStatus.SUCCEEDED)
    await till.prove()


async def test_a_session_that_turns_out_to_be_none_gives_everything_back(till: Till) -> None:
    session = await till.stay(None)
    payment = await till.ask(session, minutes=110)
    await till.book(payment)
    await till.change(session, status="void")
    await till.bill()
    assert await till.refunds(payment) == [(600, "correction", "requested")]
    assert await till.money(session) == (0, 0, 0)
    await till.prove()


async def test_a_payment_that_comes_for_a_void_session_goes_back(till: Till) -> None:
    session = await till.stay(None)
    payment = await till.ask(session, minutes=110)
    await till.change(session, status="void")
    assert (await till.book(payment)).overpaid_fen == 600
    assert await till.refunds(payment) == [(600, "overpaid", "requested")]
    await till.prove()


async def test_what_was_said_before_moves_nothing(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    payment = await till.ask(session, minutes=75)
    await till.book(payment)
    for source in ("notification", "query", "bill"):
        again = await till.book(payment, source=source)
        assert (again.new, again.status) == (False, "paid")
    assert await till.money(session) == (600, 0, 0)
    await till.prove()


async def test_a_second_payment_is_overpaid_and_goes_back(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    await till.book(await till.ask(session, minutes=75))
    second = await till.ask(session, minutes=75, provider="alipay")
    assert (await till.book(second)).overpaid_fen == 600
    assert await till.refunds(second) == [(600, "overpaid", "requested")]
    assert await till.money(session) == (600, 0, 0)
    await till.prove()


async def test_another_amount_waits_in_suspense_and_settles_nothing(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    payment = await till.ask(session, minutes=75)
    assert (await till.book(payment, total_fen=1)).suspense_fen == 1
    assert await till.money(session) == (0, 600, 0)
    async with till.town.database.transaction() as db:
        await request_refund(db, payment, 1, cause="operator", reason="odd", requested_by="operator:li", at=LATER)
    await till.answer(RefundStatus.SUCCEEDED)
    await till.prove()


async def test_money_nobody_asked_for_is_not_booked(till: Till) -> None:
    stranger = OrderState(order_no="P999999", status=OrderStatus.PAID, transaction_id="T1", total_fen=Fen(600))
    with pytest.raises(UnknownOrderError):
        async with till.town.database.transaction() as db:
            await book_payment(db, stranger, provider="wechat", source="notification", at=LATER)
    await till.prove()


async def test_a_refund_that_fails_is_still_owed_and_may_succeed_after_all(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    await till.book(await till.ask(session, minutes=75))
    second = await till.ask(session, minutes=75)
    await till.book(second)
    await till.answer(RefundStatus.ABNORMAL)
    assert await till.refunds(second) == [(600, "overpaid", "abnormal")]
    assert await till.money(session) == (600, 0, 600)
    await till.prove()
    await till.answer(RefundStatus.SUCCEEDED)
    assert await till.money(session) == (600, 0, 0)
    await till.answer(RefundStatus.FAILED)
    assert await till.refunds(second) == [(600, "overpaid", "succeeded")]
    await till.prove()


async def test_f36_no_more_goes_back_than_came(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    payment = await till.ask(session, minutes=75)
    await till.book(payment)
    about: dict[str, Any] = {"cause": "operator", "reason": "a rude meter", "requested_by": "operator:li", "at": LATER}
    async with till.town.database.transaction() as db:
        await request_refund(db, payment, 400, **about)
        with pytest.raises(RefundExceedsPaymentError) as refused:
            await request_refund(db, payment, 201, **about)
        assert refused.value.facts["refundable_fen"] == 200
    assert await till.money(session) == (200, 0, 0)
    await till.prove()


async def test_a_held_refund_moves_nothing_until_a_second_person_agrees(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    payment = await till.ask(session, minutes=75)
    await till.book(payment)
    about: dict[str, Any] = {"cause": "operator", "reason": "much", "requested_by": "operator:li", "at": LATER}
    async with till.town.database.transaction() as db:
        agreed = await request_refund(db, payment, 400, held=True, **about)
        refused = await request_refund(db, payment, 200, held=True, **about)
    assert await till.money(session) == (600, 0, 0)
    async with till.town.database.transaction() as db:
        await release_refund(db, agreed, approved_by="operator:wu", at=LATER)
        await reject_refund(db, refused, rejected_by="operator:wu")
        with pytest.raises(RefundNotHeldError):
            await release_refund(db, agreed, approved_by="operator:wu", at=LATER)
    assert await till.money(session) == (200, 0, 0)
    await till.prove()


async def test_a_waived_fee_that_is_corrected_to_nothing_gives_nobody_money(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    async with till.town.database.transaction() as db:
        waiver = entries.give_up("waiver:1", "waiver", accounts.WAIVER, session_id=session, amount_fen=600)
        assert await post(db, waiver, source="operator:li", at=LATER)
        assert not await post(db, waiver, source="operator:li", at=LATER)
    assert await till.money(session) == (0, 0, 0)
    await till.end(session, 10)
    await till.bill()
    assert await till.money(session) == (0, 0, 0)
    await till.prove()


async def test_a_seal_shows_that_the_past_was_touched(till: Till) -> None:
    await till.stay(75)
    await till.bill()
    posted_at = LATER + timedelta(days=9)
    async with till.town.database.transaction() as db:
        assert await digest_days(db, now=posted_at + timedelta(days=1, hours=1), zone=SHANGHAI)
        assert not await digest_days(db, now=posted_at + timedelta(days=1, hours=2), zone=SHANGHAI)
        assert await find_broken_seals(db) == []
        await db.execute(text("ALTER TABLE journal_line DISABLE TRIGGER USER"))
        await db.execute(text("UPDATE journal_line SET debit_fen = debit_fen * 2, credit_fen = credit_fen * 2"))
        assert len(await find_broken_seals(db)) == 1
        findings = {finding.number: finding for finding in await check_ledger(db, now=LATER)}
        assert not findings["I8"].is_kept
        assert not findings["I6"].is_kept
        assert findings["I1"].is_kept

"""Money that comes oddly or goes back oddly: twice for one order, in another currency, refused and done after all."""

from dataclasses import replace
from uuid import UUID

import pytest

from billing.by_hand import pay_out, try_again
from billing.ledger import accounts
from billing.ledger.booking import book_refund
from billing.ledger.refunds import RefundExceedsPaymentError
from billing.ledger.sending_again import RefundIsNotOwedError
from billing.providers.port import RefundState, RefundStatus
from tests.ledger.till import LATER, Till

pytestmark = pytest.mark.services


async def failed_refund(till: Till) -> tuple[UUID, UUID]:
    """A second payment whose refund the provider cannot do; the ids of payment and refund."""
    session = await till.stay(75)
    await till.bill()
    await till.book(await till.ask(session, minutes=75))
    second = await till.ask(session, minutes=75)
    await till.book(second)
    await till.answer(RefundStatus.ABNORMAL)
    return second, await till.value("SELECT id FROM refund")


async def test_a_second_transaction_of_one_order_is_booked_once_and_goes_back(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    payment = await till.ask(session, minutes=75)
    await till.book(payment)
    again = await till.book_again(payment)
    assert (again.new, again.overpaid_fen) == (True, 600)
    assert await till.refunds(again.payment_id) == [(600, "overpaid", "requested")]
    assert await till.refunds(payment) == []
    assert await till.value("SELECT again_of FROM payment WHERE id = :id", id=again.payment_id) == payment
    number = await till.value("SELECT transaction_id FROM payment WHERE id = :id", id=again.payment_id)
    till.paid[payment] = replace(till.paid[payment], transaction_id=number)
    assert not (await till.book(payment)).new, "heard once more"
    assert await till.money(session) == (600, 0, 0)
    await till.prove()
    await till.answer(RefundStatus.SUCCEEDED)
    assert await till.held(accounts.clearing("wechat")) == 600
    await till.prove()


async def test_a_second_transaction_pays_what_is_due_by_now(till: Till) -> None:
    session = await till.stay(None)
    payment = await till.ask(session, minutes=45)
    await till.book(payment)
    await till.end(session, 75)
    await till.bill()
    assert (await till.book_again(payment)).overpaid_fen == 0
    assert await till.money(session) == (600, 0, 0)
    await till.prove()


async def test_a_second_transaction_of_a_stay_that_goes_on_charges_nothing(till: Till) -> None:
    session = await till.stay(None)
    payment = await till.ask(session, minutes=45)
    await till.book(payment)
    assert (await till.book_again(payment, total_fen=900)).overpaid_fen == 900
    assert await till.money(session) == (300, 0, 0)
    await till.prove()


async def test_another_currency_goes_back_as_it_came(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    payment = await till.ask(session, minutes=75)
    assert (await till.book(payment, currency="USD")).suspense_fen == 600
    await till.give_back(payment, 600)
    assert await till.held(accounts.REFUND_PENDING, "USD") == -600
    assert await till.held(accounts.REFUND_PENDING) == 0
    await till.prove()
    await till.answer(RefundStatus.FAILED)
    await till.prove()
    await till.answer(RefundStatus.SUCCEEDED)
    assert await till.held(accounts.clearing("wechat"), "USD") == 0
    assert await till.money(session) == (0, 600, 0)
    await till.prove()


async def test_f37_a_refund_that_failed_keeps_its_claim_on_the_money(till: Till) -> None:
    payment, _ = await failed_refund(till)
    with pytest.raises(RefundExceedsPaymentError):
        await till.give_back(payment, 1)
    session = await till.value("SELECT session_id FROM payment LIMIT 1")
    await till.end(session, 45)  # the fee is corrected: 3.00 more are to go back, and not the 6.00 a second time
    await till.bill()
    query = "SELECT sum(amount_fen) FROM refund WHERE status = 'requested'"
    assert await till.value(query) == 300
    await till.prove()
    await till.answer(RefundStatus.SUCCEEDED)
    assert await till.money(session) == (300, 0, 0)
    assert await till.held(accounts.clearing("wechat")) == 300
    await till.prove()


async def test_a_refund_that_was_paid_out_by_hand_and_then_succeeds_is_asked_back(till: Till) -> None:
    _, refund = await failed_refund(till)
    async with till.town.database.transaction() as db:
        await pay_out(db, refund, by="operator:li", at=LATER)
    await till.prove()
    await till.answer(RefundStatus.SUCCEEDED)
    assert await till.held(accounts.RETURNED_TWICE) == 600
    assert await till.held(accounts.OVERPAID) == 0
    await till.prove()


async def test_a_refund_that_failed_is_tried_again_under_its_number(till: Till) -> None:
    payment, refund = await failed_refund(till)
    number = await till.value("SELECT refund_no FROM refund")
    for _ in range(2):
        async with till.town.database.transaction() as db:
            assert (await try_again(db, refund, by="operator:li", at=LATER)).status == "requested"
        assert (await till.held(accounts.OVERPAID), await till.held(accounts.REFUND_PENDING)) == (0, -600)
        await till.prove()
        await till.answer(RefundStatus.FAILED)
        await till.prove()
    async with till.town.database.transaction() as db:
        await try_again(db, refund, by="operator:li", at=LATER)
        with pytest.raises(RefundIsNotOwedError):
            await try_again(db, refund, by="operator:wu", at=LATER)
    await till.answer(RefundStatus.SUCCEEDED)
    assert await till.refunds(payment) == [(600, "overpaid", "succeeded")]
    assert await till.value("SELECT refund_no FROM refund") == number
    assert await till.held(accounts.clearing("wechat")) == 600
    await till.prove()


async def test_why_a_refund_failed_is_kept(till: Till) -> None:
    await failed_refund(till)
    number = await till.value("SELECT refund_no FROM refund")
    async with till.town.database.transaction() as db:
        state = RefundState(order_no="P", refund_no=number, status=RefundStatus.FAILED, why="USER_ACCOUNT_ABNORMAL")
        await book_refund(db, state, provider="wechat", source="query", at=LATER)
    assert await till.value("SELECT why FROM refund") == "USER_ACCOUNT_ABNORMAL"

"""Two codes for one stay, a fee that rises, a car that stays on: each fen is somewhere, none is lost or kept twice."""

import asyncio
from datetime import timedelta

import pytest

from billing.bills import bill_ended_sessions
from billing.ledger.refunds import RefundExceedsPaymentError, request_refund
from billing.providers.port import OrderStatus, RefundState, RefundStatus
from core.money import Fen
from tests.api.town import now
from tests.payments.conftest import Desk
from tests.payments.counter import NOON_IN_CHINA

pytestmark = pytest.mark.services


async def bill(desk: Desk) -> None:
    async with desk.town.database.transaction() as db:
        await bill_ended_sessions(db, at=now(), limit=10)


async def leave(desk: Desk, minutes: int) -> None:
    """The car leaves, so many minutes after its arrival, and is billed."""
    left_at = NOON_IN_CHINA + timedelta(minutes=minutes)
    await desk.do(
        f"UPDATE parking_session SET status = 'ended', left_at = '{left_at.isoformat()}', end_why = 'change',"  # noqa: S608 - ours
        " revision = revision + 1"
    )
    await bill(desk)


async def test_f10_paid_by_wechat_and_by_alipay_the_second_goes_back(desk: Desk) -> None:
    session_id = await desk.ended()
    first, second = await desk.begin(session_id), await desk.begin(session_id, "alipay")
    await desk.pay(first)
    await desk.pay(second)
    assert await desk.bookings() == 2
    desk.alipay.trouble["refund"] = ["silent"]  # done, but not answered: sent again under the same number
    await desk.sweep()
    assert len(desk.alipay.refunds) == 1
    await desk.sweep(later=timedelta(minutes=1))
    await desk.sweep(later=timedelta(hours=2))
    assert (await desk.payment(second))["status"] == "refunded"
    assert (await desk.payment(first))["status"] == "paid"
    assert len({number for call, number in desk.alipay.calls if call == "refund"}) == 1
    assert await desk.books() == {"provider:wechat:clearing": 600, "revenue:parking:KA": -600}
    session = await desk.session(session_id)
    assert (session["paid_fen"], session["due_fen"]) == (600, 0)


async def test_f11_a_second_code_of_the_same_channel_is_the_same_payment(desk: Desk) -> None:
    session_id = await desk.ended()
    kiosk, phone = await asyncio.gather(desk.begin(session_id), desk.begin(session_id))
    assert kiosk["id"] == phone["id"]
    assert await desk.one("SELECT count(*) FROM payment") == 1


async def test_f11_a_new_code_closes_the_old_one_when_asked_to(desk: Desk) -> None:
    session_id = await desk.ended()
    kiosk = await desk.begin(session_id)
    phone = await desk.begin(session_id, "alipay", close_others=True)
    assert (await desk.payment(kiosk))["status"] == "closed"
    state = desk.wechat.pay(await desk.order_no(kiosk))
    await desk.pay(phone)
    assert (await desk.notify(desk.wechat, state)).status_code == 200  # the old one was paid nevertheless
    for hours in (0, 2):
        await desk.sweep(later=timedelta(hours=hours))
    assert (await desk.payment(kiosk))["status"] == "refunded"
    assert await desk.books() == {"provider:alipay:clearing": 600, "revenue:parking:KA": -600}


async def test_f12_an_old_code_paid_after_the_fee_rose_is_part_payment(desk: Desk) -> None:
    session_id = await desk.running(45)
    old = await desk.begin(session_id)
    assert old["amount_fen"] == 300
    await desk.hear(75)
    new = await desk.begin(session_id)
    assert (new["amount_fen"], (await desk.payment(old))["status"]) == (600, "closed")
    state = desk.wechat.pay(await desk.order_no(old))
    assert (await desk.notify(desk.wechat, state)).status_code == 200
    session = await desk.session(session_id)
    assert (session["paid_fen"], session["due_fen"]) == (300, 300)
    rest = await desk.begin(session_id)
    assert rest["amount_fen"] == 300
    await desk.pay(rest)
    session = await desk.session(session_id)
    assert (session["paid_fen"], session["due_fen"]) == (600, 0)


async def test_f30_who_stays_on_pays_the_difference_and_the_first_payment_is_untouched(desk: Desk) -> None:
    session_id = await desk.running(45)
    first = await desk.begin(session_id)
    await desk.pay(first)
    assert (await desk.session(session_id))["due_fen"] == 0
    await desk.hear(130)
    session = await desk.session(session_id)
    assert (session["fee"]["total_fen"], session["paid_fen"], session["due_fen"]) == (900, 300, 600)
    await desk.pay(await desk.begin(session_id))
    await leave(desk, 130)
    assert (await desk.session(session_id))["due_fen"] == 0
    assert (await desk.payment(first))["received_fen"] == 300
    assert await desk.books() == {"provider:wechat:clearing": 900, "revenue:parking:KA": -900}


async def test_f31_a_car_that_had_left_before_it_was_paid_for_gets_the_rest_back(desk: Desk) -> None:
    session_id = await desk.running(75)
    payment = await desk.begin(session_id)
    await desk.pay(payment)
    await leave(desk, 45)
    for hours in (0, 2):
        await desk.sweep(later=timedelta(hours=hours))
    shown = await desk.payment(payment)
    assert (shown["status"], shown["received_fen"], shown["refunded_fen"]) == ("paid", 600, 300)
    assert await desk.books() == {"provider:wechat:clearing": 300, "revenue:parking:KA": -300}
    assert (await desk.session(session_id))["due_fen"] == 0


async def test_f32_a_fee_corrected_after_it_was_paid_is_owed_or_given_back(desk: Desk) -> None:
    session_id = await desk.ended(75)
    await bill(desk)
    await desk.pay(await desk.begin(session_id))
    await leave(desk, 130)
    session = await desk.session(session_id)
    assert (session["paid_fen"], session["due_fen"]) == (600, 300)
    await leave(desk, 45)
    for hours in (0, 2):
        await desk.sweep(later=timedelta(hours=hours))
    assert (await desk.session(session_id))["due_fen"] == 0
    assert await desk.books() == {"provider:wechat:clearing": 300, "revenue:parking:KA": -300}


async def test_f33_a_session_that_turned_out_to_be_none_gives_all_of_it_back(desk: Desk) -> None:
    session_id = await desk.ended()
    await bill(desk)
    payment = await desk.begin(session_id)
    await desk.pay(payment)
    await desk.do("UPDATE parking_session SET status = 'void', revision = revision + 1")
    await bill(desk)
    for hours in (0, 2):
        await desk.sweep(later=timedelta(hours=hours))
    assert (await desk.payment(payment))["status"] == "refunded"
    assert await desk.books() == {}


async def test_f36_two_refunds_at_once_never_give_back_more_than_came(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    await desk.pay(payment)
    payment_id = await desk.one("SELECT id FROM payment")

    async def refund() -> None:
        async with desk.town.database.transaction() as db:
            await request_refund(
                db, payment_id, 400, cause="operator", reason="a test", requested_by="operator:chen", at=now()
            )

    outcomes = await asyncio.gather(refund(), refund(), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome] == [RefundExceedsPaymentError]
    for hours in (0, 2):
        await desk.sweep(later=timedelta(hours=hours))
    assert sum(int(one.amount_fen or 0) for one in desk.wechat.refunds.values()) == 400
    assert (await desk.payment(payment))["refunded_fen"] == 400


async def test_f37_a_refund_that_fails_later_is_still_owed(desk: Desk) -> None:
    session_id = await desk.ended()
    first, second = await desk.begin(session_id), await desk.begin(session_id, "alipay")
    await desk.pay(first)
    desk.alipay.refunds_end_as = RefundStatus.ABNORMAL
    await desk.pay(second)
    for hours in (0, 2):
        await desk.sweep(later=timedelta(hours=hours))
    assert await desk.one("SELECT status FROM refund") == "abnormal"
    assert (await desk.payment(second))["status"] == "paid"
    books = await desk.books()
    assert books["provider:alipay:clearing"] == 600, "it has not gone back"
    assert sum(books.get(name, 0) for name in ("overpaid", "refund:pending", "suspense")) == -600, "and is still owed"


async def test_f39_the_refund_is_notified_before_its_answer_came(desk: Desk) -> None:
    session_id = await desk.ended()
    first, second = await desk.begin(session_id), await desk.begin(session_id, "alipay")
    await desk.pay(first)
    await desk.pay(second)
    desk.alipay.is_slow_by_seconds = 0.5
    sweeping = asyncio.create_task(desk.sweep())
    refund_no = await desk.one("SELECT refund_no FROM refund")
    done = RefundState(
        order_no=await desk.order_no(second), refund_no=refund_no, status=RefundStatus.SUCCEEDED, amount_fen=Fen(600)
    )
    assert (await desk.notify(desk.alipay, done)).status_code == 200
    await sweeping  # its late "accepted" changes nothing
    assert await desk.one("SELECT status FROM refund") == "succeeded"
    assert (await desk.payment(second))["status"] == "refunded"


async def test_f40_the_payment_notified_after_its_refund_changes_nothing(desk: Desk) -> None:
    session_id = await desk.ended()
    first, second = await desk.begin(session_id), await desk.begin(session_id, "alipay")
    await desk.pay(first)
    state = await desk.pay(second)
    for hours in (0, 2):
        await desk.sweep(later=timedelta(hours=hours))
    before = await desk.books()
    assert (await desk.notify(desk.alipay, state)).status_code == 200
    assert (await desk.payment(second))["status"] == "refunded"
    assert await desk.books() == before


async def test_f41_an_order_closed_by_its_full_refund_was_paid_all_the_same(desk: Desk) -> None:
    session_id = await desk.ended()
    first, second = await desk.begin(session_id), await desk.begin(session_id, "alipay")
    await desk.pay(first)
    paid = await desk.pay(second)
    for hours in (0, 2):
        await desk.sweep(later=timedelta(hours=hours))
    closed = type(paid)(order_no=paid.order_no, status=OrderStatus.CLOSED)
    assert (await desk.notify(desk.alipay, closed)).status_code == 200
    assert (await desk.payment(second))["status"] == "refunded"
    assert await desk.one("SELECT count(*) FROM payment WHERE status = 'paid'") == 2


async def test_f43_the_quoted_fee_is_honoured_while_the_quote_lasts(desk: Desk) -> None:
    session_id = await desk.running(45)
    payment = await desk.begin(session_id)
    await desk.hear(59)
    await desk.pay(payment)
    session = await desk.session(session_id)
    assert (session["paid_fen"], session["due_fen"]) == (300, 0)
    version = "SELECT count(DISTINCT tariff_version_id) FROM payment WHERE tariff_version_id IS NOT NULL"
    assert await desk.one(version) == 1


async def test_f44_an_old_amount_paid_when_more_is_due_leaves_the_difference_open(desk: Desk) -> None:
    session_id = await desk.running(45)
    payment = await desk.begin(session_id)
    await desk.hear(130)
    await desk.pay(payment)
    session = await desk.session(session_id)
    assert (session["paid_fen"], session["due_fen"]) == (300, 600)


async def test_f45_nothing_due_needs_no_provider(desk: Desk) -> None:
    session_id = await desk.ended(20)
    answer = await desk.ask(session_id)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/nothing-due")
    assert desk.wechat.calls == []
    await bill(desk)
    assert (await desk.session(session_id))["due_fen"] == 0
    assert await desk.books() == {}
    assert await desk.one("SELECT count(*) FROM payment") == 0


async def test_an_order_that_is_paid_by_two_transactions_gives_the_second_one_back(desk: Desk) -> None:
    session_id = await desk.ended()
    payment = await desk.begin(session_id)
    first, second = await desk.pay(payment), await desk.pay(payment)
    assert first.order_no == second.order_no
    assert (await desk.notify(desk.wechat, second)).status_code == 200, "heard once more"
    assert await desk.bookings() == 2
    for hours in (0, 2):
        await desk.sweep(later=timedelta(hours=hours))
    (refund,) = desk.wechat.refunds.values()
    assert (refund.order_no, refund.amount_fen) == (first.order_no, 600)
    assert await desk.one("SELECT transaction_id FROM payment WHERE again_of IS NOT NULL") == second.transaction_id
    assert (await desk.payment(payment))["status"] == "paid"
    assert (await desk.books())["provider:wechat:clearing"] == 600
    session = await desk.session(session_id)
    assert (session["paid_fen"], session["due_fen"]) == (600, 0)

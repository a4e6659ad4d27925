"""A provider that does not answer, answers late, or never tells: unknown is not failed, and nothing is lost."""

from datetime import timedelta

import pytest

from tests.payments.conftest import Desk
from tests.support.waiting import until

pytestmark = pytest.mark.services


async def test_f04_no_answer_though_the_order_exists(desk: Desk) -> None:
    desk.wechat.trouble["create"] = ["silent"]
    payment = await desk.begin(await desk.ended())
    assert (payment["status"], payment["code_url"]) == ("unknown", None)

    async def healed() -> bool:
        shown = await desk.payment(payment)
        return bool(shown["status"] == "pending" and shown["code_url"])

    await until(healed)  # the api asks by itself, and gets the code under the same number
    assert len(desk.wechat.orders) == 1
    assert await desk.one("SELECT count(*) FROM payment") == 1
    await desk.pay(payment)
    assert await desk.bookings() == 1


async def test_f05_no_answer_and_no_order_is_sent_again_under_the_same_number(desk: Desk) -> None:
    desk.wechat.trouble["create"] = ["down"]
    session_id = await desk.ended()
    payment = await desk.begin(session_id)
    assert payment["status"] == "unknown"
    again = await desk.begin(session_id)
    assert (again["id"], again["status"]) == (payment["id"], "pending")
    assert again["code_url"] is not None
    created = [number for call, number in desk.wechat.calls if call == "create"]
    assert len(created) == 2
    assert len(set(created)) == 1
    await desk.pay(again)
    assert await desk.bookings() == 1


async def test_f06_a_lost_notification_is_found_in_seconds(desk: Desk) -> None:
    session_id = await desk.ended()
    payment = await desk.begin(session_id)
    desk.wechat.pay(await desk.order_no(payment))

    async def is_paid() -> bool:
        return bool((await desk.payment(payment))["status"] == "paid")

    await until(is_paid)
    assert (await desk.session(session_id))["due_fen"] == 0
    assert await desk.one("SELECT source FROM journal_entry WHERE business_key LIKE 'payment:%'") == "query"


async def test_f07_notifications_that_come_hours_later_are_known_already(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    state = desk.wechat.pay(await desk.order_no(payment))
    await desk.sweep(later=timedelta(minutes=2))
    assert (await desk.payment(payment))["status"] == "paid"
    assert (await desk.notify(desk.wechat, state)).status_code == 200
    assert await desk.bookings() == 1


async def test_f13_closing_an_order_that_was_just_paid_books_it(desk: Desk) -> None:
    session_id = await desk.running(45)
    payment = await desk.begin(session_id)
    desk.wechat.pay(await desk.order_no(payment))
    await desk.hear(75)
    answer = await desk.begin(session_id)  # the fee has risen: the old order is closed, which says that it is paid
    assert (await desk.payment(payment))["status"] == "paid"
    assert answer["amount_fen"] == 300
    assert (await desk.session(session_id))["paid_fen"] == 300


async def test_f14_paid_after_we_had_closed_it_is_booked_late(desk: Desk) -> None:
    session_id = await desk.ended()
    payment = await desk.begin(session_id)
    await desk.sweep(later=timedelta(minutes=6))
    assert (await desk.payment(payment))["status"] == "closed"
    state = desk.wechat.pay(await desk.order_no(payment))
    assert (await desk.notify(desk.wechat, state)).status_code == 200
    shown = await desk.payment(payment)
    assert (shown["status"], shown["late"]) == ("paid", True)
    assert ("query", await desk.order_no(payment)) in desk.wechat.calls[-2:], "it was asked before it was believed"
    assert (await desk.session(session_id))["due_fen"] == 0


async def test_f14_what_a_notification_says_of_a_closed_order_is_not_believed_unasked(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    order_no = await desk.order_no(payment)
    await desk.sweep(later=timedelta(minutes=6))
    before = desk.wechat.states[order_no]
    state = desk.wechat.pay(order_no)
    desk.wechat.states[order_no] = before
    assert (await desk.notify(desk.wechat, state)).status_code == 500
    assert (await desk.payment(payment))["status"] == "closed"
    assert await desk.bookings() == 0


async def test_f26_a_provider_that_is_down_leaves_the_others_open(desk: Desk) -> None:
    desk.wechat.trouble["create"] = ["down"] * 20
    desk.wechat.trouble["query"] = ["down"] * 20
    session_id = await desk.ended()
    assert (await desk.begin(session_id))["status"] == "unknown"
    other = await desk.begin(session_id, "alipay", close_others=True)
    assert (other["status"], other["provider"]) == ("pending", "alipay")
    await desk.pay(other)
    assert (await desk.session(session_id))["due_fen"] == 0


async def test_f27_asked_with_pauses_and_never_given_up(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    desk.wechat.trouble["query"] = ["down"] * 3
    for minutes in (2, 6, 20):
        await desk.sweep(later=timedelta(minutes=minutes))
    assert (await desk.payment(payment))["status"] == "pending"
    await desk.sweep(later=timedelta(minutes=40))
    assert (await desk.payment(payment))["status"] == "closed"
    assert len({number for call, number in desk.wechat.calls if call == "create"}) == 1


async def test_f29_a_payer_typing_a_password_is_waited_for(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    desk.wechat.trouble["close"] = ["no"]  # the provider does not close what is just being paid
    await desk.sweep(later=timedelta(minutes=6))
    assert (await desk.payment(payment))["status"] == "pending"
    desk.wechat.pay(await desk.order_no(payment))
    await desk.sweep(later=timedelta(minutes=16))
    assert (await desk.payment(payment))["status"] == "paid"


async def test_a_provider_that_refuses_says_so_and_the_payment_has_failed(desk: Desk) -> None:
    desk.wechat.trouble["create"] = ["no"]
    session_id = await desk.ended()
    answer = await desk.ask(session_id)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/provider-refused")
    assert await desk.one("SELECT status || ' ' || why FROM payment") == "failed NO_AUTH"
    assert (await desk.begin(session_id))["status"] == "pending", "another attempt has another number"


async def test_a_payment_that_runs_out_unpaid_is_closed_and_asked_about_once_more(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    await desk.sweep(later=timedelta(minutes=6))
    assert [call for call, _ in desk.wechat.calls][-3:] == ["query", "close", "query"]
    shown = await desk.payment(payment)
    assert (shown["status"], shown["code_url"]) == ("closed", None)
    assert await desk.one("SELECT asked FROM payment") is None
    assert await desk.books() == {}


async def test_an_order_that_is_refused_because_it_was_paid_is_booked(desk: Desk) -> None:
    desk.wechat.trouble["create"] = ["silent", "no"]
    session_id = await desk.ended()
    payment = await desk.begin(session_id)
    desk.wechat.pay(await desk.order_no(payment))
    again = await desk.begin(session_id)
    assert (again["id"], again["status"]) == (payment["id"], "paid")
    assert await desk.bookings() == 1

"""The same thing said more than once, side by side, before its time, or when somebody has died in the middle."""

import asyncio

import pytest
from sqlalchemy import text

from billing.payments.settling import settle
from billing.providers.port import OrderState, OrderStatus
from tests.payments.conftest import Desk, open_desk
from tests.support.waiting import until

pytestmark = pytest.mark.services


async def test_f01_a_notification_twenty_times_is_booked_once_and_each_is_answered(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    state = desk.wechat.pay(await desk.order_no(payment))
    answers = await asyncio.gather(*(desk.notify(desk.wechat, state, key="one") for _ in range(20)))
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"OK")] * 20
    assert await desk.bookings() == 1
    assert await desk.account("provider:wechat:clearing") == 600
    assert await desk.one("SELECT count(*) FROM provider_message WHERE key = 'one'") == 1
    await desk.books()


async def test_f02_two_processes_that_hear_at_once_book_once(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    async with open_desk(desk.town) as other:
        other.wechat.orders = desk.wechat.orders
        state = desk.wechat.pay(await desk.order_no(payment))
        answers = await asyncio.gather(desk.notify(desk.wechat, state), other.notify(other.wechat, state))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert await desk.bookings() == 1
    assert await desk.books() == {"provider:wechat:clearing": 600, "revenue:parking:KA": -600}


async def test_f03_paid_before_the_answer_to_the_order_came(desk: Desk) -> None:
    session_id = await desk.ended()
    desk.wechat.is_slow_by_seconds = 1.0
    asking = asyncio.create_task(desk.ask(session_id))
    await until(lambda: _is_asked(desk))
    order_no = desk.wechat.calls[0][1]
    paid = OrderState(order_no=order_no, status=OrderStatus.PAID, transaction_id="T1", total_fen=600)  # type: ignore[arg-type]  # fen
    assert (await desk.notify(desk.wechat, paid)).status_code == 200
    answer = (await asking).json()
    assert (answer["status"], answer["code_url"]) == ("paid", None)
    assert await desk.one("SELECT opened ->> 'code_url' FROM payment") is not None, "the late answer is kept"
    assert await desk.bookings() == 1


async def _is_asked(desk: Desk) -> bool:
    return bool(desk.wechat.calls)


async def test_f08_answered_again_when_the_first_answer_was_lost(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    state = desk.wechat.pay(await desk.order_no(payment))
    headers, body = desk.wechat.notification(state, key="one")
    adapter = desk.till.provider("wechat")
    heard = await adapter.read_notification(headers, body)
    assert isinstance(heard.about, OrderState)
    await settle(desk.till, "wechat", heard.about, source="notification", key=heard.key)  # and then it died
    again = await desk.api.client.post("/api/v1/notify/wechat", content=body, headers=headers)
    assert again.status_code == 200
    assert await desk.bookings() == 1


async def test_f09_dead_before_the_commit_means_no_answer_and_a_booking_at_the_next_try(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    state = desk.wechat.pay(await desk.order_no(payment))
    async with desk.town.database.transaction() as db:
        await db.execute(text("SELECT 1 FROM payment FOR UPDATE"))
        headers, body = desk.wechat.notification(state, key="one")
        taking = asyncio.create_task(desk.api.client.post("/api/v1/notify/wechat", content=body, headers=headers))
        await until(lambda: _waits_for_a_lock(desk))
        await desk.one(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'parking-api' AND wait_event_type = 'Lock'"
        )
        answer = await taking
    assert answer.status_code == 503
    assert (await desk.bookings(), await desk.one("SELECT count(*) FROM provider_message")) == (0, 0)
    assert (await desk.payment(payment))["status"] == "pending"
    assert (await desk.api.client.post("/api/v1/notify/wechat", content=body, headers=headers)).status_code == 200
    assert await desk.bookings() == 1


async def _waits_for_a_lock(desk: Desk) -> bool:
    waiting = "application_name = 'parking-api' AND wait_event_type = 'Lock'"
    return bool(await desk.one(f"SELECT count(*) FROM pg_stat_activity WHERE {waiting}"))  # noqa: S608 - ours


async def test_f20_an_old_notification_replayed_changes_nothing(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    state = desk.wechat.pay(await desk.order_no(payment))
    headers, body = desk.wechat.notification(state, key="one")
    for _ in range(3):
        assert (await desk.api.client.post("/api/v1/notify/wechat", content=body, headers=headers)).status_code == 200
    before = await desk.books()
    await desk.api.client.post("/api/v1/notify/wechat", content=body, headers=headers)
    assert await desk.books() == before
    assert await desk.one("SELECT count(*) FROM provider_message") == 1


async def test_f42_finished_months_later_books_nothing_more(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended(), "alipay")
    state = await desk.pay(payment)
    assert (await desk.notify(desk.alipay, state)).status_code == 200  # another key: TRADE_FINISHED after TRADE_SUCCESS
    assert await desk.bookings() == 1
    assert await desk.account("provider:alipay:clearing") == 600


async def test_f50_all_or_nothing_when_the_database_goes_away_while_booking(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    state = desk.wechat.pay(await desk.order_no(payment))
    await desk.do("ALTER TABLE journal_line RENAME TO journal_line_away")
    try:
        answer = await desk.notify(desk.wechat, state, key="one")
        assert answer.status_code >= 500
    finally:
        await desk.do("ALTER TABLE journal_line_away RENAME TO journal_line")
    assert await desk.one("SELECT status FROM payment") != "paid"
    assert await desk.one("SELECT count(*) FROM provider_message") == 0
    assert (await desk.notify(desk.wechat, state, key="one")).status_code == 200
    assert await desk.bookings() == 1

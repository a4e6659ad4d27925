"""Notifications that are wrong, forged or not for us, and clients that would like to pay less: never an effect."""

import json

import pytest

from tests.payments.conftest import Desk
from tests.support.stranger import signature

pytestmark = pytest.mark.services


async def nothing_happened(desk: Desk) -> bool:
    return await desk.bookings() == 0 and await desk.one("SELECT count(*) FROM provider_message") == 0


@pytest.mark.parametrize(("paid_fen", "currency"), [(599, "CNY"), (601, "CNY"), (600, "USD")])
async def test_f15_another_amount_is_asked_about_and_goes_to_suspense(desk: Desk, paid_fen: int, currency: str) -> None:
    session_id = await desk.ended()
    payment = await desk.begin(session_id)
    await desk.pay(payment, amount_fen=paid_fen, currency=currency)
    assert ("query", await desk.order_no(payment)) in desk.wechat.calls
    held = "SELECT sum(credit_fen) FROM journal_line WHERE account = 'suspense'"
    assert await desk.one(held) == paid_fen
    session = await desk.session(session_id)
    assert (session["paid_fen"], session["due_fen"]) == (0, 600)


async def test_f15_another_amount_that_the_provider_does_not_confirm_is_not_booked(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    order_no = await desk.order_no(payment)
    pending = desk.wechat.states[order_no]
    odd = desk.wechat.pay(order_no, amount_fen=1)
    desk.wechat.states[order_no] = pending
    assert (await desk.notify(desk.wechat, odd)).status_code == 500
    assert await nothing_happened(desk)


async def test_f16_signed_well_but_for_another_merchant(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    state = desk.wechat.pay(await desk.order_no(payment))
    desk.wechat.trouble["query"] = ["down"] * 20
    answer = await desk.notify(desk.wechat, state, merchant="another")
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/forged")
    assert await nothing_happened(desk)


async def test_f17_an_order_nobody_knows_is_kept_for_a_person_and_makes_no_stay(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    state = desk.wechat.pay(await desk.order_no(payment))
    stranger = type(state)(
        order_no="P000000000000", status=state.status, transaction_id="T9", total_fen=state.total_fen
    )
    for _ in range(2):
        assert (await desk.notify(desk.wechat, stranger, key="odd")).status_code == 500
    assert await desk.one("SELECT outcome FROM provider_message WHERE key = 'odd'") == "unknown-order"
    assert await desk.one("SELECT count(*) FROM provider_message WHERE key = 'odd'") == 1
    assert (await desk.bookings(), await desk.one("SELECT count(*) FROM parking_session")) == (0, 1)


async def test_f18_a_forged_notification_is_refused_and_leaves_no_trace(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    state = desk.wechat.pay(await desk.order_no(payment))
    desk.wechat.trouble["query"] = ["down"] * 20
    headers, body = desk.wechat.notification(state)
    for signed in ("", "0" * 64, headers["x-signature"][:-1]):
        answer = await desk.api.client.post("/api/v1/notify/wechat", content=body, headers={"x-signature": signed})
        assert answer.status_code == 401
    assert await nothing_happened(desk)


async def test_f19_probes_with_wrong_signatures_do_not_become_a_flood(desk: Desk) -> None:
    answers = [
        await desk.api.client.post("/api/v1/notify/wechat", content=b"{}", headers={"x-signature": "PROBE"})
        for _ in range(70)
    ]
    assert {answer.status_code for answer in answers[:60]} == {401}
    assert {answer.status_code for answer in answers[62:]} == {429}
    payment = await desk.begin(await desk.ended())
    await desk.pay(payment)  # what is genuine is heard all the same
    assert await desk.bookings() == 1


async def test_f22_the_same_json_written_otherwise_is_not_what_was_signed(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    state = desk.wechat.pay(await desk.order_no(payment))
    desk.wechat.trouble["query"] = ["down"] * 20
    headers, body = desk.wechat.notification(state)
    for altered in (json.dumps(json.loads(body), indent=1).encode(), b"\xef\xbb\xbf" + body, body + b"\n", body[:-1]):
        answer = await desk.api.client.post("/api/v1/notify/wechat", content=altered, headers=headers)
        assert answer.status_code == 401
    assert await nothing_happened(desk)


async def test_f23_what_our_own_key_does_not_open_is_sent_again(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    state = desk.wechat.pay(await desk.order_no(payment))
    desk.wechat.trouble["query"] = ["down"] * 20
    assert (await desk.notify(desk.wechat, state, sealed=True)).status_code == 500
    assert await nothing_happened(desk)
    assert (await desk.notify(desk.wechat, state)).status_code == 200


async def test_f60_the_amount_is_never_the_clients(desk: Desk) -> None:
    session_id = await desk.ended()
    for more in ({"amount_fen": 1}, {"amount": 0.01, "total_fen": 1}, {"fee": {"total_fen": 1}}):
        answer = await desk.ask(session_id, **more)
        assert answer.status_code == 422, answer.text
    payment = await desk.begin(session_id)
    assert payment["amount_fen"] == 600
    assert [order.amount_fen for order in desk.wechat.orders.values()] == [600]


async def test_a_provider_nobody_configured_is_not_listened_to(desk: Desk) -> None:
    body = b'{"about": {}}'
    answer = await desk.api.client.post(
        "/api/v1/notify/unionpay", content=body, headers={"x-signature": signature(body)}
    )
    assert answer.status_code == 404


async def test_too_much_is_not_read(desk: Desk) -> None:
    answer = await desk.api.client.post("/api/v1/notify/wechat", content=b"x" * 300_000)
    assert answer.status_code == 413

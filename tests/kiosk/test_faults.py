"""Faults about who parked, when and at which kiosk; each bears its number."""

from datetime import timedelta
from uuid import uuid4

import pytest

from api.passwords import hash_password
from billing.by_hand import ask_refund
from tests.api.town import now
from tests.kiosk.conftest import Kiosk, gone, seen
from tests.kiosk.test_arrears import PLATE, billed, debts, owed, proved
from tests.payments.conftest import Desk

pytestmark = pytest.mark.services

HASH = hash_password("correct horse")


async def test_f25_a_kiosk_with_a_wrong_clock_changes_no_fee_and_is_told_the_time(kiosk: Kiosk) -> None:
    session_id = await kiosk.desk.running()
    wrong = {"seq": 1, "at": "2019-01-01T00:00:00Z", "kind": "online", "detail": {}}
    answer = (await kiosk.post("/events", events=[wrong])).json()
    assert answer["stored"] == 1
    assert answer["server_time"][:13] == now().isoformat()[:13]
    found = (await kiosk.find(space="KA-001"))["matches"][0]["session"]
    assert (found["due_fen"], found["counted_to"]) == (600, (await kiosk.desk.session(session_id))["counted_to"])
    refused = await kiosk.post(f"/sessions/{session_id}/payments", channel="wechat", at="2019-01-01T00:00:00Z")
    assert refused.status_code == 422, "no time of the kiosk's reaches a fee"


async def test_f34_a_stay_whose_end_was_lost_for_days_waits_for_a_person_and_is_no_arrear(desk: Desk) -> None:
    session_id = await gone(desk, 2, minutes=5 * 24 * 60)
    await seen(desk, session_id, PLATE)
    await billed(desk)
    assert await desk.one("SELECT count(*) FROM bill_hold WHERE released_at IS NULL") == 1
    stay, arrears, unidentified = await owed(desk)
    assert (stay > 0, arrears, unidentified) == (True, 0, 0)
    assert await debts(desk) == []


async def test_f35_who_pays_another_ones_stay_gets_it_back_by_a_person_and_still_owes_his_own(desk: Desk) -> None:
    his, strangers = await gone(desk, 2), await gone(desk, 2, "KA-002")
    await seen(desk, his, PLATE)
    await seen(desk, strangers, "浙D67890")
    await billed(desk)
    wrong = (await debts(desk, "浙D67890"))[0]
    begun = await desk.api.client.post(
        f"/api/v1/arrears/{wrong['id']}/payments", json={"channel": "wechat"}, headers={"Idempotency-Key": uuid4().hex}
    )
    await desk.pay(begun.json())
    assert (len(await debts(desk, "浙D67890")), len(await debts(desk))) == (0, 1), "the booking stands; his is open"
    async with desk.town.database.transaction() as db:
        await ask_refund(
            db, begun.json()["id"], 600, reason="typed a wrong plate", by="operator:mei", limit_fen=5_000, at=now()
        )
    await desk.sweep()
    await desk.sweep(later=timedelta(minutes=5))
    assert await desk.one("SELECT status FROM refund") == "succeeded"
    assert len(await debts(desk)) == 1
    await proved(desk)


async def test_f51_a_receipt_that_is_asked_for_twice_is_one(kiosk: Kiosk) -> None:
    session_id = await kiosk.desk.running()
    await kiosk.find(space="KA-001")
    await kiosk.desk.pay((await kiosk.post(f"/sessions/{session_id}/payments", channel="wechat")).json()["payment"])
    receipts = [(await kiosk.post(f"/sessions/{session_id}/receipt")).json()["number"] for _ in range(3)]
    assert len(set(receipts)) == 1
    assert await kiosk.desk.one("SELECT count(*) FROM receipt") == 1


async def test_f56_a_payment_that_was_begun_and_never_paid_leaves_the_debt_an_arrear(desk: Desk) -> None:
    await seen(desk, await gone(desk, 2), PLATE)
    await billed(desk)
    debt = (await debts(desk))[0]
    begun = await desk.api.client.post(
        f"/api/v1/arrears/{debt['id']}/payments", json={"channel": "wechat"}, headers={"Idempotency-Key": uuid4().hex}
    )
    assert begun.json()["status"] == "pending"
    assert [one["amount_fen"] for one in await debts(desk)] == [600]
    await desk.sweep(later=timedelta(hours=3))
    await desk.sweep(later=timedelta(hours=4))
    assert (await desk.payment(begun.json()))["status"] == "closed"
    await billed(desk)
    assert await owed(desk) == (0, 600, 0)
    assert [one["amount_fen"] for one in await debts(desk)] == [600]


async def test_f57_a_cloned_plate_is_disputed_and_reminds_nobody_and_the_space_is_paid_by_hand(desk: Desk) -> None:
    session_id = await gone(desk, 2)
    await seen(desk, session_id, PLATE, source="camera")
    await billed(desk)
    debt = (await debts(desk))[0]
    denied = await desk.api.client.post(f"/api/v1/arrears/{debt['id']}/dispute", json={"reason": "a cloned plate"})
    assert denied.status_code == 202
    assert [one["disputed"] for one in await debts(desk)] == [True]
    await seen(desk, session_id, "浙D67890", source="warden")
    await billed(desk)
    assert (await debts(desk), len(await debts(desk, "浙D67890"))) == ([], 1), "better evidence moves it"
    await desk.pay(await desk.begin(session_id))
    assert await owed(desk) == (0, 0, 0)
    await proved(desk)


async def test_f58_a_receipt_is_fetched_again_by_its_number_after_the_power_failed(kiosk: Kiosk, desk: Desk) -> None:
    session_id = await desk.running()
    await kiosk.find(space="KA-001")
    await desk.pay((await kiosk.post(f"/sessions/{session_id}/payments", channel="alipay")).json()["payment"])
    printed = (await kiosk.post(f"/sessions/{session_id}/receipt")).json()
    again = await desk.api.json(f"/api/v1/receipts/{printed['number']}")
    assert (again["paid_fen"], again["token"]) == (600, printed["token"])


async def test_f59_a_debt_given_up_at_the_desk_while_an_order_is_open_gives_the_money_back_if_it_is_paid(
    desk: Desk,
) -> None:
    session_id = await gone(desk, 2)
    await seen(desk, session_id, PLATE)
    await billed(desk)
    payment = await desk.begin(session_id)
    await desk.town.operator("mei", "finance", HASH)
    change = {"X-Requested-With": "tests"}
    client = desk.api.client
    await client.post("/api/v1/operator/login", json={"login": "mei", "password": "correct horse"}, headers=change)
    debt = (await debts(desk))[0]
    body = {"reason": "paid in cash, slip 17"}
    assert (
        await client.post(f"/api/v1/operator/arrears/{debt['id']}/waive", json=body, headers=change)
    ).status_code == 200
    await desk.pay(payment)
    await desk.sweep()
    assert await desk.one("SELECT sum(amount_fen) FROM refund") == 600
    assert await owed(desk) == (0, 0, 0)
    await proved(desk)

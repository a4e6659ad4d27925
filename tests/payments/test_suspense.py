"""Money in suspense, over HTTP: seen, put to its stay or paid out, by two people above a sum, never twice."""

import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest

from billing.bills import bill_ended_sessions
from billing.closing import close_day
from billing.ledger.totals import totals_of
from billing.providers.port import BillLine, OrderState, OrderStatus, ProviderBill
from core.money import Fen
from ops.ledger import prove
from tests.api.town import now
from tests.closing.test_by_hand import logged_in
from tests.payments.conftest import Desk

pytestmark = pytest.mark.services

WAITING = "/api/v1/operator/suspense"
WHY = {"reason": "the payer showed the bank's slip"}


async def odd(desk: Desk, amount_fen: int, currency: str = "CNY") -> dict[str, Any]:
    """A stay that owes 6.00, and a payment of another amount."""
    session_id = await desk.ended()
    async with desk.town.database.transaction() as db:
        await bill_ended_sessions(db, at=now(), limit=10)
    payment = await desk.begin(session_id)
    await desk.pay(payment, amount_fen=amount_fen, currency=currency)
    return payment


async def decide(
    browser: httpx.AsyncClient, entry_id: int, outcome: str, *, key: str = "", **more: Any
) -> httpx.Response:
    return await browser.post(
        f"{WAITING}/{entry_id}",
        json={"outcome": outcome, **WHY, **more},
        headers={"Idempotency-Key": key or uuid4().hex},
    )


async def proved(desk: Desk) -> bool:
    async with desk.town.database.transaction() as db:
        assert (await totals_of(db)).is_whole
    return all(finding.is_kept for finding in await prove(desk.town.database, desk.till.clock))


async def test_an_odd_amount_is_seen_and_put_to_its_stay(desk: Desk) -> None:
    payment = await odd(desk, 500)
    async with logged_in(desk, "li") as li:
        (waiting,) = (await li.get(WAITING)).json()
        assert (waiting["amount_fen"], waiting["payment_id"], waiting["provider"]) == (500, payment["id"], "wechat")
        assert waiting["transaction_id"].startswith("42")
        answer = await decide(li, waiting["entry_id"], "stay", key="one-decision")
        assert (answer.status_code, answer.json()["status"]) == (201, "done")
        assert (await decide(li, waiting["entry_id"], "stay", key="one-decision")).json() == answer.json()
        assert (await decide(li, waiting["entry_id"], "stay")).json()["type"] == "/problems/suspense-not-found"
        assert (await li.get(WAITING)).json() == []
        (entry,) = (await li.get(f"/api/v1/operator/audit?subject=entry:{waiting['entry_id']}")).json()
        assert (entry["action"], entry["actor"]) == ("suspense.decided", "operator:li")
        assert entry["after"]["reason"] == WHY["reason"]
    session = await desk.session(waiting["session_id"])
    assert (session["paid_fen"], session["due_fen"]) == (500, 100)
    assert await proved(desk)


async def test_more_than_the_stay_owes_stays_and_is_refunded_like_any_payment(desk: Desk) -> None:
    payment = await odd(desk, 700)
    async with logged_in(desk, "li") as li:
        (waiting,) = (await li.get(WAITING)).json()
        assert (await decide(li, waiting["entry_id"], "stay")).json()["amount_fen"] == 600
        (left,) = (await li.get(WAITING)).json()
        assert left["amount_fen"] == 100
        assert (await decide(li, left["entry_id"], "stay")).json()["type"] == "/problems/suspense-fits-no-stay"
        refund = await li.post(
            f"/api/v1/operator/payments/{payment['id']}/refunds",
            json={"amount_fen": 100, **WHY},
            headers={"Idempotency-Key": "the-rest"},
        )
        assert refund.status_code == 201
        assert (await li.get(WAITING)).json() == []
    assert await desk.account("suspense") == 0
    assert await proved(desk)


async def test_above_the_limit_a_second_person_decides(desk: Desk) -> None:
    await odd(desk, 9_000)
    async with logged_in(desk, "li") as li, logged_in(desk, "wu") as wu:
        (waiting,) = (await li.get(WAITING)).json()
        held = (await decide(li, waiting["entry_id"], "paid-out")).json()
        assert held["status"] == "held"
        assert [one["id"] for one in (await wu.get(f"{WAITING}/held")).json()] == [held["id"]]
        address = f"{WAITING}/decisions/{held['id']}"
        assert (await li.post(f"{address}/approve", json=WHY)).json()["type"] == "/problems/same-person"
        assert await desk.account("suspense") == -9_000, "nothing has moved"
        done = (await wu.post(f"{address}/approve", json=WHY)).json()
        assert (done["status"], done["decided_by"]) == ("done", "operator:wu")
        assert (await wu.post(f"{address}/reject", json=WHY)).json()["type"] == "/problems/suspense-not-held"
    assert (await desk.account("suspense"), await desk.account("bank")) == (0, -9_000)
    assert await proved(desk)


async def test_what_was_paid_out_cannot_be_refunded_too_and_a_rejected_decision_moves_nothing(desk: Desk) -> None:
    payment = await odd(desk, 600, "USD")
    async with logged_in(desk, "li") as li, logged_in(desk, "wu") as wu:
        (waiting,) = (await li.get(WAITING)).json()
        assert (waiting["currency"], waiting["amount_fen"]) == ("USD", 600)
        assert (await decide(li, waiting["entry_id"], "stay")).json()["type"] == "/problems/suspense-fits-no-stay"
        answers = await asyncio.gather(*(decide(one, waiting["entry_id"], "paid-out") for one in (li, wu, li)))
        assert sorted(answer.status_code for answer in answers) == [201, 404, 404]
        refund = await li.post(
            f"/api/v1/operator/payments/{payment['id']}/refunds",
            json={"amount_fen": 1, **WHY},
            headers={"Idempotency-Key": "twice-back"},
        )
        assert refund.json()["type"] == "/problems/refund-exceeds-payment"
    assert await proved(desk)


async def test_money_for_no_order_of_ours_is_paid_out_with_a_second_person(desk: Desk) -> None:
    day = date(2026, 11, 20)
    line = BillLine(
        order_no="X1", transaction_id="42-unknown", refund_no=None, amount_fen=Fen(8_000), fee_fen=Fen(0), at=now()
    )
    desk.wechat.states["X1"] = OrderState(
        order_no="X1", status=OrderStatus.PAID, transaction_id="42-unknown", total_fen=Fen(8_000), paid_at=now()
    )
    desk.wechat.bills[day] = ProviderBill(day=day, lines=(line,))
    await close_day(desk.till, "wechat", day, by="worker")
    async with logged_in(desk, "li") as li, logged_in(desk, "wu") as wu:
        (waiting,) = (await li.get(WAITING)).json()
        assert (waiting["transaction_id"], waiting["payment_id"]) == ("42-unknown", None)
        assert (await decide(li, waiting["entry_id"], "stay")).json()["type"] == "/problems/suspense-fits-no-stay"
        held = (await decide(li, waiting["entry_id"], "paid-out")).json()
        assert (await wu.post(f"{WAITING}/decisions/{held['id']}/reject", json=WHY)).json()["status"] == "rejected"
        assert await desk.account("suspense") == -8_000
        held = (await decide(li, waiting["entry_id"], "paid-out")).json()
        assert (await wu.post(f"{WAITING}/decisions/{held['id']}/approve", json=WHY)).json()["status"] == "done"
        assert (await li.get(WAITING)).json() == []
    assert await desk.account("suspense") == 0
    assert await proved(desk)


async def test_bad_input_and_the_wrong_role_move_nothing(desk: Desk) -> None:
    await odd(desk, 500)
    async with logged_in(desk, "li") as li, logged_in(desk, "gu", "warden") as gu:
        (waiting,) = (await li.get(WAITING)).json()
        assert (await gu.get(WAITING)).status_code == 403
        assert (await decide(gu, waiting["entry_id"], "stay")).status_code == 403
        for entry_id, outcome, reason in ((1, "bank", "why"), (0, "stay", "why"), (1, "stay", "x"), (1, "stay", None)):
            assert (await decide(li, entry_id, outcome, reason=reason)).status_code == 422
        assert (await decide(li, 999_999, "stay")).status_code == 404
        unknown = f"{WAITING}/decisions/0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10/approve"
        assert (await li.post(unknown, json=WHY)).status_code == 404
    assert await desk.account("suspense") == -500

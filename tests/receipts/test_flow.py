"""From a payment to its receipt, through the flow that really books: also when it was paid twice."""

from datetime import timedelta

import pytest

from tests.payments.conftest import Desk

pytestmark = pytest.mark.services


async def test_a_running_stay_is_paid_and_its_receipt_says_until_when_to_leave(desk: Desk) -> None:
    payment = await desk.begin(await desk.running(75))
    path = f"/api/v1/payments/{payment['id']}/receipt"
    assert (await desk.api.get(path)).json()["type"] == "/problems/not-paid"
    state = await desk.pay(payment)
    receipt = await desk.api.json(path)
    assert (receipt["paid_fen"], receipt["total_fen"], receipt["allowed_fen"]) == (600, 600, 0)
    assert receipt["paid"]["transaction_id"] == state.transaction_id
    session = await desk.session(payment["session_id"])
    assert receipt["exit_by"] == session["exit_by"], "the page and the receipt say the same"


async def test_f10_both_receipts_tell_of_a_stay_that_was_paid_twice(desk: Desk) -> None:
    session_id = await desk.ended()
    by_wechat = await desk.begin(session_id, "wechat")
    by_alipay = await desk.begin(session_id, "alipay")
    await desk.pay(by_wechat)
    await desk.pay(by_alipay)
    for hours in range(3):
        await desk.sweep(later=timedelta(hours=hours))
    receipts = [await desk.api.json(f"/api/v1/payments/{one['id']}/receipt") for one in (by_wechat, by_alipay)]
    assert [one["paid_fen"] for one in receipts] == [600, 600]
    assert sorted(one["kept_fen"] for one in receipts) == [0, 600]
    (back,) = [refund for one in receipts for refund in one["refunds"]]
    assert (back["amount_fen"], back["done"]) == (600, True)

"""A payment from the space's code to the receipt, and what the session says on the way."""

import pytest

from billing.bills import bill_ended_sessions
from tests.api.test_sessions import printed
from tests.api.town import now
from tests.payments.conftest import Desk

pytestmark = pytest.mark.services


async def test_an_ended_stay_is_paid_and_then_nothing_is_left_to_show(desk: Desk) -> None:
    session_id = await desk.ended()
    shown = await desk.api.json("/api/v1/spaces/KA-001/session", params=printed("KA-001"))
    assert (shown["id"], shown["due_fen"], shown["paid_fen"]) == (str(session_id), 600, 0)
    payment = await desk.begin(session_id)
    assert (payment["amount_fen"], payment["status"], payment["channel"]) == (600, "pending", "wechat_native")
    assert payment["code_url"].startswith("https://stranger.test/")
    await desk.pay(payment)
    paid = await desk.payment(payment)
    assert (paid["status"], paid["received_fen"], paid["code_url"]) == ("paid", 600, None)
    session = await desk.session(session_id)
    assert (session["paid_fen"], session["due_fen"]) == (600, 0)
    gone = await desk.api.get("/api/v1/spaces/KA-001/session", params=printed("KA-001"))
    assert gone.json()["type"] == "/problems/no-session"
    async with desk.town.database.transaction() as db:
        await bill_ended_sessions(db, at=now(), limit=10)
    assert (await desk.session(session_id))["due_fen"] == 0
    assert await desk.books() == {"provider:wechat:clearing": 600, "revenue:parking:KA": -600}


async def test_the_picture_of_a_code_that_was_just_paid_is_empty_and_no_error(desk: Desk) -> None:
    payment = await desk.begin(await desk.ended())
    address = f"/api/v1/payments/{payment['id']}/code.svg"
    assert "<path" in (await desk.api.client.get(address)).text
    await desk.pay(payment)
    empty = await desk.api.client.get(address)
    assert (empty.status_code, empty.headers["content-type"]) == (200, "image/svg+xml")
    assert "<path" not in empty.text

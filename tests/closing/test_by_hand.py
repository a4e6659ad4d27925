"""Refunds, pay-outs and waivers by people, over HTTP: limits, two pairs of eyes, one refund for one decision."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.passwords import hash_password
from billing.bills import bill_ended_sessions
from billing.closing import close_day
from billing.ledger import accounts
from billing.providers.port import BillLine, ProviderBill, RefundStatus
from core.money import Fen
from ops.ledger import prove
from tests.api.town import now
from tests.closing.test_closing import day_of, paid
from tests.payments.conftest import Desk

pytestmark = pytest.mark.services

PASSWORD = "correct horse"
HASH = hash_password(PASSWORD)
WHY = {"reason": "charged while the street was closed"}


@asynccontextmanager
async def logged_in(desk: Desk, login: str, role: str = "finance") -> AsyncIterator[httpx.AsyncClient]:
    """A browser of this person."""
    await desk.town.operator(login, role, HASH)
    async with httpx.AsyncClient(base_url=desk.api.url, headers={"X-Requested-With": "tests"}) as browser:
        answer = await browser.post("/api/v1/operator/login", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200
        yield browser


async def ask(browser: httpx.AsyncClient, payment: dict[str, Any], fen: int, key: str = "") -> httpx.Response:
    return await browser.post(
        f"/api/v1/operator/payments/{payment['id']}/refunds",
        json={"amount_fen": fen, **WHY},
        headers={"Idempotency-Key": key or uuid4().hex},
    )


async def test_a_small_refund_goes_at_once_and_leaves_its_trace(desk: Desk) -> None:
    payment, _ = await paid(desk)
    async with logged_in(desk, "li") as li:
        answer = await ask(li, payment, 200)
        assert (answer.status_code, answer.json()["status"]) == (201, "requested")
        await desk.sweep()
        await desk.sweep(later=desk_later())
        (refund,) = (await li.get(f"/api/v1/operator/payments/{payment['id']}/refunds")).json()
        assert (refund["status"], refund["requested_by"]) == ("succeeded", "operator:li")
        (entry,) = (await li.get(f"/api/v1/operator/audit?subject=refund:{refund['id']}")).json()
        assert (entry["actor"], entry["after"]["reason"]) == ("operator:li", WHY["reason"])
    assert (await desk.books())[accounts.GOODWILL] == 200
    assert all(finding.is_kept for finding in await prove(desk.town.database, desk.till.clock))


async def test_above_the_limit_another_person_decides_never_the_same(desk: Desk) -> None:
    payment, _ = await paid(desk)
    limited(desk, 300)
    before = await desk.books()
    async with logged_in(desk, "li") as li, logged_in(desk, "wu") as wu:
        held = (await ask(li, payment, 400)).json()
        assert held["status"] == "held"
        assert await desk.books() == before, "nothing moves before it is approved"
        address = f"/api/v1/operator/refunds/{held['id']}"
        same = await li.post(f"{address}/approve", json=WHY)
        assert (same.status_code, same.json()["type"]) == (403, "/problems/same-person")
        assert [one["id"] for one in (await wu.get("/api/v1/operator/refunds?status=held")).json()] == [held["id"]]
        done = await wu.post(f"{address}/approve", json=WHY)
        assert (done.json()["status"], done.json()["approved_by"]) == ("requested", "operator:wu")
        again = await wu.post(f"{address}/approve", json=WHY)
        assert (again.status_code, again.json()["type"]) == (409, "/problems/refund-not-held")
    assert await desk.account(accounts.REFUND_PENDING) == -400


async def test_small_pieces_do_not_add_up_to_a_large_refund_unseen(desk: Desk) -> None:
    payment, _ = await paid(desk)
    limited(desk, 300)
    async with logged_in(desk, "li") as li:
        statuses = [(await ask(li, payment, 200)).json()["status"] for _ in range(3)]
    assert statuses == ["requested", "held", "held"]


async def test_a_refused_refund_moves_nothing_and_frees_the_sum(desk: Desk) -> None:
    payment, _ = await paid(desk)
    limited(desk, 0)
    before = await desk.books()
    async with logged_in(desk, "li") as li, logged_in(desk, "wu") as wu:
        held = (await ask(li, payment, 600)).json()
        assert (await ask(li, payment, 1)).json()["type"] == "/problems/refund-exceeds-payment"
        answer = await wu.post(f"/api/v1/operator/refunds/{held['id']}/reject", json=WHY)
        assert answer.json()["status"] == "rejected"
        assert (await ask(li, payment, 1)).json()["status"] == "held"
    assert await desk.books() == before


async def test_f36_a_refund_asked_for_twice_at_once_is_one_and_never_more_than_came(desk: Desk) -> None:
    payment, _ = await paid(desk)
    async with logged_in(desk, "li") as li:
        same = await asyncio.gather(*(ask(li, payment, 400, key="one-decision") for _ in range(6)))
        assert {answer.json()["id"] for answer in same} == {same[0].json()["id"]}
        other = await asyncio.gather(*(ask(li, payment, 150) for _ in range(4)))
        assert sorted(answer.status_code for answer in other) == [201, 409, 409, 409]
        assert (await ask(li, payment, 300, key="one-decision")).status_code == 422, "another body, the same key"
    assert await desk.one("SELECT sum(amount_fen) FROM refund") == 550


async def test_f37_f38_what_the_provider_cannot_give_back_is_paid_out_by_hand_once(desk: Desk) -> None:
    payment, _ = await paid(desk)
    desk.wechat.refunds_end_as = RefundStatus.ABNORMAL
    async with logged_in(desk, "li") as li:
        refund = (await ask(li, payment, 200)).json()
        address = f"/api/v1/operator/refunds/{refund['id']}/paid-out"
        assert (await li.post(address, json=WHY)).status_code == 409, "not failed yet"
        await desk.sweep()
        await desk.sweep(later=desk_later())
        assert await desk.account(accounts.OVERPAID) == -200, "still owed"
        answer = await li.post(address, json=WHY)
        assert (answer.json()["status"], answer.json()["is_paid_out"]) == ("abnormal", True)
        assert (await li.post(address, json=WHY)).status_code == 409
    assert await desk.account(accounts.OVERPAID) == 0
    assert await desk.account(accounts.BANK) == -200
    assert all(finding.is_kept for finding in await prove(desk.town.database, desk.till.clock))


async def test_a_waiver_takes_what_is_due_and_not_more(desk: Desk) -> None:
    session_id = await desk.ended()
    async with desk.town.database.transaction() as db:
        await bill_ended_sessions(db, at=now(), limit=10)
    address = f"/api/v1/operator/sessions/{session_id}/waiver"
    async with logged_in(desk, "li") as li:

        async def waive(fen: int | None, key: str) -> httpx.Response:
            return await li.post(address, json={"amount_fen": fen, **WHY}, headers={"Idempotency-Key": key})

        assert (await waive(700, "too-much-1")).json()["type"] == "/problems/waiver-exceeds-due"
        assert (await waive(200, "some-of-it")).json()["waived_fen"] == 200
        assert (await waive(200, "some-of-it")).json()["waived_fen"] == 200, "the same decision again"
        assert (await waive(None, "all-of-it-1")).json()["waived_fen"] == 400
        assert (await waive(None, "all-of-it-2")).status_code == 409
    assert (await desk.session(session_id))["due_fen"] == 0
    assert await desk.account(accounts.WAIVER) == 600
    assert all(finding.is_kept for finding in await prove(desk.town.database, desk.till.clock))


async def test_only_finance_may_and_only_with_a_reason(desk: Desk) -> None:
    payment, line = await paid(desk)
    async with logged_in(desk, "warden", "warden") as warden:
        assert (await ask(warden, payment, 1)).status_code == 403
        assert (await warden.get("/api/v1/operator/refunds")).status_code == 403
        assert (await warden.get(f"/api/v1/operator/closes/{day_of(line)}")).status_code == 403
    async with logged_in(desk, "li") as li:
        address = f"/api/v1/operator/payments/{payment['id']}/refunds"
        bare = await li.post(address, json={"amount_fen": 1, **WHY})
        assert bare.status_code == 422, "no Idempotency-Key"
        mute = await li.post(address, json={"amount_fen": 1}, headers={"Idempotency-Key": "a-key-of-mine"})
        assert mute.status_code == 422
        lost = await ask(li, {"id": str(uuid4())}, 1)
        assert (lost.status_code, lost.json()["type"]) == (404, "/problems/payment-not-found")
    assert await desk.one("SELECT count(*) FROM refund") == 0


async def test_a_close_is_read_as_json_and_as_a_table(desk: Desk) -> None:
    _, line = await paid(desk)
    day = day_of(line)
    odd = BillLine(
        order_no=line.order_no, transaction_id=line.transaction_id, refund_no=None, amount_fen=Fen(6),
        fee_fen=Fen(0), at=line.at,
    )  # fmt: skip
    desk.wechat.bills[day] = ProviderBill(day=day, lines=(odd,))
    async with logged_in(desk, "li") as li:
        address = f"/api/v1/operator/closes/{day}"
        assert (await li.get(address)).json()["type"] == "/problems/day-not-closed"
        await close_day(desk.till, "wechat", day, by="worker")
        (close,) = (await li.get(address, headers={"Accept-Language": "en"})).json()
        assert (close["outcome"], close["differences"][0]["cause"]) == ("open", "amount")
        assert close["sums"]["bill"] == {"paid": 6, "refunded": 0, "fee": 0}
        await close_day(desk.till, "wechat", day, by="worker")
        listed = (await li.get("/api/v1/operator/closes", headers={"Accept-Language": "en"})).json()
        assert [(one["day"], one["outcome"]) for one in listed] == [(str(day), "open")], "the newest counts"
        table = await li.get(f"{address}.csv")
        assert table.headers["content-type"].startswith("text/csv")
        assert "金额不一致" in table.text


def desk_later() -> timedelta:
    """Long enough for the next question about a refund."""
    return timedelta(hours=1)


def limited(desk: Desk, fen: int) -> None:
    """From here on refunds above this are held."""
    parts = desk.api.parts
    settings = parts.settings.model_copy(update={"refund_limit_fen": fen})
    desk.api.app.state.parts = replace(parts, settings=settings)

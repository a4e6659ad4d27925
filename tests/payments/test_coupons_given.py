"""Coupons and merchants' validations over HTTP: what they take off, who bears it, what stands against guessing."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.passwords import hash_password
from billing.bearing import used_fen
from billing.bills import bill_ended_sessions
from billing.coupons import Coupon
from billing.giving import issue_coupon
from billing.issuers import IssuerTerms, add_issuer
from billing.payments.till import real_now
from ops.ledger import prove
from tests.payments.conftest import Desk

pytestmark = pytest.mark.services

CHANGES = {"X-Requested-With": "test"}
WORDS = "correct horse battery"


async def coupon(desk: Desk, **what: Any) -> str:
    made = Coupon(**{"kind": "percent", "value": 50, "bearer": "tea house", **what})
    async with desk.town.database.transaction() as db:
        at = real_now()
        return await issue_coupon(
            db, made, lots=(), valid_to=at + timedelta(days=1), after_payment=True, actor="a test", at=at
        )


async def issuer(desk: Desk, name: str = "tea house", **what: Any) -> str:
    terms = IssuerTerms(**{"name": name, "is_merchant": True, "gives": ("minutes", 60), "lots": ("KA",), **what})
    async with desk.town.database.transaction() as db:
        _, key = await add_issuer(db, terms, actor="a test", at=real_now())
    return key or ""


async def use(desk: Desk, session_id: UUID, code: str) -> Any:
    return await desk.api.client.post(f"/api/v1/sessions/{session_id}/coupons", json={"code": code})


async def validate(desk: Desk, key: str, space: str = "KA-001") -> Any:
    headers = {"Authorization": f"Bearer {key}"}
    return await desk.api.client.post("/api/v1/merchant/validations", json={"space": space}, headers=headers)


async def bill(desk: Desk) -> None:
    async with desk.town.database.transaction() as db:
        await bill_ended_sessions(db, at=real_now(), limit=50)


async def proved(desk: Desk) -> None:
    findings = await prove(desk.town.database, desk.till.clock)
    assert all(finding.is_kept for finding in findings), [one for one in findings if not one.is_kept]


async def log_in(desk: Desk, role: str) -> None:
    await desk.town.operator(role, role, hash_password(WORDS))
    body = {"login": role, "password": WORDS}
    answer = await desk.api.client.post("/api/v1/operator/login", json=body, headers=CHANGES)
    assert answer.status_code == 200, answer.text


async def test_a_typed_code_halves_the_fee_and_whoever_issued_it_bears_the_half(desk: Desk) -> None:
    session_id = await desk.ended()
    code = await coupon(desk)
    answer = await use(desk, session_id, f"{code[:4].upper()} {code[4:8]}-{code[8:]}")
    assert (answer.status_code, answer.json()["bearer"]) == (201, "tea house")
    assert (await use(desk, session_id, code)).status_code == 201  # again changes nothing
    await bill(desk)
    assert (await desk.session(session_id))["due_fen"] == 300
    assert await desk.account("discount:coupon") == 300
    assert await desk.account("funded:coupons") == -300
    assert await desk.one("SELECT actor FROM audit WHERE action = 'coupon.attached'") == "driver"
    await proved(desk)


async def test_a_coupon_after_the_payment_gives_the_difference_back_and_is_borne_by_its_merchant(desk: Desk) -> None:
    await issuer(desk)
    session_id = await desk.ended()
    await bill(desk)
    await desk.pay(await desk.begin(session_id))
    assert (await use(desk, session_id, await coupon(desk))).status_code == 201
    await bill(desk)
    await desk.sweep(later=timedelta(minutes=1))
    await desk.sweep(later=timedelta(hours=1))
    books = await desk.books()
    assert books["provider:wechat:clearing"] == 300
    assert books["merchant:validation:tea house"] == 300
    await proved(desk)


async def test_a_coupon_taken_off_is_borne_by_nobody(desk: Desk) -> None:
    session_id = await desk.ended()
    code = await coupon(desk)
    await use(desk, session_id, code)
    await bill(desk)
    await log_in(desk, "operator")
    answer = await desk.api.client.post(f"/api/v1/operator/coupons/{code}/detach", headers=CHANGES)
    assert answer.status_code == 204, answer.text
    await bill(desk)
    assert (await desk.session(session_id))["due_fen"] == 600
    assert await desk.account("discount:coupon") == 0
    await proved(desk)


async def test_a_session_that_turns_out_to_be_none_gives_its_coupons_worth_back(desk: Desk) -> None:
    session_id = await desk.ended()
    await use(desk, session_id, await coupon(desk))
    await bill(desk)
    await desk.do("UPDATE parking_session SET status = 'void', revision = revision + 1")
    await bill(desk)
    assert await desk.account("discount:coupon") == 0
    await proved(desk)


async def test_a_merchant_pays_its_part_for_whoever_stands_there_once_a_stay(desk: Desk) -> None:
    key = await issuer(desk)
    session_id = await desk.running()
    answer = await validate(desk, key)
    assert (answer.status_code, answer.json()) == (201, {"space": "KA-001", "kind": "minutes", "value": 60})
    assert (await desk.session(session_id))["fee"]["total_fen"] == 300
    assert (await validate(desk, key)).json()["type"] == "/problems/validated-before"
    assert (await validate(desk, key, "KA-002")).status_code == 404
    assert (await validate(desk, "merchant_wrong")).status_code == 401
    assert (await desk.api.client.post("/api/v1/merchant/validations", json={"space": "KA-001"})).status_code == 401
    assert await desk.one("SELECT validations FROM coupon_issuer") == 1


async def test_no_merchant_gives_more_than_its_budget(desk: Desk) -> None:
    key = await issuer(desk, gives=("amount", 200), budget_fen=300)
    await desk.running()
    await desk.running(code="KA-002")
    assert (await validate(desk, key)).status_code == 201
    async with desk.town.database.transaction() as db:
        assert await used_fen(db, "tea house") == 200
    answer = await validate(desk, key, "KA-002")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/coupon-budget-used-up")
    assert await desk.one("SELECT count(*) FROM coupon") == 1  # what was refused left nothing behind


async def test_codes_cannot_be_guessed_by_trying(desk: Desk) -> None:
    session_id = await desk.ended()
    statuses = [(await use(desk, session_id, f"{number:016x}")).status_code for number in range(12)]
    assert statuses[:10] == [404] * 10
    assert statuses[10:] == [429, 429]


@pytest.mark.parametrize(("code", "status"), [("short", 422), ("zzzzzzzzzzzzzzzz", 422), ("0123456789abcdef", 404)])
async def test_what_is_no_coupon_is_refused(desk: Desk, code: str, status: int) -> None:
    assert (await use(desk, await desk.ended(), code)).status_code == status


async def test_a_coupon_is_on_one_stay_only(desk: Desk) -> None:
    code = await coupon(desk)
    assert (await use(desk, await desk.ended(), code)).status_code == 201
    answer = await use(desk, await desk.ended(code="KA-002"), code)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/coupon-refused")
    assert (await use(desk, uuid4(), await coupon(desk))).status_code == 404


async def test_the_stacking_order_of_the_notice_decides_what_each_coupon_came_to(desk: Desk) -> None:
    session_id = await desk.ended()
    for what in ({"kind": "amount", "value": 200, "bearer": "baker"}, {"bearer": "butcher"}):
        assert (await use(desk, session_id, await coupon(desk, **what))).status_code == 201
    await bill(desk)
    assert (await desk.session(session_id))["due_fen"] == 100  # half of 6.00, then 2.00
    assert await desk.one("SELECT worth_fen FROM coupon WHERE bearer = 'butcher'") == 300
    assert await desk.one("SELECT worth_fen FROM coupon WHERE bearer = 'baker'") == 200
    await proved(desk)


async def test_coupons_and_their_issuers_are_kept_by_finance(desk: Desk) -> None:
    client = desk.api.client
    new = {"kind": "minutes", "value": 60, "bearer": "茶馆"}
    who = {"name": "茶馆", "is_merchant": True, "gives_kind": "minutes", "gives_value": 30, "budget_fen": 1_000}
    assert (await client.post("/api/v1/operator/coupons", json=new)).status_code == 401
    await log_in(desk, "warden")
    assert (await client.post("/api/v1/operator/coupons", json=new, headers=CHANGES)).status_code == 403
    assert (await client.post("/api/v1/operator/coupon-issuers", json=who, headers=CHANGES)).status_code == 403
    await log_in(desk, "finance")
    made = await client.post("/api/v1/operator/coupon-issuers", json=who, headers=CHANGES)
    assert (made.status_code, made.json()["issuer"]["used_fen"]) == (201, 0)
    assert (await client.post("/api/v1/operator/coupon-issuers", json=who, headers=CHANGES)).status_code == 409
    half = {**who, "name": "x", "gives_value": None}
    assert (await client.post("/api/v1/operator/coupon-issuers", json=half, headers=CHANGES)).status_code == 422
    code = (await client.post("/api/v1/operator/coupons", json=new, headers=CHANGES)).json()["code"]
    session_id = await desk.running()
    given = await client.post(
        f"/api/v1/operator/coupons/{code}/attach", json={"session_id": str(session_id)}, headers=CHANGES
    )
    assert given.status_code == 204
    [row] = await desk.api.json("/api/v1/operator/coupons")
    assert row["session_id"] == str(session_id)
    assert (await client.post(f"/api/v1/operator/coupons/{code}/withdraw", headers=CHANGES)).status_code == 409
    unused = (await client.post("/api/v1/operator/coupons", json=new, headers=CHANGES)).json()["code"]
    number = made.json()["issuer"]["id"]
    assert (await client.post(f"/api/v1/operator/coupon-issuers/{number}/end", headers=CHANGES)).status_code == 200
    assert (await validate(desk, made.json()["key"])).status_code == 401
    withdrawn = {row["code"]: row["withdrawn_by"] for row in await desk.api.json("/api/v1/operator/coupons")}
    assert withdrawn == {code: None, unused: "finance"}

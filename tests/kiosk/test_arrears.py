"""Leave now, pay later: whose debt it is, what may be asked with a plate alone, and the books through all of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.limits import ARREARS
from api.passwords import hash_password
from billing.bills import bill_ended_sessions
from billing.holds import release_bill
from billing.ledger.checking import check_ledger
from core.tables.plates import SURE_FROM_PERCENT
from ops.arrears import move_all, write_off
from tests.api.town import now
from tests.kiosk.conftest import Kiosk, gone, just_gone, seen
from tests.payments.conftest import Desk

pytestmark = pytest.mark.services

GRACE = timedelta(hours=24)
PLATE = "浙D12345"


async def billed(desk: Desk, *, grace: timedelta = GRACE) -> None:
    """What the worker does: bills, then debts to where they belong; and the proof of the books after each step."""
    async with desk.town.database.transaction() as db:
        await bill_ended_sessions(db, at=now(), limit=100)
    await move_all(desk.town.database, at=now(), grace=grace)
    await proved(desk)


async def proved(desk: Desk) -> None:
    async with desk.town.database.transaction() as db:
        findings = await check_ledger(db, now=now())
    assert [finding for finding in findings if not finding.is_kept] == []


async def owed(desk: Desk) -> tuple[int, int, int]:
    """As a stay's, in arrears, of nobody known."""
    return (
        await desk.account("receivable:stay"),
        await desk.account("receivable:arrears"),
        await desk.account("receivable:unidentified"),
    )


async def query(desk: Desk, plate: str = PLATE, colour: str | None = "blue") -> httpx.Response:
    return await desk.api.client.post("/api/v1/arrears/query", json={"plate": plate, "colour": colour})


async def debts(desk: Desk, plate: str = PLATE, colour: str | None = "blue") -> list[dict[str, Any]]:
    answer = await query(desk, plate, colour)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["debts"]
    return found


async def pay(desk: Desk, debt: dict[str, Any]) -> dict[str, Any]:
    answer = await desk.api.client.post(
        f"/api/v1/arrears/{debt['id']}/payments", json={"channel": "wechat"}, headers={"Idempotency-Key": uuid4().hex}
    )
    assert answer.status_code == 201, answer.text
    payment: dict[str, Any] = answer.json()
    await desk.pay(payment)
    return payment


async def test_a_stay_becomes_an_arrear_after_its_grace_is_asked_for_by_plate_alone_and_paid(desk: Desk) -> None:
    old, older, young = (
        await gone(desk, 2),
        await gone(desk, 3, "KA-002", minutes=45),
        await just_gone(desk, "KB-001"),
    )
    for session_id in (old, older, young):
        await seen(desk, session_id, PLATE)
    await billed(desk)
    due = (await desk.session(young))["due_fen"]
    assert await owed(desk) == (due, 900, 0)
    answer = await query(desk)
    assert (answer.json()["total_fen"], [debt["amount_fen"] for debt in answer.json()["debts"]]) == (900, [300, 600])
    for secret in (str(old), str(older), "KA-00", "left_at", "T"):
        assert secret not in answer.text, "no place, no time, no session"
    payment = await pay(desk, answer.json()["debts"][0])
    shown = await desk.payment(payment)
    assert (shown["session_id"], shown["covers_to"], shown["status"]) == (None, None, "paid")
    assert await owed(desk) == (due, 600, 0)
    assert [debt["amount_fen"] for debt in await debts(desk)] == [600]
    await billed(desk)
    assert await owed(desk) == (due, 600, 0)
    assert await desk.one("SELECT purpose FROM payment") == "arrear"


async def test_a_drivers_word_makes_no_arrears_and_what_nobody_saw_is_of_nobody_known(desk: Desk) -> None:
    await seen(desk, await gone(desk, 2), PLATE, source="claim")
    await gone(desk, 2, "KA-002")
    await billed(desk)
    assert await owed(desk) == (0, 0, 1200)
    assert await debts(desk) == []


async def test_a_camera_in_doubt_makes_no_strangers_debt(desk: Desk) -> None:
    await seen(desk, await gone(desk, 2), PLATE, source="camera", sure=SURE_FROM_PERCENT - 1)
    await billed(desk)
    assert await owed(desk) == (0, 0, 600)
    assert await debts(desk) == []
    await seen(desk, await gone(desk, 3), PLATE, source="camera", sure=SURE_FROM_PERCENT)
    await billed(desk)
    assert await owed(desk) == (0, 600, 600)
    assert len(await debts(desk)) == 1


async def test_better_evidence_makes_an_arrear_of_what_nobody_was_known_to_owe_and_moves_one_to_its_owner(
    desk: Desk,
) -> None:
    session_id = await gone(desk, 2)
    await billed(desk)
    assert await owed(desk) == (0, 0, 600)
    await seen(desk, session_id, "浙D99999", source="camera")
    await billed(desk)
    assert await owed(desk) == (0, 600, 0)
    assert len(await debts(desk, "浙D99999")) == 1
    await seen(desk, session_id, PLATE, source="warden")
    await billed(desk)
    assert await debts(desk, "浙D99999") == []
    assert len(await debts(desk)) == 1


async def test_another_colour_is_another_vehicle(desk: Desk) -> None:
    await seen(desk, await gone(desk, 2), PLATE, colour="blue")
    await billed(desk)
    assert await debts(desk, colour="yellow") == []
    assert len(await debts(desk, colour=None)) == len(await debts(desk, colour="blue")) == 1


async def test_an_unsure_or_held_stay_waits_for_a_person_and_goes_on_once_he_let_it_go(desk: Desk) -> None:
    session_id = await gone(desk, 2)
    await seen(desk, session_id, PLATE)
    await desk.do("UPDATE parking_session SET unsure = true")
    await billed(desk)
    assert await owed(desk) == (600, 0, 0)
    if await desk.one("SELECT count(*) FROM bill_hold"):
        async with desk.town.database.transaction() as db:
            await release_bill(db, session_id, reason="the photo shows it", actor="test", at=now())
        await billed(desk)
        assert await owed(desk) == (0, 600, 0)


async def test_a_stay_that_turns_out_to_be_none_owes_nothing_and_what_was_paid_for_it_goes_back(desk: Desk) -> None:
    paid, unpaid = await gone(desk, 2), await gone(desk, 2, "KA-002")
    for session_id in (paid, unpaid):
        await seen(desk, session_id, PLATE)
    await billed(desk)
    await pay(desk, (await debts(desk))[0])
    await desk.do("UPDATE parking_session SET status = 'void', revision = revision + 1, revised_at = now()")
    await billed(desk)
    assert await owed(desk) == (0, 0, 0)
    assert await debts(desk) == []
    await desk.sweep()
    assert await desk.one("SELECT sum(amount_fen) FROM refund") == 600


async def test_who_comes_back_to_the_space_pays_the_same_debt_and_owes_nothing_twice(desk: Desk) -> None:
    session_id = await gone(desk, 2)
    await seen(desk, session_id, PLATE)
    await billed(desk)
    assert (await desk.session(session_id))["due_fen"] == 600
    payment = await desk.begin(session_id)
    debt = (await debts(desk))[0]
    await desk.pay(payment)
    assert await debts(desk) == []
    again = await desk.api.client.post(
        f"/api/v1/arrears/{debt['id']}/payments", json={"channel": "wechat"}, headers={"Idempotency-Key": uuid4().hex}
    )
    assert (again.status_code, again.json()["type"]) == (409, "/problems/nothing-due")
    await proved(desk)


async def test_a_disputed_debt_is_in_no_sum_until_somebody_answers_and_may_be_given_up_with_a_reason(
    desk: Desk,
) -> None:
    await seen(desk, await gone(desk, 2), PLATE)
    await billed(desk)
    debt = (await debts(desk))[0]
    path = f"/api/v1/arrears/{debt['id']}/dispute"
    assert (await desk.api.client.post(path, json={"reason": "sold in March"})).status_code == 202
    assert (await desk.api.client.post(path, json={"reason": "sold in March"})).status_code == 409
    asked = (await query(desk)).json()
    assert (asked["total_fen"], asked["debts"][0]["disputed"]) == (0, True)
    await desk.town.operator("mei", "finance", hash_password("correct horse"))
    change = {"X-Requested-With": "tests"}
    client = desk.api.client
    assert (await client.get("/api/v1/operator/arrears")).status_code == 401
    await client.post("/api/v1/operator/login", json={"login": "mei", "password": "correct horse"}, headers=change)
    listed = (await client.get("/api/v1/operator/arrears?which=disputed")).json()
    assert [(one["dispute"], one["amount_fen"], one["space_code"]) for one in listed] == [
        ("sold in March", 600, "KA-001")
    ]
    assert PLATE not in str(listed)
    base = f"/api/v1/operator/arrears/{debt['id']}"
    assert (await client.post(f"{base}/answer", json={"answer": "see photo"}, headers=change)).status_code == 200
    assert (await query(desk)).json()["total_fen"] == 600
    assert (await client.post(f"{base}/answer", json={"answer": "see photo"}, headers=change)).status_code == 409
    assert (await client.post(f"{base}/waive", json={}, headers=change)).status_code == 422, "not without a reason"
    assert (await client.post(f"{base}/waive", json={"reason": "sold"}, headers=change)).status_code == 200
    assert await debts(desk) == []
    assert await desk.one("SELECT actor FROM audit WHERE action = 'arrear.waived'") == "operator:mei"
    assert await desk.one("SELECT source FROM journal_entry WHERE kind = 'waiver'") == "operator:mei"
    await proved(desk)


async def test_what_nobody_known_owes_is_given_up_by_a_rule_and_arrears_are_not(desk: Desk) -> None:
    await gone(desk, 40)
    await gone(desk, 10, "KA-002")
    await seen(desk, await gone(desk, 40, "KB-001"), PLATE)
    await billed(desk)
    assert await owed(desk) == (0, 600, 1200)
    before = now() - timedelta(days=30)
    assert await write_off(desk.town.database, before=before, by="command", at=now()) == (1, 600)
    assert await write_off(desk.town.database, before=before, by="command", at=now()) == (0, 0)
    assert await owed(desk) == (0, 600, 600)
    assert await desk.account("writeoff") == 600
    assert await desk.one("SELECT count(*) FROM audit WHERE action = 'arrear.written_off'") == 1
    await proved(desk)


async def test_moving_debts_again_and_again_posts_nothing_new(desk: Desk) -> None:
    await seen(desk, await gone(desk, 2), PLATE)
    await billed(desk)
    posted = await desk.one("SELECT count(*) FROM journal_entry")
    for everything in (False, True):
        await move_all(desk.town.database, at=now(), grace=GRACE, everything=everything)
    assert await desk.one("SELECT count(*) FROM journal_entry") == posted
    await move_all(desk.town.database, at=now(), grace=timedelta(days=9))
    assert await owed(desk) == (600, 0, 0), "a longer grace gives it back to its stay"
    assert await debts(desk) == []


async def test_plates_are_not_walked_through_and_an_unknown_one_is_answered_as_one_without_debts(desk: Desk) -> None:
    answers = [await query(desk, f"浙D1234{n}") for n in range(ARREARS.burst + 1)]
    assert [answer.status_code for answer in answers] == [200] * ARREARS.burst + [429]
    assert answers[0].json() == {"currency": "CNY", "total_fen": 0, "debts": []}
    assert (await query(desk, "nonsense")).status_code in {422, 429}


async def test_nothing_is_paid_or_disputed_under_an_id_that_is_none(desk: Desk) -> None:
    await gone(desk, 2)
    await billed(desk)
    nobody: UUID = await desk.one("SELECT id FROM arrear")
    for debt in (uuid4(), nobody):
        answer = await desk.api.client.post(
            f"/api/v1/arrears/{debt}/payments", json={"channel": "wechat"}, headers={"Idempotency-Key": uuid4().hex}
        )
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/arrear-not-found")


async def test_a_kiosk_asks_takes_and_hears_of_debts_too(kiosk: Kiosk) -> None:
    desk = kiosk.desk
    await seen(desk, await gone(desk, 2), PLATE)
    await billed(desk)
    asked = (await kiosk.post("/arrears/query", plate=PLATE)).json()
    assert (asked["total_fen"], bool(asked["server_time"])) == (600, True)
    debt = asked["debts"][0]["id"]
    assert (await kiosk.post(f"/arrears/{debt}/dispute", reason="not mine")).status_code == 202
    begun = await kiosk.post(f"/arrears/{debt}/payments", channel="alipay")
    assert begun.status_code == 201, begun.text
    await desk.pay(begun.json()["payment"])
    assert (await kiosk.get(f"/payments/{begun.json()['payment']['id']}")).json()["payment"]["status"] == "paid"
    assert (await kiosk.post("/arrears/query", plate=PLATE)).json()["debts"] == []


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE arrear SET plate_id = NULL",
        "UPDATE arrear SET withdrawn_at = now()",
        "DELETE FROM arrear",
    ],
)
async def test_the_proof_sees_a_debt_that_is_asked_of_nobody_in_particular(desk: Desk, broken: str) -> None:
    await seen(desk, await gone(desk, 2), PLATE)
    await billed(desk)
    await desk.do(broken)
    async with desk.town.database.transaction() as db:
        findings = await check_ledger(db, now=now())
    assert [finding.number for finding in findings if not finding.is_kept] == ["I12"]

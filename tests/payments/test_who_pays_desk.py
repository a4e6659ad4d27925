"""Exemptions, passes, held bills, the calendar over HTTP: who may do what, what it does, what is refused."""

from datetime import timedelta
from typing import Any, Final

import httpx
import pytest

from api.passwords import hash_password
from billing.bills import bill_ended_sessions
from billing.explaining import explain, explanation_object, load_facts
from billing.payments.till import real_now
from billing.plates import store_plate
from core.plate import parse_plate
from tests.payments.conftest import Desk
from tests.payments.counter import NOON_IN_CHINA

pytestmark = pytest.mark.services

PLATE: Final = "浙D12345"
EXEMPT: Final = {"plate": PLATE, "reason": "sanitation, on duty", "valid_from": "2026-01-01T00:00:00+08:00"}
PASS: Final = {
    "plates": [PLATE],
    "kind": "monthly",
    "valid_from": "2026-01-01T00:00:00+08:00",
    "valid_to": "2100-01-01T00:00:00+08:00",
    "price_fen": 10_000,
}
DECREE: Final = {"first_day": "2027-02-06", "last_day": "2027-02-12", "reason": "Spring Festival"}
REST: Final = {"kind": "rest", "reason": "typhoon"}


async def log_in(desk: Desk, role: str) -> None:
    await desk.town.operator(role, role, hash_password("correct horse battery"))
    body = {"login": role, "password": "correct horse battery"}
    assert (await act(desk, "POST", "login", body)).status_code == 200


async def act(desk: Desk, method: str, path: str, body: Any = None) -> httpx.Response:
    headers = {"X-Requested-With": "test"}
    return await desk.api.client.request(method, f"/api/v1/operator/{path}", json=body, headers=headers)


async def seen(desk: Desk) -> None:
    """A warden saw the plate on every session there is."""
    async with desk.town.database.transaction() as db:
        assert desk.api.parts.plates is not None
        await store_plate(db, desk.api.parts.plates, parse_plate(PLATE), at=real_now())
    await desk.do(
        "INSERT INTO plate_evidence (session_id, plate_id, source, observed_at, recorded_at)"
        " SELECT parking_session.id, plate.id, 'warden', now(), now() FROM parking_session, plate"
    )


async def bill(desk: Desk) -> None:
    async with desk.town.database.transaction() as db:
        await bill_ended_sessions(db, at=real_now(), limit=50)


CHANGES: Final = [
    ("POST", "exemptions", EXEMPT, {"operator", "finance"}),
    ("POST", "passes", PASS, {"operator", "finance"}),
    ("PUT", "calendar/days/2026-11-23", REST, {"finance"}),
    ("POST", "calendar/decrees", DECREE, {"finance"}),
]


@pytest.mark.parametrize("role", ["warden", "operator", "finance"])
async def test_each_change_needs_its_role_and_leaves_its_author(desk: Desk, role: str) -> None:
    assert (await act(desk, "POST", "exemptions", EXEMPT)).status_code == 401
    await log_in(desk, role)
    made = 0
    for method, path, body, allowed in CHANGES:
        status = (await act(desk, method, path, body)).status_code
        assert status in ({200, 201} if role in allowed else {403}), (path, status)
        made += role in allowed
    query = "SELECT count(*) FROM audit WHERE actor = :who AND action NOT LIKE '%log%'"
    assert await desk.one(query, who=f"operator:{role}") == made


async def test_an_exempt_vehicle_that_was_seen_costs_nothing_until_that_is_ended(desk: Desk) -> None:
    await log_in(desk, "operator")
    made = (await act(desk, "POST", "exemptions", EXEMPT)).json()
    assert PLATE not in str(made)
    session_id = await desk.ended()
    await seen(desk)
    await bill(desk)
    assert (await desk.session(session_id))["due_fen"] == 0
    number = made["id"]
    assert (await act(desk, "POST", f"exemptions/{number}/end")).status_code == 200
    assert (await act(desk, "POST", f"exemptions/{number}/end")).status_code == 409
    assert (await act(desk, "POST", "exemptions/99/end")).status_code == 404


async def test_a_pass_covers_the_stays_of_a_plate_that_was_seen(desk: Desk) -> None:
    await log_in(desk, "operator")
    number = (await act(desk, "POST", "passes", PASS)).json()["id"]
    session_id = await desk.ended()
    await seen(desk)
    await bill(desk)
    assert (await desk.session(session_id))["due_fen"] == 0
    assert (await act(desk, "POST", f"passes/{number}/end")).status_code == 200
    assert (await act(desk, "POST", f"passes/{number}/end")).status_code == 409
    assert (await act(desk, "POST", f"passes/{number}/refund", {"reason": "no more"})).status_code == 403


async def test_a_held_bill_says_why_until_somebody_has_looked(desk: Desk) -> None:
    session_id = await desk.town.session("KA-001", NOON_IN_CHINA - timedelta(days=5), NOON_IN_CHINA)
    await bill(desk)

    async def told() -> dict[str, Any]:
        async with desk.town.database.transaction() as db:
            found: dict[str, Any] = explanation_object(explain(await load_facts(db, session_id)), "en")
            return found

    [held] = [one["held"] for one in (await told())["bills"]]
    assert "long_stay" in held["reasons"]
    assert held["text"].startswith("held for a person: ")
    await log_in(desk, "operator")
    assert [one["session_id"] for one in (await act(desk, "GET", "held-bills")).json()] == [str(session_id)]
    release = f"held-bills/{session_id}/release"
    assert (await act(desk, "POST", release, {"reason": "x"})).status_code == 422
    assert (await act(desk, "POST", release, {"reason": "the photo shows it"})).status_code in {200, 204}
    assert (await act(desk, "POST", release, {"reason": "the photo shows it"})).status_code == 409
    [released] = [one["held"] for one in (await told())["bills"]]
    assert (released["released_by"], released["release_reason"]) == ("operator", "the photo shows it")
    assert await desk.one("SELECT count(*) FROM audit WHERE subject LIKE :what", what=f"%{session_id}") == 1


async def test_a_day_that_is_set_is_asked_by_the_next_bill_and_told_to_the_map(desk: Desk) -> None:
    await log_in(desk, "finance")
    day = NOON_IN_CHINA.date()
    free = {"first_day": str(day), "last_day": str(day), "reason": "a fair"}
    made = await act(desk, "POST", "calendar/decrees", free)
    assert made.status_code == 201, made.text
    session_id = await desk.ended()
    await bill(desk)
    assert (await desk.session(session_id))["due_fen"] == 0
    number = made.json()["id"]
    assert (await act(desk, "POST", f"calendar/decrees/{number}/end")).status_code == 200
    assert (await act(desk, "POST", f"calendar/decrees/{number}/end")).status_code == 409
    assert (await act(desk, "PUT", f"calendar/days/{day}", REST)).status_code == 200
    assert (await act(desk, "POST", f"calendar/days/{day}/reset")).status_code == 204


NONSENSE: Final = [
    ("POST", "exemptions", {**EXEMPT, "plate": "nonsense"}, 422),
    ("POST", "exemptions", {**EXEMPT, "lots": ["nowhere"]}, 404),
    ("POST", "exemptions", {**EXEMPT, "valid_to": "2020-01-01T00:00:00+08:00"}, 422),
    ("POST", "exemptions", {**EXEMPT, "reason": ""}, 422),
    ("POST", "passes", {**PASS, "plates": []}, 422),
    ("POST", "passes", {**PASS, "kind": "off_peak"}, 422),
    ("POST", "passes", {**PASS, "valid_to": "2020-01-01T00:00:00+08:00"}, 422),
    ("POST", "passes", {**PASS, "lots": ["nowhere"]}, 404),
    ("POST", "passes", {**PASS, "price_fen": -1}, 422),
    ("PUT", "calendar/days/2026-02-30", REST, 422),
    ("PUT", "calendar/days/2026-11-23", {**REST, "kind": "sunny"}, 422),
    ("POST", "calendar/decrees", {**DECREE, "last_day": "2027-01-01"}, 422),
    ("POST", "calendar/decrees", {**DECREE, "lot": "nowhere"}, 404),
    ("POST", "held-bills/0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10/release", {"reason": "because"}, 404),
]


async def test_what_makes_no_sense_is_refused_with_a_reason(desk: Desk) -> None:
    await log_in(desk, "admin")
    for method, path, body, status in NONSENSE:
        answer = await act(desk, method, path, body)
        assert answer.status_code == status, (path, body, answer.text)
        assert answer.json()["type"].startswith("/problems/")

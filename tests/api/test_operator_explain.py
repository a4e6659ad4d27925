"""The explanation of a session through the operator's door."""

from datetime import timedelta

import pytest

from api.passwords import hash_password
from billing.bills import bill_ended_sessions
from core.roles import Role
from tests.api.conftest import Api
from tests.api.town import Town, now

pytestmark = pytest.mark.services

PASSWORD = "correct horse"


async def log_in(api: Api, town: Town, role: Role) -> None:
    await town.operator(role.value, role.value, hash_password(PASSWORD))
    body = {"login": role.value, "password": PASSWORD}
    assert (await api.client.post("/api/v1/operator/login", json=body)).status_code == 200


async def test_a_warden_reads_why_a_session_costs_what_it_costs(api: Api, town: Town) -> None:
    begin = now() - timedelta(days=1)
    session_id = await town.session("KA-001", begin, begin + timedelta(minutes=75))
    async with town.database.transaction() as db:
        await bill_ended_sessions(db, at=now(), limit=10)
    await log_in(api, town, Role.WARDEN)
    by_id = await api.json(f"/api/v1/operator/sessions/{session_id}/explain", headers={"Accept-Language": "en"})
    by_code = await api.json("/api/v1/operator/sessions/KA-001/explain", headers={"Accept-Language": "en"})
    assert by_id == by_code
    assert by_id["session"]["id"] == str(session_id)
    (bill,) = by_id["bills"]
    assert bill["total_fen"] == by_id["fee"]["total_fen"]
    assert by_id["computed_again"]["fee"] == {"outcome": "equal", "text": "computed again now: equal"}
    assert by_id["computed_again"]["session"]["outcome"] == "not-kept", "the town has sessions and no readings"


async def test_it_is_for_people_with_a_login_and_names_what_is_not_there(api: Api, town: Town) -> None:
    assert (await api.get("/api/v1/operator/sessions/KA-001/explain")).status_code == 401
    await log_in(api, town, Role.FINANCE)
    answer = await api.get("/api/v1/operator/sessions/KA-001/explain")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/session-not-found")

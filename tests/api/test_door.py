"""The door: who gets in, with which role, and what every change leaves behind."""

import asyncio
import statistics
import time
from typing import Any

import httpx
import pytest

from api.passwords import hash_password
from core.roles import Role
from tests.api.conftest import Api, running
from tests.api.town import Town

pytestmark = pytest.mark.services

PASSWORD = "correct horse"
HASH = hash_password(PASSWORD)
CHANGE = {"X-Requested-With": "tests"}


@pytest.fixture
async def people(town: Town) -> None:
    for role in Role:
        await town.operator(role.value, role.value, HASH)


async def log_in(api: Api, login: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    body = {"login": login, "password": password}
    return await api.client.post("/api/v1/operator/login", json=body, headers=headers)


async def test_a_login_is_a_cookie_that_no_script_and_no_other_site_can_use(api: Api, people: None, town: Town) -> None:
    answer = await log_in(api, "warden")
    assert answer.json() == {"login": "warden", "name": "warden", "role": "warden"}
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/api/v1/operator" in cookie
    assert "Secure" not in cookie, "this test is on http"
    assert (await api.json("/api/v1/operator/me"))["role"] == "warden"
    stored = await town.scalar("SELECT digest FROM login")
    assert stored.hex() not in cookie
    assert await town.scalar("SELECT action FROM audit") == "operator.logged_in"


async def test_on_https_the_cookie_stays_on_https(town: Town, people: None) -> None:
    async with running(town.database.url, public_url="https://parking.example") as api:
        answer = await log_in(api, "admin")
        assert "Secure" in answer.headers["set-cookie"]
        assert "max-age" in answer.headers["strict-transport-security"]


async def test_an_unknown_login_and_a_wrong_password_cannot_be_told_apart(api: Api, people: None) -> None:
    async def attempt(login: str) -> tuple[dict[str, Any], float]:
        began = time.process_time()  # the api is in this process: its work is counted, whatever else the machine does
        answer = await log_in(api, login, "wrong horse")
        took = time.process_time() - began
        assert answer.status_code == 401
        body = answer.json()
        return {key: body[key] for key in ("type", "title", "detail", "facts")}, took

    known = [await attempt("finance") for _ in range(4)]
    unknown = [await attempt(f"nobody{n}") for n in range(4)]
    assert {str(words) for words, _ in known} == {str(words) for words, _ in unknown}
    slow = statistics.median(took for _, took in known)
    assert statistics.median(took for _, took in unknown) > slow / 3


async def test_guessing_is_slowed_down_and_a_right_password_costs_nothing(api: Api, people: None) -> None:
    for _ in range(6):
        assert (await log_in(api, "operator")).status_code == 200
    guesses = [(await log_in(api, "operator", f"guess {n}")) for n in range(6)]
    assert [guess.status_code for guess in guesses] == [401] * 5 + [429]
    assert int(guesses[-1].headers["retry-after"]) > 0
    assert (await log_in(api, "operator")).status_code == 429, "also with the right one"
    assert (await log_in(api, "warden")).status_code == 200, "others are not locked out"


async def test_logging_out_ends_this_login(api: Api, people: None, town: Town) -> None:
    await log_in(api, "admin")
    assert (await api.client.post("/api/v1/operator/logout", headers=CHANGE)).status_code == 204
    assert (await api.get("/api/v1/operator/me")).status_code == 401
    assert await town.scalar("SELECT count(*) FROM login") == 0


@pytest.mark.parametrize(
    "ended", ["UPDATE login SET expires_at = now() - interval '1 s'", "UPDATE operator SET disabled_at = now()"]
)
async def test_a_login_that_has_ended_or_whose_owner_is_gone_opens_nothing(
    api: Api, people: None, town: Town, ended: str
) -> None:
    await log_in(api, "admin")
    await town.scalar(f"{ended} RETURNING 1")
    assert (await api.get("/api/v1/operator/me")).status_code == 401


async def test_a_login_in_use_is_prolonged_up_to_its_longest(api: Api, people: None, town: Town) -> None:
    await log_in(api, "admin")
    for began, left in (("1 hour", 29), ("11 hours 50 minutes", 9)):
        await town.scalar(f"UPDATE login SET created_at = now() - interval '{began}' RETURNING 1")  # noqa: S608 - ours
        await town.scalar("UPDATE login SET expires_at = now() + interval '2 minutes' RETURNING 1")
        await api.json("/api/v1/operator/me")
        minutes = await town.scalar("SELECT extract(epoch FROM expires_at - now()) / 60 FROM login")
        assert left <= minutes <= left + 1


async def test_another_site_cannot_make_a_browser_change_anything(api: Api, people: None, town: Town) -> None:
    await log_in(api, "operator")
    path, body = "/api/v1/operator/spaces/KA-001/close", {"reason": "road works"}
    for headers in ({}, {**CHANGE, "Origin": "https://evil.example"}, {**CHANGE, "Origin": "null"}):
        answer = await api.client.post(path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forged-request")
    assert (await log_in(api, "operator", Origin="https://evil.example")).status_code == 403
    assert await town.scalar("SELECT closed_since FROM space WHERE code = 'KA-001'") is None
    assert (await api.client.post(path, json=body, headers={**CHANGE, "Origin": api.url})).status_code == 200


ALLOWED = {
    ("GET", "/api/v1/operator/me"): {"admin", "operator", "warden", "finance"},
    ("GET", "/api/v1/operator/audit"): {"admin", "finance"},
    ("POST", "/api/v1/operator/spaces/KA-002/close"): {"admin", "operator", "warden"},
    ("POST", "/api/v1/operator/spaces/KA-002/open"): {"admin", "operator", "warden"},
    ("POST", "/api/v1/operator/logout"): {"admin", "operator", "warden", "finance"},
}


async def test_every_role_may_do_exactly_what_it_may(api: Api, people: None) -> None:
    for role in Role:
        await log_in(api, role.value)
        for (method, path), allowed in ALLOWED.items():
            body = {"reason": "road works"} if path.endswith("close") else None
            answer = await api.client.request(method, path, json=body, headers=CHANGE)
            assert (answer.status_code < 400) is (role.value in allowed), (role, path, answer.text)
    api.client.cookies.clear()
    for method, path in ALLOWED:
        answer = await api.client.request(method, path, headers=CHANGE, json={"reason": "road works"})
        assert answer.status_code == 401, path


async def test_no_operator_route_is_open(api: Api) -> None:
    paths = (await api.json("/openapi.json"))["paths"]
    for path, methods in paths.items():
        if not path.startswith(("/api/v1/operator", "/api/v1/kiosk")) or path.endswith("/login"):
            continue
        for method, described in methods.items():
            assert described["security"], path
            answer = await api.client.request(
                method,
                path.replace("{code}", "KA-001"),
                headers=CHANGE,
                json={"reason": "x" * 9, "old": "x", "new": "x"},
            )
            assert answer.status_code == 401, path


async def test_closing_a_space_shows_on_the_map_and_in_the_audit(api: Api, people: None, town: Town) -> None:
    await log_in(api, "warden")
    path = "/api/v1/operator/spaces/KA-001"
    closed = await api.client.post(f"{path}/close", json={"reason": "road works"}, headers=CHANGE)
    await api.until_states("cuuuu")
    await api.client.post(f"{path}/open", headers=CHANGE)
    await api.until_states("uuuuu")
    await log_in(api, "finance")
    rows = await api.json("/api/v1/operator/audit", params={"subject": "space:KA-001"})
    assert [(row["actor"], row["action"]) for row in rows] == [
        ("operator:warden", "space.opened"),
        ("operator:warden", "space.closed"),
    ]
    assert rows[1]["after"] == rows[0]["before"]
    assert rows[1]["after"]["reason"] == "road works"
    assert rows[1]["request_id"] == closed.headers["x-request-id"]


async def test_a_new_password_logs_other_browsers_out(api: Api, people: None, town: Town) -> None:
    await log_in(api, "admin")
    async with httpx.AsyncClient(base_url=api.url) as other:
        await other.post("/api/v1/operator/login", json={"login": "admin", "password": PASSWORD})
        path, new = "/api/v1/operator/password", "battery staple"
        wrong = await api.client.post(path, json={"old": "no horse", "new": new}, headers=CHANGE)
        assert wrong.status_code == 401
        short = await api.client.post(path, json={"old": PASSWORD, "new": "short"}, headers=CHANGE)
        assert (short.status_code, short.json()["type"]) == (422, "/problems/unfit-password")
        assert (await api.client.post(path, json={"old": PASSWORD, "new": new}, headers=CHANGE)).status_code == 204
        assert (await other.get("/api/v1/operator/me")).status_code == 401
    assert (await api.get("/api/v1/operator/me")).status_code == 200
    assert (await log_in(api, "admin")).status_code == 401
    assert (await log_in(api, "admin", new)).status_code == 200


async def test_a_device_key_opens_its_own_door_until_it_is_revoked(api: Api, town: Town) -> None:
    kiosk, camera = await town.key("kiosk"), await town.key("camera")

    async def call(key: str) -> int:
        return (await api.get("/api/v1/kiosk/me", headers={"Authorization": f"Bearer {key}"})).status_code

    assert (await call(kiosk), await call(camera), await call("kiosk_guess")) == (200, 401, 401)
    assert await town.scalar("SELECT last_used_at IS NOT NULL FROM device_key WHERE kind = 'kiosk'")
    await town.scalar("UPDATE device_key SET revoked_at = now() RETURNING 1")
    assert await call(kiosk) == 401
    codes = [await call(f"kiosk_guess{n}") for n in range(12)]
    assert codes[-1] == 429


async def test_many_logins_at_once_do_not_stop_the_map(api: Api, people: None) -> None:
    here, everywhere = time.thread_time(), time.process_time()
    await asyncio.gather(*(log_in(api, f"nobody{n}", "wrong horse") for n in range(8)), api.states())
    assert time.thread_time() - here < (time.process_time() - everywhere) / 2, "hashes are made in threads of their own"

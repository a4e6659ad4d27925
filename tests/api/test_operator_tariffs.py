"""Price notices through the operator's door: read, checked, tried out, published."""

import json
from typing import Any

import httpx
import pytest

from api.passwords import hash_password
from billing.notices import read
from core.roles import Role
from tests.api.conftest import Api
from tests.api.town import Town
from tests.support.waiting import until

pytestmark = pytest.mark.services

PASSWORD = "correct horse"
CHANGE = {"X-Requested-With": "tests", "Accept-Language": "en"}
TARIFFS = "/api/v1/operator/tariffs"


def kerb(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(read("xinchang-kerb"))
    return document | changes


async def as_role(api: Api, town: Town, role: Role) -> None:
    await town.operator(role.value, role.value, hash_password(PASSWORD))
    body = {"login": role.value, "password": PASSWORD}
    assert (await api.client.post("/api/v1/operator/login", json=body)).status_code == 200


async def post(api: Api, path: str, **body: Any) -> httpx.Response:
    return await api.client.post(f"{TARIFFS}{path}", json=body, headers=CHANGE)


async def test_finance_publishes_once_and_the_audit_keeps_who(api: Api, town: Town) -> None:
    await as_role(api, town, Role.FINANCE)
    draft = kerb(valid_from="2027-01-01", exit_window={"minutes": 20})
    first, second = await post(api, "", document=draft), await post(api, "", document=draft)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == {
        "code": "xinchang-kerb",
        "version": 2,
        "asked_version": 1,
        "is_new": True,
        "prices_the_past": False,
    }
    rows = await town.scalar(
        "SELECT json_agg(json_build_array(actor, subject, before, after)) FROM audit WHERE action = 'tariff.published'"
    )
    assert rows == [["operator:finance", "tariff:xinchang-kerb", {"version": 1}, {"version": 2}]]
    (listed,) = await api.json(TARIFFS)
    assert (listed["version"], listed["versions"], listed["lots"]) == (2, 2, ["GS", "KA", "KB"])
    versions = await api.json(f"{TARIFFS}/xinchang-kerb", headers={"Accept-Language": "en"})
    assert [one["version"] for one in versions] == [1, 2]
    assert versions[1]["valid_from"] == "2026-12-31T16:00:00.000Z"
    assert versions[1]["document"] == draft | {"version": 2}
    assert any("30 min" in sentence for sentence in versions[0]["summary"])


async def test_the_map_shows_a_published_price_at_once(api: Api, town: Town) -> None:
    await as_role(api, town, Role.FINANCE)
    assert (await api.json("/api/v1/lots/KA"))["properties"]["tariff"]["version"] == 1
    assert (await post(api, "", document=kerb(exit_window={"minutes": 20}))).status_code == 201

    async def shown() -> bool:
        version: int = (await api.json("/api/v1/lots/KA"))["properties"]["tariff"]["version"]
        return version == 2

    await until(shown)


async def test_a_warden_may_read_and_try_out_but_not_publish(api: Api, town: Town) -> None:
    await as_role(api, town, Role.WARDEN)
    assert (await post(api, "", document=kerb())).status_code == 403
    assert (await api.get(f"{TARIFFS}/xinchang-kerb")).status_code == 200
    assert (await post(api, "/check", document=kerb())).json() == {"problems": []}
    assert (await api.get(f"{TARIFFS}/nobody-knows-it")).status_code == 404


async def test_nobody_without_a_login_learns_anything(api: Api) -> None:
    assert (await api.get(TARIFFS)).status_code == 401
    assert (await post(api, "/check", document=kerb())).status_code == 401


async def test_what_is_wrong_is_told_and_not_published(api: Api, town: Town) -> None:
    await as_role(api, town, Role.ADMIN)
    wrong = kerb(default_class="huge", versoin=2)
    problems = (await post(api, "/check", document=wrong)).json()["problems"]
    assert any("did you mean 'version'?" in problem for problem in problems)
    refused = await post(api, "", document=wrong)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/tariff-invalid")
    assert refused.json()["facts"]["problems"] == problems
    for path in ("/table", "/price"):
        stay = {"entry": "2026-03-10T09:00:00+08:00", "exit": "2026-03-10T10:15:00+08:00"}
        assert (await post(api, path, document=wrong, **stay)).status_code == 422


async def test_a_draft_is_tried_out_as_a_board_and_on_a_stay(api: Api, town: Town) -> None:
    await as_role(api, town, Role.OPERATOR)
    board = (await post(api, "/table", document=kerb())).json()
    (section,) = [one for one in board["sections"] if one["arrival_minute"] == 540]
    small = board["vehicles"].index("small")
    fees = {one["length"]: one["fees_fen"][small] for one in section["examples"]}
    assert (fees["30 min"], fees["31 min"], fees["1 h 30 min"]) == (0, 300, 600)
    stay = {"entry": "2026-03-10T09:00:00+08:00", "exit": "2026-03-10T10:15:00+08:00", "vehicle": "small"}
    fee = (await post(api, "/price", document=kerb(), **stay)).json()
    assert (fee["total_fen"], fee["next_total_fen"]) == (600, 900)
    assert sum(line["amount_fen"] for line in fee["lines"]) == 600
    long = stay | {"exit": "2028-03-10T10:15:00+08:00"}
    assert (await post(api, "/price", document=kerb(), **long)).status_code == 422


async def test_a_document_of_any_depth_is_refused_in_a_sentence(api: Api, town: Town) -> None:
    await as_role(api, town, Role.FINANCE)
    for depth in range(850, 1000, 10):  # read from the body, but not always written again
        raw = json.dumps(kerb()).replace("{", f'{{"more": {"[" * depth}{"]" * depth}, ', 1)
        headers = CHANGE | {"Content-Type": "application/json"}
        answer = await api.client.post(f"{TARIFFS}/table", content=f'{{"document": {raw}}}', headers=headers)
        assert 400 <= answer.status_code < 500, (depth, answer.text)

"""Whatever goes wrong ends as problem+json with a name, and never shows our inside."""

import asyncio
import json
import re
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import SecretStr

from api.app import create_app
from core.errors import InvalidError
from core.settings import Settings
from tests.api.conftest import Api, running
from tests.api.town import Town

pytestmark = pytest.mark.services

CUT = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'parking-api%'
"""
REFUSED = [
    ("GET", "/nothing", 404, "not-found"),
    ("GET", "/api/v1/lots/XX", 404, "lot-not-found"),
    ("GET", "/api/v1/lots/XX/spaces", 404, "lot-not-found"),
    ("GET", "/api/v1/lots/XX/quote?leave=2026-11-22T10:15:00Z", 404, "lot-not-found"),
    ("GET", "/api/v1/spaces/XX/session", 404, "space-not-found"),
    ("GET", "/api/v1/spaces/KA-001/session", 404, "no-session"),
    ("POST", "/api/v1/lots", 405, "method-not-allowed"),
    ("DELETE", "/api/v1/operator/me", 405, "method-not-allowed"),
    ("GET", "/api/v1/lots?crs=bd09", 422, "invalid-request"),
    ("GET", "/api/v1/lots?bbox=1,2,3", 422, "bad-box"),
    ("GET", "/api/v1/lots?bbox=nan,nan,nan,nan", 422, "bad-box"),
    ("GET", "/api/v1/lots/KA/quote", 422, "invalid-request"),
    ("GET", "/api/v1/lots/KA/quote?leave=tomorrow", 422, "invalid-request"),
    ("GET", "/api/v1/lots/KA/quote?leave=2026-11-22T10:15:00", 422, "invalid-request"),
    ("GET", "/api/v1/lots/KA/quote?leave=2026-13-22T10:15:00Z", 422, "invalid-request"),
    ("GET", "/api/v1/lots/KA/quote?leave=9999-12-31T23:59:59Z", 422, "invalid-request"),
    (
        "GET",
        "/api/v1/lots/KA/quote?enter=2026-11-22T10:15:00Z&leave=2026-11-22T10:14:00Z",
        422,
        "stay-ends-before-it-begins",
    ),
    ("GET", "/api/v1/lots/KA/quote?enter=2020-11-22T10:15:00Z&leave=2026-11-22T10:14:00Z", 422, "stay-too-long"),
    (
        "GET",
        "/api/v1/lots/KA/quote?enter=2026-11-22T09:00:00Z&leave=2026-11-22T10:15:00Z&vehicle=tank",
        422,
        "vehicle-unknown",
    ),
    ("GET", "/api/v1/operator/me", 401, "unauthenticated"),
    ("GET", "/api/v1/kiosk/me", 401, "unauthenticated"),
    ("POST", "/api/v1/operator/login", 422, "invalid-request"),
]


async def test_every_refusal_is_a_problem_with_a_name(api: Api) -> None:
    for method, path, status, slug in REFUSED:
        answer = await api.client.request(method, path)
        body = answer.json()
        assert answer.headers["content-type"] == "application/problem+json", path
        assert (answer.status_code, body["status"], body["type"]) == (status, status, f"/problems/{slug}"), path
        assert body["title"]
        assert body["detail"]
        assert body["instance"] == path.partition("?")[0]
        assert body["request_id"] == answer.headers["x-request-id"]
        assert answer.headers["cache-control"] == "no-store"


async def test_head_is_answered_as_get_without_a_body_but_for_streams(api: Api) -> None:
    for path in ("/api/v1/lots", "/api/v1/spaces/state", "/api/v1/lots/KA", "/api/v1/lots/XX", "/health/live", "/"):
        asked, got = await api.client.head(path), await api.get(path)
        assert (asked.status_code, asked.content) == (got.status_code, b""), path
        own = {"date", "x-request-id"}
        told, whole = ({name: value for name, value in one.headers.items() if name not in own} for one in (asked, got))
        assert told.keys() == whole.keys(), path
        assert (told["content-type"], told.get("etag")) == (whole["content-type"], whole.get("etag")), path
    seen = (await api.get("/api/v1/lots")).headers["etag"]
    assert (await api.client.head("/api/v1/lots", headers={"If-None-Match": seen})).status_code == 304
    assert (await api.client.head("/api/v1/live")).status_code == 405
    counted = [line for line in (await api.get("/metrics")).text.splitlines() if 'method="HEAD"' in line]
    assert any('route="/health/live"' in line and 'status="200"' in line for line in counted)


@pytest.mark.parametrize(("lang", "title"), [("zh-CN,zh;q=0.9", "这里没有这一页"), ("en-GB", "There is no such page")])
async def test_somebody_with_a_browser_reads_a_page_with_a_way_on(api: Api, lang: str, title: str) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": lang}
    for path in ("/nothing", "/r/20261123-AAAAAAAAAA"):
        page = await api.get(path, headers=browser)
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8"), path
        assert title in page.text
        assert "{{" not in page.text
        for address in re.findall(r'(?:href|src)="(/[^"]*)"', page.text):
            assert (await api.get(address)).status_code == 200, address
    data = await api.get("/api/v1/lots/XX", headers=browser)
    assert data.headers["content-type"] == "application/problem+json", "data stays data, whoever asks"


async def test_a_wrong_method_says_which_are_right(api: Api) -> None:
    assert "GET" in (await api.client.post("/api/v1/lots")).headers["allow"]


async def test_a_body_too_large_is_refused_before_it_is_read(api: Api) -> None:
    announced = await api.client.post("/api/v1/operator/login", content=b" " * 70_000)
    assert (announced.status_code, announced.json()["type"]) == (413, "/problems/too-large")

    async def endless() -> object:
        for _ in range(1_000):
            yield b" " * 1_000

    grown = await api.client.post("/api/v1/operator/login", content=endless())  # type: ignore[arg-type]  # a generator
    assert (grown.status_code, grown.json()["type"]) == (413, "/problems/too-large")


async def test_text_that_no_database_holds_is_refused_by_name(api: Api) -> None:
    for login in ("nul\x00", "\ud800"):
        body = f'{{"login": {json.dumps(login)}, "password": "correct horse"}}'
        answer = await api.client.post(
            "/api/v1/operator/login", content=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), login


async def test_what_was_sent_is_not_repeated(api: Api) -> None:
    secret = "浙D12345" * 40
    answer = await api.client.post("/api/v1/operator/login", json={"login": "x", "password": [secret]})
    assert answer.status_code == 422
    assert "浙D12345" not in answer.text


async def test_a_bug_is_a_500_without_our_inside(town: Town) -> None:
    def broken(app: FastAPI) -> None:
        async def fail(_: Request) -> None:
            raise RuntimeError("the secret inside")

        app.add_api_route("/broken", fail)

    async with running(town.database.url, broken) as api:
        answer = await api.get("/broken")
        assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal")
        assert "secret" not in answer.text
        assert (await api.get("/health/live")).status_code == 200


async def test_health_names_the_part_that_fails(town: Town) -> None:
    async with running(town.database.url) as api:
        ready = await api.json("/health/ready")
        assert ready["status"] == "ready"
        await town.scalar("UPDATE alembic_version SET version_num = 'another' RETURNING 1")
        answer = await api.get("/health/ready")
        assert (answer.status_code, answer.json()["facts"]["failing"]) == (503, ["migrations"])


async def test_without_its_database_the_map_stays_and_the_rest_says_so(town: Town) -> None:
    async with running(town.database.url) as api:
        await town.report("KA-001", occupied=False)
        await api.until_states("fuuuu")
        name = await town.scalar("SELECT current_database()")
        server = await asyncpg.connect(town.database.url.rpartition("/")[0] + "/postgres")
        await server.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        await town.scalar(CUT)
        try:
            quote = await api.get("/api/v1/lots/KA/quote?leave=2026-11-22T10:15:00Z&enter=2026-11-22T10:00:00Z")
            assert (quote.status_code, quote.json()["type"]) == (503, "/problems/database-away")
            assert quote.headers["retry-after"]
            ready = await api.get("/health/ready")
            assert "database" in ready.json()["facts"]["failing"]
            assert await api.states() == "fuuuu"
        finally:
            await server.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
            await server.close()
        await asyncio.sleep(0)
        await town.report("KA-001", occupied=True)
        await api.until_states("ouuuu")


async def test_metrics_count_by_template_and_show_the_city(api: Api, town: Town) -> None:
    await town.report("KA-001", occupied=True)
    await api.until_states("ouuuu")
    await api.get("/api/v1/lots/KA")
    await api.get("/api/v1/lots/QQ")
    text = (await api.get("/metrics")).text
    assert 'parking_api_requests_total{method="GET",route="/api/v1/lots/{lot_id}",status="200"} 1.0' in text
    assert 'parking_api_requests_total{method="GET",route="/api/v1/lots/{lot_id}",status="404"} 1.0' in text
    assert 'parking_spaces{state="occupied"} 1.0' in text
    assert 'parking_spaces{state="unknown"} 4.0' in text
    assert "parking_api_city_age_seconds" in text


async def test_a_process_that_never_reached_its_database_shows_no_empty_city() -> None:
    nowhere = SecretStr("postgresql://nobody:x@127.0.0.1:1/none")
    app = create_app(Settings(database_url=nowhere, secret_key=SecretStr("x" * 32)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for path in ("/api/v1/lots", "/api/v1/spaces", "/api/v1/spaces/state", "/api/v1/live", "/api/v1/city"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/city-not-read"), path
        assert (await client.get("/health/live")).status_code == 200
        ready = await client.get("/health/ready")
        assert ready.json()["facts"]["failing"] == ["database", "live", "migrations"]


@pytest.mark.parametrize("missing", [{"database_url": None}, {"secret_key": SecretStr("short")}])
def test_a_missing_setting_is_named_at_once(missing: dict[str, Any]) -> None:
    settings = {"database_url": SecretStr("postgresql://x@y/z"), "secret_key": SecretStr("x" * 32), **missing}
    with pytest.raises(InvalidError, match="PARKING_"):
        create_app(Settings(**settings))

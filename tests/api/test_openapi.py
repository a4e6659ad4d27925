"""The OpenAPI document: every example in it runs against the demo city, and no request it allows breaks the server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from pydantic import SecretStr
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import text

from api.parts import Parts
from api.passwords import hash_password
from billing.issuers import IssuerTerms, add_issuer
from billing.receipts import issue_for_payment
from core.db import Database
from ops.city import import_city
from ops.services import RunningServices
from simulator.cities import demo_city
from tests.api.conftest import Api, running
from tests.api.town import Town, now
from tests.support.paid import SHANGHAI, paid_stay
from tests.support.stranger import Stranger

pytestmark = pytest.mark.services

ENDLESS = "/api/v1/live"
AN_ID = UUID("0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10")
"""In the examples: a session's, and a payment's of it."""
RECEIPT = "20261123-7K3QF9XW2M"
SIGNED = "/api/v1/notify/{provider}"
"""No example can carry a provider's signature."""
CHANGE = {"X-Requested-With": "tests"}
OF_A_MOMENT = (
    "/sessions/{session_id}/receipt",
    "/code.svg",
    "/photo",
    "/approve",
    "/reject",
    "/paid-out",
    "/waiver",
    "/release",
    "/suspense/{entry_id}",
    "/{day}",
    "/{day}.csv",
    "/photo",
    "/passes/orders",
    "/orders/{order_id}",
    "/orders/{order_id}/payments",
    "/sessions/{session_id}/coupons",
    "/coupons/{code}/attach",
    "/coupons/{code}/detach",
    "/coupons/{code}/withdraw",
    "/passes/{number}/refund",
    "/pass-offers/{code}/end",
)
"""What is true for a moment only: a refund that waits, a stay just billed, a day that is over. Their own tests bring it
about; here their examples may be refused."""
OF_OTHERS = ("/arrears/{", "/kiosk/choices/", "/kiosk/sessions/", "/kiosk/payments/", "/refunds/{")
"""Where an id is one device's, or of a debt or a refund that there may be none of."""
Operation = tuple[str, str, dict[str, Any]]


@asynccontextmanager
async def demo(url: str, mqtt_url: str) -> AsyncIterator[Api]:
    """The api over the demo city, somebody parked on KL-017, an operator and devices."""
    town = Town(Database(url, pool_size=2))
    await import_city(town.database, demo_city(), now=now(), zone=SHANGHAI)
    for code in ("KL-017",):
        town.spaces[code] = await town.scalar(f"SELECT id FROM space WHERE code = '{code}'")  # noqa: S608 - ours
        watching = f"SELECT sensor_id FROM sensor_assignment WHERE space_id = {town.spaces[code]}"  # noqa: S608 - ours
        town.sensors[code] = await town.scalar(watching)
        await town.session(code, _yesterday_at_ten())
        await town.report(code, occupied=True)
    await town.scalar(f"UPDATE parking_session SET id = '{AN_ID}' RETURNING 1")  # noqa: S608 - ours
    await paid_stay(town, entered_at=_yesterday_at_ten(), minutes=61, session_id=AN_ID, payment_id=AN_ID)
    await _receipt(town)
    await town.operator("chen", "admin", hash_password("correct horse"))
    key = SecretStr("a key for plates, at least 32 characters")
    async with running(url, with_a_stranger, mqtt_url=SecretStr(mqtt_url), plate_key=key) as api:
        api.keys = {kind: await town.key(kind) for kind in ("kiosk", "uplink", "camera")}
        api.keys["merchant"] = await _merchant(town)
        yield api
    await town.database.close()


def _yesterday_at_ten() -> datetime:
    """Some hour that costs something, whenever the tests run: by night the kerb is free."""
    today = now().astimezone(SHANGHAI).date()
    return datetime.combine(today - timedelta(days=1), time(10), SHANGHAI)


async def _receipt(town: Town) -> None:
    """Of that payment, under the number of the examples; numbers are made by chance and receipts never change."""
    async with town.database.transaction() as db:
        await issue_for_payment(db, AN_ID, at=now())
        await db.execute(text("ALTER TABLE receipt DISABLE TRIGGER USER"))
        await db.execute(text("UPDATE receipt SET number = :number"), {"number": RECEIPT})
        await db.execute(text("ALTER TABLE receipt ENABLE TRIGGER USER"))


async def _merchant(town: Town) -> str:
    """The key of one that validates stays."""
    async with town.database.transaction() as db:
        terms = IssuerTerms(name="a tea house", is_merchant=True, gives=("minutes", 60))
        _, key = await add_issuer(db, terms, actor="a test", at=now())
    assert key is not None
    return key


def with_a_stranger(app: FastAPI) -> None:
    """Let the api take payments through a provider of the tests' own."""
    parts = Parts.of(app)
    app.state.parts = replace(parts, till=replace(parts.till, providers={"wechat": Stranger("wechat")}))


@pytest.fixture
async def demo_api(database_url: str, services: RunningServices) -> AsyncIterator[Api]:
    async with demo(database_url, services.endpoints.mqtt_api_url) as api:
        yield api


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            yield method.upper(), path, described


def bearer(api: Api, path: str) -> dict[str, str]:
    """The key of the device that calls this address."""
    kind = next((kind for kind in api.keys if f"/v1/{kind}" in path), "uplink")
    return {"Authorization": f"Bearer {api.keys[kind]}"}


def example_of(described: dict[str, Any]) -> Any:
    """The first example of a parameter; every one that is required must have one."""
    examples = [one["value"] for one in described.get("examples", {}).values()]
    assert examples or not described.get("required"), f"{described['name']} has no example"
    return examples[0] if examples else None


async def test_every_example_runs_against_the_demo_city(demo_api: Api) -> None:
    document = await demo_api.json("/openapi.json")
    schemas = document["components"]["schemas"]
    order = sorted(operations(document), key=lambda one: (one[1].endswith("logout"), not one[1].endswith("login")))
    refused = []
    for method, path, described in order:
        if path in {ENDLESS, SIGNED}:
            continue
        values = {one["name"]: (one["in"], example_of(one)) for one in described.get("parameters", [])}
        query = {name: value for name, (where, value) in values.items() if where == "query" and value is not None}
        address = path.format(**{name: value for name, (where, value) in values.items() if where == "path"})
        body = None
        if "requestBody" in described:
            content = described["requestBody"]["content"]["application/json"]
            if "$ref" in content["schema"]:
                properties = schemas[content["schema"]["$ref"].rpartition("/")[2]]["properties"]
                body = {name: about["examples"][0] for name, about in properties.items()}
            else:
                body = next(iter(content["examples"].values()))["value"]
        said = {name: str(value) for name, (where, value) in values.items() if where == "header" and value is not None}
        headers = CHANGE | bearer(demo_api, path) | said
        answer = await demo_api.client.request(method, address, params=query, json=body, headers=headers)
        momentary = path.endswith(OF_A_MOMENT) or any(part in path for part in OF_OTHERS)
        refusals = {403, 404, 409} if momentary else set()
        if answer.status_code >= 300 and answer.status_code not in refusals:
            refused.append((method, address, answer.text[:200]))
    assert refused == []


async def test_every_operation_is_described(demo_api: Api) -> None:
    document = await demo_api.json("/openapi.json")
    ids = [described["operationId"] for _, _, described in operations(document)]
    assert len(ids) == len(set(ids))
    for method, path, described in operations(document):
        where = (method, path)
        assert described["description"], where
        assert described["tags"], where
        assert "default" in described["responses"], where
        good = next(answer for status, answer in described["responses"].items() if status.startswith("2"))
        for media in good.get("content", {}).values():
            assert media["schema"], where
        for parameter in described.get("parameters", []):
            assert parameter["description"], (where, parameter["name"])


async def test_the_page_of_the_document_is_served_from_here(demo_api: Api) -> None:
    page = await demo_api.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text


@pytest.mark.filterwarnings("ignore")  # the tool's own
async def test_no_request_the_document_allows_breaks_the_server(demo_api: Api) -> None:
    login = {"login": "chen", "password": "correct horse"}
    answer = await demo_api.client.post("/api/v1/operator/login", json=login)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    headers = {**CHANGE, "Cookie": cookie}
    document = await demo_api.json("/openapi.json")
    schema = schemathesis.openapi.from_dict(document)
    schema.config.base_url = demo_api.url

    def probe(path: str, method: str) -> None:
        @settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=schema[path][method].as_strategy())
        def holds(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(
                headers=headers | bearer(demo_api, path),
                checks=[
                    not_a_server_error,
                    status_code_conformance,
                    content_type_conformance,
                    response_schema_conformance,
                ],
            )

        holds()

    for method, path, _ in operations(document):
        if path != ENDLESS and not path.endswith(("logout", "password")):
            await asyncio.to_thread(probe, path, method)

"""A hostile night in small: ten thousand requests are `parking bench hostile`; ``TEST_SEEDS``, ``TEST_REQUESTS``."""

import json
import os
from pathlib import Path
from random import Random

import httpx
import pytest

from ops.bench.hostile.asking import money_routes, odd_attempt
from ops.bench.hostile.running import HostileNight, fault_of, run_hostile_night
from tests.api.town import Town

pytestmark = pytest.mark.services

SEEDS = tuple(int(seed) for seed in os.environ.get("TEST_SEEDS", "1").split(","))
REQUESTS = int(os.environ.get("TEST_REQUESTS", "500"))
OPENAPI = {
    "paths": {
        "/api/v1/payments/{id}/refunds": {
            "post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}}}
        },
        "/api/v1/payments/{id}/events": {"get": {}},
        "/api/v1/lots": {"get": {}},
    },
    "components": {"schemas": {"In": {"properties": {"amount_fen": {"type": "integer", "examples": [100]}}}}},
}


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_hostile_night_moves_no_fen_and_breaks_nothing(town: Town, tmp_path: Path, seed: int) -> None:
    plan = HostileNight(requests=REQUESTS, seed=seed)
    outcome = await run_hostile_night(town.database.url, tmp_path, plan, lambda *_: None)
    assert list(outcome.faults) == []
    assert outcome.verdict.broken == ()
    asked = {(row.what.strip(), row.unit): row.value for row in outcome.report.rows}
    assert asked["notification signed with a foreign key", "x 401"] > 0
    assert asked["notification replayed", "x 200"] > 0
    assert outcome.verdict.totals.received_fen > 0


def test_every_route_that_moves_money_is_asked_and_no_other() -> None:
    (route,) = money_routes(OPENAPI)
    assert (route.method, route.path, route.example) == ("POST", "/api/v1/payments/{id}/refunds", {"amount_fen": 100})
    dice = Random(1)
    attempts = [odd_attempt(dice, [route], ["an-id"]) for _ in range(200)]
    assert any(attempt.path == "/api/v1/payments/an-id/refunds" for attempt in attempts)
    assert len({attempt.body for attempt in attempts}) > 50


@pytest.mark.parametrize(
    ("status", "content", "is_notification", "is_fault"),
    [
        (200, {}, False, False),
        (422, {"type": "/problems/invalid", "title": "x", "status": 422}, False, False),
        (422, {"detail": "x"}, False, True),
        (500, {"type": "/problems/internal", "title": "x", "status": 500}, True, True),
        (500, {"code": "FAIL"}, True, False),
        (500, {"code": "FAIL"}, False, True),
        (503, {"type": "/problems/unavailable"}, False, False),
    ],
)
def test_what_counts_as_a_fault(status: int, content: dict[str, object], is_notification: bool, is_fault: bool) -> None:
    answer = httpx.Response(status, content=json.dumps(content))
    assert bool(fault_of(answer, is_notification=is_notification)) is is_fault

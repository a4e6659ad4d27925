"""Parking by the map of a demo: the api asks a simulated city's door, and refuses in its words."""

import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.clock import milliseconds
from core.tokens import is_space_token
from simulator.courses import Course
from simulator.faults import Faults
from simulator.orders import Order, Orders
from simulator.sensors import read_city
from simulator.visits import Turn, Visited
from tests.api.conftest import SECRET, Api, running
from tests.api.town import Town, now

pytestmark = pytest.mark.services

VISIT = "a-visit-of-mine"
SPEED = 60


@contextmanager
def a_city_that_takes_orders(folder: Path) -> Iterator[str]:
    """Two spaces of the town live; nothing is published: what a message does is others' tests. Where to ask."""
    spaces = [
        {
            "kind": "space",
            "code": code,
            "lot": "KA",
            "sensor_id": f"s-{code.lower()}",
            "installed_at": now().isoformat(),
        }
        for code in ("KA-001", "KA-002")
    ]
    properties = [{"kind": "lot", "code": "KA", "name": "文体路", "lot_kind": "on_street"}, *spaces]
    city = read_city({"features": [{"properties": one} for one in properties]})
    began_ms = milliseconds(now())
    course = Course(city=city, seed=1, begins_ms=began_ms, zone=ZoneInfo("Asia/Shanghai"), faults=Faults())
    lives = Visited(course.utterances(), city.watched)
    at_ms = began_ms
    ending = threading.Event()

    def carry_out(order: Order) -> Turn:
        nonlocal at_ms
        at_ms = max(at_ms + 1, lives.past_ms + 1)
        act = lives.arrive if order.verb == "park" else lives.leave
        turn = act(order.space, order.visit, at_ms)
        while lives.next_ms <= turn.at_ms:
            lives.take()
        return turn

    def live() -> None:
        while not ending.wait(0.01):
            orders.carry_out(carry_out)

    with Orders(0, folder / "orders.jsonl", city.watched, anew=True) as orders:
        thread = threading.Thread(target=live)
        thread.start()
        yield orders.url
        ending.set()
        thread.join()


@pytest.fixture
async def demo(town: Town, tmp_path: Path) -> AsyncIterator[Api]:
    real_ms = time.time_ns() // 1_000_000
    with a_city_that_takes_orders(tmp_path) as url:
        async with running(town.database.url, demo_orders_url=url, clock=f"{real_ms}/{real_ms}/{SPEED}") as api:
            yield api


async def test_only_a_demo_has_the_door(api: Api) -> None:
    assert await api.json("/api/v1/meta") == {"demo": False, "speed": 1.0}
    assert (await api.client.post("/api/v1/demo/park", json={"space": "KA-001"})).status_code == 404
    assert not [path for path in (await api.json("/openapi.json"))["paths"] if "demo" in path]


async def test_whoever_parks_gets_the_code_of_the_space_and_may_leave(demo: Api) -> None:
    assert await demo.json("/api/v1/meta") == {"demo": True, "speed": SPEED}
    answer = await demo.client.post("/api/v1/demo/park", json={"space": "KA-001"})
    assert answer.status_code == 200, answer.text
    parked = answer.json()
    path, _, token = parked["pay_path"].partition("?k=")
    assert (parked["sensor_id"], path) == ("s-ka-001", "/s/KA-001")
    assert is_space_token(SECRET, "KA-001", token)
    again = await demo.client.post("/api/v1/demo/park", json={"space": "KA-001", "visit": parked["visit"]})
    assert again.json() == parked, "asked twice, parked once"
    leaving = await demo.client.post("/api/v1/demo/leave", json={"space": "KA-001", "visit": parked["visit"]})
    problem = leaving.json()
    assert (leaving.status_code, problem["type"]) == (409, "/problems/too-soon")
    assert problem["facts"] == {"space_code": "KA-001", "retry_after_seconds": 1}, "22 s of a clock 60 times as fast"
    assert leaving.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("verb", "order", "status", "slug"),
    [
        ("park", {"space": "ZZ-001"}, 404, "space-not-found"),
        ("park", {"space": "KB-001"}, 404, "space-not-simulated"),
        ("park", {"space": "KA-002", "visit": "another-one"}, 409, "space-taken"),
        ("leave", {"space": "KA-002", "visit": "another-one"}, 409, "not-your-visit"),
        ("leave", {"space": "KA-002"}, 422, "invalid-request"),
        ("park", {"space": "KA-001", "visit": "x"}, 422, "invalid-request"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    demo: Api, verb: str, order: dict[str, str], status: int, slug: str
) -> None:
    taken = await demo.client.post("/api/v1/demo/park", json={"space": "KA-002", "visit": VISIT})
    assert taken.status_code == 200
    answer = await demo.client.post(f"/api/v1/demo/{verb}", json=order)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}"), answer.text


async def test_a_simulator_that_is_away_is_said_to_be(town: Town) -> None:
    async with running(town.database.url, demo_orders_url="http://127.0.0.1:9") as api:
        answer = await api.client.post("/api/v1/demo/park", json={"space": "KA-001"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/simulator-away")
    assert answer.headers["retry-after"] == "2"

"""The demo at sixty times the speed, ingest and gateway killed on the way, ends equal to the truth, to ms and fen."""

import json
import os
import signal
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.installation import Installation, a_port, an_installation
from tests.support.waiting import until

pytestmark = pytest.mark.services


@pytest.fixture
async def here() -> AsyncIterator[Installation]:
    async with an_installation() as installation:
        yield installation


async def test_killed_on_the_way_every_session_and_fee_equals_the_truth(here: Installation) -> None:
    demo = await here.begin(
        "demo", "--port", a_port(), "--speed", "60", "--minutes", "0.7", "--history", "2h", "--seed", "7"
    )
    found = await here.env()
    async with httpx.AsyncClient(base_url=found["PARKING_API_URL"]) as client:

        async def some_are_occupied() -> bool:
            return "o" in (await client.get("/api/v1/spaces/state")).json()["states"]

        await until(some_are_occupied)
    for _ in range(2):
        ingest = here.process("ingest")
        assert ingest is not None
        os.kill(ingest.pid, signal.SIGKILL)

        async def it_runs_again(killed: int = ingest.pid) -> bool:
            running = here.process("ingest")
            return running is not None and running.pid != killed

        await until(it_runs_again)

    async with httpx.AsyncClient(base_url=found["PARKING_GATEWAY_URL"]) as gateway:

        async def drivers_have_paid() -> bool:
            totals = (await gateway.get("/control/totals")).json()
            return bool(sum(one["received_fen"] for one in totals.values()))

        await until(drivers_have_paid)
    killed = here.process("gateway")
    assert killed is not None
    os.kill(killed.pid, signal.SIGKILL)
    _, out, err = await here.run("ledger", "check", "--json")
    broken = {finding["invariant"]: finding for finding in json.loads(out) if not finding["kept"]}
    # ten minutes until a stay must be billed are ten seconds here, too few for a worker on a busy machine
    assert broken.keys() <= {"I12"}, (broken, err)
    assert await demo.wait() == 0, "".join(here.said)
    assert "gateway had died and was started again" in "".join(here.said)
    assert "equal to the truth" in "".join(here.said)
    assert "ingest had died and was started again" in "".join(here.said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=["ctrl-c", "window-closed"])
async def test_stopping_it_stops_everything_it_started(here: Installation, number: signal.Signals) -> None:
    demo = await here.begin("demo", "--port", a_port(), "--history", "0")
    ours = [here.process(name) for name in ("ingest", "worker", "api", "gateway", "simulator", "drivers")]
    services = [here.service(name) for name in ("postgres", "mosquitto")]
    assert all(running is not None for running in [*ours, *services])
    demo.send_signal(number)
    assert await demo.wait() == 0
    assert not any(running and running.is_alive() for running in [*ours, *services])
    status, _, err = await here.run("env")
    assert status == 1
    assert "parking up" in err

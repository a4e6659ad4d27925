"""A city's engineer: starts an empty installation, imports a city, connects a real sensor, reads the bill."""

import asyncio
import csv
import io
import json
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.clock import rfc3339
from tests.support.cities import small_city, space
from tests.support.installation import Installation, a_port, an_installation
from tests.support.street import connect_publisher
from tests.support.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.services

DEV_EUI = "70b3d57ed0061a2c"
ENVELOPE = Path("tests/vectors/envelopes/chirpstack-v4-up.json")
BOSCH_OCCUPIED, BOSCH_FREE = "AQ==", "AA=="  # port 1, one byte, bit 0


@pytest.fixture
async def here() -> AsyncIterator[Installation]:
    async with an_installation() as installation:
        yield installation


def uplink(*, data: str, f_cnt: int, at: datetime) -> tuple[str, bytes]:
    """ChirpStack's message around a Bosch status, as recorded but for time, counter and payload."""
    recorded = json.loads(ENVELOPE.read_text())
    message = recorded["payload"] | {"data": data, "fCnt": f_cnt, "fPort": 1, "time": rfc3339(at)}
    message["deduplicationId"] = f"00000000-0000-0000-0000-{f_cnt:012}"
    return recorded["_topic"], json.dumps(message).encode()


async def import_town(here: Installation, tmp_path: Path) -> None:
    town = small_city()
    town["features"].append(space("KL-004", DEV_EUI, at=3, codec="bosch-tps110-fw0.29"))
    file = tmp_path / "town.geojson"
    file.write_text(json.dumps(town))
    status, _, err = await here.run("city", "import", str(file))
    assert status == 0, err


async def state_of(client: httpx.AsyncClient, code: str) -> str:
    spaces = (await client.get("/api/v1/spaces")).json()["features"]
    place = [feature["properties"]["code"] for feature in spaces].index(code)
    return str((await client.get("/api/v1/spaces/state")).json()["states"][place])


async def first_change(client: httpx.AsyncClient, listening: asyncio.Event) -> dict[str, Any]:
    """The first event of changes on the live stream; ``listening`` is set by the snapshot before it."""
    async with client.stream("GET", "/api/v1/live", timeout=PATIENCE_SECONDS) as stream:
        event = ""
        async for line in stream.aiter_lines():
            if line.startswith("event:"):
                event = line.removeprefix("event:").strip()
            elif line.startswith("data:") and event == "snapshot":
                listening.set()
            elif line.startswith("data:") and event == "changes":
                changes: dict[str, Any] = json.loads(line.removeprefix("data:"))
                return changes
    raise AssertionError("the stream ended")


async def test_a_real_sensor_changes_the_map_opens_a_session_and_makes_a_bill(
    here: Installation, tmp_path: Path
) -> None:
    await here.begin("up", "--port", a_port())
    await import_town(here, tmp_path)
    env = await here.env()
    now = datetime.now(UTC)
    publisher = connect_publisher(env["PARKING_MQTT_URL"])
    async with httpx.AsyncClient(base_url=env["PARKING_API_URL"]) as client:

        async def town_is_shown() -> bool:
            lots = (await client.get("/api/v1/lots")).json()["features"]
            return {lot["properties"]["code"] for lot in lots} == {"KL", "CT"}

        await until(town_is_shown)
        assert await state_of(client, "KL-004") == "u"

        listening = asyncio.Event()
        changed = asyncio.create_task(first_change(client, listening))
        await asyncio.wait_for(listening.wait(), PATIENCE_SECONDS)
        publisher.publish(*uplink(data=BOSCH_OCCUPIED, f_cnt=10, at=now - timedelta(minutes=90)), qos=1)
        assert any((await asyncio.wait_for(changed, PATIENCE_SECONDS))["changes"].values())
        assert await state_of(client, "KL-004") == "o"

        async def session_is_open() -> dict[str, Any]:
            status, out, _ = await here.run("export", "sessions", "--format", "json")
            assert status == 0
            rows = json.loads(out)
            return dict(rows[0]) if rows else {}

        opened = await until(session_is_open)
        assert (opened["status"], opened["space_code"], opened["sensor_id"]) == ("open", "KL-004", DEV_EUI)

        publisher.publish(*uplink(data=BOSCH_FREE, f_cnt=11, at=now - timedelta(minutes=5)), qos=1)
        publisher.publish(*uplink(data=BOSCH_FREE, f_cnt=11, at=now - timedelta(minutes=5)), qos=1)

        async def session_is_billed() -> dict[str, str]:
            status, out, _ = await here.run("export", "sessions")
            assert status == 0
            (row,) = csv.DictReader(io.StringIO(out))
            return row if row["fee_fen"] else {}

        billed = await until(session_is_billed)
        assert billed["session_id"] == opened["session_id"]
        assert (billed["status"], billed["tariff_code"], billed["paid_fen"]) == ("ended", "xinchang-kerb", "0")
        asked = {"enter": billed["entered_at"], "leave": billed["left_at"]}
        quote = (await client.get("/api/v1/lots/KL/quote", params=asked)).json()
        assert billed["fee_fen"] == str((quote.get("fee") or quote)["total_fen"])
    publisher.disconnect()


async def test_after_kill_9_of_everything_the_next_start_goes_on(here: Installation, tmp_path: Path) -> None:
    port = a_port()
    running = await here.begin("up", "--port", port)
    assert "No lots yet" in "".join(here.said)
    await import_town(here, tmp_path)
    env = await here.env()
    publisher = connect_publisher(env["PARKING_MQTT_URL"])
    reading = {"at": int(datetime.now(UTC).timestamp() * 1_000) - 600_000, "occupied": True, "kind": "change"}
    publisher.publish("parking/x/s1/up", json.dumps(reading), qos=1).wait_for_publish(10)

    async def one_session() -> bool:
        _, out, _ = await here.run("export", "sessions", "--format", "json")
        return len(json.loads(out or "[]")) == 1

    await until(one_session)
    publisher.disconnect()
    for name in ("ingest", "worker", "api"):
        process = here.process(name)
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
    running.kill()
    await running.wait()
    for name in ("postgres", "mosquitto"):
        service = here.service(name)
        assert service is not None
        os.kill(service.pid, signal.SIGKILL)
    await here.begin("up", "--port", port)
    assert "No lots yet" not in "".join(here.said)
    assert await one_session()
    async with httpx.AsyncClient(base_url=(await here.env())["PARKING_API_URL"]) as client:
        assert await state_of(client, "KL-001") == "o"


async def test_a_city_file_with_a_hole_is_refused_with_place_and_cure_and_changes_nothing(
    here: Installation, tmp_path: Path
) -> None:
    await here.begin("up", "--port", a_port())
    town = small_city()
    town["features"].append(space("KL-004", "s4", lot="NOBODY"))
    file = tmp_path / "holed.geojson"
    file.write_text(json.dumps(town))
    status, _, err = await here.run("city", "import", str(file))
    assert status == 1
    assert "KL-004" in err
    assert "NOBODY" in err
    async with httpx.AsyncClient(base_url=(await here.env())["PARKING_API_URL"]) as client:
        assert (await client.get("/api/v1/lots")).json()["features"] == []

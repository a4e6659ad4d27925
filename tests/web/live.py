"""The whole path for the pages: database, broker, ingest and api as real processes, with a town imported."""

import asyncio
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from paho.mqtt.client import Client

from core.db import Database
from ops.city.importing import import_city
from ops.database import create_database, drop_database
from ops.services import Endpoints
from simulator.gateway.keys import merchant_settings, prepare
from tests.support.street import connect_publisher, forget_broker_session
from tests.web.town import sensor_of, town

NAME = "parking_pages"
CLIENT_ID = "ingest-pages"
READY_WITHIN_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCity:
    """A running city; ``sensors`` holds the sensor of each space by the space's code."""

    url: str
    sensors: dict[str, str]
    publisher: Client
    database_url: str
    secret_key: str
    plate_key: str
    gateway_url: str
    """Where the simulated payment provider takes the drivers' money."""
    merchant: dict[str, str]
    """The settings of this installation as the provider's merchant."""

    async def publish(self, sensor_id: str, *, occupied: bool = True, at: datetime | None = None) -> None:
        """One reading, as the sensor would send it; returns when the broker has it."""
        await asyncio.to_thread(self.send, sensor_id, occupied=occupied, at=at)

    def send(self, sensor_id: str, *, occupied: bool, at: datetime | None = None) -> None:
        """As ``publish``, from a thread."""
        at_ms = int((at.timestamp() if at else time.time()) * 1_000)
        payload = json.dumps({"at": at_ms, "occupied": occupied, "kind": "change"})
        self.publisher.publish(f"parking/pages/{sensor_id}/up", payload, qos=1).wait_for_publish(15)


@contextmanager
def running_city(endpoints: Endpoints, template: str) -> Iterator[LiveCity]:
    """Bring it up, with every sensor heard once and two spaces of three free; take it down again."""
    with ThreadPoolExecutor(1) as apart:  # a loop may be running here
        database_url, spaces = apart.submit(lambda: asyncio.run(_founded(endpoints.database_url, template))).result()
    port, gateway_port = _free_port(), _free_port()
    gateway_url = f"http://127.0.0.1:{gateway_port}"
    secret_key, plate_key = secrets.token_hex(32), secrets.token_hex(32)
    folder = Path(tempfile.mkdtemp(prefix="parking-pages-"))
    prepare(folder, gateway_url)
    merchant = merchant_settings(folder)
    environment = {
        **os.environ,
        "PARKING_DATABASE_URL": database_url,
        "PARKING_MQTT_URL": endpoints.mqtt_ingest_url,
        "PARKING_MQTT_CLIENT_ID": CLIENT_ID,
        "PARKING_PORT": str(port),
        "PARKING_LOG_JSON": "true",
        "PARKING_SECRET_KEY": secret_key,
        "PARKING_PLATE_KEY": plate_key,
        "PARKING_HELP_PHONE": "0575-86000000",
        **merchant,
    }
    gateway = ("simulator.gateway", "--folder", str(folder), "--port", str(gateway_port))
    processes = [
        subprocess.Popen([sys.executable, "-m", *arguments], env=environment, stderr=subprocess.DEVNULL)
        for arguments in (("ingest",), ("api",), gateway)
    ]
    publisher = connect_publisher(endpoints.mqtt_tester_url)
    sensors = {space: sensor_of(space) for space in spaces}
    city = LiveCity(
        url=f"http://127.0.0.1:{port}",
        sensors=sensors,
        publisher=publisher,
        database_url=database_url,
        secret_key=secret_key,
        plate_key=plate_key,
        gateway_url=gateway_url,
        merchant=merchant,
    )
    try:
        _wait_until_ready(city.url)
        for n, sensor in enumerate(sensors.values()):
            city.send(sensor, occupied=n % 3 == 0)
        _wait_until_heard(city.url)
        yield city
    finally:
        publisher.disconnect()
        publisher.loop_stop()
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(15)
        shutil.rmtree(folder, ignore_errors=True)
        forget_broker_session(endpoints.mqtt_ingest_url, CLIENT_ID)
        with ThreadPoolExecutor(1) as apart:
            apart.submit(lambda: asyncio.run(drop_database(endpoints.database_url, NAME))).result()


async def _founded(server: str, template: str) -> tuple[str, list[str]]:
    url = await create_database(server, NAME, template=template)
    database = Database(url)
    source = town()
    await import_city(database, source, now=datetime.now(UTC), zone=ZoneInfo("Asia/Shanghai"))
    await database.close()
    features = [feature["properties"] for feature in json.loads(source)["features"]]
    return url, [facts["code"] for facts in features if facts["kind"] == "space"]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_until_ready(url: str) -> None:
    end = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            if httpx.get(f"{url}/health/ready").is_success:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < end, f"{url} is not ready within {READY_WITHIN_S} s"
        time.sleep(0.1)


def _wait_until_heard(url: str) -> None:
    end = time.monotonic() + READY_WITHIN_S
    while "u" in httpx.get(f"{url}/api/v1/spaces/state").json()["states"]:
        assert time.monotonic() < end, "the sensors were not heard"
        time.sleep(0.1)

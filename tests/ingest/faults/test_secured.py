"""TLS by two settings: a sensor publishes over it, and ingest reads over it."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ops.services import RunningServices, accounts, start
from ops.services.mosquitto import admit
from ops.services.processes import ServiceUser, find_recorded
from ops.state import State, free_port
from tests.ingest.faults.county import built_county, encode
from tests.support.services import folder_for_state
from tests.support.talking import as_user, talking

pytestmark = pytest.mark.services


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """A broker with a second listener, for TLS."""

    state: State
    services: RunningServices
    port: int
    certificate: Path

    @property
    def broker(self) -> int:
        """The broker's process, by its number."""
        running = find_recorded(self.state.run / "mosquitto.json")
        assert running is not None
        return running.pid

    def url(self, url: str) -> str:
        """The same user, over TLS."""
        user = urlsplit(url).netloc.rpartition("@")[0]
        return f"mqtts://{user}@localhost:{self.port}"


@pytest.fixture
def secured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Secured]:
    folder, port = folder_for_state(), free_port()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    state = State.find(folder / "state")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PARKING_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
            patch.setenv("PARKING_MQTT_TLS_CERTIFICATE", str(folder / "cert.pem"))
            patch.setenv("PARKING_MQTT_TLS_KEY", str(folder / "key.pem"))
            patch.setenv("PARKING_MQTT_TLS_LISTEN", f"127.0.0.1:{port}")
            services = start(state, lambda _: None)
        with services:
            yield Secured(state=state, services=services, port=port, certificate=folder / "cert.pem")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def test_a_sensor_publishes_and_ingest_reads_over_tls(secured: Secured, database_url: str) -> None:
    async with built_county(secured.services, database_url, spaces=20) as county:
        street = county.street
        street.endpoints = replace(street.endpoints, mqtt_ingest_url=secured.url(street.endpoints.mqtt_ingest_url))
        street.environment["PARKING_MQTT_CA_FILE"] = str(secured.certificate)
        await county.start_ingest()
        mine = county.sensor(1)
        admit(secured.state, ServiceUser.find(), [accounts.sensor(mine, "secret")])
        url = secured.url(as_user(secured.services.endpoints.mqtt_tester_url, f"sensor.{mine}", "secret"))
        reading = next(one for one in county.readings(1_000) if one[0] == mine)
        with talking(url, ca=secured.certificate) as sensor:
            assert sensor.told == ["Success"]
            await asyncio.to_thread(sensor.say, f"parking/x/{mine}/up", encode(reading))
        county.accepted[reading] += 1
        await county.until_all_is_stored()
        # whole records of hundreds of messages: what was decrypted with the first must not wait for more to come
        await county.street.kill_ingest()
        await county.publish(county.readings(3_000))
        await county.start_ingest()
        figures = await county.until_all_is_stored()
        figures.show("over TLS")
        assert figures.stored == 3_001
        broker = secured.broker
        for _ in range(3):
            await county.street.kill_ingest()
            await county.publish(county.readings(1_000))
            await county.start_ingest()
        await county.until_all_is_stored()
        assert secured.broker == broker, "a connection that dies while it is written to does not take the broker along"


async def test_a_broker_with_somebody_elses_certificate_is_not_believed(secured: Secured, database_url: str) -> None:
    async with built_county(secured.services, database_url, spaces=1) as county:
        endpoints = county.street.endpoints
        county.street.endpoints = replace(endpoints, mqtt_ingest_url=secured.url(endpoints.mqtt_ingest_url))
        await county.street.start_ingest(until_it_says="CERTIFICATE_VERIFY_FAILED")
        county.street.endpoints = endpoints

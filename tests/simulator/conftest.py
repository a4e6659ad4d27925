"""A broker of its own for each test here, to be killed, and a listener who misses nothing."""

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from ops.services import RunningServices, start
from ops.services.running import find_service
from ops.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBroker:
    """A private mosquitto with the installation's own settings."""

    services: RunningServices
    state: State

    @property
    def url(self) -> str:
        return self.services.endpoints.mqtt_tester_url

    def kill(self) -> None:
        running = find_service(self.state, "mosquitto")
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)

    def restart(self) -> None:
        """Cleanly if it runs, else just start it."""
        self.services.restart("mosquitto")


@dataclass(slots=True, kw_only=True)
class Listener:
    """Subscribed to every native topic with a session that the broker keeps."""

    client: Client
    readings: list[dict[str, Any]] = field(default_factory=list)
    messages: int = 0

    def take(self, _client: Client, _user: object, message: MQTTMessage) -> None:
        self.messages += 1
        said = json.loads(message.payload)
        if isinstance(said, list):
            self.readings += said
        else:
            self.readings.append(said | {"sensor": message.topic.split("/")[2]})

    def subscribe(self, *_: object) -> None:
        self.client.subscribe([("parking/+/+/up", 1), ("parking/+/gateways/+/up", 1)])

    def identities(self) -> set[tuple[str, int, int, int, bool, str]]:
        return {
            (said["sensor"], said["at"], said["boot"], said["seq"], said["occupied"], said["kind"])
            for said in self.readings
        }


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnBroker]:
    monkeypatch.setenv(
        "PARKING_SERVICES_DIR", os.environ.get("PARKING_SERVICES_DIR") or str(State.find().root / "services")
    )
    monkeypatch.setenv(
        "PARKING_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none"
    )  # so that only a broker is started
    monkeypatch.delenv("PARKING_MQTT_URL", raising=False)
    folder = Path(tempfile.mkdtemp(prefix="parking-test-"))
    folder.chmod(0o711)  # as root the broker runs as another user, who must pass
    try:
        state = State.find(folder / "state")
        with start(state, progress=lambda _: None) as services:
            yield OwnBroker(services=services, state=state)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def listener(broker: OwnBroker) -> Iterator[Listener]:
    parts = urlsplit(broker.services.endpoints.mqtt_ingest_url)
    client = Client(CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False)
    client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
    client.reconnect_delay_set(1, 1)
    listener = Listener(client=client)
    client.on_message = listener.take
    client.on_connect = listener.subscribe
    client.connect(parts.hostname or "", parts.port or 1883)
    client.loop_start()
    yield listener
    client.loop_stop()
    client.disconnect()

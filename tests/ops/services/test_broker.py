"""The real broker under our configuration: who may do what, and what it keeps."""

import base64
import os
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from ops.services import RunningServices, accounts, start
from ops.services.mosquitto import admit
from ops.services.processes import ServiceUser
from ops.services.running import find_service
from ops.state import State, free_port
from tests.support.waiting import soon

pytestmark = pytest.mark.services


@pytest.fixture
def services(state: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServices]:
    """The broker alone: no test here asks the database."""
    monkeypatch.setenv("PARKING_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    with start(state, lambda _: None) as running:
        yield running


class Client:
    """A client that notes what happened to it."""

    def __init__(self, name: str, *, kept: bool, manual: bool) -> None:
        self.paho = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            clean_session=not kept,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=manual,
        )
        self.paho.max_queued_messages_set(0)
        self.paho.max_inflight_messages_set(65_535)
        self.came: list[tuple[str, bytes]] = []
        self.connected = ""
        self.subscribed = False
        self.paho.on_connect = self._on_connect
        self.paho.on_subscribe = self._on_subscribe
        self.paho.on_message = self._on_message

    def _on_connect(self, _c: mqtt.Client, _n: object, _f: object, reason: ReasonCode, _p: object) -> None:
        self.connected = str(reason)

    def _on_subscribe(self, _c: mqtt.Client, _n: object, _mid: int, _codes: object, _p: object) -> None:
        self.subscribed = True

    def _on_message(self, _c: mqtt.Client, _n: object, message: mqtt.MQTTMessage) -> None:
        self.came.append((message.topic, bytes(message.payload)))

    def hear(self, *topics: str) -> None:
        self.subscribed = False
        self.paho.subscribe([(topic, 1) for topic in topics])
        soon(lambda: self.subscribed)

    def say(self, topic: str, payload: bytes = b"{}") -> None:
        self.paho.publish(topic, payload, qos=1).wait_for_publish(10)


@contextmanager
def client(
    url: str, name: str = "", *, kept: bool = False, manual: bool = False, ca: Path | None = None
) -> Iterator[Client]:
    parts = urlsplit(url)
    made = Client(name, kept=kept, manual=manual)
    made.paho.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
    if ca:
        made.paho.tls_set_context(ssl.create_default_context(cafile=ca))
    made.paho.connect(parts.hostname or "", parts.port or 1883)
    made.paho.loop_start()
    try:
        soon(lambda: made.connected != "")
        yield made
    finally:
        made.paho.disconnect()
        made.paho.loop_stop()


def as_user(url: str, name: str, password: str) -> str:
    return url.replace(urlsplit(url).netloc.rpartition("@")[0], f"{name}:{password}")


TOPICS = (
    "parking/north/866123/up",
    "parking/north/gateways/g1/up",
    "application/7/device/a81758fffe05c68d/event/up",
    "application/7/device/a81758fffe05c68d/event/log",
    "v3/app@tenant/devices/d1/up",
    "v3/app@tenant/devices/d1/join",
    "mqtt/things/A81758FFFE05C68D/uplink",
    "parking/866123/senml",
    "aep/p/d/dataReport",
)


def test_the_tester_may_publish_on_every_ingest_topic_and_ingest_hears_them_all(services: RunningServices) -> None:
    with client(services.endpoints.mqtt_ingest_url) as ingest, client(services.endpoints.mqtt_tester_url) as tester:
        ingest.hear(*accounts.INGEST_TOPICS)
        for topic in TOPICS:
            tester.say(topic)
        soon(lambda: len(ingest.came) == len(TOPICS))
        assert {topic for topic, _ in ingest.came} == set(TOPICS)


@pytest.mark.parametrize("name", ["", "tester", "ingest", "stranger"])
def test_nobody_gets_in_without_the_password(services: RunningServices, name: str) -> None:
    with client(as_user(services.endpoints.mqtt_tester_url, name, "guess")) as stranger:
        assert stranger.connected == "Not authorized"


def test_ingest_may_not_publish_and_the_tester_may_not_listen(services: RunningServices) -> None:
    urls = services.endpoints
    with client(urls.mqtt_ingest_url) as ingest, client(urls.mqtt_tester_url) as tester:
        ingest.hear(*accounts.INGEST_TOPICS)
        tester.hear("#")
        ingest.say("parking/north/866123/up", b"forged")
        tester.say("parking/north/866123/up", b"heard")
        soon(lambda: bool(ingest.came))
        assert [payload for _, payload in ingest.came] == [b"heard"]
        assert tester.came == []


def test_sensors_are_admitted_and_locked_out_while_everybody_else_stays_connected(
    services: RunningServices, state: State
) -> None:
    urls = services.endpoints
    mine = as_user(urls.mqtt_tester_url, "sensor.s1", "secret-1")
    with client(urls.mqtt_ingest_url) as ingest:
        ingest.hear(*accounts.INGEST_TOPICS)
        admit(state, ServiceUser.find(), [accounts.sensor("s1", "secret-1"), accounts.gateway("g1", "secret-2")])
        soon(lambda: _gets_in(mine))
        with client(mine) as sensor:
            sensor.say("parking/north/s2/up", b"not mine")
            sensor.say("parking/north/gateways/g1/up", b"not mine")
            sensor.say("parking/north/s1/up", b"mine")
        with client(as_user(mine, "gateway.g1", "secret-2")) as gateway:
            gateway.say("parking/north/s1/up", b"not mine")
            gateway.say("parking/north/gateways/g1/up", b"ours")
        soon(lambda: len(ingest.came) == 2)
        assert [payload for _, payload in ingest.came] == [b"mine", b"ours"]
        admit(state, ServiceUser.find(), [])
        soon(lambda: not _gets_in(mine))
        assert ingest.paho.is_connected()


def _gets_in(url: str) -> bool:
    with client(url) as sensor:
        return sensor.connected == "Success"


def test_admitted_sensors_are_still_admitted_after_a_restart(services: RunningServices, state: State) -> None:
    admit(state, ServiceUser.find(), [accounts.sensor("s1", "secret-1")])
    services.restart("mosquitto")
    assert _gets_in(as_user(services.endpoints.mqtt_tester_url, "sensor.s1", "secret-1"))


def test_mosquittos_own_tool_writes_the_same_kind_of_hash(programs: Path, tmp_path: Path) -> None:
    tool = programs / "trixie/usr/bin/mosquitto_passwd"
    subprocess.run([tool, "-b", "-c", tmp_path / "passwords", "somebody", "secret"], check=True)
    name, written = (tmp_path / "passwords").read_text().strip().split(":")
    iterations, salt = written.split("$")[2:4]
    assert (name, int(iterations)) == ("somebody", accounts.ITERATIONS)
    assert accounts.hash_password("secret", base64.b64decode(salt)) == written


def test_far_more_than_mosquittos_default_queue_is_kept_for_an_absent_ingest(services: RunningServices) -> None:
    urls, count = services.endpoints, 5_000
    with client(urls.mqtt_ingest_url, "parking-ingest", kept=True) as ingest:
        ingest.hear(*accounts.INGEST_TOPICS)
    with client(urls.mqtt_tester_url) as tester:
        sent = [tester.paho.publish(f"parking/north/{number}/up", b"{}", qos=1) for number in range(count)]
        for message in sent:
            message.wait_for_publish(30)
    with client(urls.mqtt_ingest_url, "parking-ingest", kept=True, manual=True) as ingest:
        soon(lambda: len(ingest.came) == count)  # all of them in flight at once: nothing is acknowledged


def test_a_killed_broker_loses_no_more_than_its_save_interval(services: RunningServices, state: State) -> None:
    urls, count = services.endpoints, 1_000
    with client(urls.mqtt_ingest_url, "parking-ingest", kept=True) as ingest:
        ingest.hear(*accounts.INGEST_TOPICS)
    with client(urls.mqtt_tester_url) as tester:
        for number in range(count):
            tester.say(f"parking/north/{number}/up")
    broker = find_service(state, "mosquitto")
    assert broker is not None
    os.kill(broker.pid, signal.SIGKILL)
    broker.has_ended_within(5)
    services.restart("mosquitto")
    with client(urls.mqtt_ingest_url, "parking-ingest", kept=True) as ingest:
        soon(lambda: len(ingest.came) >= count - 100)


def test_a_clean_stop_loses_nothing(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARKING_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    with start(state, lambda _: None) as services:
        with client(services.endpoints.mqtt_ingest_url, "parking-ingest", kept=True) as ingest:
            ingest.hear(*accounts.INGEST_TOPICS)
        with client(services.endpoints.mqtt_tester_url) as tester:
            for number in range(7):
                tester.say(f"parking/north/{number}/up")
    with (
        start(state, lambda _: None) as services,
        client(services.endpoints.mqtt_ingest_url, "parking-ingest", kept=True) as ingest,
    ):
        soon(lambda: len(ingest.came) == 7)


@pytest.mark.parametrize("content", [b"", b"no database at all", None])
def test_saved_sessions_that_cannot_be_read_are_put_aside(
    services: RunningServices, state: State, content: bytes | None
) -> None:
    saved = state.root / "mosquitto/mosquitto.db"
    with client(services.endpoints.mqtt_ingest_url, "parking-ingest", kept=True) as ingest:
        ingest.hear(*accounts.INGEST_TOPICS)
    with client(services.endpoints.mqtt_tester_url) as tester:
        for number in range(300):
            tester.say(f"parking/north/{number}/up")
    broker = find_service(state, "mosquitto")
    assert broker is not None
    os.kill(broker.pid, signal.SIGKILL)
    broker.has_ended_within(5)
    whole = saved.read_bytes()
    saved.write_bytes(whole[: len(whole) // 2] if content is None else content)
    services.restart("mosquitto")
    assert services.dead() == ()
    assert _gets_in(services.endpoints.mqtt_ingest_url)


def test_a_message_beyond_the_limit_is_dropped_and_its_sender_stays(services: RunningServices) -> None:
    with client(services.endpoints.mqtt_ingest_url) as ingest, client(services.endpoints.mqtt_tester_url) as tester:
        ingest.hear(*accounts.INGEST_TOPICS)
        tester.say("parking/north/1/up", b"x" * (256 * 1024 + 1))
        tester.say("parking/north/2/up", b"x" * (256 * 1024))
        soon(lambda: bool(ingest.came))
        assert [topic for topic, _ in ingest.came] == ["parking/north/2/up"]
        assert tester.paho.is_connected()


def test_two_settings_open_a_tls_listener(state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    monkeypatch.setenv("PARKING_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("PARKING_MQTT_TLS_CERTIFICATE", str(tmp_path / "cert.pem"))
    monkeypatch.setenv("PARKING_MQTT_TLS_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setenv("PARKING_MQTT_TLS_LISTEN", f"127.0.0.1:{port}")
    with start(state, lambda _: None) as services:
        secure = services.endpoints.mqtt_tester_url.replace(str(state.port("mosquitto")), str(port))
        with client(secure, ca=tmp_path / "cert.pem") as sensor:
            assert sensor.connected == "Success"

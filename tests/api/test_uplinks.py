"""What platforms push over HTTP reaches the broker under the topic that it would have come on."""

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from api.uplinks import EXAMPLES
from core.pushes import NoDeviceError, NoUplinkError, PushedEnvelope, topic_of
from core.wire import parse_topic
from ops.services import RunningServices
from ops.services.running import find_service
from tests.api.conftest import Api, running
from tests.api.town import Town
from tests.support.street import Street, connect_publisher, forget_broker_session
from tests.support.talking import talking
from tests.support.waiting import until

VECTORS = Path(__file__).parents[1] / "vectors/envelopes"
FILES = {
    "chirpstack": "chirpstack-v4-up",
    "things-stack": "the-things-stack-v3-up",
    "thingpark": "thingpark-deveui-uplink",
    "nbiot": "nbiot-lwm2m-platform-geomagnetic",
    "senml": "senml-rfc8428",
}
TOPICS = {
    "native": "parking/http/866123040012345/up",
    "chirpstack": "application/6f2c1b7e-4b61-4f0e-9a0d-1d2f4f7c9b10/device/70b3d57ed0061a2c/event/up",
    "things-stack": "v3/parking@http/devices/p2-b-014/up",
    "thingpark": "mqtt/things/70B3D57ED0061A2C/uplink",
    "nbiot": "aep/15034864/87f4b2814f434992a94a4871b32c6b00/dataReport",
    "senml": "parking/70b3d5fffe061a2c/senml",
}


def vector(name: str) -> bytes:
    return json.dumps(json.loads((VECTORS / f"{name}.json").read_text())["payload"]).encode()


@pytest.mark.parametrize("envelope", PushedEnvelope)
def test_the_body_says_which_topic_it_belongs_on(envelope: PushedEnvelope) -> None:
    example = json.dumps(EXAMPLES[envelope.value]["value"]).encode()
    for body in (example, vector(FILES[envelope]) if envelope in FILES else example):
        topic = topic_of(envelope, body, pusher="http-1")
        assert topic == TOPICS[envelope]
        assert parse_topic(topic) is not None


def test_an_array_of_readings_is_a_gateways_and_the_address_may_name_the_sensor() -> None:
    native = PushedEnvelope.NATIVE
    assert topic_of(native, b"[]", pusher="http-1") == "parking/http/gateways/http-1/up"
    assert topic_of(native, b"{}", pusher="http-1", sensor="s1") == "parking/http/s1/up"
    assert topic_of(PushedEnvelope.SENML, b"[]", pusher="http-1", sensor="s1") == "parking/s1/senml"


@pytest.mark.parametrize(
    ("envelope", "body", "event"),
    [
        ("chirpstack", b'{"deviceInfo": {"devEui": "70b3d57ed0061a2c"}}', "join"),
        ("things-stack", vector("the-things-stack-v3-join"), "up"),
        ("thingpark", b'{"DevEUI_location": {"DevEUI": "70B3D57ED0061A2C"}}', "up"),
        ("nbiot", b'{"messageType": "deviceOnlineOfflineReport", "deviceId": "d"}', "up"),
    ],
)
def test_a_platforms_own_events_are_no_uplinks(envelope: str, body: bytes, event: str) -> None:
    with pytest.raises(NoUplinkError):
        topic_of(PushedEnvelope(envelope), body, pusher="http-1", event=event)


@pytest.mark.parametrize("envelope", PushedEnvelope)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"{}",
        b"[1]",
        b"null",
        b'"x"',
        b'{"sensor": "a/b", "deviceId": "#"}',
        b"[" * 100_000,
        b'{"sensor": true}',
    ],
)
def test_a_body_that_names_no_device_has_no_topic(envelope: PushedEnvelope, body: bytes) -> None:
    if envelope is PushedEnvelope.NATIVE and body == b"[1]":
        return  # a gateway's array, whose element is refused where all are
    with pytest.raises((NoDeviceError, NoUplinkError)):
        topic_of(envelope, body, pusher="http-1")


@pytest.fixture
async def street_behind(town: Town, services: RunningServices) -> AsyncIterator[tuple[Api, Street]]:
    """The api and an ingest, over the real broker and the sensors of a town."""
    db, url = await asyncpg.connect(town.database.url), town.database.url
    publisher = connect_publisher(services.endpoints.mqtt_tester_url)
    mqtt_url = SecretStr(services.endpoints.mqtt_api_url)
    async with running(url, mqtt_url=mqtt_url) as api:
        api.client.headers["Authorization"] = f"Bearer {await town.key('uplink')}"
        street = Street(db=db, database_url=url, endpoints=services.endpoints, prefix="town", publisher=publisher)
        yield api, street
        for process in street.ingests:
            process.kill()
            await process.wait()
    forget_broker_session(services.endpoints.mqtt_ingest_url, "ingest-town")
    publisher.loop_stop()
    await db.close()


def push(api: Api, envelope: str, body: Any, **query: str) -> Any:
    return api.client.post(f"/api/v1/uplinks/{envelope}", json=body, params=query)


@pytest.mark.services
async def test_what_is_pushed_is_stored_like_what_came_over_mqtt(street_behind: tuple[Api, Street]) -> None:
    api, street = street_behind
    await street.start_ingest()
    first, second = "s-ka-001", "s-ka-002"
    reading = {"at": 1_795_358_210_250, "occupied": True}
    for _ in range(2):
        answer = await push(api, "native", {**reading, "sensor": first})
        assert (answer.status_code, answer.json()) == (202, {"topic": f"parking/http/{first}/up"})
    assert (await push(api, "native", [{**reading, "sensor": second}, {"sensor": second}])).status_code == 202
    assert (await push(api, "chirpstack", {}, event="join")).json() == {"topic": None}
    await street.until_readings(2)
    (refused,) = await street.until_refusals(1)
    assert (refused["reason"], refused["sensor"]) == ("not-a-reading", second)


@pytest.mark.services
async def test_only_a_platforms_key_opens_it(street_behind: tuple[Api, Street], town: Town) -> None:
    api, _ = street_behind
    for key in ("nonsense", await town.key("kiosk")):
        api.client.headers["Authorization"] = f"Bearer {key}"
        assert (await push(api, "native", {"sensor": "s", "at": 1, "occupied": True})).status_code == 401


@pytest.mark.services
async def test_every_refusal_is_a_named_problem(street_behind: tuple[Api, Street]) -> None:
    api, _ = street_behind
    nameless = await push(api, "native", {"at": 1})
    assert (nameless.status_code, nameless.json()["type"]) == (422, "/problems/no-device")
    assert (await push(api, "sparkplug", {})).status_code == 422
    large = await api.client.post("/api/v1/uplinks/native", content=b" " * (256 * 1024 + 1))
    assert large.status_code == 413


@pytest.mark.services
async def test_a_broker_that_is_away_is_a_503_and_its_return_is_noticed(
    street_behind: tuple[Api, Street], services: RunningServices
) -> None:
    api, _ = street_behind
    reading = {"sensor": "s-ka-001", "at": 1_795_358_210_250, "occupied": True}
    with talking(services.endpoints.mqtt_ingest_url) as ingest:
        ingest.paho.subscribe("parking/+/+/up")
        assert (await push(api, "native", reading)).status_code == 202
    broker = find_service(services._state, "mosquitto")  # noqa: SLF001 - the test kills it as a machine would
    assert broker is not None
    os.kill(broker.pid, signal.SIGKILL)
    broker.has_ended_within(5)
    answer = await push(api, "native", reading)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/broker-away")
    assert answer.headers["retry-after"] == "2"
    services.restart("mosquitto")

    async def taken() -> bool:
        return bool((await push(api, "native", reading)).status_code == 202)

    await until(taken)


@pytest.mark.services
async def test_without_a_broker_it_says_so(town: Town) -> None:
    async with running(town.database.url) as api:
        api.client.headers["Authorization"] = f"Bearer {await town.key('uplink')}"
        answer = await push(api, "native", {"sensor": "s", "at": 1, "occupied": True})
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/broker-away")

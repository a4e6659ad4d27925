"""Each envelope: what is wrapped here is unwrapped there, and its members are those of the published samples."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.occupancy import Kind, Reading
from core.wire import Envelope, parse_topic
from ingest.decode import decode
from simulator.envelopes import NETWORK_SERVERS, Frame, Message, pack_senml, push_nbiot
from simulator.makes import MAKES, Saying

SAMPLES = Path(__file__).parents[2] / "vectors" / "envelopes"
DEV_EUI = "aede480001000001"
IMEI = "001001170000012"

instants = st.integers(1_600_000_000_000, 2_100_000_000_000)
sayings = st.builds(
    Saying,
    kind=st.sampled_from((Kind.BOOT, Kind.CHANGE, Kind.HEARTBEAT)),
    occupied=st.booleans(),
    at_ms=instants,
    seq=st.integers(0, 2**31),
    battery_mv=st.integers(2_600, 3_500),
    temperature_c=st.floats(-20, 60),
)


class Registered:
    def __init__(self, codec: str) -> None:
        self.codec = codec

    def codec_of(self, sensor_id: str, /) -> str | None:
        return self.codec if sensor_id in (DEV_EUI, IMEI) else None


def frame(saying: Saying, codec: str, *, joined: int = 1) -> tuple[Frame, Kind]:
    payload = MAKES[codec](saying)
    framed = Frame(
        dev_eui=DEV_EUI,
        joined=joined,
        f_cnt=saying.seq,
        at_ms=saying.at_ms,
        f_port=payload.f_port,
        payload=payload.content,
        rssi_dbm=-97,
        battery_pct=80,
    )
    return framed, payload.kind


def read(message: Message, codec: str = "native") -> Reading:
    items = decode(message.topic, message.content, registry=Registered(codec))
    assert len(items) == 1
    assert isinstance(items[0], Reading), items[0]
    return items[0]


@pytest.mark.parametrize("envelope", NETWORK_SERVERS)
@pytest.mark.parametrize("codec", MAKES)
@given(saying=sayings)
@settings(max_examples=10)
def test_a_frame_of_every_make_comes_through_every_server(envelope: Envelope, codec: str, saying: Saying) -> None:
    framed, kind = frame(saying, codec)
    message = NETWORK_SERVERS[envelope](framed)
    reading = read(message, codec)
    assert (reading.sensor, reading.at_ms, reading.occupied, reading.kind, reading.boot, reading.seq) == (
        DEV_EUI,
        saying.at_ms,
        saying.occupied,
        kind,
        -1,
        saying.seq,
    )
    assert reading.telemetry.rssi_dbm == -97
    assert reading.frame is not None
    assert reading.frame.f_cnt == saying.seq
    address = parse_topic(message.topic)
    assert address is not None
    assert address.envelope is envelope


@pytest.mark.parametrize("envelope", NETWORK_SERVERS)
def test_a_new_join_is_a_new_session_and_a_retry_the_same_bytes(envelope: Envelope) -> None:
    saying = Saying(
        kind=Kind.CHANGE, occupied=True, at_ms=1_780_000_000_001, seq=7, battery_mv=3_400, temperature_c=9.0
    )
    wrap = NETWORK_SERVERS[envelope]
    first, again, after = (wrap(frame(saying, "pni-placepod", joined=joined)[0]) for joined in (1, 1, 2))
    assert first == again
    sessions = {read(one, "pni-placepod").frame for one in (first, after)}
    assert len(sessions) == 2


@given(saying=sayings)
def test_a_senml_pack_reports_to_the_millisecond(saying: Saying) -> None:
    reading = read(pack_senml(DEV_EUI, saying))
    assert (reading.sensor, reading.at_ms, reading.occupied) == (DEV_EUI, saying.at_ms, saying.occupied)
    assert (reading.kind, reading.boot, reading.seq) == (Kind.REPORT, -1, -1)
    assert reading.telemetry.battery_mv == saying.battery_mv
    assert reading.telemetry.temperature_c == round(saying.temperature_c, 1)


@given(saying=sayings, vehicles=st.integers(0, 10**6))
def test_a_carriers_push_reports_with_the_devices_own_clock(saying: Saying, vehicles: int) -> None:
    reading = read(push_nbiot(IMEI, saying, rssi_dbm=-90, vehicles=vehicles))
    assert (reading.sensor, reading.at_ms, reading.occupied) == (IMEI, saying.at_ms, saying.occupied)
    assert (reading.kind, reading.boot, reading.seq) == (Kind.REPORT, -1, saying.seq)
    assert (reading.telemetry.battery_mv, reading.telemetry.rssi_dbm) == (saying.battery_mv, -90)


# --- the published samples ----------------------------------------------------------------------------------------

AT_MS = 1_778_746_897_482
SAYING = Saying(kind=Kind.CHANGE, occupied=True, at_ms=AT_MS, seq=4_711, battery_mv=3_344, temperature_c=18.5)


def shape(value: Any, path: str = "") -> set[str]:
    """Every member by its path, with what sort of value it has."""
    match value:
        case dict():
            return {one for name, inner in value.items() for one in shape(inner, f"{path}.{name}")}
        case list():
            return {one for inner in value for one in shape(inner, f"{path}[]")}
        case bool():
            return {f"{path} bool"}
        case int() | float():
            return {f"{path} number"}
        case _:
            return {f"{path} {type(value).__name__}"}


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ("chirpstack-v4-up", NETWORK_SERVERS[Envelope.CHIRPSTACK](frame(SAYING, "nwave-nps405")[0])),
        ("the-things-stack-v3-up", NETWORK_SERVERS[Envelope.THINGS_STACK](frame(SAYING, "nwave-nps405")[0])),
        ("thingpark-deveui-uplink", NETWORK_SERVERS[Envelope.THINGPARK](frame(SAYING, "nwave-nps405")[0])),
        ("senml-rfc8428", pack_senml(DEV_EUI, SAYING)),
        ("nbiot-lwm2m-platform-geomagnetic", push_nbiot(IMEI, SAYING, rssi_dbm=-90, vehicles=53)),
    ],
)
def test_every_member_is_one_that_the_published_sample_has(sample: str, message: Message) -> None:
    published = json.loads((SAMPLES / f"{sample}.json").read_bytes())
    assert shape(json.loads(message.content)) - shape(published["payload"]) == set()
    assert len(message.topic.split("/")) == len(published["_topic"].split("/"))

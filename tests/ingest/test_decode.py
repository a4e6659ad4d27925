"""From a topic and bytes to readings and refusals."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core import wire
from core.occupancy import ABSENT, Frame, Kind, Reading, Reason, Refusal
from core.wire import GatewayReading, NativeReading
from ingest.decode import check_time, decode, decode_again

ENVELOPES = Path(__file__).parents[1] / "vectors" / "envelopes"
SENSOR = "70b3d57ed0061a2c"
TOPIC = f"parking/xinchang/{SENSOR}/up"
GATEWAY = "parking/xinchang/gateways/G-1/up"
AT = 1795358210250


class Sensors(dict[str, str]):
    """A registry: sensor id to codec."""

    def codec_of(self, sensor_id: str, /) -> str | None:
        return self.get(sensor_id)


KNOWN = Sensors({SENSOR: "native"})


def one(topic: str, payload: bytes, registry: Sensors = KNOWN) -> Reading | Refusal:
    [item] = decode(topic, payload, registry=registry)
    return item


def reading_of(payload: bytes, topic: str = TOPIC) -> Reading:
    item = one(topic, payload)
    assert isinstance(item, Reading), item
    return item


def refusal_of(payload: bytes, topic: str = TOPIC, registry: Sensors = KNOWN) -> Refusal:
    item = one(topic, payload, registry)
    assert isinstance(item, Refusal), item
    assert item.raw == payload
    return item


def native(**members: Any) -> bytes:
    return json.dumps({"at": AT, "occupied": True} | members).encode()


# --- single messages ----------------------------------------------------------------------------------------------


def test_a_native_message_becomes_a_reading() -> None:
    document = json.loads((ENVELOPES / "plain-json.json").read_text(encoding="utf-8"))
    payload = json.dumps(document["payload"]).encode()

    reading = reading_of(payload, document["_topic"])

    assert (reading.sensor, reading.at_ms, reading.occupied) == (SENSOR, AT, True)
    assert (reading.kind, reading.boot, reading.seq) == (Kind.CHANGE, 3, 4711)
    telemetry = reading.telemetry
    assert (telemetry.battery_mv, telemetry.rssi_dbm, telemetry.temperature_c) == (3344, -98, 18.5)
    assert reading.raw == payload


def test_only_at_and_occupied_are_required() -> None:
    reading = reading_of(native())

    assert (reading.kind, reading.boot, reading.seq) == (Kind.REPORT, ABSENT, ABSENT)


@given(
    st.builds(
        NativeReading,
        seq=st.none() | st.integers(0, wire.MAX_COUNTER),
        boot=st.none() | st.integers(0, wire.MAX_COUNTER),
        at=st.integers(1_577_836_800_000, 253_402_300_799_999),
        occupied=st.booleans(),
        kind=st.none() | st.sampled_from(Kind),
        battery_mv=st.none() | st.integers(0, 65_535),
        rssi_dbm=st.none() | st.integers(-300, 100),
        temperature_c=st.none() | st.floats(-150, 250),
    )
)
def test_what_a_sensor_sends_is_what_is_read(sent: NativeReading) -> None:
    got = reading_of(wire.encode_reading(sent))

    assert (got.at_ms, got.occupied) == (sent.at, sent.occupied)
    assert got.kind == (sent.kind or Kind.REPORT)
    assert got.seq == (ABSENT if sent.seq is None else sent.seq)
    assert got.boot == (ABSENT if sent.boot is None else sent.boot)
    assert got.telemetry.battery_mv == sent.battery_mv
    assert got.telemetry.rssi_dbm == sent.rssi_dbm
    assert got.telemetry.temperature_c == sent.temperature_c


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (native(at="2026-11-22T22:36:50.2509+08:00"), {"at_ms": 1795358210250}),
        (native(at=1795358210250.0), {"at_ms": AT}),
        (b'{"at": 1.79535821025e12, "occupied": false}', {"at_ms": AT, "occupied": False}),
        (native(seq=None, boot=None, kind=None), {"seq": ABSENT, "boot": ABSENT, "kind": Kind.REPORT}),
        (native(seq=7.0), {"seq": 7}),
        (native(note="café", more={"at": 1, "occupied": [None]}), {"at_ms": AT}),
        (native(seq=2**63 - 1), {"seq": 2**63 - 1}),
    ],
)
def test_what_is_harmless_is_forgiven(payload: bytes, expected: dict[str, Any]) -> None:
    reading = reading_of(payload)

    assert {name: getattr(reading, name) for name in expected} == expected


@pytest.mark.parametrize(
    "telemetry",
    [
        {"battery_mv": "low"},
        {"battery_mv": -1},
        {"battery_mv": 10**30},
        {"rssi_dbm": True},
        {"rssi_dbm": 40_000},
        {"temperature_c": [21]},
        {"temperature_c": None},
    ],
)
def test_telemetry_that_makes_no_sense_costs_no_arrival(telemetry: dict[str, Any]) -> None:
    reading = reading_of(native(kind="change", **telemetry))

    assert (reading.occupied, reading.kind) == (True, Kind.CHANGE)
    assert getattr(reading.telemetry, next(iter(telemetry))) is None


def test_fractions_of_telemetry_are_rounded() -> None:
    telemetry = reading_of(native(battery_mv=3611.6, rssi_dbm=-97.4)).telemetry

    assert (telemetry.battery_mv, telemetry.rssi_dbm) == (3612, -97)


@pytest.mark.parametrize(
    ("payload", "reason", "detail"),
    [
        (b"", Reason.NOT_JSON, "character 0"),
        (b"\x95", Reason.NOT_JSON, "not UTF-8 at byte 0"),
        (native()[:-1], Reason.NOT_JSON, "delimiter"),
        (native() + b"x", Reason.NOT_JSON, "Extra data"),
        (b'{"at": NaN, "occupied": true}', Reason.NOT_JSON, "number"),
        (b'{"at": ' + b"1" * 5000 + b', "occupied": true}', Reason.NOT_JSON, "too long"),
        (native(x="\x80").replace(b"\\u0080", b"\x80"), Reason.NOT_JSON, "not UTF-8"),
        (b"[" * 100_000, Reason.NOT_JSON, "nested too deeply"),
        (b'{"at":1,"occupied":true,"x":' + b"[" * 9_000 + b"]" * 9_000 + b"}", Reason.NOT_JSON, "nested too deeply"),
        (b"null", Reason.NOT_A_READING, "object"),
        (b"[]", Reason.NOT_A_READING, "object"),
        (b'"occupied"', Reason.NOT_A_READING, "object"),
        (b"{}", Reason.NOT_A_READING, "at is missing"),
        (b'{"at": 1795358210250}', Reason.NOT_A_READING, "occupied is missing"),
        (native(occupied=1), Reason.NOT_A_READING, "true or false"),
        (native(occupied="true"), Reason.NOT_A_READING, "true or false"),
        (native(occupied=None), Reason.NOT_A_READING, "true or false"),
        (native(at=True), Reason.NOT_A_READING, "at is"),
        (native(at=None), Reason.NOT_A_READING, "at is"),
        (native(at=1795358210250.5), Reason.NOT_A_READING, "whole milliseconds"),
        (b'{"at": 1e400, "occupied": true}', Reason.NOT_A_READING, "whole milliseconds"),
        (native(at="2026-11-22T14:36:50"), Reason.NOT_A_READING, "offset"),
        (native(at="\ud800"), Reason.NOT_A_READING, "RFC 3339"),
        (native(at="2026\x00"), Reason.NOT_A_READING, "RFC 3339"),
        (native(seq=-1), Reason.NOT_A_READING, "seq is"),
        (native(seq=2**63), Reason.NOT_A_READING, "seq is"),
        (native(seq=True), Reason.NOT_A_READING, "seq is"),
        (native(boot="3"), Reason.NOT_A_READING, "boot is"),
        (native(boot=0.5), Reason.NOT_A_READING, "boot is"),
        (native(kind="parked"), Reason.NOT_A_READING, "kind is one of"),
        (native(kind=["change"]), Reason.NOT_A_READING, "kind is one of"),
        (
            b'{"at": 1795358210250, "occupied": true, "occupied": false}',
            Reason.NOT_A_READING,
            "occupied is there twice",
        ),
        (b'{"at": 1795358210250, "occupied": true, "at": 1}', Reason.NOT_A_READING, "at is there twice"),
        (native(at=0), Reason.CLOCK_NOT_SET, "before 2020"),
        (native(at=-5), Reason.CLOCK_NOT_SET, "before 2020"),
        (native(at=-(10**30)), Reason.CLOCK_NOT_SET, "before 2020"),
        (native(at=1795358210), Reason.CLOCK_NOT_SET, "before 2020"),
        (native(at=1577836799999), Reason.CLOCK_NOT_SET, "before 2020"),
        (native(at="2019-12-31T23:59:59.999Z"), Reason.CLOCK_NOT_SET, "before 2020"),
        (native(at=10**30), Reason.FROM_THE_FUTURE, "9999"),
        (native(at=1795358210250000), Reason.FROM_THE_FUTURE, "9999"),
        (b" " * 300_000, Reason.TOO_LARGE, "300000 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_what_is_no_reading_is_refused_with_the_reason(payload: bytes, reason: Reason, detail: str) -> None:
    refusal = refusal_of(payload)

    assert refusal.reason == reason, refusal
    assert detail in refusal.detail
    assert refusal.sensor == SENSOR


def test_the_first_instant_of_2020_is_accepted() -> None:
    assert reading_of(native(at=1577836800000)).at_ms == 1577836800000


def test_a_refused_clock_says_which_instant_it_showed() -> None:
    assert refusal_of(native(at=1795358210)).at_ms == 1795358210
    assert refusal_of(native(at=10**30)).at_ms is None


def test_an_unknown_sensor_is_refused_so_that_it_can_be_adopted() -> None:
    refusal = refusal_of(native(), "parking/xinchang/B-99/up")

    assert (refusal.reason, refusal.sensor, refusal.at_ms) == (Reason.UNKNOWN_SENSOR, "B-99", AT)


@pytest.mark.parametrize("topic", ["", "parking/xinchang/up", "v3/a@b/devices/c/down/push", "\x00"])
def test_a_topic_of_nobody_is_refused(topic: str) -> None:
    assert refusal_of(native(), topic).reason == Reason.UNKNOWN_TOPIC


def test_a_sensor_may_be_called_anything_but_is_stored_only_under_a_name() -> None:
    assert refusal_of(native(), "parking/xinchang//up").sensor is None
    assert refusal_of(native(), "parking/xinchang/a\x00b/up").sensor is None


# --- gateways -----------------------------------------------------------------------------------------------------


def test_a_gateways_bad_element_is_refused_alone() -> None:
    good = b'{ "sensor":"70b3d57ed0061a2c", "at":1795358210250, "occupied":true }'
    elements = [
        good,
        b'{"sensor": "70b3d57ed0061a2c", "at": 1795358210250}',
        b'{"at": 1795358210250, "occupied": true}',
        b'{"sensor": "B-99", "at": 1795358210250, "occupied": true}',
        b'{"sensor": "a\\u0000", "at": 1795358210250, "occupied": true}',
        b"17",
        b'{"sensor": "\xff", "at": 1795358210250, "occupied": true}',
        good.replace(b"true", b"false"),
    ]

    items = decode(GATEWAY, b"[" + b" , ".join(elements) + b"]", registry=KNOWN)

    assert [item.raw for item in items] == elements
    assert [type(item) for item in items] == [Reading, *[Refusal] * 6, Reading]
    refusals = [item for item in items if isinstance(item, Refusal)]
    assert [refusal.reason for refusal in refusals] == [
        Reason.NOT_A_READING,
        Reason.NOT_A_READING,
        Reason.UNKNOWN_SENSOR,
        Reason.UNKNOWN_SENSOR,
        Reason.NOT_A_READING,
        Reason.NOT_JSON,
    ]
    assert [refusal.sensor for refusal in refusals] == [SENSOR, None, "B-99", None, None, None]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{}", Reason.NOT_A_READING),
        (native(sensor=SENSOR), Reason.NOT_A_READING),
        (b"[1,", Reason.NOT_JSON),
        (b"[" * 50_000, Reason.NOT_JSON),
        (b"[" + b",".join([b"{}"] * 501) + b"]", Reason.TOO_MANY_READINGS),
    ],
)
def test_what_is_no_array_of_readings_is_refused_as_a_whole(payload: bytes, reason: Reason) -> None:
    refusal = refusal_of(payload, GATEWAY)

    assert (refusal.reason, refusal.sensor) == (reason, None)


def test_a_gateway_sends_500_readings_in_one_message() -> None:
    sent = [GatewayReading(sensor=SENSOR, at=AT + n, occupied=bool(n % 2), seq=n) for n in range(500)]

    items = decode(GATEWAY, wire.encode_gateway(sent), registry=KNOWN)

    assert [item.at_ms for item in items if isinstance(item, Reading)] == [AT + n for n in range(500)]


def test_an_empty_array_says_nothing() -> None:
    assert not decode(GATEWAY, b"[]", registry=KNOWN)


def test_stored_bytes_are_decoded_again_to_the_same_reading() -> None:
    items = decode(GATEWAY, b"[" + native(sensor=SENSOR) + b", " + native(sensor="B-99") + b"]", registry=KNOWN)
    adopted = Sensors({SENSOR: "native", "B-99": "native"})

    again = [item for stored in items for item in decode_again(GATEWAY, stored.raw, registry=adopted)]

    assert again[0] == items[0]
    assert isinstance(again[1], Reading)
    assert decode_again(TOPIC, native(), registry=KNOWN) == decode(TOPIC, native(), registry=KNOWN)


# --- time ---------------------------------------------------------------------------------------------------------


def test_a_reading_may_be_five_minutes_ahead_of_its_first_arrival_and_no_more() -> None:
    reading = reading_of(native())

    assert check_time(reading, AT - 300_000, 300_000) is None
    assert check_time(reading, AT + 10**12, 300_000) is None
    refusal = check_time(reading, AT - 300_001, 300_000)
    assert refusal is not None
    assert (refusal.reason, refusal.sensor, refusal.at_ms, refusal.raw) == (
        Reason.FROM_THE_FUTURE,
        SENSOR,
        AT,
        reading.raw,
    )


# --- codecs -------------------------------------------------------------------------------------------------------


def chirpstack(payload: str, f_port: int, **members: Any) -> tuple[str, bytes]:
    body = {
        "time": "2026-05-14T08:21:37.482Z",
        "deviceInfo": {"devEui": SENSOR},
        "devAddr": "01a2b3c4",
        "fCnt": 7,
        "fPort": f_port,
        "data": payload,
    }
    return wire.chirpstack_topic("1", SENSOR), json.dumps(body | members).encode()


@pytest.mark.parametrize(
    ("codec", "payload", "f_port", "kind", "occupied"),
    [
        ("bosch-tps110-fw0.29", "AQ==", 1, Kind.CHANGE, True),
        ("bosch-tps110-fw0.29", "AA==", 2, Kind.HEARTBEAT, False),
        ("bosch-tps110-fw0.39", "CgAAAJcDIM0AIQAAACcCAwA=", 3, Kind.BOOT, False),
        ("nwave-nps405", "6R80Vng=", 10, Kind.HEARTBEAT, True),
        ("pni-placepod", "PwEB", 2, Kind.BOOT, None),
        ("pni-placepod", "Amf/sA==", 2, Kind.HEARTBEAT, None),
    ],
)
def test_the_sensors_codec_says_what_the_payload_asserts(
    codec: str, payload: str, f_port: int, kind: Kind, occupied: bool | None
) -> None:
    item = one(*chirpstack(payload, f_port, object={"occupied": not occupied}), Sensors({SENSOR: codec}))

    assert isinstance(item, Reading)
    assert (item.kind, item.occupied, item.frame, item.seq, item.boot) == (
        kind,
        occupied,
        Frame("01a2b3c4", 7),
        7,
        ABSENT,
    )


@pytest.mark.parametrize(
    ("registry", "reason"),
    [
        (Sensors(), Reason.UNKNOWN_SENSOR),
        (Sensors({SENSOR: "acme-9000"}), Reason.UNKNOWN_CODEC),
        (Sensors({SENSOR: "nwave-nps310"}), Reason.BAD_PAYLOAD),
        (Sensors({SENSOR: "native"}), Reason.BAD_PAYLOAD),
    ],
)
def test_a_payload_without_a_fitting_codec_is_refused(registry: Sensors, reason: Reason) -> None:
    topic, raw = chirpstack("AQ==", 99)

    refusal = refusal_of(raw, topic, registry)

    assert (refusal.reason, refusal.sensor, refusal.at_ms) == (reason, SENSOR, 1778746897482)


def test_a_network_server_may_carry_the_native_format_and_dates_it() -> None:
    item = one(*chirpstack("eyJhdCI6MSwib2NjdXBpZWQiOnRydWUsImtpbmQiOiJjaGFuZ2UifQ==", 1))

    assert isinstance(item, Reading)
    assert (item.at_ms, item.occupied, item.kind) == (1778746897482, True, Kind.CHANGE)


# --- anything at all ----------------------------------------------------------------------------------------------

SAMPLES = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(ENVELOPES.glob("*.json"))]
TOPICS = [TOPIC, GATEWAY, *(sample["_topic"] for sample in SAMPLES)]
EVERYTHING = Sensors({SENSOR: "nwave-nps405", "P2-B-014": "native", "860000000000001": "native"})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(TOPICS) | st.text(), st.binary(max_size=200))
@example(TOPIC, b'{"at":1795358210250,"occupied":true,"\xff":1}')
def test_any_bytes_on_any_topic_become_readings_or_refusals(topic: str, payload: bytes) -> None:
    assert_total(topic, payload)


@given(st.sampled_from(SAMPLES), st.data())
def test_a_message_with_any_member_replaced_becomes_readings_or_refusals(
    sample: dict[str, Any], data: st.DataObject
) -> None:
    document = json.loads(json.dumps(sample["payload"]))
    holder, key = data.draw(st.sampled_from(list(places(document))))
    holder[key] = data.draw(json_values)

    assert_total(sample["_topic"], json.dumps(document).encode())


def assert_total(topic: str, payload: bytes) -> None:
    for item in decode(topic, payload, registry=EVERYTHING):
        match item:
            case Reading():
                assert item.sensor in EVERYTHING
                assert 1_577_836_800_000 <= item.at_ms < 253_402_300_800_000
                assert ABSENT <= item.seq <= wire.MAX_COUNTER
                assert item.occupied in (True, False, None)
                assert item.raw in payload
                assert decode_again(topic, item.raw, registry=EVERYTHING)
            case Refusal():
                assert item.raw in payload
                assert item.detail
                assert "\x00" not in item.detail
                item.detail.encode()
                assert item.sensor is None or wire.is_sensor_id(item.sensor)


def places(document: Any) -> Any:
    """Every container and key of a JSON document."""
    keys = document if isinstance(document, dict) else range(len(document))
    for key in list(keys):
        yield document, key
        if isinstance(document[key], dict | list):
            yield from places(document[key])

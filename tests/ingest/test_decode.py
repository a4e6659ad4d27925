"""From a topic and bytes to readings and refusals."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core import wire
from core.occupancy import ABSENT, Kind, Reading, Reason, Refusal
from core.wire import NativeReading
from ingest.decode import check_time, decode, decode_again
from tests.ingest.decoding import AT, GATEWAY, SENSOR, TOPIC, Sensors, native, reading_of, refusal_of

ENVELOPES = Path(__file__).parents[1] / "vectors" / "envelopes"


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
        (b'{"at": 1795358210250, "occupied": true, "\\u0061t": 1}', Reason.NOT_A_READING, "at is there twice"),
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

"""What gateways send: arrays of readings, of which each stands or falls alone."""

import pytest

from core import wire
from core.occupancy import Reading, Reason, Refusal
from core.wire import GatewayReading
from ingest.decode import decode, decode_again
from tests.ingest.decoding import AT, GATEWAY, KNOWN, SENSOR, TOPIC, Sensors, native, refusal_of


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
        b'{"sensor": "B-99", "sensor": "70b3d57ed0061a2c", "at": 1795358210250, "occupied": true}',
        good.replace(b"true", b"false"),
    ]

    items = decode(GATEWAY, b"[" + b" , ".join(elements) + b"]", registry=KNOWN)

    assert [item.raw for item in items] == elements
    assert [type(item) for item in items] == [Reading, *[Refusal] * 7, Reading]
    refusals = [item for item in items if isinstance(item, Refusal)]
    assert [refusal.reason for refusal in refusals] == [
        Reason.NOT_A_READING,
        Reason.NOT_A_READING,
        Reason.UNKNOWN_SENSOR,
        Reason.NOT_A_READING,
        Reason.NOT_A_READING,
        Reason.NOT_JSON,
        Reason.NOT_A_READING,
    ]
    assert [refusal.sensor for refusal in refusals] == [SENSOR, None, "B-99", None, None, None, None]


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

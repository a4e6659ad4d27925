"""What network servers carry: read by the codec of the sensor, dated by the envelope."""

import json
from typing import Any

import pytest

from core import wire
from core.occupancy import ABSENT, Frame, Kind, Reading, Reason
from tests.ingest.decoding import SENSOR, Sensors, one, refusal_of


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

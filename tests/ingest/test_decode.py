"""From a topic and bytes to readings and refusals."""

import json
from pathlib import Path
from typing import Any

from core.occupancy import Frame, Kind, Reading
from ingest.decode import decode

ENVELOPES = Path(__file__).parents[1] / "vectors" / "envelopes"
SENSOR = "70b3d57ed0061a2c"


class Sensors(dict[str, str]):
    """A registry: sensor id to codec."""

    def codec_of(self, sensor_id: str, /) -> str | None:
        return self.get(sensor_id)


def sample(name: str) -> tuple[str, bytes]:
    document: dict[str, Any] = json.loads((ENVELOPES / f"{name}.json").read_text(encoding="utf-8"))
    return document["_topic"], json.dumps(document["payload"]).encode()


def test_a_native_message_becomes_a_reading() -> None:
    topic, payload = sample("plain-json")

    [reading] = decode(topic, payload, registry=Sensors({SENSOR: "native"}))

    assert isinstance(reading, Reading)
    assert (reading.sensor, reading.at_ms, reading.occupied) == (SENSOR, 1795358210250, True)
    assert (reading.kind, reading.boot, reading.seq) == (Kind.CHANGE, 3, 4711)
    assert (reading.telemetry.battery_mv, reading.telemetry.rssi_dbm, reading.telemetry.temperature_c) == (
        3344,
        -98,
        18.5,
    )
    assert reading.raw == payload


def test_a_bosch_start_up_in_chirpstacks_envelope_says_the_space_is_free() -> None:
    topic, payload = sample("chirpstack-v4-up-sparse")

    [reading] = decode(topic, payload, registry=Sensors({"70b3d57ed0061a2d": "bosch-tps110-fw0.39"}))

    assert isinstance(reading, Reading)
    assert (reading.at_ms, reading.occupied, reading.kind) == (1778747100000, False, Kind.BOOT)
    assert (reading.frame, reading.seq, reading.boot) == (Frame("01a2b3c5", 0), 0, -1)
    assert (reading.telemetry.rssi_dbm, reading.telemetry.firmware) == (-88, "0.39.2")

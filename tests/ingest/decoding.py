"""One sensor, its topics and its registry, for the tests of decoding."""

import json
from typing import Any

from core.occupancy import Reading, Refusal
from ingest.decode import decode

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

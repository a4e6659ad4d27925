"""Messages of the network servers and carriers (``tests/vectors/envelopes``), to be bent by a test."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.occupancy import Reading, Refusal
from ingest.decode import decode

ENVELOPES = Path(__file__).parents[2] / "vectors" / "envelopes"
SENSORS = {
    "70b3d57ed0061a2c": "nwave-nps405",
    "70b3d57ed0061a2d": "bosch-tps110-fw0.39",
    "P2-B-014": "native",
    "860000000000001": "native",
    "127763": "native",
}


class Message:
    """A recorded message: change ``body`` or ``topic``, then ``decode`` it."""

    def __init__(self, name: str) -> None:
        document = json.loads((ENVELOPES / f"{name}.json").read_text(encoding="utf-8"))
        self.topic: str = document["_topic"]
        self.body: Any = document["payload"]

    @property
    def raw(self) -> bytes:
        return json.dumps(self.body).encode()

    def decode(self) -> list[Reading | Refusal]:
        return list(decode(self.topic, self.raw, registry=Registry(SENSORS)))

    def reading(self) -> Reading:
        [item] = self.decode()
        assert isinstance(item, Reading), item
        assert item.raw == self.raw
        return item

    def refusal(self) -> Refusal:
        [item] = self.decode()
        assert isinstance(item, Refusal), item
        assert item.raw == self.raw
        return item


class Registry:
    """The sensors of the recorded messages."""

    def __init__(self, codecs: Mapping[str, str]) -> None:
        self.codecs = codecs

    def codec_of(self, sensor_id: str, /) -> str | None:
        return self.codecs.get(sensor_id)


@pytest.fixture
def message() -> Callable[[str], Message]:
    return Message

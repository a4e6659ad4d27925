"""PNI PlacePod, in-ground and surface-mount. Pure.

Source: the maker's communications protocol (facts); an example of akenza-io/device-type-library (MIT).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from core.occupancy import Decoded, PayloadError
from ingest.vendors.layout import decoded, i16, u16


class _Channel(NamedTuple):
    """What a channel's records are."""

    kind: str
    value_bytes: int = 1
    key: str = ""
    """The name of what they say; empty: nothing that we keep."""
    read: Callable[[bytes], Any] = bool


def _is_one(value: bytes) -> bool:
    return value[0] == 1


_CHANNELS: Final[Mapping[int, _Channel]] = {
    0x01: _Channel("recalibration", 1, "recalibrated", _is_one),
    0x02: _Channel("temperature", 2, "temperature_c", lambda value: i16(value, 0) / 10),
    0x03: _Channel("battery", 2, "battery_v", lambda value: u16(value, 0) / 100),
    0x05: _Channel("vendor_internal"),
    0x06: _Channel("vendor_internal"),
    0x15: _Channel("status", 1, "occupied", _is_one),
    0x1C: _Channel("deactivation", 1, "deactivated", _is_one),
    0x21: _Channel("counter", 1, "counter", lambda value: value[0]),
    0x37: _Channel("heartbeat", 1, "occupied", _is_one),
    0x3F: _Channel("reboot"),
}
_COUNTER_REBOOTED: Final = b"\x80"
_REBOOT: Final = _CHANNELS[0x3F]

_KINDS: Final = (
    "status",
    "heartbeat",
    "counter",
    "recalibration",
    "deactivation",
    "reboot",
    "temperature",
    "battery",
    "vendor_internal",
)
"""What a message of several records is called: the first of these that one of its records is."""


def decode_placepod(payload: bytes, f_port: int | None) -> Decoded:  # noqa: ARG001 - records say themselves what they are
    """Records of channel, type and value, in any number; none at all is a start-up.

    Raises:
        PayloadError: an unknown channel, or a record that is cut.
    """
    if not payload:
        return decoded("startup", None)
    kinds: set[str] = set()
    fields: dict[str, Any] = {}
    for channel, value in _records(payload):
        if channel.kind == "heartbeat" and "status" in kinds:
            continue  # a change says more of the space than the keep-alive beside it
        kinds.add(channel.kind)
        if channel.key:
            fields[channel.key] = channel.read(value)
    occupied = fields.pop("occupied", None)
    return decoded(next(kind for kind in _KINDS if kind in kinds), occupied, **fields)


def _records(payload: bytes) -> Iterator[tuple[_Channel, bytes]]:
    """Channel and value of each record; the type byte between them is not checked."""
    at = 0
    while at < len(payload):
        number = payload[at]
        channel = _CHANNELS.get(number)
        if channel is None:
            raise PayloadError(f"byte {at}: channel 0x{number:02x} is unknown")
        end = at + 2 + channel.value_bytes
        if end > len(payload):
            raise PayloadError(f"byte {at}: the record of channel 0x{number:02x} is cut")
        value = payload[at + 2 : end]
        yield (_REBOOT if channel.key == "counter" and value == _COUNTER_REBOOTED else channel), value
        at = end

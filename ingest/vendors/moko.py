"""MOKO LW009, models -SM and -IG. Pure.

Source: the maker's published payload description (facts).
"""

from collections.abc import Iterator
from typing import Any, Final

from core.occupancy import Decoded, PayloadError
from ingest.vendors.layout import decoded, need, u16, u32, unknown_port

_HEAD: Final = 0x7E
_HEADER_BYTES: Final = 12
_PORT: Final = 1
_LONGEST_NUMBER: Final = 8

_EVENT, _DEVICE_TYPE, _OCCUPIED = 0x02, 0x03, 0x32
_MODELS: Final = {0x85: "SM", 0x82: "IG"}
_KIND_OF_EVENT: Final = {
    0x00: "heartbeat",
    0x0B: "status",  # became free
    0x0C: "status",  # became occupied
    0x0D: "alert",  # magnetic interference
    0x0E: "alert",  # low battery
    0x0F: "fault",
    0x10: "fault",
    0x11: "fault",
    0x12: "fault",
}


def decode_lw009(payload: bytes, f_port: int | None) -> Decoded:
    """A header, then tags with a length and a value, then a trailer that is not checked.

    Whether the space is occupied comes from its own tag alone, never from the event's code.

    Raises:
        PayloadError: another port or head byte, or a length that runs past the frame.
    """
    if f_port not in (_PORT, None):
        raise unknown_port(f_port, "1")
    need(payload, _HEADER_BYTES, "the header")
    if payload[0] != _HEAD:
        raise PayloadError(f"byte 0: 0x{payload[0]:02x}, not 0x{_HEAD:02x}")
    end = _HEADER_BYTES + u16(payload, 8)
    if end > len(payload):
        raise PayloadError(f"byte 8: the length runs {end - len(payload)} bytes past the end")
    fields: dict[str, Any] = {"device_time_unix": u32(payload, 2), "device_seq": u16(payload, 6)}
    occupied: bool | None = None
    for tag, value in _values(payload, end):
        if tag == _OCCUPIED:
            occupied = value == 1
        else:
            fields |= _said(tag, value)
    return decoded(_kind(fields), occupied, **fields)


def _kind(fields: dict[str, Any]) -> str:
    if "event_code" in fields:
        return _KIND_OF_EVENT.get(fields["event_code"], "unknown")
    return "device_info" if "device_type" in fields else "unknown"


def _values(payload: bytes, end: int) -> Iterator[tuple[int, int]]:
    """Each tag with its value, an unsigned number."""
    at = _HEADER_BYTES
    while at < end:
        if at + 2 > end:
            raise PayloadError(f"byte {at}: a tag without a length")
        tag, length = payload[at], payload[at + 1]
        if at + 2 + length > end:
            raise PayloadError(f"byte {at}: the value of tag 0x{tag:02x} is cut")
        if tag in _KNOWN and not 0 < length <= _LONGEST_NUMBER:
            raise PayloadError(f"byte {at}: {length} bytes are no number, which tag 0x{tag:02x} has")
        yield tag, int.from_bytes(payload[at + 2 : at + 2 + length], "big")
        at += 2 + length


def _said(tag: int, value: int) -> dict[str, Any]:
    """What a tag says; nothing for radar and magnetometer values and for tags we do not know."""
    match tag:
        case 0x03:
            return {"device_type": _MODELS.get(value, f"0x{value:02x}")}
        case 0x06:
            return {"heartbeat_s": value * 30}
        case 0x29:
            return {"battery_v": value / 1000}
        case _ if tag in _PLAIN:
            return {_PLAIN[tag]: value}
        case _:
            return {}


_PLAIN: Final = {
    _EVENT: "event_code",
    0x05: "firmware_raw",
    0x0B: "temperature_c",
    0x22: "sensitivity",
    0x24: "battery_pct",
    0x35: "humidity_pct",
}
_KNOWN: Final = frozenset(_PLAIN) | {_DEVICE_TYPE, 0x06, 0x29, _OCCUPIED}

"""Milesight EM400-MUD, an ultrasonic distance sensor that is also mounted above spaces. Pure.

Source: the maker's payload definition (Milesight-IoT/SensorDecoders, GPL-3.0: facts of the layout alone). Whether a
distance means a car depends on how the sensor hangs, so the space's state is never said here.
"""

from collections.abc import Iterator
from typing import Any, Final

from core.occupancy import Decoded, PayloadError
from ingest.vendors.layout import decoded

_BATTERY, _TEMPERATURE, _DISTANCE, _TILT = 0x0175, 0x0367, 0x0482, 0x0500
_TEMPERATURE_ALARM, _DISTANCE_ALARM = 0x8367, 0x8482
_POWER_ON, _SERIAL = 0xFF0B, 0xFF16
_VALUE_BYTES: Final = {
    _BATTERY: 1,
    _TEMPERATURE: 2,
    _DISTANCE: 2,
    _TILT: 1,
    _TEMPERATURE_ALARM: 3,
    _DISTANCE_ALARM: 3,
    _POWER_ON: 1,
    _SERIAL: 8,
    # the device's versions, class and reset: skipped
    0xFF01: 1,
    0xFF09: 2,
    0xFF0A: 2,
    0xFF0F: 1,
    0xFFFE: 1,
    0xFFFF: 2,
}
_ALARMS: Final = {_TEMPERATURE_ALARM, _DISTANCE_ALARM}
_IDENTITY: Final = {_POWER_ON, _SERIAL}


def decode_em400_mud(payload: bytes, f_port: int | None) -> Decoded:  # noqa: ARG001 - records say themselves what they are
    """Records of channel, type and value, little-endian; the last of a type wins.

    Raises:
        PayloadError: no record at all, an unknown one, or one that is cut.
    """
    if not payload:
        raise PayloadError("no record at all")
    seen: set[int] = set()
    fields: dict[str, Any] = {}
    for record, value in _records(payload):
        seen.add(record)
        fields |= _read(record, value)
    kind = "alert" if seen & _ALARMS else "device_info" if seen & _IDENTITY else "measurement"
    return decoded(kind, None, **fields)


def _records(payload: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(payload):
        record = int.from_bytes(payload[at : at + 2], "big")
        length = _VALUE_BYTES.get(record)
        if length is None or at + 2 > len(payload):
            raise PayloadError(f"byte {at}: no record begins so")
        end = at + 2 + length
        if end > len(payload):
            raise PayloadError(f"byte {at}: the record {record:04x} is cut")
        yield record, payload[at + 2 : end]
        at = end


def _read(record: int, value: bytes) -> dict[str, Any]:
    """What a record says; nothing for those that are skipped."""
    said: dict[str, Any] = {}
    if record == _BATTERY:
        said["battery_pct"] = value[0]
    elif record in (_TEMPERATURE, _TEMPERATURE_ALARM):
        said["temperature_c"] = int.from_bytes(value[:2], "little", signed=True) / 10
    elif record in (_DISTANCE, _DISTANCE_ALARM):
        said["distance_mm"] = int.from_bytes(value[:2], "little")
    elif record == _TILT:
        said["tilted"] = bool(value[0])
    elif record == _SERIAL:
        said["serial"] = value.hex().upper()
    if record == _TEMPERATURE_ALARM:
        said["temperature_alarm"] = bool(value[2])
    elif record == _DISTANCE_ALARM:
        said["distance_alarm"] = bool(value[2])
    return said

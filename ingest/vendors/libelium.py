"""Libelium Smart Parking, firmware 1.x (12 bytes) and 2.x (11 bytes). Pure.

Source: the maker's user manual (facts); examples of libelium-parking-sensor-v2 (MIT). A later product of the family
numbers frame types 2, 3, 6 and 7 differently: types that are not listed here keep their header alone.
"""

from typing import Any, Final

from core.occupancy import Decoded, PayloadError
from ingest.vendors.layout import decoded, i8, i16, u16

_FW1_BYTES: Final = 12
_FW2_BYTES: Final = 11
_FRAMES: Final = {0: "status", 1: "heartbeat", 2: "daily", 3: "error", 4: "startup", 5: "config"}


def decode_fw1(payload: bytes, f_port: int | None) -> Decoded:  # noqa: ARG001 - the port carries no meaning
    """Firmware 1.x.

    Raises:
        PayloadError: the frame has not 12 bytes.
    """
    header = _header(payload, _FW1_BYTES)
    match header["frame_type"]:
        case 0:
            body: dict[str, Any] = {"temperature_raw": i16(payload, 2), "mag": _three(payload, 4)}
        case 1:
            body = {"device_hhmm": _time(payload), "temperature_raw": i16(payload, 4), "mag": _three(payload, 6)}
        case 2:
            body = _daily(payload)
        case 4:
            body = {
                "temperature_raw": i16(payload, 2),
                "mag_reference": _three(payload, 4),
                "battery_v": u16(payload, 10) / 1000,
            }
        case _:
            body = {}
    return _frame(payload, header, body)


def decode_fw2(payload: bytes, f_port: int | None) -> Decoded:  # noqa: ARG001 - the port carries no meaning
    """Firmware 2.x.

    Raises:
        PayloadError: the frame has not 11 bytes.
    """
    header = _header(payload, _FW2_BYTES)
    match header["frame_type"]:
        case 0:
            body: dict[str, Any] = {"temperature_c": i8(payload[2]), "mag": _three(payload, 3)}
        case 1:
            body = {"device_hhmm": _time(payload), "temperature_c": i8(payload[4]), "mag": _three(payload, 5)}
        case 2:
            body = _daily(payload)
        case _:
            body = {}
    return _frame(payload, header, body)


def _frame(payload: bytes, header: dict[str, Any], body: dict[str, Any]) -> Decoded:
    kind = _FRAMES.get(header["frame_type"], "unknown")
    return decoded(kind, bool(payload[0] & 0x80), **header, **body)


def _header(payload: bytes, length: int) -> dict[str, Any]:
    """The first two bytes, which every type of frame has."""
    if len(payload) != length:
        raise PayloadError(f"a frame of this firmware has {length} bytes, not {len(payload)}")
    return {
        "battery_low": bool(payload[0] & 0x40),
        "frame_type": payload[0] & 0x0F,
        "device_seq": payload[1],
    }


def _daily(payload: bytes) -> dict[str, Any]:
    return {
        "sensor_reads_24h": u16(payload, 2),
        "sigfox_tx_24h": u16(payload, 4),
        "lorawan_tx_24h": u16(payload, 6),
        "resets_24h": payload[8],
        "config_id": payload[9],
    }


def _three(payload: bytes, at: int) -> list[int]:
    return [i16(payload, at), i16(payload, at + 2), i16(payload, at + 4)]


def _time(payload: bytes) -> str:
    return f"{payload[2]:02d}:{payload[3]:02d}"

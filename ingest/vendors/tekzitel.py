"""Tekzitel TEKZIPARK, a radar and magnetometer sensor that also hears Bluetooth beacons. Pure.

Source: TheThingsNetwork/lorawan-devices (Apache-2.0), facts of the layout.
"""

from typing import Any

from core.occupancy import Decoded, PayloadError
from ingest.vendors.layout import decoded, i8, need, u16, unknown_port

_HEADER_BYTES = 3
_DIAGNOSTIC_BYTES = 12
_BEACONS_AT = 4


def decode_tekzipark(payload: bytes, f_port: int | None) -> Decoded:
    """Port 1: the state, perhaps with beacons; port 2: a diagnosis.

    Raises:
        PayloadError: an unknown port, fewer bytes than the port's message has, or half a beacon.
    """
    match f_port:
        case 1:
            need(payload, _HEADER_BYTES, "a status")
            return decoded(_kind(payload[0]), _bit(payload[0], 7), **_header(payload), **_beacons(payload))
        case 2:
            need(payload, _DIAGNOSTIC_BYTES, "a diagnosis")
            return decoded(
                "debug",
                _bit(payload[0], 7),
                **_header(payload),
                deflection=[i8(byte) for byte in payload[3:6]],
                baseline=[i8(byte) for byte in payload[6:9]],
                fault_code=payload[9],
                obstruction_level=payload[10],
                radar_reflection=payload[11],
            )
        case _:
            raise unknown_port(f_port, "1, 2")


def _kind(flags: int) -> str:
    if _bit(flags, 1):
        return "startup"
    return "heartbeat" if _bit(flags, 0) else "status"


def _header(payload: bytes) -> dict[str, Any]:
    flags = payload[0]
    return {
        "battery_low": not _bit(flags, 5),
        "obstruction": _bit(flags, 4),
        "radar": _bit(flags, 3),
        "no_beacon": _bit(flags, 2),
        "reset": _bit(flags, 1),
        "keep_alive": _bit(flags, 0),
        "temperature_c": i8(payload[1]),
        "parking_id": payload[2],
    }


def _beacons(payload: bytes) -> dict[str, Any]:
    """The beacons heard, where the message goes on to say."""
    if len(payload) == _HEADER_BYTES:
        return {}
    if len(payload) % 2:
        raise PayloadError(f"byte {len(payload) - 1}: half a beacon's number")
    return {
        "beacon_rssi": i8(payload[3]),
        "beacons": [u16(payload, at) for at in range(_BEACONS_AT, len(payload), 2)],
    }


def _bit(byte: int, number: int) -> bool:
    return bool(byte >> number & 1)

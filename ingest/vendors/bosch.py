"""Bosch TPS110 parking lot sensor, firmware 0.29 and 0.39. Pure.

Source: the maker's communication interface description; examples of TheThingsNetwork/lorawan-devices (Apache-2.0).
Start-up frames of the two firmwares have the same port and length: only the sensor's configuration tells them apart.
"""

from typing import Any, Final

from core.occupancy import Decoded, PayloadError
from ingest.vendors.layout import decoded, dotted, i8, need, u16, u32, unknown_port

_STATUS, _HEARTBEAT, _STARTUP, _DEVICE_INFO, _USAGE, _DEBUG, _ALERT = range(1, 8)
_STARTUP_BYTES: Final = 17
_DEBUG_BYTES: Final = 10

_RESETS_029: Final = {1: "watchdog", 2: "power_on", 3: "system_request", 4: "other"}
_RESETS_039: Final = {
    1: "watchdog",
    2: "power_on",
    3: "system_request",
    4: "external_pin",
    5: "lockup",
    6: "brownout",
    7: "other",
}


def decode_tps110_029(payload: bytes, f_port: int | None) -> Decoded:
    """Firmware 0.29.

    Raises:
        PayloadError: an unknown port, or fewer bytes than the port's message has.
    """
    match f_port:
        case 1 | 2:
            return _decode_state(payload, f_port)
        case 3:
            need(payload, _STARTUP_BYTES, "a start-up message")
            codes = [_code(payload[at], payload[at + 1]) for at in (0, 4, 8)]
            return decoded(
                "startup",
                _bit0(payload[16]),
                debug_codes=[code for code in codes if code],
                firmware=dotted(payload, 12),
                reset_cause=_RESETS_029.get(payload[15], "unknown"),
            )
        case 6:
            need(payload, _DEBUG_BYTES, "a debug message")
            return decoded(
                "debug", None, debug_codes=[_code(payload[4], payload[5])], device_seq=payload[9] << 8 | payload[8]
            )
        case _:
            raise unknown_port(f_port, "1, 2, 3, 6")


def decode_tps110_039(payload: bytes, f_port: int | None) -> Decoded:
    """Firmware 0.39.

    Raises:
        PayloadError: an unknown port or selector, or fewer bytes than the message has.
    """
    match f_port:
        case 1 | 2:
            return _decode_state(payload, f_port)
        case 3:
            need(payload, _STARTUP_BYTES, "a start-up message")
            return decoded(
                "startup",
                _bit0(payload[16]),
                debug_codes=[_code(payload[7], payload[6])],
                device_seq=u16(payload, 8),
                firmware=dotted(payload, 12),
                reset_cause=_RESETS_039.get(payload[15], "unknown"),
            )
        case 4:
            return _decode_device_info(payload)
        case 5:
            return decoded("usage", None, **_usage(payload))
        case 6:
            need(payload, _DEBUG_BYTES, "a debug message")
            return decoded("debug", None, debug_codes=[_code(payload[7], payload[6])], device_seq=u16(payload, 8))
        case 7:
            need(payload, 1, "an alert")
            return decoded("alert", None, temperature_c=i8(payload[0]))
        case _:
            raise unknown_port(f_port, "1 to 7")


def _decode_state(payload: bytes, f_port: int) -> Decoded:
    """Ports 1 and 2, the same in both firmwares; a heartbeat of an early build has no temperature."""
    need(payload, 1, "a status or heartbeat")
    occupied = _bit0(payload[0])
    if f_port == _STATUS:
        return decoded("status", occupied)
    if len(payload) == 1:
        return decoded("heartbeat", occupied)
    return decoded("heartbeat", occupied, temperature_c=i8(payload[1]))


def _decode_device_info(payload: bytes) -> Decoded:
    """The firmware (3 bytes) or the identity (11 bytes); each byte of the DevEUI is two digits."""
    match len(payload):
        case 3:
            return decoded("device_info", None, firmware=dotted(payload, 0))
        case 11:
            return decoded("device_info", None, dev_eui=(payload[0:3] + payload[6:11]).hex().upper())
        case length:
            raise PayloadError(f"device information has 3 or 11 bytes, not {length}")


_USAGE_COUNTERS: Final = {
    0: "state_changes",
    1: "occupied_seconds",
    3: "radar_triggers",
    4: "seconds_since_restart",
    6: "seconds_since_install",
}


def _usage(payload: bytes) -> dict[str, Any]:
    need(payload, 1, "a usage message")
    selector = payload[0]
    if selector in _USAGE_COUNTERS:
        need(payload, 5, "a usage counter")
        return {_USAGE_COUNTERS[selector]: u32(payload, 1)}
    match selector:
        case 2:
            need(payload, 19, "uplinks by data rate")
            return {"uplinks_by_dr": [int.from_bytes(payload[at : at + 3], "big") for at in range(1, 19, 3)]}
        case 5:
            # bytes 6 and 7 count software resets; sources disagree on their order, so they are left out
            need(payload, 8, "counted resets")
            names = ("brownout", "lockup", "external_pin", "power_on", "watchdog")
            return {"resets": dict(zip(names, payload[1:6], strict=True))}
        case _:
            raise PayloadError(f"byte 0: {selector} selects no known usage counter")


def _code(low: int, high: int) -> int:
    """A 12-bit debug code; the upper half of its second byte means something else."""
    return (high & 0x0F) << 8 | low


def _bit0(byte: int) -> bool:
    return bool(byte & 1)

"""Nwave: the NPS310 and NPS405 space sensors and the NCC405 car counter. Pure.

Source: the maker's public product documentation (facts); examples of TheThingsNetwork/lorawan-devices (Apache-2.0).
"""

from typing import Any, Final

from core.occupancy import Decoded
from ingest.vendors.layout import decoded, dotted, i8, need, u16, unknown_port

_RESETS_310: Final = {1: "watchdog", 2: "power_on", 3: "user_request", 4: "brownout", 5: "other"}
_RESETS_405: Final = {0: "rejoin", 1: "watchdog", 2: "power_on", 3: "user_request", 6: "brownout", 7: "other"}


def decode_nps310(payload: bytes, f_port: int | None) -> Decoded:
    """The NPS310.

    Raises:
        PayloadError: an unknown port, or fewer bytes than the port's message has.
    """
    match f_port:
        case 1 | 2:
            need(payload, 1, "a status or heartbeat")
            return decoded("status" if f_port == 1 else "heartbeat", _bit0(payload[0]))
        case 3:
            need(payload, 5, "a start-up message")
            return decoded(
                "startup",
                _bit0(payload[4]),
                firmware=dotted(payload, 0),
                reset_cause=_RESETS_310.get(payload[3], "unknown"),
            )
        case 6:
            return decoded("debug", None)
        case _:
            raise unknown_port(f_port, "1, 2, 3, 6")


def decode_nps405(payload: bytes, f_port: int | None) -> Decoded:
    """The NPS405.

    Raises:
        PayloadError: an unknown port, or fewer bytes than the port's message has.
    """
    match f_port:
        case 1:
            need(payload, 1, "a status")
            return decoded("status", _bit0(payload[0]), **_previous_state(payload[0]))
        case 2:
            return _decode_nps405_heartbeat(payload)
        case 3:
            need(payload, 5, "a start-up message")
            return decoded(
                "startup",
                _bit0(payload[4]),
                firmware=dotted(payload, 0),
                reset_cause=_RESETS_405.get(payload[3], "unknown"),
            )
        case 6:
            return decoded("debug", None)
        case 10:
            return _decode_nps405_registration(payload)
        case _:
            raise unknown_port(f_port, "1, 2, 3, 6, 10")


def decode_ncc405(payload: bytes, f_port: int | None) -> Decoded:
    """The NCC405, which counts cars and watches no space.

    Raises:
        PayloadError: an unknown port, or fewer bytes than the port's message has.
    """
    match f_port:
        case 1:
            need(payload, 2, "a count")
            return decoded("counter", None, counter=u16(payload, 0))
        case 2:
            need(payload, 3, "a heartbeat")
            return decoded(
                "heartbeat",
                None,
                hw_health=payload[0] & 0x7F,
                battery_v=_volts(payload[1]),
                battery_v_mean_24h=_volts(payload[2]),
            )
        case 3:
            need(payload, 4, "a start-up message")
            return decoded(
                "startup", None, firmware=dotted(payload, 0), reset_cause=_RESETS_405.get(payload[3], "unknown")
            )
        case 6:
            return decoded("debug", None)
        case _:
            raise unknown_port(f_port, "1, 2, 3, 6")


def _decode_nps405_heartbeat(payload: bytes) -> Decoded:
    need(payload, 3, "a heartbeat")
    battery_mv = _millivolts(payload[1])
    temperature_c = i8(payload[2]) / 2 + 10
    return decoded(
        "heartbeat",
        _bit0(payload[0]),
        battery_v=battery_mv / 1000,
        battery_health=_battery_health(battery_mv, temperature_c),
        temperature_c=temperature_c,
    )


def _decode_nps405_registration(payload: bytes) -> Decoded:
    """A driver's tag was read. The newer form, from six bytes on, has the tag's battery before its number."""
    need(payload, 5, "a registration")
    occupied = _bit0(payload[0])
    fields: dict[str, Any] = _previous_state(payload[0]) if occupied else {}
    if len(payload) == 5:  # noqa: PLR2004 - the older form
        fields["tag_id"] = payload[1:5].hex().upper()
    else:
        fields["tag_battery_v"] = payload[1] / 10
        fields["tag_id"] = payload[2:6].hex().upper()
    return decoded("registration", occupied or None, **fields)


_MINUTES_END, _FIVES_END, _HOURS_END = 90, 120, 127


def _previous_state(byte: int) -> dict[str, Any]:
    """How long the state before lasted: bits 7 to 1, coarser the longer it was; the error is in minutes."""
    code = byte >> 1
    if code < _MINUTES_END:
        minutes, error = code, 0
    elif code < _FIVES_END:
        minutes, error = 90 + 5 * (code - _MINUTES_END), 4
    elif code < _HOURS_END:
        minutes, error = 240 + 60 * (code - _FIVES_END), 59
    else:
        return _duration(660, None, overflow=True)
    return _duration(minutes, error, overflow=False)


def _duration(minutes: int, error: int | None, *, overflow: bool) -> dict[str, Any]:
    return {
        "previous_state_minutes": minutes,
        "previous_state_minutes_err": error,
        "previous_state_overflow": overflow,
    }


_COLD_BELOW_C: Final = -5
_NORMAL_MV, _LOW_MV = 3000, 2900
_NORMAL_COLD_MV, _LOW_COLD_MV = 2900, 2800


def _battery_health(battery_mv: int, temperature_c: float) -> str:
    """A cold cell shows less voltage and is no worse for it."""
    cold = temperature_c < _COLD_BELOW_C
    if battery_mv >= (_NORMAL_COLD_MV if cold else _NORMAL_MV):
        return "normal"
    return "low" if battery_mv >= (_LOW_COLD_MV if cold else _LOW_MV) else "critical"


def _millivolts(byte: int) -> int:
    return 2500 + 4 * byte


def _volts(byte: int) -> float:
    return _millivolts(byte) / 1000


def _bit0(byte: int) -> bool:
    return bool(byte & 1)

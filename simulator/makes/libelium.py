"""Libelium Smart Parking, firmware 1.x (12 bytes) and 2.x (11 bytes): what it sends. Pure.

Source: the maker's user manual (facts); examples of libelium-parking-sensor-v2 (MIT).
"""

from collections.abc import Sequence
from typing import Final

from core.occupancy import Kind
from simulator.makes.saying import Payload, Saying, i8, i16, u16

PORT: Final = 3
"""Any: it carries no meaning."""
STATUS, HEARTBEAT, DAILY, STARTUP = 0, 1, 2, 4
_FW1_BYTES, _FW2_BYTES = 12, 11
_DAY_MINUTES: Final = 1_440
_MAGNETISM = {True: (312, -540, 1_260), False: (96, -120, 410)}
"""A vehicle's iron, and none."""


def say_fw1(saying: Saying) -> Payload:
    """A frame of firmware 1.x."""
    first, field = _field(saying), i16(*_MAGNETISM[saying.occupied])
    raw = i16(round(saying.temperature_c * 10))
    match saying.kind:
        case Kind.BOOT:
            return Payload(PORT, header(first | STARTUP, saying.seq) + raw + field + u16(saying.battery_mv), Kind.BOOT)
        case Kind.CHANGE:
            return Payload(PORT, padded(header(first | STATUS, saying.seq) + raw + field, _FW1_BYTES), Kind.CHANGE)
        case _:
            head = header(first | HEARTBEAT, saying.seq) + _hour_and_minute(saying.at_ms)
            return Payload(PORT, head + raw + field, Kind.HEARTBEAT)


def say_fw2(saying: Saying) -> Payload:
    """A frame of firmware 2.x."""
    first, field = _field(saying), i16(*_MAGNETISM[saying.occupied])
    celsius = bytes([i8(saying.temperature_c)])
    match saying.kind:
        case Kind.BOOT:
            return Payload(PORT, padded(header(first | STARTUP, saying.seq), _FW2_BYTES), Kind.BOOT)
        case Kind.CHANGE:
            return Payload(PORT, padded(header(first | STATUS, saying.seq) + celsius + field, _FW2_BYTES), Kind.CHANGE)
        case _:
            head = header(first | HEARTBEAT, saying.seq) + _hour_and_minute(saying.at_ms)
            return Payload(PORT, head + celsius + field, Kind.HEARTBEAT)


def header(first: int, device_seq: int) -> bytes:
    """The first two bytes of every frame; the count begins again after 255."""
    return bytes([first, device_seq & 0xFF])


def flags(occupied: bool, *, battery_is_low: bool) -> int:
    """The upper bits of the first byte."""
    return (0x80 if occupied else 0) | (0x40 if battery_is_low else 0)


def daily(first: int, device_seq: int, counts: Sequence[int], resets: int, config_id: int) -> bytes:
    """What was done in a day: reads, Sigfox and LoRaWAN messages, restarts."""
    return header(first | DAILY, device_seq) + b"".join(map(u16, counts)) + bytes([resets, config_id])


def padded(frame: bytes, length: int) -> bytes:
    """Frames of a firmware are all of one length."""
    return frame.ljust(length, b"\0")


def _field(saying: Saying) -> int:
    return flags(saying.occupied, battery_is_low=saying.battery_is_low)


def _hour_and_minute(at_ms: int) -> bytes:
    return bytes(divmod(at_ms // 60_000 % _DAY_MINUTES, 60))

"""MOKO LW009-SM: what it sends. Pure.

Source: the maker's published payload description (facts).
"""

from collections.abc import Iterable
from typing import Final

from core.occupancy import Kind
from simulator.makes.saying import Payload, Saying, i8, u16

PORT: Final = 1
_HEAD, _VERSION, _MODEL_SM = 0x7E, 0x01, 0x85
_BECAME_FREE, _BECAME_OCCUPIED, _HEARTBEAT = 0x0B, 0x0C, 0x00
_EVENT, _DEVICE, _FIRMWARE, _TEMPERATURE, _VOLTAGE, _OCCUPIED = 0x02, 0x03, 0x05, 0x0B, 0x29, 0x32


def say_lw009(saying: Saying) -> Payload:
    """A frame of tags. What it says after a start tells the model, and of the space no more than a heartbeat."""
    state = (_OCCUPIED, bytes([saying.occupied]))
    vitals = ((_TEMPERATURE, bytes([_unsigned(saying.temperature_c)])), (_VOLTAGE, u16(saying.battery_mv)))
    match saying.kind:
        case Kind.BOOT:
            tags = [(_DEVICE, bytes([_MODEL_SM])), (_FIRMWARE, b"\x10"), state, *vitals]
            asserts = Kind.HEARTBEAT
        case Kind.CHANGE:
            event = _BECAME_OCCUPIED if saying.occupied else _BECAME_FREE
            tags = [(_EVENT, bytes([event])), state, *vitals]
            asserts = Kind.CHANGE
        case _:
            tags = [(_EVENT, bytes([_HEARTBEAT])), state, *vitals]
            asserts = Kind.HEARTBEAT
    return Payload(PORT, frame(saying.at_ms // 1_000, saying.seq, tags), asserts)


def frame(unix_seconds: int, device_seq: int, tags: Iterable[tuple[int, bytes]]) -> bytes:
    """Header, tags with their lengths, and a sum as trailer, which nobody checks."""
    body = b"".join(bytes([tag, len(value)]) + value for tag, value in tags)
    head = bytes([_HEAD, _VERSION]) + (unix_seconds & 0xFFFF_FFFF).to_bytes(4, "big") + u16(device_seq)
    whole = head + u16(len(body)) + bytes([0x01, 0x00]) + body
    return whole + bytes([sum(whole) & 0xFF])


def _unsigned(celsius: float) -> int:
    """The layout has no signs; what is below zero cannot be told from heat, so it stops at zero."""
    return i8(celsius, low=0)

"""Bosch TPS110, firmware 0.29 and 0.39: what it sends. Pure.

Source: the maker's communication interface description; examples of TheThingsNetwork/lorawan-devices (Apache-2.0).
"""

from collections.abc import Sequence
from typing import Final

from core.occupancy import Kind
from simulator.makes.saying import Payload, Saying, i8, u16, version

STATUS, HEARTBEAT, STARTUP = 1, 2, 3
POWER_ON: Final = 2


def say_029(saying: Saying) -> Payload:
    """A message of firmware 0.29."""
    if saying.kind is Kind.BOOT:
        return Payload(STARTUP, startup_029(saying.occupied, firmware="0.29.2", cause=POWER_ON, codes=()), Kind.BOOT)
    return _state(saying)


def say_039(saying: Saying) -> Payload:
    """A message of firmware 0.39."""
    if saying.kind is Kind.BOOT:
        content = startup_039(
            saying.occupied, firmware="0.39.2", cause=POWER_ON, code=205, device_seq=saying.seq, stamp=bytes(4)
        )
        return Payload(STARTUP, content, Kind.BOOT)
    return _state(saying)


def status(occupied: bool) -> bytes:
    """Port 1."""
    return bytes([occupied])


def heartbeat(occupied: bool, temperature_c: float | None) -> bytes:
    """Port 2; early builds have no temperature."""
    return bytes([occupied]) if temperature_c is None else bytes([occupied, i8(temperature_c)])


def startup_029(occupied: bool, *, firmware: str, cause: int, codes: Sequence[int]) -> bytes:
    """Port 3 of 0.29: at most three debug codes of 12 bits."""
    groups = [bytes([code & 0xFF, code >> 8, 0, 0]) for code in codes]
    return b"".join(groups).ljust(12, b"\0") + version(firmware) + bytes([cause, occupied])


def startup_039(occupied: bool, *, firmware: str, cause: int, code: int, device_seq: int, stamp: bytes) -> bytes:
    """Port 3 of 0.39: a time stamp of the device, one debug code, the device's count."""
    return (
        stamp
        + bytes([0, 0, code >> 8, code & 0xFF])
        + u16(device_seq)
        + bytes(2)
        + version(firmware)
        + bytes([cause, occupied])
    )


def _state(saying: Saying) -> Payload:
    if saying.kind is Kind.CHANGE:
        return Payload(STATUS, status(saying.occupied), Kind.CHANGE)
    return Payload(HEARTBEAT, heartbeat(saying.occupied, saying.temperature_c), Kind.HEARTBEAT)

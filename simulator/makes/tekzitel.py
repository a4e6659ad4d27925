"""Tekzitel TEKZIPARK: what it sends. Pure.

Source: TheThingsNetwork/lorawan-devices (Apache-2.0), facts of the layout.
"""

from collections.abc import Sequence
from typing import Final

from core.occupancy import Kind
from simulator.makes.saying import Payload, Saying, i8, u16

STATE: Final = 1
_OCCUPIED, _BATTERY_GOOD, _RADAR, _NO_BEACON, _RESET, _KEEP_ALIVE = 0x80, 0x20, 0x08, 0x04, 0x02, 0x01


def say_tekzipark(saying: Saying) -> Payload:
    """A message on port 1; no driver's beacon is near."""
    flags = _NO_BEACON | (_RADAR if saying.occupied else 0)
    flags |= _RESET if saying.kind is Kind.BOOT else 0
    flags |= _KEEP_ALIVE if saying.kind not in (Kind.BOOT, Kind.CHANGE) else 0
    content = state(
        saying.occupied, battery_is_low=saying.battery_is_low, flags=flags, temperature_c=saying.temperature_c,
        parking_id=saying.seq & 0xFF,
    )  # fmt: skip
    return Payload(STATE, content, saying.kind)


def state(occupied: bool, *, battery_is_low: bool, flags: int, temperature_c: float, parking_id: int) -> bytes:
    """Three bytes: flags, temperature, a number that counts the vehicles."""
    first = flags | (_OCCUPIED if occupied else 0) | (0 if battery_is_low else _BATTERY_GOOD)
    return bytes([first, i8(temperature_c), parking_id])


def with_beacons(content: bytes, *, rssi_dbm: int, beacons: Sequence[int]) -> bytes:
    """The same, and the beacons heard."""
    return content + bytes([i8(rssi_dbm)]) + b"".join(u16(beacon) for beacon in beacons)

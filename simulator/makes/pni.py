"""PNI PlacePod: what it sends. Pure.

Source: the maker's communications protocol (facts); an example of akenza-io/device-type-library (MIT).
"""

from typing import Final

from core.occupancy import Kind
from simulator.makes.saying import Payload, Saying, i16, u16

PORT: Final = 2


def say_placepod(saying: Saying) -> Payload:
    """A message of one or more records. One that has started says so, and what it sees as a keep-alive."""
    match saying.kind:
        case Kind.CHANGE:
            return Payload(PORT, status(saying.occupied), Kind.CHANGE)
        case Kind.BOOT:
            return Payload(PORT, reboot() + keep_alive(saying.occupied), Kind.HEARTBEAT)
        case _:
            records = keep_alive(saying.occupied) + temperature(saying.temperature_c) + battery(saying.battery_mv)
            return Payload(PORT, records, Kind.HEARTBEAT)


def status(occupied: bool) -> bytes:
    """The space changed."""
    return bytes([0x15, 0x66, occupied])


def keep_alive(occupied: bool) -> bytes:
    """The space is so."""
    return bytes([0x37, 0x66, occupied])


def temperature(celsius: float) -> bytes:
    """Tenths of a degree."""
    return b"\x02\x67" + i16(round(celsius * 10))


def battery(battery_mv: int) -> bytes:
    """Hundredths of a volt."""
    return b"\x03\x02" + u16(round(battery_mv / 10))


def counter(vehicles: int) -> bytes:
    """How many came, in one byte; 128 is said after a restart."""
    return bytes([0x21, 0x00, vehicles & 0xFF])


def recalibration(succeeded: bool) -> bytes:
    """The magnetometer was set anew."""
    return bytes([0x01, 0x01, succeeded])


def reboot() -> bytes:
    """It has started."""
    return b"\x3f\x01\x01"

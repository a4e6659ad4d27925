"""Milesight EM400-MUD, a distance sensor above a space: what it sends. Pure.

Source: the maker's payload definition (facts of the layout alone). Whether a distance means a vehicle is for whoever
hung it there to say, so nobody can read the space's state from these bytes alone.
"""

from typing import Final

from core.occupancy import Kind
from simulator.makes.saying import Payload, Saying

PORT: Final = 85
_FULL_MV, _EMPTY_MV = 3_600, 2_600
FREE_MM, OCCUPIED_MM = 2_480, 940


def say_em400_mud(saying: Saying) -> Payload:
    """Charge, temperature and distance; an alarm when the distance has changed."""
    celsius = round(saying.temperature_c * 10).to_bytes(2, "little", signed=True)
    distance = (OCCUPIED_MM if saying.occupied else FREE_MM).to_bytes(2, "little")
    charge = max(0, min(100, (saying.battery_mv - _EMPTY_MV) * 100 // (_FULL_MV - _EMPTY_MV)))
    records = bytes([0x01, 0x75, charge]) + b"\x03\x67" + celsius
    if saying.kind is Kind.CHANGE:
        records += b"\x84\x82" + distance + bytes([saying.occupied])
    else:
        records += b"\x04\x82" + distance
    return Payload(PORT, records + b"\x05\x00\x00", Kind.HEARTBEAT)

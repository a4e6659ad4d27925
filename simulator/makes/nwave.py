"""Nwave NPS310 and NPS405, which watch a space, and NCC405, which counts cars: what they send. Pure.

Source: the maker's public product documentation (facts); examples of TheThingsNetwork/lorawan-devices (Apache-2.0).
"""

from typing import Final

from core.occupancy import Kind
from simulator.makes.saying import Payload, Saying, i8, u16, version

STATUS, HEARTBEAT, STARTUP, REGISTRATION = 1, 2, 3, 10
POWER_ON: Final = 2
_MINUTES_END, _FIVES_BEGIN, _HOURS_BEGIN, _OVERFLOW_FROM = 90, 90, 240, 660


def say_nps310(saying: Saying) -> Payload:
    """A message of an NPS310."""
    if saying.kind is Kind.BOOT:
        return Payload(STARTUP, startup(saying.occupied, firmware="1.7.1", cause=POWER_ON), Kind.BOOT)
    port = STATUS if saying.kind is Kind.CHANGE else HEARTBEAT
    return Payload(port, bytes([saying.occupied]), saying.kind)


def say_nps405(saying: Saying) -> Payload:
    """A message of an NPS405."""
    match saying.kind:
        case Kind.BOOT:
            return Payload(STARTUP, startup(saying.occupied, firmware="2.7.9", cause=POWER_ON), Kind.BOOT)
        case Kind.CHANGE:
            return Payload(STATUS, status_nps405(saying.occupied, saying.previous_minutes), Kind.CHANGE)
        case _:
            content = heartbeat_nps405(saying.occupied, saying.battery_mv, saying.temperature_c)
            return Payload(HEARTBEAT, content, Kind.HEARTBEAT)


def say_ncc405(count: int) -> Payload:
    """The car counter's message; it says nothing of a space."""
    return Payload(STATUS, u16(count), Kind.HEARTBEAT)


def startup(occupied: bool, *, firmware: str, cause: int) -> bytes:
    """Port 3 of both."""
    return version(firmware) + bytes([cause, occupied])


def status_nps405(occupied: bool, previous_minutes: int) -> bytes:
    """Port 1: bit 0 the state, above it how long the one before lasted, coarser the longer it was."""
    return bytes([duration_code(previous_minutes) << 1 | occupied])


def duration_code(minutes: int) -> int:
    """Minutes up to 89, then steps of five, then hours, then all that is longer."""
    if minutes < _MINUTES_END:
        return minutes
    if minutes < _HOURS_BEGIN:
        return 90 + (minutes - _FIVES_BEGIN) // 5
    return 120 + (minutes - _HOURS_BEGIN) // 60 if minutes < _OVERFLOW_FROM else 127


def heartbeat_nps405(occupied: bool, battery_mv: int, temperature_c: float) -> bytes:
    """Port 2: 4 mV and half a degree are the steps."""
    return bytes([occupied, voltage_byte(battery_mv), i8((temperature_c - 10) * 2)])


def heartbeat_ncc405(health: int, battery_mv: int, mean_mv: int) -> bytes:
    """Port 2 of the counter."""
    return bytes([health, voltage_byte(battery_mv), voltage_byte(mean_mv)])


def registration(occupied: bool, previous_minutes: int, tag: str) -> bytes:
    """Port 10: a driver's tag was read; the older form, without the tag's battery."""
    return status_nps405(occupied, previous_minutes) + bytes.fromhex(tag)


def voltage_byte(battery_mv: int) -> int:
    """Steps of 4 mV above 2.5 V."""
    return max(0, min(255, round((battery_mv - 2_500) / 4)))

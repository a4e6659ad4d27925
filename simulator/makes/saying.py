"""What a sensor has to say, whatever its make, and the bytes that say it. Pure."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from core.occupancy import Kind

LOW_BATTERY_MV: Final = 3_000
"""Below it, makes that have a flag for it raise it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One reason to speak."""

    kind: Kind
    occupied: bool
    at_ms: int
    """By the sensor's own clock."""
    seq: int
    """The sensor's own count."""
    battery_mv: int
    temperature_c: float
    previous_minutes: int = 0
    """How long it was the other way before, for a change."""

    @property
    def battery_is_low(self) -> bool:
        """Whether the sensor would say so."""
        return self.battery_mv < LOW_BATTERY_MV


class Payload(NamedTuple):
    """What goes over the air, and what it asserts to whoever reads it as the maker documents."""

    f_port: int
    content: bytes
    kind: Kind
    """Not every make can say everything: a start may be all but a heartbeat."""


def i8(value: float, low: int = -128, high: int = 127) -> int:
    """One byte of a number as two's complement; what does not fit is the nearest that does."""
    return max(low, min(high, round(value))) & 0xFF


def i16(*values: int) -> bytes:
    """Numbers of two bytes each, big-endian two's complement."""
    return b"".join(value.to_bytes(2, "big", signed=True) for value in values)


def u16(value: int) -> bytes:
    """Two bytes, big-endian; counters begin again after the largest."""
    return (value & 0xFFFF).to_bytes(2, "big")


def version(firmware: str) -> bytes:
    """Three bytes of a dotted version."""
    return bytes(int(part) for part in firmware.split("."))

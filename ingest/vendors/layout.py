"""How makers' byte layouts are read: bounds first, then numbers, then one common answer. Pure."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from core.occupancy import Decoded, Kind, PayloadError, Telemetry

_KINDS: Final[Mapping[str, Kind]] = {"status": Kind.CHANGE, "startup": Kind.BOOT, "reboot": Kind.BOOT}
"""What a maker's kind of message asserts of the space; every other kind is a heartbeat, if it says anything at all."""


def need(payload: bytes, length: int, what: str) -> None:
    """Refuse a payload that is too short.

    Raises:
        PayloadError: it has fewer than ``length`` bytes.
    """
    if len(payload) < length:
        raise PayloadError(f"{what} takes {length} bytes; this one ends after {len(payload)}")


def unknown_port(f_port: int | None, known: str) -> PayloadError:
    """The refusal of a port on which this layout says nothing."""
    if f_port is None:
        return PayloadError(f"the port decides what the bytes mean, and none was given (known: {known})")
    return PayloadError(f"port {f_port} is not one of this layout's (known: {known})")


def i8(byte: int) -> int:
    """A byte as two's complement."""
    return byte - 256 if byte > 127 else byte  # noqa: PLR2004 - the largest positive value of eight bits


def i16(payload: bytes, at: int) -> int:
    """Two bytes from ``at``, big-endian two's complement."""
    return int.from_bytes(payload[at : at + 2], "big", signed=True)


def u16(payload: bytes, at: int) -> int:
    """Two bytes from ``at``, big-endian."""
    return int.from_bytes(payload[at : at + 2], "big")


def u32(payload: bytes, at: int) -> int:
    """Four bytes from ``at``, big-endian."""
    return int.from_bytes(payload[at : at + 4], "big")


def dotted(payload: bytes, at: int) -> str:
    """Three bytes from ``at`` as a firmware version."""
    return f"{payload[at]}.{payload[at + 1]}.{payload[at + 2]}"


def decoded(kind: str, occupied: bool | None, **fields: Any) -> Decoded:
    """The answer of every maker's decoder.

    Args:
        kind: the maker's kind of message, ``status``, ``heartbeat``, ``startup`` ...; it decides what is asserted.
        occupied: None when the message says nothing about the space.
        fields: everything else. What is plausible of voltage, charge and temperature also becomes telemetry (a layout
            without signs shows frost as 250 degrees).
    """
    battery_v = fields.get("battery_v")
    return Decoded(
        occupied=occupied,
        kind=_KINDS.get(kind, Kind.HEARTBEAT),
        telemetry=Telemetry(
            battery_mv=None if battery_v is None else _plausible(round(battery_v * 1000), 0, 65_535),
            battery_pct=_plausible(fields.get("battery_pct"), 0, 100),
            battery_low=fields.get("battery_low"),
            temperature_c=_plausible(fields.get("temperature_c"), -60, 125),
            firmware=fields.get("firmware"),
        ),
        fields={"kind": kind, "occupied": occupied, **fields},
    )


Number = TypeVar("Number", int, float)


def _plausible(value: Number | None, low: int, high: int) -> Number | None:
    return value if value is not None and low <= value <= high else None

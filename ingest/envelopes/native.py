"""Sensors that speak to us directly: one JSON object a reading, or a gateway's array of them. Pure.

A good message takes one typed pass. One that this pass does not accept is read again, slowly, which either forgives
what is harmless (``null`` for absent, ``1042.0`` for ``1042``, a battery of ``"low"``) or says exactly what is wrong.
"""

import json
from typing import Any, Final, NoReturn

import msgspec

from core.occupancy import ABSENT, NO_TELEMETRY, Kind, Reading, Reason, Telemetry
from core.wire import MAX_COUNTER, MAX_READINGS, GatewayReading, NativeReading, is_sensor_id, parse_instant
from ingest.envelopes.uplink import EnvelopeError, refuse

_decode_single = msgspec.json.Decoder(NativeReading).decode
_decode_element = msgspec.json.Decoder(GatewayReading).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


def read_native(raw: bytes, sensor: str | None) -> Reading:
    """One reading.

    Args:
        raw: the message, or one element of a gateway's array.
        sensor: whose topic it came on; None where the message itself says.

    Raises:
        EnvelopeError: it is no reading. One that says the same thing twice is none: who knows which was meant.
    """
    try:
        if sensor is None:
            element = _decode_element(raw)
            message: NativeReading = element
            sender = element.sensor
        else:
            message = _decode_single(raw)
            sender = sensor
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_carefully(raw, sensor)
    at = message.at
    if (
        type(at) is not int
        or not raw.isascii()
        or b"\\" in raw  # a name may be written with escapes
        or raw.count(b'"at"') != 1
        or raw.count(b'"occupied"') != 1
        or (sensor is None and raw.count(b'"sensor"') != 1)
    ):
        return _read_carefully(raw, sensor)
    battery_mv, rssi_dbm, temperature_c = message.battery_mv, message.rssi_dbm, message.temperature_c
    if battery_mv is None and rssi_dbm is None and temperature_c is None:
        telemetry = NO_TELEMETRY
    else:
        telemetry = Telemetry(battery_mv=battery_mv, rssi_dbm=rssi_dbm, temperature_c=temperature_c)
    kind, boot, seq = message.kind, message.boot, message.seq
    return Reading(
        sensor=sender,
        at_ms=at,
        occupied=message.occupied,
        kind=_REPORT if kind is None else kind,
        boot=ABSENT if boot is None else boot,
        seq=ABSENT if seq is None else seq,
        telemetry=telemetry,
        raw=raw,
    )


def split_gateway(raw: bytes) -> list[bytes]:
    """The elements of a gateway's array, each as it came.

    Raises:
        EnvelopeError: it is no array, or one of too many elements.
    """
    try:
        elements = _decode_array(raw)
    except msgspec.ValidationError as error:
        raise EnvelopeError(Reason.NOT_A_READING, "a gateway sends an array of readings") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EnvelopeError(Reason.NOT_JSON, str(error)) from error
    except RecursionError as error:
        raise EnvelopeError(Reason.NOT_JSON, "nested too deeply") from error
    if len(elements) > MAX_READINGS:
        refuse(
            f"{len(elements)} readings in one message; at most {MAX_READINGS} are taken",
            reason=Reason.TOO_MANY_READINGS,
        )
    return [bytes(element) for element in elements]


# --- the slow pass ------------------------------------------------------------------------------------------------

_REPORT: Final = Kind.REPORT
_KNOWN = frozenset(GatewayReading.__struct_fields__)


def _read_carefully(raw: bytes, sensor: str | None) -> Reading:
    """As ``read_native``, member by member."""
    members = _load_members(raw)
    sender = _sender(members) if sensor is None else sensor
    try:
        at_ms = _at_ms(members)
        occupied = members["occupied"]
        if not isinstance(occupied, bool):
            _wrong("occupied is true or false")
        kind = members.get("kind")
        if kind is not None and kind not in _KINDS:
            _wrong(f"kind is one of {', '.join(sorted(_KINDS))}")
        return Reading(
            sensor=sender,
            at_ms=at_ms,
            occupied=occupied,
            kind=_REPORT if kind is None else Kind(kind),
            boot=_counter(members, "boot"),
            seq=_counter(members, "seq"),
            telemetry=_telemetry(members),
            raw=raw,
        )
    except KeyError as missing:
        raise EnvelopeError(Reason.NOT_A_READING, f"{missing.args[0]} is missing", sensor=sender) from missing
    except EnvelopeError as error:
        error.sensor = sender
        raise


_KINDS = tuple(kind.value for kind in Kind)


def _load_members(raw: bytes) -> dict[str, Any]:
    """The object's members.

    Raises:
        EnvelopeError: no UTF-8, no JSON, no object, or a member of ours that is there twice.
    """
    try:
        document = json.loads(raw.decode(), object_pairs_hook=_Pairs, parse_constant=_no_constant)
    except RecursionError as error:
        raise EnvelopeError(Reason.NOT_JSON, "nested too deeply") from error
    except UnicodeDecodeError as error:
        raise EnvelopeError(Reason.NOT_JSON, f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise EnvelopeError(Reason.NOT_JSON, f"{error.msg} at character {error.pos}") from error
    except ValueError as error:
        raise EnvelopeError(Reason.NOT_JSON, "a number that is none, or too long to be one") from error
    if not isinstance(document, _Pairs):
        _wrong("a reading is a JSON object")
    members: dict[str, Any] = {}
    for name, value in document:
        if name in members and name in _KNOWN:
            _wrong(f"{name} is there twice")
        members[name] = value
    return members


class _Pairs(list[tuple[str, Any]]):
    """An object's members in order, repeated ones kept."""


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def _sender(members: dict[str, Any]) -> str:
    sender = members.get("sensor")
    if not isinstance(sender, str):
        _wrong("sensor is missing: in a gateway's array each reading names its own")
    if not is_sensor_id(sender):
        _wrong("sensor cannot be a sensor's id")
    return sender


def _at_ms(members: dict[str, Any]) -> int:
    """``at``: whole milliseconds, also when written as ``1795358210250.0``, or RFC 3339."""
    at = members["at"]
    if isinstance(at, str):
        try:
            return parse_instant(at)
        except ValueError as error:
            raise EnvelopeError(Reason.NOT_A_READING, f"at: {error}") from error
    return _whole(at, "at is whole milliseconds since 1970 or an RFC 3339 date and time")


def _counter(members: dict[str, Any], name: str) -> int:
    value = members.get(name)
    if value is None:
        return ABSENT
    rule = f"{name} is a whole number from 0 to {MAX_COUNTER}"
    counter = _whole(value, rule)
    if not 0 <= counter <= MAX_COUNTER:
        _wrong(rule)
    return counter


def _whole(value: object, rule: str) -> int:
    """A whole number, also when written with a point; ``true`` is none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        _wrong(rule)
    return value


def _telemetry(members: dict[str, Any]) -> Telemetry:
    """What is plausible of it; the rest is left out, for it is no reason to lose an arrival."""
    battery_mv = _plausible(members.get("battery_mv"), 0, 65_535)
    rssi_dbm = _plausible(members.get("rssi_dbm"), -300, 100)
    return Telemetry(
        battery_mv=None if battery_mv is None else round(battery_mv),
        rssi_dbm=None if rssi_dbm is None else round(rssi_dbm),
        temperature_c=_plausible(members.get("temperature_c"), -150, 250),
    )


def _plausible(value: object, low: float, high: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        return None
    return float(value)


def _wrong(detail: str) -> NoReturn:
    raise EnvelopeError(Reason.NOT_A_READING, detail)

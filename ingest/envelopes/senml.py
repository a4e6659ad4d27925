"""SenML (RFC 8428): ``parking/{sensor_id}/senml``, a JSON pack of records. Pure.

Records are resolved as the RFC says: base name, time, unit and value carry over to the records after them. What we
read are the records whose name ends in ``occupied``, ``temp``, ``battery`` or ``rssi``; those of one instant make one
reading. SenML does not say whether something changed, so all of them are reports.

A time relative to *now* (below 2**28 seconds) would date the reading by its arrival, differently each time the message
is repeated: such a pack is refused as sent by a clock that is not set. A pack's own base time makes it absolute.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from core.occupancy import Kind, Reading, Reason, Telemetry
from core.wire import MAX_READINGS, Address
from ingest.envelopes.uplink import percent, read_json, refuse, whole_within

_DECODER: Final = msgspec.json.Decoder(list[dict[str, Any]])

_VERSION: Final = 10
_RELATIVE_BELOW_S: Final = 2**28
_LATEST_S: Final = 10**12

_MEASURE: Final = re.compile(r"(?P<device>.*?)(?:^|(?<=[_:./-]))(?P<measure>occupied|temp|temperature|battery|rssi)")


class _Value(NamedTuple):
    """A resolved record that we read."""

    device: str
    measure: str
    at_ms: int
    unit: str
    value: object


def read_senml(address: Address, raw: bytes) -> list[Reading]:
    """One reading for each instant in the pack, oldest first.

    The topic says whose they are; base names may be anything, but not two different ones.

    Raises:
        EnvelopeError: it is no pack, speaks of two devices or contradicts itself.
    """
    sensor = address.device
    records = read_json(_DECODER, raw)
    if len(records) > MAX_READINGS:
        refuse(
            f"{len(records)} records in one pack; at most {MAX_READINGS} are taken",
            sensor=sensor,
            reason=Reason.TOO_MANY_READINGS,
        )
    values = list(_resolve(records, sensor))
    if not values:
        refuse("no record that we read: occupied, temp, battery, rssi", sensor=sensor)
    if len({value.device for value in values}) > 1:
        refuse("the pack speaks of several devices, its topic of one", sensor=sensor)
    instants = sorted({value.at_ms for value in values})
    return [_reading(sensor, at_ms, [value for value in values if value.at_ms == at_ms], raw) for at_ms in instants]


def _resolve(records: list[dict[str, Any]], sensor: str) -> Iterator[_Value]:
    """The records that we read, with their base fields worked in."""
    name, unit = "", ""
    time, value = 0.0, 0.0
    for record in records:
        if any(key.endswith("_") for key in record) or _number(record, "bver", sensor, default=_VERSION) > _VERSION:
            refuse("a newer SenML than RFC 8428, which we must not guess at", sensor=sensor)
        name = _text(record, "bn", sensor, default=name)
        unit = _text(record, "bu", sensor, default=unit)
        time = _number(record, "bt", sensor, default=time)
        value = _number(record, "bv", sensor, default=value)
        found = _MEASURE.fullmatch(name + _text(record, "n", sensor, default=""))
        if found is None:
            continue
        said: object = record.get("vb")
        if "v" in record:
            said = _number(record, "v", sensor, default=0.0) + value
        if said is None:
            continue
        yield _Value(
            found["device"],
            found["measure"],
            _at_ms(time + _number(record, "t", sensor, default=0.0), sensor),
            _text(record, "u", sensor, default=unit),
            said,
        )


def _at_ms(seconds: float, sensor: str) -> int:
    if seconds < _RELATIVE_BELOW_S:
        refuse(
            "dated relative to its arrival; a base time (bt) would say when", sensor=sensor, reason=Reason.CLOCK_NOT_SET
        )
    if seconds > _LATEST_S:
        refuse("a time that is none", sensor=sensor)
    return round(seconds * 1000)


def _reading(sensor: str, at_ms: int, values: list[_Value], raw: bytes) -> Reading:
    """What the pack says of one instant."""
    occupied: bool | None = None
    telemetry: dict[str, Any] = {}
    for value in values:
        if value.measure == "occupied":
            said = _occupied(value.value, sensor)
            if occupied not in (None, said):
                refuse("occupied and free at the same instant", sensor=sensor)
            occupied = said
        else:
            telemetry |= _telemetry(value)
    return Reading(
        sensor=sensor,
        at_ms=at_ms,
        occupied=occupied,
        kind=Kind.REPORT,
        telemetry=Telemetry(**telemetry),
        raw=raw,
    )


def _occupied(said: object, sensor: str) -> bool:
    """``vb``, or a ``v`` of 0 or 1."""
    if said not in (0, 1):
        refuse("occupied is a Boolean value, or 0 or 1", sensor=sensor)
    return bool(said)


def _telemetry(value: _Value) -> dict[str, Any]:
    """What a record says of the sensor itself; nothing when it is implausible or in a unit that we do not read."""
    said = value.value
    if isinstance(said, bool) or not isinstance(said, float):
        return {}
    match value.measure, value.unit:
        case "temp" | "temperature", "Cel" | "":
            return {"temperature_c": said if whole_within(said, -150, 250) is not None else None}
        case "battery", "V":
            return {"battery_mv": whole_within(said * 1000, 0, 65_535)}
        case "battery", "%EL" | "%":
            return {"battery_pct": percent(said)}
        case "rssi", "dBm" | "":
            return {"rssi_dbm": whole_within(said, -300, 100)}
        case _:
            return {}


def _text(record: dict[str, Any], key: str, sensor: str, *, default: str) -> str:
    value = record.get(key, default)
    if not isinstance(value, str):
        refuse(f"{key} is text", sensor=sensor)
    return value


def _number(record: dict[str, Any], key: str, sensor: str, *, default: float) -> float:
    value = record.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _LARGEST:
        refuse(f"{key} is a number", sensor=sensor)
    return float(value)


_LARGEST: Final = 1e15

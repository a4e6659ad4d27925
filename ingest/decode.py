"""Bytes to readings or refusals: topic, envelope, registry, codec, clock. Pure.

Nothing here raises on bad input: whatever a sensor, a server or a stranger publishes becomes a ``Reading`` or a
``Refusal``, with the bytes in it, so that it can be decoded again once a codec or the registry was corrected.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from core.occupancy import Decoded, PayloadError, Reading, Reason, Refusal, Telemetry
from core.wire import MAX_PAYLOAD_BYTES, Address, Envelope, is_sensor_id, parse_topic
from ingest.envelopes.chirpstack import read_chirpstack
from ingest.envelopes.native import read_native, split_gateway
from ingest.envelopes.nbiot import read_nbiot
from ingest.envelopes.senml import read_senml
from ingest.envelopes.thingpark import read_thingpark
from ingest.envelopes.things_stack import read_things_stack
from ingest.envelopes.uplink import EnvelopeError, Uplink, refuse
from ingest.vendors import CODECS

YEAR_2020_MS: Final = 1_577_836_800_000
"""2020-01-01T00:00:00Z: a sensor that says an earlier instant has not set its clock."""
YEAR_10000_MS: Final = 253_402_300_800_000
"""10000-01-01T00:00:00Z: beyond what an instant can be, and in the future whenever it arrives."""

# bound once: looking up an enumeration's member costs every message 50 ns
_NATIVE: Final = Envelope.NATIVE
_GATEWAY: Final = Envelope.GATEWAY


class Registry(Protocol):
    """Which sensors there are, and how to read them."""

    def codec_of(self, sensor_id: str, /) -> str | None:
        """The codec a sensor is configured with; None when no such sensor is registered."""
        ...


def decode(topic: str, payload: bytes, *, registry: Registry) -> Sequence[Reading | Refusal]:
    """What a message says: usually one item, more for arrays and packs, none for an empty array.

    Whether a reading lies in the future and inside an assignment is not judged here: both need more than the message.
    """
    address = parse_topic(topic)
    if address is None:
        return (Refusal(reason=Reason.UNKNOWN_TOPIC, detail="no reading is published on this topic", raw=payload),)
    try:
        if len(payload) > MAX_PAYLOAD_BYTES:
            refuse(f"{len(payload)} bytes; at most {MAX_PAYLOAD_BYTES} are read", reason=Reason.TOO_LARGE)
        envelope = address.envelope
        if envelope is _NATIVE:
            return (_accept(read_native(payload, address.device), registry),)
        if envelope is Envelope.UNREGISTERED:
            return (_decode_unregistered(payload, address.device, registry),)
        if envelope is _GATEWAY:
            return [_decode_element(element, registry) for element in split_gateway(payload)]
        return _decode_envelope(address, payload, registry)
    except EnvelopeError as error:
        return (_refusal(error, payload, fallback=_sensor_of(address)),)


def decode_again(topic: str, raw: bytes, *, registry: Registry) -> Sequence[Reading | Refusal]:
    """As ``decode``, for bytes that were stored: of a gateway's array only the one element was kept."""
    address = parse_topic(topic)
    if address is not None and address.envelope is Envelope.GATEWAY and not raw.lstrip().startswith(b"["):
        return (_decode_element(raw, registry),)
    return decode(topic, raw, registry=registry)


def check_time(reading: Reading, received_ms: int, tolerance_ms: int) -> Refusal | None:
    """The refusal of a reading that lies further ahead of its first arrival than ``tolerance_ms``."""
    ahead_ms = reading.at_ms - received_ms
    if ahead_ms <= tolerance_ms:
        return None
    detail = f"{ahead_ms / 1000:.0f} s ahead of its arrival; at most {tolerance_ms / 1000:.0f} s are allowed"
    return _refused(reading, Reason.FROM_THE_FUTURE, detail)


# --- from here to there -------------------------------------------------------------------------------------------

_Reader = Callable[[Address, bytes], Uplink | Iterable[Reading]]

_READERS: Final[Mapping[Envelope, _Reader]] = {
    Envelope.CHIRPSTACK: read_chirpstack,
    Envelope.THINGS_STACK: read_things_stack,
    Envelope.THINGPARK: read_thingpark,
    Envelope.SENML: read_senml,
    Envelope.NBIOT: read_nbiot,
}


def _accept(reading: Reading, registry: Registry) -> Reading | Refusal:
    """The reading, unless its sensor is unknown or its clock never set."""
    if registry.codec_of(reading.sensor) is None:
        return _refused(reading, Reason.UNKNOWN_SENSOR, "no such sensor is registered")
    if YEAR_2020_MS <= reading.at_ms < YEAR_10000_MS:
        return reading
    if reading.at_ms < YEAR_2020_MS:
        return _refused(reading, Reason.CLOCK_NOT_SET, "dated before 2020: the sender's clock is not set")
    return _refused(reading, Reason.FROM_THE_FUTURE, "dated after the year 9999")


def _decode_element(element: bytes, registry: Registry) -> Reading | Refusal:
    try:
        return _accept(read_native(element, None), registry)
    except EnvelopeError as error:
        return _refusal(error, element, fallback=None)


def _decode_unregistered(payload: bytes, sensor: str, registry: Registry) -> Refusal:
    """Never a reading: whoever shares this user can say that it is any sensor.

    Raises:
        EnvelopeError: it is no native reading.
    """
    reading = read_native(payload, sensor)
    if registry.codec_of(sensor) is None:
        return _refused(reading, Reason.UNKNOWN_SENSOR, "no such sensor is registered")
    return _refused(reading, Reason.UNKNOWN_SENSOR, "registered, but sends as one that is not: give it its own user")


def _decode_envelope(address: Address, payload: bytes, registry: Registry) -> Sequence[Reading | Refusal]:
    """What a server's or carrier's message says.

    Raises:
        EnvelopeError: it is none, or an event of the server's own.
    """
    if address.event != "up":
        refuse("an event of the network server, not a message of the sensor", reason=Reason.NOT_AN_UPLINK)
    unwrapped = _READERS[address.envelope](address, payload)
    if isinstance(unwrapped, Uplink):
        return (_decode_uplink(unwrapped, payload, registry),)
    return [_accept(reading, registry) for reading in unwrapped]


def _decode_uplink(uplink: Uplink, raw: bytes, registry: Registry) -> Reading | Refusal:
    """The payload read by the codec of its sensor, dated and identified by the envelope."""
    codec = registry.codec_of(uplink.sensor)
    if codec is None:
        return _refused(uplink, Reason.UNKNOWN_SENSOR, "no such sensor is registered", raw=raw)
    decoder = CODECS.get(codec)
    if decoder is None:
        return _refused(
            uplink, Reason.UNKNOWN_CODEC, f"its sensor is set to the codec {codec!r}, which is none", raw=raw
        )
    try:
        decoded = decoder(uplink.payload, uplink.f_port)
    except PayloadError as error:
        return _refused(uplink, Reason.BAD_PAYLOAD, f"{codec}: {error}", raw=raw)
    return _accept(
        Reading(
            sensor=uplink.sensor,
            at_ms=uplink.at_ms,
            occupied=decoded.occupied,
            kind=decoded.kind,
            seq=uplink.seq,
            telemetry=_telemetry(uplink.telemetry, decoded),
            frame=uplink.frame,
            raw=raw,
        ),
        registry,
    )


def _telemetry(network: Telemetry, decoded: Decoded) -> Telemetry:
    """What the sensor says of itself, completed by what the network knows."""
    own = decoded.telemetry
    return Telemetry(
        battery_mv=own.battery_mv if own.battery_mv is not None else network.battery_mv,
        battery_pct=own.battery_pct if own.battery_pct is not None else network.battery_pct,
        battery_low=own.battery_low,
        rssi_dbm=own.rssi_dbm if own.rssi_dbm is not None else network.rssi_dbm,
        temperature_c=own.temperature_c,
        firmware=own.firmware,
    )


# --- refusals -----------------------------------------------------------------------------------------------------


def _refused(what: Reading | Uplink, reason: Reason, detail: str, *, raw: bytes | None = None) -> Refusal:
    if raw is None:
        raw = what.raw if isinstance(what, Reading) else what.payload
    return Refusal(reason=reason, detail=detail, sensor=_valid(what.sensor), at_ms=_storable(what.at_ms), raw=raw)


def _refusal(error: EnvelopeError, raw: bytes, *, fallback: str | None) -> Refusal:
    sensor = error.sensor if error.sensor is not None else fallback
    return Refusal(
        reason=error.reason, detail=error.detail, sensor=_valid(sensor), at_ms=_storable(error.at_ms), raw=raw
    )


def _sensor_of(address: Address) -> str | None:
    """The sensor a topic names, where it names one."""
    match address.envelope:
        case Envelope.NATIVE | Envelope.SENML | Envelope.UNREGISTERED:
            return _valid(address.device)
        case Envelope.CHIRPSTACK | Envelope.THINGPARK:
            return _valid(address.device.lower())
        case Envelope.GATEWAY | Envelope.THINGS_STACK | Envelope.NBIOT:
            return None


def _valid(sensor: str | None) -> str | None:
    """``sensor`` if it can be stored as one."""
    return sensor if sensor is not None and is_sensor_id(sensor) else None


_YEAR_1_MS = -62_135_596_800_000


def _storable(at_ms: int | None) -> int | None:
    """``at_ms`` if it is an instant at all."""
    return at_ms if at_ms is not None and _YEAR_1_MS <= at_ms < YEAR_10000_MS else None

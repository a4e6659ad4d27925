"""What goes over MQTT: topics, and the messages of sensors that speak to us directly, both directions. Pure.

A device knows this module and a clock. The receiving side goes on in ``ingest``; the envelopes of network servers and
carriers, which no device of ours writes, are read there.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from core.clock import milliseconds
from core.occupancy import Kind

MAX_READINGS: Final = 500
"""Most elements of a gateway's array."""
MAX_PAYLOAD_BYTES: Final = 256 * 1024
"""The broker's own limit, and ours for messages that come another way."""
MAX_COUNTER: Final = 2**63 - 1
"""Highest ``seq`` and ``boot``: what a BIGINT column holds."""


# --- topics -------------------------------------------------------------------------------------------------------


class Envelope(StrEnum):
    """Who wrapped a reading, hence how its message is built; the topic alone decides."""

    NATIVE = "native"
    GATEWAY = "gateway"
    CHIRPSTACK = "chirpstack"
    THINGS_STACK = "the-things-stack"
    THINGPARK = "thingpark"
    SENML = "senml"
    NBIOT = "nbiot"
    UNREGISTERED = "unregistered"
    """A native reading of a sensor that nobody has registered, under the one user that all of these share."""


# bound once: looking up an enumeration's member costs every message 50 ns
_NATIVE: Final = Envelope.NATIVE


class Address(msgspec.Struct, frozen=True, gc=False):
    """What a topic says of the message under it."""

    envelope: Envelope
    device: str
    """As the topic names it: a sensor id, a gateway id, a DevEUI in the server's own case, a platform's device id."""
    event: str = "up"
    """``up`` is an uplink; the servers publish their other events (joins, acknowledgements, logs) beside it."""


SUBSCRIPTIONS: Final = (
    "parking/+/+/up",
    "parking/+/gateways/+/up",
    "parking/+/senml",
    "application/+/device/+/event/+",
    "v3/+/devices/+/+",
    "mqtt/things/+/uplink",
    "aep/+/+/+",
    "unregistered/+/up",
)
"""Filters that together match every topic on which a reading may arrive."""


def parse_topic(topic: str) -> Address | None:  # noqa: PLR0911 - one answer for each kind of topic
    """What ``topic`` says, or None when no reading is published there."""
    match topic.split("/"):
        case ["parking", _, sensor_id, "up"]:
            return Address(_NATIVE, sensor_id)
        case ["parking", _, "gateways", gateway_id, "up"]:
            return Address(Envelope.GATEWAY, gateway_id)
        case ["application", _, "device", dev_eui, "event", event]:
            return Address(Envelope.CHIRPSTACK, dev_eui, event)
        case ["v3", _, "devices", device_id, event]:
            return Address(Envelope.THINGS_STACK, device_id, event)
        case ["mqtt", "things", dev_eui, "uplink"]:
            return Address(Envelope.THINGPARK, dev_eui)
        case ["parking", sensor_id, "senml"]:
            return Address(Envelope.SENML, sensor_id)
        case ["aep", _, device_id, event]:
            return Address(Envelope.NBIOT, device_id, "up" if event == "dataReport" else event)
        case ["unregistered", sensor_id, "up"]:
            return Address(Envelope.UNREGISTERED, sensor_id)
        case _:
            return None


def reading_topic(site: str, sensor_id: str) -> str:
    """Where a sensor publishes its own readings."""
    return f"parking/{_level(site)}/{_level(sensor_id)}/up"


def gateway_topic(site: str, gateway_id: str) -> str:
    """Where a gateway publishes the readings of its sensors."""
    return f"parking/{_level(site)}/gateways/{_level(gateway_id)}/up"


def senml_topic(sensor_id: str) -> str:
    """Where a sensor publishes SenML packs."""
    return f"parking/{_level(sensor_id)}/senml"


def unregistered_topic(sensor_id: str) -> str:
    """Where a sensor that nobody has registered makes itself known."""
    return f"unregistered/{_level(sensor_id)}/up"


def chirpstack_topic(application_id: str, dev_eui: str, event: str = "up") -> str:
    """Where ChirpStack v4 publishes an event of a device."""
    return f"application/{_level(application_id)}/device/{_level(dev_eui)}/event/{_level(event)}"


def things_stack_topic(application_id: str, tenant_id: str, device_id: str, event: str = "up") -> str:
    """Where The Things Stack v3 publishes an event of a device."""
    return f"v3/{_level(application_id)}@{_level(tenant_id)}/devices/{_level(device_id)}/{_level(event)}"


def thingpark_topic(dev_eui: str) -> str:
    """Where ThingPark publishes a device's uplinks."""
    return f"mqtt/things/{_level(dev_eui)}/uplink"


def nbiot_topic(product_id: str, device_id: str) -> str:
    """Where an NB-IoT carrier platform's pushes are published."""
    return f"aep/{_level(product_id)}/{_level(device_id)}/dataReport"


_SENSOR_ID = re.compile(r"(?!\s)[^\x00-\x1f\x7f-\x9f/+#\ud800-\udfff]{1,128}(?<!\s)")


def is_sensor_id(text: str) -> bool:
    """Whether ``text`` can be a sensor's id, that is a level of a topic.

    1 to 128 characters, none of them ``/``, ``+``, ``#`` or a control character, no blank at either end.
    """
    return _SENSOR_ID.fullmatch(text) is not None


def _level(text: str) -> str:
    """``text`` as one level of a topic.

    Raises:
        ValueError: it would be several levels, a wildcard or nothing.
    """
    if not is_sensor_id(text):
        raise ValueError(f"{text!r} cannot be a level of a topic")
    return text


# --- messages -----------------------------------------------------------------------------------------------------

Counter = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNTER)]


class NativeReading(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One reading as a sensor sends it. Only ``at`` and ``occupied`` are required; unknown members are ignored."""

    seq: Counter | None = None
    """Counts up, one for each reading; may restart."""
    boot: Counter | None = None
    """Counts the restarts."""
    at: int | str
    """Milliseconds since 1970, or RFC 3339 with an offset."""
    occupied: bool
    kind: Kind | None = None
    """Absent: the sender does not say, which is a ``report``."""
    battery_mv: Annotated[int, msgspec.Meta(ge=0, le=65_535)] | None = None
    rssi_dbm: Annotated[int, msgspec.Meta(ge=-300, le=100)] | None = None
    temperature_c: Annotated[float, msgspec.Meta(ge=-150, le=250)] | None = None


class GatewayReading(NativeReading, kw_only=True, omit_defaults=True, gc=False):
    """One element of a gateway's array."""

    sensor: str


_encode = msgspec.json.Encoder().encode


def encode_reading(reading: NativeReading) -> bytes:
    """The message of one reading; the same reading gives the same bytes, so that a retry can be known as one."""
    return _encode(reading)


def encode_gateway(readings: Iterable[GatewayReading]) -> bytes:
    """The message of a gateway.

    Raises:
        ValueError: there are more than ``MAX_READINGS``.
    """
    elements = list(readings)
    if len(elements) > MAX_READINGS:
        raise ValueError(f"a gateway sends at most {MAX_READINGS} readings in one message, not {len(elements)}")
    return _encode(elements)


# --- instants -----------------------------------------------------------------------------------------------------

_DATE_TIME = r"(\d{4}-\d\d-\d\d)[Tt ]((?:[01]\d|2[0-3]):[0-5]\d:)([0-5]\d|60)"
_FRACTION = r"(\.\d{1,30})?"
_OFFSET = r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
_RFC3339 = re.compile(_DATE_TIME + _FRACTION + _OFFSET, re.ASCII)


def parse_instant(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 date and time with offset; what is finer than one is dropped.

    A leap second counts as the first second of the next minute.

    Raises:
        ValueError: it is none, has no offset, or names a day that never was.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError("not an RFC 3339 date and time with an offset")
    if found[3] != "60":
        return milliseconds(datetime.fromisoformat(text.upper()))
    day, minute, _, fraction, offset = found.groups("")
    return milliseconds(datetime.fromisoformat(f"{day}T{minute}59{fraction}{offset.upper()}")) + 1_000

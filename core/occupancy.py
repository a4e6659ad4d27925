"""What a sensor can say of a space: readings, the order among them, and refusals of bytes that say nothing. Pure.

``Reading`` and ``Refusal`` are msgspec structures, not dataclasses: one is built for every message, and a frozen
dataclass costs ten times as much to build.
"""

from enum import StrEnum
from typing import Any

import msgspec


class Occupancy(StrEnum):
    """Whether a vehicle stands in a space. A space out of use is ``closed``, which is a property of the space."""

    OCCUPIED = "occupied"
    FREE = "free"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What a reading asserts."""

    CHANGE = "change"
    """The occupancy changed at ``at``."""
    HEARTBEAT = "heartbeat"
    """The occupancy is so at ``at``; when it began is not said."""
    BOOT = "boot"
    """As a heartbeat, from a sensor that has just started."""
    REPORT = "report"
    """A change where it differs from the reading before it, else a heartbeat: the sender does not say which."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One LoRaWAN radio frame, by which repeats are known whatever time a server gave them."""

    session: str
    """The join: a session key id, or the device address where the server tells no better."""
    f_cnt: int


class Telemetry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a sensor says about itself; never compared when readings are."""

    battery_mv: int | None = None
    battery_pct: int | None = None
    battery_low: bool | None = None
    rssi_dbm: int | None = None
    temperature_c: float | None = None
    firmware: str | None = None


NO_TELEMETRY = Telemetry()

ABSENT = -1
"""What an absent ``boot`` or ``seq`` counts as."""


class Reading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message of one sensor, understood.

    Two readings are the same when sensor, ``at_ms``, ``boot``, ``seq``, ``occupied`` and ``kind`` are.
    """

    sensor: str
    """The sensor's own id: free text, lower-case hex DevEUI or IMEI."""
    at_ms: int
    """When it was so: event time by the sender's clock, milliseconds since 1970."""
    occupied: bool | None
    """None when the message says nothing about the space; it never changes a known state."""
    kind: Kind = Kind.REPORT
    boot: int = ABSENT
    seq: int = ABSENT
    telemetry: Telemetry = NO_TELEMETRY
    frame: Frame | None = None
    raw: bytes = b""
    """The message as it came (of a gateway's array: this element), so that it can be decoded again."""


OrderKey = tuple[int, int, int, str, int, str]


def order_key(reading: Reading) -> OrderKey:
    """Readings of a space sort by this: ``at``, ``boot``, ``seq``; ties by sensor, occupied before free, then kind.

    Readings with the same key are the same reading.
    """
    occupied = reading.occupied
    rank = 0 if occupied else 1 if occupied is not None else 2
    return (reading.at_ms, reading.boot, reading.seq, reading.sensor, rank, reading.kind)


class Reason(StrEnum):
    """Why a message was refused. The words are what operators see and filter by."""

    NOT_JSON = "not-json"
    NOT_A_READING = "not-a-reading"
    TOO_LARGE = "too-large"
    TOO_MANY_READINGS = "too-many-readings"
    UNKNOWN_TOPIC = "unknown-topic"
    UNKNOWN_SENSOR = "unknown-sensor"
    UNKNOWN_CODEC = "unknown-codec"
    BAD_PAYLOAD = "bad-payload"
    NOT_AN_UPLINK = "not-an-uplink"
    NOT_ASSIGNED = "not-assigned"
    CLOCK_NOT_SET = "clock-not-set"
    FROM_THE_FUTURE = "from-the-future"
    REJECTED_BY_DATABASE = "rejected-by-database"


class Refusal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message, or one element of a gateway's array, that makes no reading: kept with the reason, counted, visible."""

    reason: Reason
    detail: str
    """What exactly is wrong, for a person; without the payload itself."""
    sensor: str | None = None
    """The sensor it claims to come from, as far as that could be read."""
    at_ms: int | None = None
    raw: bytes = b""


class PayloadError(Exception):
    """A maker's decoder cannot read these bytes; the message says at which byte and why."""


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """What a maker's decoder reads from one application payload.

    ``fields`` holds every decoded key of that layout (``kind``, ``occupied``, ``temperature_c`` ...), JSON-ready; the
    other members are what the rest of the system uses.
    """

    occupied: bool | None
    kind: Kind
    telemetry: Telemetry = NO_TELEMETRY
    fields: dict[str, Any] = msgspec.field(default_factory=dict)

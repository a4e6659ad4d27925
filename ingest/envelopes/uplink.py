"""What the envelopes have in common: an uplink, its refusal, and careful reading of their fields. Pure."""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Annotated, Final, NoReturn, TypeVar

import msgspec

from core.occupancy import ABSENT, NO_TELEMETRY, Frame, Reason, Telemetry
from core.wire import parse_instant

T = TypeVar("T")

MAX_FRAME_COUNTER: Final = 2**32 - 1
Port = Annotated[int, msgspec.Meta(ge=0, le=255)]
"""A LoRaWAN port. Servers leave 0 out."""


class Uplink(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One application payload of one sensor, unwrapped and not yet decoded."""

    sensor: str
    at_ms: int
    """Event time as the envelope gives it, never the time of arrival."""
    payload: bytes
    f_port: int | None
    frame: Frame | None
    seq: int = ABSENT
    """The LoRaWAN frame counter: it orders readings of one instant, and the same frame always has the same."""
    telemetry: Telemetry = NO_TELEMETRY
    """What the network knows of the sensor; what the sensor says itself goes before it."""


class EnvelopeError(Exception):
    """A message that is no uplink we can read.

    Args:
        reason: the word it is refused with.
        detail: what is wrong, for a person; without the payload itself.
        sensor: whom it claims to come from, as far as that was read.
        at_ms: when, as far as that was read.
    """

    def __init__(self, reason: Reason, detail: str, *, sensor: str | None = None, at_ms: int | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.sensor = sensor
        self.at_ms = at_ms


def refuse(detail: str, *, sensor: str | None = None, reason: Reason = Reason.NOT_A_READING) -> NoReturn:
    """Give up on a message.

    Raises:
        EnvelopeError: always.
    """
    raise EnvelopeError(reason, detail, sensor=sensor)


def read_json(decoder: msgspec.json.Decoder[T], raw: bytes) -> T:
    """``raw`` as the decoder's type.

    Raises:
        EnvelopeError: it is no JSON, or JSON of another shape.
    """
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise EnvelopeError(Reason.NOT_A_READING, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EnvelopeError(Reason.NOT_JSON, str(error)) from error
    except RecursionError as error:
        raise EnvelopeError(Reason.NOT_JSON, "nested too deeply") from error


_DEV_EUI = re.compile(r"[0-9A-Fa-f]{16}")


def read_dev_eui(text: str | None, *, topic: str | None = None) -> str:
    """A DevEUI as our sensor id: 16 lower-case hexadecimal digits.

    Args:
        text: as the message says it.
        topic: as the topic says it, where it does; the broker's access list vouches for the topic alone.

    Raises:
        EnvelopeError: either is none, or they name two devices.
    """
    said = text or topic
    if said is None or _DEV_EUI.fullmatch(said) is None:
        refuse("the device's DevEUI is not 16 hexadecimal digits")
    sensor = said.lower()
    if topic is not None and topic.lower() != sensor:
        refuse("the topic names another device than the message", sensor=sensor)
    return sensor


def read_instant(text: str, name: str, sensor: str) -> int:
    """Milliseconds since 1970 of the field ``name``.

    Raises:
        EnvelopeError: it is no RFC 3339 date and time with an offset.
    """
    try:
        return parse_instant(text)
    except ValueError as error:
        raise EnvelopeError(Reason.NOT_A_READING, f"{name}: {error}", sensor=sensor) from error


def read_base64(text: str, name: str, sensor: str) -> bytes:
    """The bytes that ``text`` stands for.

    Raises:
        EnvelopeError: a character that base64 has not, or a cut group.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise EnvelopeError(Reason.BAD_PAYLOAD, f"{name} is not base64", sensor=sensor) from error


def read_hex(text: str, name: str, sensor: str) -> bytes:
    """The bytes that ``text`` stands for.

    Raises:
        EnvelopeError: a character that is no hexadecimal digit, or half a byte.
    """
    try:
        return binascii.unhexlify(text)
    except ValueError as error:
        raise EnvelopeError(Reason.BAD_PAYLOAD, f"{name} is not hexadecimal", sensor=sensor) from error


def read_frame(session: str | None, f_cnt: int | None, sensor: str) -> Frame | None:
    """The radio frame, by which repeats are known; None where the envelope names no session.

    A counter that is left out is 0: servers leave defaults out.

    Raises:
        EnvelopeError: the counter is not one, or the session's name is not printable.
    """
    counter = f_cnt or 0
    if not 0 <= counter <= MAX_FRAME_COUNTER:
        refuse("the frame counter is not a 32-bit number", sensor=sensor)
    if not session:
        return None
    if _SESSION.fullmatch(session) is None:
        refuse("the name of the LoRaWAN session is not one", sensor=sensor)
    return Frame(session, counter)


_SESSION = re.compile(r"[!-~]{1,128}")


def refuse_commands_alone(f_port: int | None, payload: str | None, sensor: str) -> None:
    """Refuse a frame without port and payload: it carries commands of the network alone, the sensor said nothing.

    Raises:
        EnvelopeError: it is one.
    """
    if not f_port and not payload:
        refuse("no port and no payload: commands of the network alone", sensor=sensor, reason=Reason.NOT_AN_UPLINK)


def best_rssi(values: Iterable[float | None]) -> int | None:
    """Signal of the gateway that heard the frame best, in dBm; None when none says."""
    heard = [rssi for rssi in (whole_within(value, -300, 100) for value in values) if rssi is not None]
    return max(heard, default=None)


def percent(value: float | None) -> int | None:
    """A whole percentage; None when it is none."""
    return whole_within(value, 0, 100)


def whole_within(value: float | None, low: int, high: int) -> int | None:
    """``value`` to the nearest whole number; None when absent or not between ``low`` and ``high``."""
    return None if value is None or not low <= value <= high else round(value)

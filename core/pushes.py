"""What platforms push over HTTP instead of MQTT: which topic a body belongs on. Pure.

The body goes on as it came; only what names its device is read here, and judged where every message is judged.
"""

import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, NoReturn

from core import wire
from core.errors import InvalidError

SITE: Final = "http"
"""The free-text level of topics for which a body names nothing."""


class PushedEnvelope(StrEnum):
    """The envelopes that may be pushed."""

    NATIVE = "native"
    CHIRPSTACK = "chirpstack"
    THINGS_STACK = "things-stack"
    THINGPARK = "thingpark"
    NBIOT = "nbiot"
    SENML = "senml"


class NoDeviceError(InvalidError):
    """The body does not say whose it is, so it has no topic. Carries ``envelope``."""

    slug = "no-device"


class NoUplinkError(Exception):
    """An event of the platform's own (a join, an acknowledgement, a log): right, and nothing for us."""


def topic_of(
    envelope: PushedEnvelope, body: bytes, *, pusher: str, sensor: str | None = None, event: str = "up"
) -> str:
    """The topic that this body would have come on over MQTT.

    Args:
        envelope: how the body is built.
        body: as it was pushed.
        pusher: who pushes; a native array is published as this gateway's.
        sensor: whose it is, where neither body nor envelope says (native, SenML).
        event: ChirpStack names the event in the address, not in the body.

    Raises:
        NoDeviceError: it is no JSON, or names no device that could be a level of a topic.
        NoUplinkError: it is an event of the platform's own.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoDeviceError("the body is not JSON", envelope=envelope.value) from error
    try:
        return _TOPICS[envelope](document, _Named(pusher=pusher, sensor=sensor, event=event))
    except ValueError as error:
        raise NoDeviceError(str(error), envelope=envelope.value) from error


class _Named:
    """What is said beside the body."""

    def __init__(self, *, pusher: str, sensor: str | None, event: str) -> None:
        self.pusher = pusher
        self.sensor = sensor
        self.event = event


def _native(document: Any, named: _Named) -> str:
    if isinstance(document, list):
        return wire.gateway_topic(SITE, named.pusher)
    return wire.reading_topic(SITE, named.sensor or _text(document, "sensor"))


def _chirpstack(document: Any, named: _Named) -> str:
    if named.event != "up":
        raise NoUplinkError
    info = _members(document, "deviceInfo")
    return wire.chirpstack_topic(_text(info, "applicationId", default=SITE), _text(info, "devEui"))


def _things_stack(document: Any, _: _Named) -> str:
    ids = _members(document, "end_device_ids")
    if "uplink_message" not in document:
        raise NoUplinkError
    application = ids.get("application_ids")
    application_id = _text(application, "application_id", default=SITE) if application is not None else SITE
    return wire.things_stack_topic(application_id, SITE, _text(ids, "device_id"))


def _thingpark(document: Any, _: _Named) -> str:
    if isinstance(document, dict) and "DevEUI_uplink" not in document:
        raise NoUplinkError
    return wire.thingpark_topic(_text(_members(document, "DevEUI_uplink"), "DevEUI"))


def _nbiot(document: Any, _: _Named) -> str:
    if isinstance(document, dict) and document.get("messageType", "dataReport") != "dataReport":
        raise NoUplinkError
    return wire.nbiot_topic(_text(document, "productId", default=SITE), _text(document, "deviceId"))


_BASE_NAME: Final = re.compile(r"(?:urn:dev:[a-z]+:)?(.*?)[_:./-]*")


def _senml(document: Any, named: _Named) -> str:
    if named.sensor:
        return wire.senml_topic(named.sensor)
    records = document if isinstance(document, list) else []
    first = next((record for record in records if isinstance(record, dict) and "bn" in record), None)
    found = _BASE_NAME.fullmatch(_text(first, "bn"))
    return wire.senml_topic(found[1] if found else "")


_TOPICS: Final[Mapping[PushedEnvelope, Callable[[Any, _Named], str]]] = {
    PushedEnvelope.NATIVE: _native,
    PushedEnvelope.CHIRPSTACK: _chirpstack,
    PushedEnvelope.THINGS_STACK: _things_stack,
    PushedEnvelope.THINGPARK: _thingpark,
    PushedEnvelope.NBIOT: _nbiot,
    PushedEnvelope.SENML: _senml,
}


def _members(document: Any, name: str) -> dict[str, Any]:
    """The object of this name in an object."""
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, dict):
        _wrong(name)
    return value


def _text(document: Any, name: str, *, default: str | None = None) -> str:
    """The text of this name in an object; numbers count as written."""
    value = document.get(name, default) if isinstance(document, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        _wrong(name)
    return str(value) or (default or "")


def _wrong(name: str) -> NoReturn:
    raise ValueError(f"{name} is missing: without it nobody knows whose this is")

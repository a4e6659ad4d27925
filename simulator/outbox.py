"""From events to messages on topics: each sensor by itself, or a few gateways that speak for many. Pure."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from core.wire import GatewayReading, encode_gateway, encode_reading, gateway_topic, reading_topic
from simulator.messages import Messages
from simulator.sensors import Watched
from simulator.world import Event

READINGS_A_MESSAGE = 50
"""When a gateway has collected so many it does not wait for more."""


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """One message to publish."""

    topic: str
    payload: bytes
    settles_ms: int | None
    """The earliest event that rests on this message; None when it only repeats others."""


class Outbox(Protocol):
    """Collects copies of events and says which messages to publish for them."""

    def add(self, event: Event, *, is_repeat: bool) -> Sequence[Outgoing]:
        """Take one copy of an event; the messages that are complete now."""
        ...

    def flush(self) -> Sequence[Outgoing]:
        """Messages that need not wait any longer."""
        ...


class Singles:
    """Every sensor publishes its own readings, one a message."""

    def __init__(self, watched: Sequence[Watched], messages: Messages) -> None:
        """The site in the topic is the lot."""
        self._messages = messages
        self._topics = [reading_topic(one.lot, one.sensor) for one in watched]

    def add(self, event: Event, *, is_repeat: bool) -> Sequence[Outgoing]:
        """One message, at once."""
        payload = encode_reading(self._messages.reading(event))
        return (Outgoing(self._topics[event.number], payload, None if is_repeat else event.at_ms),)

    def flush(self) -> Sequence[Outgoing]:
        """Nothing ever waits."""
        return ()


class Gateways:
    """``count`` gateways share the sensors; each collects readings and publishes them as an array."""

    def __init__(self, watched: Sequence[Watched], messages: Messages, *, site: str, count: int) -> None:
        """Neighbouring sensors (in the order of the space codes) share a gateway."""
        self._messages = messages
        self._gateway_of = [number * count // len(watched) for number in range(len(watched))]
        self._topics = [gateway_topic(site, f"gw-{number + 1:03d}") for number in range(count)]
        self._elements: list[list[GatewayReading]] = [[] for _ in range(count)]
        self._settles_ms: list[int | None] = [None] * count

    def add(self, event: Event, *, is_repeat: bool) -> Sequence[Outgoing]:
        """Nothing, or the array that this reading fills."""
        gateway = self._gateway_of[event.number]
        self._elements[gateway].append(self._messages.element(event))
        if not is_repeat:
            earliest = self._settles_ms[gateway]
            self._settles_ms[gateway] = event.at_ms if earliest is None else min(earliest, event.at_ms)
        return self._take(gateway) if len(self._elements[gateway]) >= READINGS_A_MESSAGE else ()

    def flush(self) -> Sequence[Outgoing]:
        """What every gateway has collected so far."""
        return [message for gateway, waiting in enumerate(self._elements) if waiting for message in self._take(gateway)]

    def _take(self, gateway: int) -> Sequence[Outgoing]:
        message = Outgoing(self._topics[gateway], encode_gateway(self._elements[gateway]), self._settles_ms[gateway])
        self._elements[gateway] = []
        self._settles_ms[gateway] = None
        return (message,)

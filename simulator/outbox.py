"""From readings to messages on topics: each sensor by itself, or a few gateways that speak for many. Pure."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from core.wire import GatewayReading, encode_gateway, gateway_topic
from simulator.faults.speaking import Said
from simulator.voices import Choir

READINGS_A_MESSAGE = 50
"""When a gateway has collected so many it does not wait for more."""


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """One message to publish."""

    topic: str
    payload: bytes
    settles_ms: int | None
    """The earliest event that rests on this message; None when it only repeats others."""


class Outbox(Protocol):
    """Collects copies of readings and says which messages to publish for them."""

    def add(self, said: Said, *, is_repeat: bool) -> Sequence[Outgoing]:
        """Take one copy of a reading; the messages that are complete now."""
        ...

    def flush(self) -> Sequence[Outgoing]:
        """Messages that need not wait any longer."""
        ...


class Singles:
    """Every sensor publishes its own readings, one a message."""

    def __init__(self, choir: Choir) -> None:
        self._choir = choir

    def add(self, said: Said, *, is_repeat: bool) -> Sequence[Outgoing]:
        """One message, at once."""
        topic, payload = self._choir.message(said)
        return (Outgoing(topic, payload, None if is_repeat else said.due_ms),)

    def flush(self) -> Sequence[Outgoing]:
        """Nothing ever waits."""
        return ()


class Gateways:
    """``count`` gateways share the sensors; each collects readings and publishes them as an array.

    Sensors of other makes speak through their network servers all the same.
    """

    def __init__(self, choir: Choir, *, sensors: int, site: str, count: int) -> None:
        """Neighbouring sensors (in the order of the space codes) share a gateway."""
        self._choir = choir
        self._singles = Singles(choir)
        self._gateway_of = [number * count // sensors for number in range(sensors)]
        self._topics = [gateway_topic(site, f"gw-{number + 1:03d}") for number in range(count)]
        self._elements: list[list[GatewayReading]] = [[] for _ in range(count)]
        self._settles_ms: list[int | None] = [None] * count

    def add(self, said: Said, *, is_repeat: bool) -> Sequence[Outgoing]:
        """Nothing, or the array that this reading fills."""
        element = self._choir.element(said)
        if element is None:
            return self._singles.add(said, is_repeat=is_repeat)
        gateway = self._gateway_of[said.number]
        self._elements[gateway].append(element)
        if not is_repeat:
            earliest = self._settles_ms[gateway]
            self._settles_ms[gateway] = said.due_ms if earliest is None else min(earliest, said.due_ms)
        return self._take(gateway) if len(self._elements[gateway]) >= READINGS_A_MESSAGE else ()

    def flush(self) -> Sequence[Outgoing]:
        """What every gateway has collected so far."""
        return [message for gateway, waiting in enumerate(self._elements) if waiting for message in self._take(gateway)]

    def _take(self, gateway: int) -> Sequence[Outgoing]:
        message = Outgoing(self._topics[gateway], encode_gateway(self._elements[gateway]), self._settles_ms[gateway])
        self._elements[gateway] = []
        self._settles_ms[gateway] = None
        return (message,)

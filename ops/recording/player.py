"""``parking replay FILE``: what was recorded is published again, at its pace or faster, into an empty installation.

Event times are in the messages, so readings and sessions are those of then, whenever it is played. Only what had been
refused as dated ahead of its arrival would be accepted now, as its time has come; such messages are held back.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import asyncpg
from paho.mqtt.client import Client, MQTTMessageInfo

from core.errors import ConflictError, UnavailableError
from core.occupancy import Reading
from ingest.decode import check_time, decode
from ingest.registry import Registry, load_registry
from ops.recording.broker import IN_FLIGHT, connected
from ops.recording.file import Recorded

ACKNOWLEDGED_WITHIN_SECONDS: Final = 120.0
AS_FAST_AS_IT_GOES: Final = 0.0


class NotEmptyError(ConflictError):
    """The installation has readings already; nothing was published."""

    slug = "not-empty"


@dataclass(slots=True, kw_only=True)
class Played:
    """What a replay of a file published."""

    published: int = 0
    held_back: int = 0
    """Dated too far ahead of their arrival then."""
    _sent: list[MQTTMessageInfo] = field(default_factory=list, repr=False)

    def send(self, client: Client, message: Recorded) -> None:
        """Publish one, with a bounded number of them unacknowledged."""
        self._sent.append(client.publish(message.topic, message.payload, qos=1))
        self.published += 1
        if len(self._sent) >= IN_FLIGHT:
            self.settle()

    def settle(self) -> None:
        """Wait until the broker has all.

        Raises:
            UnavailableError: it does not take them.
        """
        for info in self._sent:
            try:
                info.wait_for_publish(ACKNOWLEDGED_WITHIN_SECONDS)
            except RuntimeError as error:
                raise UnavailableError(f"the broker does not take the messages: {error}") from error
        self._sent.clear()


async def load_terms(db: asyncpg.Connection) -> Registry:
    """The registry by which messages are read, of an installation that has heard nothing yet.

    Raises:
        NotEmptyError: it has.
    """
    if await db.fetchval("SELECT EXISTS (SELECT FROM reading)"):
        raise NotEmptyError(
            "this installation has readings already; play a recording into an empty one with the same city: "
            "parking up --state OTHER, parking city import FILE"
        )
    return await load_registry(db)


def play(
    url: str,
    messages: Iterable[Recorded],
    registry: Registry,
    *,
    speed: float,
    tolerance_ms: int,
    show: Callable[[int], None],
) -> Played:
    """Publish messages in their order.

    Args:
        url: the broker, as a user that may publish everything.
        messages: of a recording.
        registry: by which they are read, to find those that were ahead of their arrival.
        speed: so many times as fast as they came; 0: as fast as the broker takes them.
        tolerance_ms: so far ahead of its arrival a reading may be.
        show: told how many are published, from time to time.
    """
    played = Played()
    with connected(url) as client:
        began, first_ms = time.monotonic(), None
        for message in messages:
            first_ms = message.received_ms if first_ms is None else first_ms
            if _was_ahead(message, registry, tolerance_ms):
                played.held_back += 1
                continue
            if speed != AS_FAST_AS_IT_GOES:
                due = began + (message.received_ms - first_ms) / 1_000 / speed
                if due > time.monotonic():
                    show(played.published)
                    time.sleep(due - time.monotonic() if due > time.monotonic() else 0)
            played.send(client, message)
            if played.published % IN_FLIGHT == 0:
                show(played.published)
        played.settle()
    show(played.published)
    return played


def _was_ahead(message: Recorded, registry: Registry, tolerance_ms: int) -> bool:
    return any(
        isinstance(item, Reading) and check_time(item, message.received_ms, tolerance_ms) is not None
        for item in decode(message.topic, message.payload, registry=registry)
    )

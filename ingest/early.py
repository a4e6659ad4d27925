"""Readings refused as from the future, by when they first came: repeated later they are still that early (S2).

Without this a repetition would be accepted once its instant has come, and whether a message is repeated would decide
what a session is. Kept in memory within a bound, and read again from the refusals after a start.
"""

from collections.abc import Iterator
from typing import Final

import asyncpg

from core.occupancy import OrderKey, Reading, Reason, order_key
from ingest.decode import Registry, decode_again

KEPT: Final = 50_000
"""Most that are remembered; a hostile sender pushes out the oldest."""


class EarlyReadings:
    """First arrivals of readings that were refused because they lay ahead."""

    def __init__(self) -> None:
        self._first_ms: dict[OrderKey, int] = {}

    @property
    def is_any(self) -> bool:
        """Whether there is any."""
        return bool(self._first_ms)

    def first_arrival(self, key: OrderKey, received_ms: int) -> int:
        """When this reading was first received: now, unless it was refused before."""
        return self._first_ms.get(key, received_ms)

    def remember(self, key: OrderKey, received_ms: int) -> None:
        """It has just been refused."""
        if key not in self._first_ms:
            while len(self._first_ms) >= KEPT:
                del self._first_ms[next(iter(self._first_ms))]
            self._first_ms[key] = received_ms


async def load_early(db: asyncpg.Connection, registry: Registry) -> EarlyReadings:
    """Those among the newest refusals; decoded again, as only the bytes were kept."""
    early = EarlyReadings()
    rows = await db.fetch(
        """
        SELECT topic, payload, first_received_at FROM refusal
        WHERE reason = $1 AND resolved_at IS NULL ORDER BY last_received_at DESC LIMIT $2
        """,
        Reason.FROM_THE_FUTURE.value,
        KEPT,
    )
    for row in reversed(rows):
        for reading in _readings(row["topic"], row["payload"], registry):
            early.remember(order_key(reading), row["first_received_at"])
    return early


def _readings(topic: str, payload: bytes, registry: Registry) -> Iterator[Reading]:
    for item in decode_again(topic, payload, registry=registry):
        if isinstance(item, Reading):
            yield item

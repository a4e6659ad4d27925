"""The writer without a broker: batches handed to it directly, at instants of the test's own choosing."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from core.clock import instant
from ingest.database import connect
from ingest.inbox import Message
from ingest.writer import OvertakenError, Writer, Written
from tests.support.street import plant

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
PREFIX = "s"


@dataclass(slots=True)
class StandingClock:
    """A clock that stands until it is set."""

    ms: int
    speed: float = 1.0

    def now_ms(self) -> int:
        return self.ms

    def now(self) -> datetime:
        return instant(self.ms)


@dataclass(slots=True, kw_only=True)
class Desk:
    """A writer with a connection and a clock; ``KL-001`` is watched by ``s-001`` and so on."""

    db: asyncpg.Connection
    clock: StandingClock
    writer: Writer

    async def send(self, *readings: dict[str, object]) -> Written:
        """Write readings of the native format (``sensor``, ``at``, ``occupied`` ...) as one batch."""
        batch = [
            Message(f"parking/x/{reading['sensor']}/up", json.dumps(reading).encode(), self.clock.ms, 1, number, 1)
            for number, reading in enumerate(readings, start=1)
        ]
        return await self.write(batch)

    async def write(self, batch: list[Message]) -> Written:
        """Write messages as the pipeline does: again when overtaken."""
        while True:
            try:
                return await self.writer.write(self.db, batch)
            except OvertakenError:
                await self.writer.load(self.db)

    async def sessions(self, *, space: str = "KL-001", with_void: bool = False) -> list[tuple[object, ...]]:
        """``(id, begin, end)`` of a space's sessions, oldest first."""
        rows = await self.db.fetch(
            """
            SELECT session.id, entered_at, left_at FROM parking_session AS session
            JOIN space ON space.id = session.space_id
            WHERE space.code = $1 AND ($2 OR status <> 'void') ORDER BY entered_at
            """,
            space,
            with_void,
        )
        return [tuple(row) for row in rows]

    async def times(self, *, space: str = "KL-001") -> list[tuple[object, ...]]:
        """Begin and end of a space's sessions, oldest first."""
        return [row[1:] for row in await self.sessions(space=space)]


@asynccontextmanager
async def open_desk(url: str, *, now_ms: int, spaces: int = 5) -> AsyncIterator[Desk]:
    """Plant a street and open a desk for it."""
    db = await connect(url)
    await plant(db, PREFIX, spaces)
    clock = StandingClock(now_ms)
    writer = Writer(clock, future_tolerance_seconds=300)
    await writer.load(db)
    try:
        yield Desk(db=db, clock=clock, writer=writer)
    finally:
        await db.close()


def stay(sensor: str, begin_ms: int, end_ms: int | None) -> Iterable[dict[str, object]]:
    """The changes that make one stay."""
    yield {"sensor": sensor, "at": begin_ms, "occupied": True, "kind": "change"}
    if end_ms is not None:
        yield {"sensor": sensor, "at": end_ms, "occupied": False, "kind": "change"}

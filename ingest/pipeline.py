"""The whole life of a message, readable in one place: inbox, transaction, acknowledgement; again after any failure."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, NamedTuple

import asyncpg
import structlog

from core.clock import Clock
from ingest import metrics
from ingest.database import DATA_ERRORS, connect
from ingest.inbox import Inbox, Message
from ingest.isolating import write_isolating
from ingest.preparing import Prepared
from ingest.writer import OvertakenError, Writer, Written

log = structlog.get_logger()

IDLE_SECONDS: Final = 0.5
"""How often to look for what is due when no message comes."""
RETRY_SECONDS: Final = (0.1, 5.0)
"""First and longest wait after a failure, doubled between."""

ACKNOWLEDGED_AT_ONCE: Final = 200
"""After so many acknowledgements the event loop has its turn: half a millisecond."""

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
)
"""What a database that is away, starting, stopping, full or busy answers: nothing is wrong with the batch.

Killed at the right moment, it leaves the library's connection in a state of which it complains as of a bug of its own
(``InternalClientError``); the connection is given up in any case.
"""


class Taken(NamedTuple):
    """A batch out of the inbox; empty when nothing came."""

    batch: Sequence[Message]
    prepared: Prepared | None


NOTHING: Final = Taken((), None)


class Pipeline:
    """Drains the inbox into the database, for as long as the inbox lives."""

    def __init__(self, url: str, writer: Writer, *, ack: Callable[[Sequence[Message]], int], clock: Clock) -> None:
        self._url = url
        self._writer = writer
        self._ack = ack
        self._clock = clock
        self._db: asyncpg.Connection | None = None
        self._is_stale = True
        self._is_writing = asyncio.Event()
        """Whether the batch at hand is being written, or is over: the next may be prepared, or must wait its turn."""
        self._is_free = asyncio.Event()
        """Whether no batch is at hand."""
        self.attempt_began: float | None = None
        """When the transaction being tried began, on the monotonic clock; None while none is tried."""
        self.idle_since: float | None = time.monotonic()
        """Since when everything received is written and acknowledged; None while there is work."""

    async def drain(self, inbox: Inbox) -> None:
        """Write every batch, acknowledge it after its commit, and never give one up.

        While the database writes one, the next is taken out of the inbox and prepared.
        """
        batches = inbox.batches(idle_seconds=IDLE_SECONDS, is_free=self._is_free)
        self._is_writing.set()
        self._is_free.set()
        following_up = asyncio.create_task(self._follow_up((), None))
        taken = await self._take(batches)
        while taken is not None:
            self._note_idleness(is_idle=not taken.batch)
            self._is_writing.clear()
            self._is_free.clear()
            ahead = asyncio.create_task(self._take(batches))
            try:
                is_written = await self._write_until_done(taken, inbox)
            except BaseException:
                ahead.cancel()
                raise
            finally:
                self._is_writing.set()
                self._is_free.set()
            if not is_written:
                ahead.cancel()
                log.warning("batch.left_to_the_broker", messages=len(taken.batch) + len(inbox))
                break
            following_up = asyncio.create_task(self._follow_up(taken.batch, following_up))
            metrics.waiting.set(len(inbox))
            taken = await ahead
        await following_up
        while taken is None and self._writer.has_news:
            if not await self._write_until_done(NOTHING, inbox):
                break
        if self._db is not None:
            await self._db.close()

    async def _take(self, batches: AsyncIterator[Sequence[Message]]) -> Taken | None:
        """The next batch, prepared if there is one being written behind which that can be done; None after the last."""
        batch = await anext(batches, None)
        if batch is None:
            return None
        await self._is_writing.wait()
        can_prepare = batch and self._writer.may_look_ahead
        return Taken(batch, await self._writer.prepare(batch) if can_prepare else None)

    async def _follow_up(self, batch: Sequence[Message], before: asyncio.Task[None] | None) -> None:
        """What follows a commit, in slices, as the database is given the next batch: acknowledgements, then vitals.

        Never before what followed the commit ``before``, as acknowledgements go out in the order of arrival.
        """
        if before is not None:
            await before
        for first in range(0, len(batch), ACKNOWLEDGED_AT_ONCE):
            self._ack(batch[first : first + ACKNOWLEDGED_AT_ONCE])
            await asyncio.sleep(0)
        await self._writer.note_vitals()

    def _note_idleness(self, *, is_idle: bool) -> None:
        if not is_idle:
            self.idle_since = None
        elif self.idle_since is None:
            self.idle_since = time.monotonic()

    def break_off(self) -> None:
        """Give up the transaction being tried, as the database neither answers nor fails; it is tried again."""
        metrics.broken_off.inc()
        if self._db is not None:
            self._db.terminate()

    async def _write_until_done(self, taken: Taken, inbox: Inbox) -> bool:
        """Try until it is written; False when the database is away and the process is to end: it will come again."""
        wait_seconds = RETRY_SECONDS[0]
        while True:
            self.attempt_began = time.monotonic()
            try:
                db = await self._connected()
                if taken.batch:
                    await self._write(db, taken)
                await self._writer.announce_due(db)
                await self._writer.store_vitals(db, is_idle=not taken.batch)
            except OvertakenError:
                metrics.retries.labels("overtaken").inc()
                log.info("batch.overtaken", messages=len(taken.batch))
                self._is_stale = True
            except DATA_ERRORS:  # asyncpg's own is an interface error, too, and would be tried again for ever
                raise
            except AWAY as error:
                metrics.retries.labels("database").inc()
                log.warning("database.away", why=f"{type(error).__name__}: {error}", waiting_seconds=wait_seconds)
                await self._disconnect()
                if inbox.is_closed:
                    return False
                await asyncio.sleep(wait_seconds)
                wait_seconds = min(2 * wait_seconds, RETRY_SECONDS[1])
            else:
                return True
            finally:
                self.attempt_began = None

    async def _write(self, db: asyncpg.Connection, taken: Taken) -> None:
        began = time.perf_counter()

        def report(written: Written) -> None:
            metrics.count(written)
            if written.newest_ms:
                metrics.lag_seconds.observe(max(0, self._clock.now_ms() - written.newest_ms) / 1_000)

        await write_isolating(
            self._writer, db, taken.batch, report, prepared=taken.prepared, meanwhile=self._is_writing.set
        )
        metrics.commit_seconds.observe(time.perf_counter() - began)
        metrics.last_message_at.set(taken.batch[-1].received_ms / 1_000)
        metrics.committed_at.set(time.time())

    async def _connected(self) -> asyncpg.Connection:
        if self._db is None or self._db.is_closed():
            self._db = await connect(self._url)
            await self._db.add_listener("parking_registry", self._on_registry)
            self._is_stale = True
        if self._is_stale:
            self._is_stale = False
            await self._writer.load(self._db)
        return self._db

    async def _disconnect(self) -> None:
        self._is_stale = True
        if self._db is not None:
            self._db.terminate()
            self._db = None

    def _on_registry(self, *_: object) -> None:
        log.info("registry.changed")
        self._is_stale = True

"""Which of several ingests holds the broker session: the one that holds a lock in the database; the others stand by.

Two clients of one name would throw each other out of the broker for ever. The lock lives on a connection of its own
and ends with it, so a killed holder is followed within a second. Correctness never rests on it: should two write at
once (a holder that does not know yet), versions guard the states and acknowledgements the messages.
"""

import asyncio
import zlib
from collections.abc import Callable
from typing import Final

import asyncpg
import structlog

from core.db import NOTICED_DEAD, plain_url
from ingest import metrics

log = structlog.get_logger()

LOCKS_OF_INGEST: Final = 0x1A6E57
"""First half of the lock's key; the second tells one broker session from another."""
LOOK_EVERY_SECONDS: Final = 0.5
ANSWER_WITHIN_SECONDS: Final = 5.0

_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Leadership:
    """This process's claim to one broker session."""

    def __init__(self, url: str, session: str) -> None:
        self._url = plain_url(url)
        self._key = zlib.crc32(session.encode()) - (1 << 31)
        self._db: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self._held = False
        """A lock once taken is lost with its connection, and not before."""
        self._said = ""

    async def won(self) -> None:
        """Return once the lock is ours, as the database says now; for ever waiting while another has it."""
        while True:
            if await self._take():
                return
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def keep(self, on_lost: Callable[[], None]) -> None:
        """Look after the lock until cancelled; call ``on_lost`` when another has it after all.

        While the database is away nobody can have it, and what was received meanwhile waits here as well as anywhere.
        """
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_SECONDS)
                if not await self._take() and self._db is not None:
                    on_lost()
        finally:
            metrics.leads.set(0)
            if self._db is not None:
                self._db.terminate()

    async def _take(self) -> bool:
        """Whether we hold the lock, taking it if it is free; False, too, when the database does not answer."""
        async with self._turn:
            try:
                async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                    held = await self._ask()
            except _AWAY as error:
                self._say("ingest.cannot_tell_who_leads", why=f"{type(error).__name__}: {error}")
                if self._db is not None:
                    self._db.terminate()
                self._db, self._held = None, False
                return False
        self._say("ingest.leads" if held else "ingest.stands_by")
        metrics.leads.set(held)
        return held

    async def _ask(self) -> bool:
        if self._db is None:
            settings = {"application_name": "parking-ingest-leader", **NOTICED_DEAD}
            self._db = await asyncpg.connect(self._url, timeout=ANSWER_WITHIN_SECONDS, server_settings=settings)
        if self._held:
            await self._db.execute("SELECT 1")
        else:
            self._held = await self._db.fetchval("SELECT pg_try_advisory_lock($1, $2)", LOCKS_OF_INGEST, self._key)
        return self._held

    def _say(self, event: str, **facts: str) -> None:
        """Log what has changed, once."""
        if event != self._said:
            self._said = event
            log.info(event, **facts)

"""How the city in memory follows the tables: woken by NOTIFY after a commit, resynchronised after a lost connection.

Two loops share the city: one reads what was written, the other shows it, at most once a second. Time passes in the
second even when the database is away, so that a picture nobody can renew turns unknown by itself.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import asyncpg
import structlog

from api.away import AWAY
from api.live_city.loading import (
    fetch_horizon,
    load_counts,
    load_registry,
    load_states,
    load_turnover,
)
from api.live_city.prices import fetch_prices
from api.live_city.showing import Showing
from core.clock import Clock
from core.db import Database, plain_url

log = structlog.get_logger()

SHOW_EVERY_SECONDS: Final = 1.0
BEAT_EVERY_SECONDS: Final = 15.0
"""A connection without changes still shows that it lives."""
READ_EVERY_SECONDS: Final = 0.1
"""Bursts of commits are read together."""
LOOK_EVERY_SECONDS: Final = 5.0
"""The safety net under NOTIFY, and the test whether the listening connection lives."""
RELOAD_EVERY_SECONDS: Final = 300.0
"""The safety net under ``parking_registry``; also brings assignments that begin by themselves."""
ANSWER_WITHIN_SECONDS: Final = 10.0
RETRY_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)


class Following:
    """Keeps one process's city current for as long as ``run`` runs."""

    def __init__(
        self, database: Database, clock: Clock, showing: Showing, on_payment: Callable[[str], None] = lambda _: None
    ) -> None:
        """Read from ``database``, show through ``showing``; ``on_payment`` hears which payment changed, "" for any."""
        self._database = database
        self._on_payment = on_payment
        self._clock = clock
        self._showing = showing
        self._written = asyncio.Event()
        self._imported = False
        self._horizon = 0
        self._synced = float("-inf")

    @property
    def age_seconds(self) -> float:
        """How long ago the tables were last read; infinite before the first time."""
        return time.monotonic() - self._synced

    async def run(self) -> None:
        """Read and show until cancelled; a bug in either is logged, and both begin again with everything read anew."""
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._read_forever(), name="read the tables")
                    tasks.create_task(self._show_forever(), name="show the city")
            except* Exception:
                log.exception("city.failed")
            await asyncio.sleep(SHOW_EVERY_SECONDS)

    async def _read_forever(self) -> None:
        failures = 0
        while True:
            try:
                async with self._listening() as connection:
                    await self._reload()
                    log.info("city.loaded", **self._showing.size())
                    failures = 0
                    await self._read_on(connection)
            except AWAY as error:
                pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                failures += 1
                log.warning("database.lost", error=repr(error), retry_seconds=pause)
                await asyncio.sleep(pause)

    async def _read_on(self, connection: asyncpg.Connection) -> None:
        reload_at = time.monotonic() + RELOAD_EVERY_SECONDS
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self._written.wait()
            except TimeoutError:
                await connection.execute("SELECT 1", timeout=ANSWER_WITHIN_SECONDS)
            self._written.clear()
            if connection.is_closed():
                raise ConnectionResetError("the listening connection was cut")
            if self._imported or time.monotonic() >= reload_at:
                await self._reload()
                reload_at = time.monotonic() + RELOAD_EVERY_SECONDS
            else:
                await self._read_news()
            await asyncio.sleep(READ_EVERY_SECONDS)

    async def _reload(self) -> None:
        """Everything, from a snapshot taken after we began to listen."""
        self._imported = False
        async with asyncio.timeout(ANSWER_WITHIN_SECONDS * 6), self._database.transaction() as db:
            now = self._clock.now()
            horizon = await fetch_horizon(db)
            registry = await load_registry(db, now)
            states = await load_states(db)
            counts = await load_counts(db)
            turnover = await load_turnover(db, now)
            prices = await fetch_prices(db, {lot.tariff for lot in registry.lots if lot.tariff}, now)
        await self._showing.rebuild(registry, states, counts, turnover, prices)
        self._horizon = horizon
        self._synced = time.monotonic()

    async def _read_news(self) -> None:
        async with asyncio.timeout(ANSWER_WITHIN_SECONDS), self._database.transaction() as db:
            horizon = await fetch_horizon(db)
            states = await load_states(db, self._horizon)
            counts = await load_counts(db)
        self._showing.take(states, counts)
        self._horizon = horizon
        self._synced = time.monotonic()

    async def _show_forever(self) -> None:
        beat_at = time.monotonic() + BEAT_EVERY_SECONDS
        while True:
            if self._showing.show():
                beat_at = time.monotonic() + BEAT_EVERY_SECONDS
            elif time.monotonic() >= beat_at:
                self._showing.stream.beat()
                beat_at = time.monotonic() + BEAT_EVERY_SECONDS
            await asyncio.sleep(SHOW_EVERY_SECONDS)
            # after a quiet second the next change is shown at once; without one, time alone may change the picture
            with suppress(TimeoutError):
                async with asyncio.timeout(SHOW_EVERY_SECONDS):
                    await self._showing.touched.wait()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(
            plain_url(self._database.url),
            timeout=ANSWER_WITHIN_SECONDS,
            server_settings={"application_name": "parking-api-listen"},
        )
        try:
            connection.add_termination_listener(lambda _: self._written.set())
            await connection.add_listener("parking_state", self._on_state)
            await connection.add_listener("parking_registry", self._on_registry)
            await connection.add_listener("parking_payment", lambda *heard: self._on_payment(str(heard[-1])))
            self._on_payment("")
            yield connection
        finally:
            connection.terminate()

    def _on_state(self, *_: object) -> None:
        self._written.set()

    def _on_registry(self, *_: object) -> None:
        self._imported = True
        self._written.set()

"""``parking bench instead``: ingest beside what one would do without it, the same messages, and a kill in the middle.

Neither of the others recognises a repeat, sorts what comes late, keeps a state or makes a session: they only store.
"""

import asyncio
import os
import shlex
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from core.clock import RealClock
from core.db import plain_url
from core.errors import UnavailableError
from ops.bench import broker
from ops.bench.ingest import BEHIND_MS, Show
from ops.bench.load import Load, single_load
from ops.bench.naive import CREATE, TABLE
from ops.bench.report import Report, Row
from ops.bench.surroundings import Surroundings
from ops.services.settings import ServiceSettings
from ops.services.ways import find_psql
from ops.state import State

CLIENT_ID: Final = "bench-instead"
SPACES: Final = 2_300
LOOK_EVERY_SECONDS: Final = 0.02
QUIET_SECONDS: Final = 3.0
"""What has not come for so long does not come any more."""
GIVE_UP_SECONDS: Final = 120.0

INGEST: Final = "ingest"


@dataclass(frozen=True, slots=True, kw_only=True)
class InsteadPlan:
    """How much is sent."""

    messages: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to bring messages into a table."""

    what: str
    kind: str
    stored: str
    """Rows ``(topic, text)`` of what is stored."""

    def all_of(self, load: Load) -> int:
        """How many rows there are when all is stored: only ingest knows a repeat."""
        return load.distinct if self.kind == INGEST else load.readings


WAYS: Final = (
    Way(what="ingest", kind=INGEST, stored="SELECT topic, convert_from(raw, 'UTF8') FROM reading"),
    Way(what="a callback, one INSERT a message", kind="insert", stored=f"SELECT topic, payload FROM {TABLE}"),  # noqa: S608 - no value of anybody's
    Way(what="a subscriber piped into psql", kind="print", stored=f"SELECT topic, payload FROM {TABLE}"),  # noqa: S608 - as above
)


async def bench_instead(at: Surroundings, plan: InsteadPlan, show: Show) -> Report:
    """Each way twice: undisturbed for its rate, then killed once it has stored half."""
    report = Report(bench="instead")
    first: float | None = None
    for way in WAYS:
        run = _Run(at=at, way=way, plan=plan, show=show)
        rate = await run.rate()
        lost, twice = await run.killed()
        report.add(
            Row(
                what=way.what,
                value=rate,
                unit="messages/s",
                ratio=None if first is None else rate / first,
                against="" if first is None else "ingest",
            )
        )
        note = "killed in the middle, started again"
        wish = 0 if way.kind == INGEST else None
        report.add(Row(what="  lost", value=lost, unit="messages", at_most=wish, note=note))
        report.add(Row(what="  stored twice", value=twice, unit="messages", at_most=wish, note=note))
        first = first or rate
    return report


@dataclass(slots=True, kw_only=True)
class _Run:
    """One way, under load."""

    at: Surroundings
    way: Way
    plan: InsteadPlan
    show: Show

    async def rate(self) -> float:
        """Messages a second, from the first that is stored to the last."""
        async with self._queued() as (url, db, load), self._started(url):
            began_with, began = await self._until(db, lambda stored: stored > 0), time.perf_counter()
            stored = await self._until(db, lambda stored: stored >= self.way.all_of(load))
            seconds = time.perf_counter() - began
        return max(1, stored - began_with) / max(LOOK_EVERY_SECONDS, seconds)

    async def killed(self) -> tuple[int, int]:
        """How many messages were lost, and how many stored twice, by a kill -9 of everything in the middle."""
        async with self._queued() as (url, db, load):
            async with self._started(url):
                await self._until(db, lambda stored: 2 * stored >= self.way.all_of(load))
            async with self._started(url):
                await self._until_quiet(db, load)
            rows = await db.fetch(self.way.stored)
        stored = Counter((row[0], row[1]) for row in rows)
        sent = Counter((topic, payload.decode()) for topic, payload in load.messages)
        lost = sum(1 for message in sent if not stored[message])
        return lost, sum(max(0, times - sent[message]) for message, times in stored.items())

    @asynccontextmanager
    async def _queued(self) -> AsyncIterator[tuple[str, asyncpg.Connection, Load]]:
        """A city's database, and messages that wait for the session."""
        endpoints = self.at.endpoints
        load = single_load(spaces=SPACES, readings=self.plan.messages, until_ms=RealClock().now_ms() - BEHIND_MS)
        self.show(f"{self.way.what}: filling the broker's queue")
        async with self.at.city(SPACES) as url:
            db = await asyncpg.connect(plain_url(url))
            await db.execute(CREATE)
            urls = (endpoints.mqtt_ingest_url, endpoints.mqtt_tester_url)
            await asyncio.to_thread(broker.queue_up, urls, CLIENT_ID, load.messages, lambda _: None)
            yield url, db, load
            await db.close()
        await asyncio.to_thread(broker.forget, endpoints.mqtt_ingest_url, CLIENT_ID)

    @asynccontextmanager
    async def _started(self, url: str) -> AsyncIterator[None]:
        """The way at work; killed at the end, with all its processes."""
        log = (self.at.state.logs / "bench-instead.log").open("ab")
        mqtt_url = self.at.endpoints.mqtt_ingest_url
        if self.way.kind == INGEST:
            command, told = f"exec {sys.executable} -m ingest", b""
        else:
            command = f"exec {sys.executable} -u -m ops.bench.naive {self.way.kind} {CLIENT_ID}"
            told = f"{plain_url(url)}\n{mqtt_url}\n".encode()
        if self.way.kind == "print":
            command = (
                f'{command.removeprefix("exec ")} | {shlex.quote(str(_psql(self.at.state)))} --quiet "$BENCH_DATABASE"'
            )
        environment = {
            **os.environ,
            "PARKING_DATABASE_URL": url,
            "PARKING_MQTT_URL": mqtt_url,
            "PARKING_MQTT_CLIENT_ID": CLIENT_ID,
            "PARKING_CLOCK": "",
            "BENCH_DATABASE": plain_url(url),
        }
        process = await asyncio.create_subprocess_shell(
            command, env=environment, stdin=PIPE, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        process.stdin.write(told)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _until(self, db: asyncpg.Connection, fact: Callable[[int], bool]) -> int:
        ends_at = time.monotonic() + GIVE_UP_SECONDS
        while not fact(stored := await self._stored(db)):
            self.show(self.way.what, stored, self.plan.messages)
            if time.monotonic() > ends_at:
                raise UnavailableError(f"{self.way.what} stored only {stored}: see {self.at.state.logs}")
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        return stored

    async def _until_quiet(self, db: asyncpg.Connection, load: Load) -> None:
        """Until everything is there, or nothing more comes."""
        stored, since = -1, time.monotonic()
        while time.monotonic() - since < QUIET_SECONDS:
            now = await self._stored(db)
            if now != stored:
                stored, since = now, time.monotonic()
            if now >= self.way.all_of(load):
                return
            self.show(f"{self.way.what}: after the kill", now, self.plan.messages)
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def _stored(self, db: asyncpg.Connection) -> int:
        rows: int = await db.fetchval(f"SELECT count(*) FROM ({self.way.stored}) AS row")  # noqa: S608 - as above
        return rows


def _psql(state: State) -> Path:
    """Raises: UnavailableError if there is none."""
    found = find_psql(ServiceSettings.read(state))
    if found is None:
        raise UnavailableError("psql is not on this machine; on Debian: apt-get install postgresql-client")
    return found

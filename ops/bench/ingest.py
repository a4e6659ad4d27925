"""``parking bench ingest``: how fast readings are written down for good, beside what paho and the database can take.

Everything is measured with the queue of a persistent session filled before, so that the sender is out of the picture:
the *drain* acknowledges every message and does nothing else; ingest decodes, stores once, moves states and sessions on
and acknowledges after the commit.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import asyncpg

from core.clock import RealClock
from core.db import plain_url
from core.errors import UnavailableError
from ops.bench import broker
from ops.bench.limits import copy_limit, insert_limit, one_by_one_limit
from ops.bench.load import READINGS_A_GATEWAY_MESSAGE, Load, gateway_load, single_load
from ops.bench.report import Report, Row
from ops.bench.running import Ran, follow, ingest_process
from ops.bench.surroundings import Surroundings

CLIENT_ID: Final = "parking-bench"
GATEWAY_READINGS: Final = 4
"""So many times more readings by gateways, as their messages are few."""
BEHIND_MS: Final = 60_000
"""The newest reading of a load lies so far behind the present."""


class Show(Protocol):
    """How progress is shown."""

    def __call__(self, words: str, done: int = 0, of: int | None = None) -> None:
        """What is being done, and how much of it is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure."""

    sizes: Sequence[int]
    """Spaces of the city; the first is what the others are compared with."""
    readings: int
    rounds: int
    """The fastest of so many counts, of the drain and of ingest alike."""
    profile: Path | None = None
    """Where to leave the profile of the last ingest; its figures are then worth nothing."""


async def bench_ingest(at: Surroundings, plan: Plan, show: Show) -> Report:
    """Measure all of it, one after the other."""
    report = Report(bench="ingest")
    bench = _Bench(at=at, plan=plan, show=show)
    single = bench.load(single_load, plan.sizes[0])
    drained = await bench.drained(single)
    report.add(Row(what="drain: paho acknowledges", value=drained, unit="messages/s", note="a limit"))
    async with at.city(plan.sizes[0]) as url:
        show("the database alone")
        for words, measure, note in _LIMITS:
            report.add(Row(what=words, value=await measure(url, single), unit="rows/s", note=note))
    first: Ran | None = None
    for spaces in plan.sizes:
        ran = await bench.ingested(bench.load(single_load, spaces), spaces)
        report.add(_rate_row(ran, spaces, drained, first))
        report.add(Row(what="  CPU of the process", value=ran.process_us, unit="µs each"))
        report.add(Row(what="  CPU of its backend", value=ran.database_us, unit="µs each"))
        report.add(_memory_row(ran, spaces, first, plan.sizes[0]))
        first = first or ran
    assert first is not None  # noqa: S101 - a plan has a size
    report.add(await _gateway_row(bench, first))
    return report


_LIMITS: Final = (
    ("COPY of the rows alone", copy_limit, "a limit"),
    ("INSERT of the rows alone", insert_limit, "a limit"),
    ("INSERT and commit each row", one_by_one_limit, "the limit of a callback that stores its message"),
)


async def _gateway_row(bench: "_Bench", single: Ran) -> Row:
    spaces = bench.plan.sizes[0]
    ran = await bench.ingested(bench.load(gateway_load, spaces, GATEWAY_READINGS), spaces)
    rate = ran.messages_per_second * READINGS_A_GATEWAY_MESSAGE
    return Row(
        what=f"ingest, {READINGS_A_GATEWAY_MESSAGE} readings a message",
        value=rate,
        unit="readings/s",
        ratio=rate / single.messages_per_second,
        against="single messages",
        at_least=2.0,
    )


def _rate_row(ran: Ran, spaces: int, drained: float, first: Ran | None) -> Row:
    what, rate = f"ingest, {spaces:,} spaces", ran.messages_per_second
    if first is None:
        return Row(what=what, value=rate, unit="messages/s", ratio=rate / drained, against="the drain", at_least=0.5)
    ratio = rate / first.messages_per_second
    return Row(what=what, value=rate, unit="messages/s", ratio=ratio, against="the first city", at_least=0.8)


def _memory_row(ran: Ran, spaces: int, first: Ran | None, first_spaces: int) -> Row:
    megabytes = ran.memory_bytes / 1e6
    if first is None:
        return Row(what="  memory", value=megabytes, unit="MB")
    more_kb = (ran.memory_bytes - first.memory_bytes) / 1e3 / (spaces - first_spaces)
    return Row(
        what="  memory",
        value=megabytes,
        unit="MB",
        ratio=ran.memory_bytes / first.memory_bytes * first_spaces / spaces,
        against="the spaces' growth",
        at_most=1.0,
        note=f"{more_kb:.1f} kB a space",
    )


@dataclass(slots=True, kw_only=True)
class _Bench:
    """One run's surroundings, plan and progress."""

    at: Surroundings
    plan: Plan
    show: Show

    def load(self, make: Callable[..., Load], spaces: int, times: int = 1) -> Load:
        """Readings that end a minute ago."""
        self.show("drawing messages")
        return make(spaces=spaces, readings=times * self.plan.readings, until_ms=RealClock().now_ms() - BEHIND_MS)

    async def drained(self, load: Load) -> float:
        """Messages a second, the fastest round."""
        return max([await self._drain_once(load, number) for number in range(1, self.plan.rounds + 1)])

    async def ingested(self, load: Load, spaces: int) -> Ran:
        """The fastest round of writing the load of a city of so many spaces."""
        rounds = [await self._ingest_once(load, spaces, number) for number in range(1, self.plan.rounds + 1)]
        return max(rounds, key=lambda ran: ran.messages_per_second)

    async def _drain_once(self, load: Load, number: int) -> float:
        await self._queue_up(load)
        self.show(f"drain, round {number}")
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ops.bench.broker",
            CLIENT_ID,
            str(len(load.messages)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await program.communicate(f"{self.at.endpoints.mqtt_ingest_url}\n".encode())
        await asyncio.to_thread(broker.forget, self.at.endpoints.mqtt_ingest_url, CLIENT_ID)
        return len(load.messages) / float(json.loads(told)["seconds"])

    async def _ingest_once(self, load: Load, spaces: int, number: int) -> Ran:
        words = f"ingest, {spaces:,} spaces, round {number}"
        self.show(f"{words}: planting the city")
        async with self.at.city(spaces) as url:
            await self._queue_up(load)
            db = await asyncpg.connect(plain_url(url))
            environment = {
                "PARKING_DATABASE_URL": url,
                "PARKING_MQTT_URL": self.at.endpoints.mqtt_ingest_url,
                "PARKING_MQTT_CLIENT_ID": CLIENT_ID,
                "PARKING_CLOCK": "",
            }
            log = self.at.state.logs / "bench-ingest.log"
            async with ingest_process(environment, log, profile=self.plan.profile) as (process, metrics_url):
                count = len(load.messages)
                ran = await follow(process, metrics_url, db, count, lambda done: self.show(words, done, count))
            stored = await db.fetchval("SELECT count(*) FROM reading")
            await db.close()
        await asyncio.to_thread(broker.forget, self.at.endpoints.mqtt_ingest_url, CLIENT_ID)
        if stored != load.distinct:
            raise UnavailableError(f"{stored} readings are stored of {load.distinct}: see {log}")
        return ran

    async def _queue_up(self, load: Load) -> None:
        count = len(load.messages)
        endpoints = self.at.endpoints
        await asyncio.to_thread(
            broker.queue_up,
            (endpoints.mqtt_ingest_url, endpoints.mqtt_tester_url),
            CLIENT_ID,
            load.messages,
            lambda done: self.show("filling the broker's queue", done, count),
        )

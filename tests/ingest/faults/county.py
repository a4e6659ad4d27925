"""A street with a memory: it knows what the broker has accepted, and compares what is stored with that."""

import asyncio
import json
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.request import urlopen

import asyncpg

from ops.services import RunningServices
from ops.services.running import find_service
from ops.state import free_port
from tests.support.street import Street, built_street
from tests.support.waiting import until

MINUTE = 60_000
Identity = tuple[str, int, int, bool]
"""Sensor, at, seq, occupied."""


@dataclass(slots=True, kw_only=True)
class County:
    """A street, its services, and everything that was published and acknowledged by the broker."""

    street: Street
    services: RunningServices
    spaces: int
    accepted: Counter[Identity] = field(default_factory=Counter)
    rng: random.Random = field(default_factory=lambda: random.Random(11))
    metrics_port: int = field(default_factory=free_port)
    _seq: int = 0
    _begin_ms: int = field(default_factory=lambda: int(time.time() * 1_000) - 5_000 * MINUTE)

    def sensor(self, number: int) -> str:
        """The sensor of a space, numbered from 1."""
        return f"{self.street.prefix}-{number:03}"

    def readings(self, count: int) -> list[Identity]:
        """New readings of any of the spaces, each later than all before."""
        made = []
        for _ in range(count):
            self._seq += 1
            at_ms = self._begin_ms + self._seq * 7_000
            made.append((self.sensor(self.rng.randint(1, self.spaces)), at_ms, self._seq, self.rng.random() < 0.5))
        return made

    async def publish(self, readings: Sequence[Identity], *, repeats: Sequence[Identity] = ()) -> None:
        """Publish and note once the broker has acknowledged all of them."""
        messages = [(f"parking/x/{one[0]}/up", encode(one)) for one in (*readings, *repeats)]
        await asyncio.to_thread(self.street.publish_all, messages)
        self.accepted.update((*readings, *repeats))

    async def stored(self) -> set[Identity]:
        """What is stored, as it was published."""
        rows = await self.street.db.fetch(
            """
            SELECT sensor.code, (extract(epoch FROM observed_at) * 1000)::bigint, seq, occupancy = 'occupied'
            FROM reading JOIN sensor ON sensor.id = reading.sensor_id
            """
        )
        return {(row[0], row[1], row[2], row[3]) for row in rows}

    async def until_all_is_stored(self, *, within_seconds: float = 60) -> "Figures":
        """Wait until exactly what was accepted is stored; what was sent, stored, repeated and refused."""
        expected = set(self.accepted)

        async def enough() -> bool:
            return await self.street.readings() >= len(expected)

        await until(enough, within_seconds=within_seconds)
        stored = await self.stored()
        assert stored == expected
        assert await self.street.readings() == len(expected), "something is stored twice"
        refused = await self.street.db.fetchval("SELECT coalesce(sum(times), 0) FROM refusal")
        return Figures(
            sent=sum(self.accepted.values()),
            stored=len(stored),
            repeated=int(await self.metric("parking_ingest_readings_repeated_total")),
            refused=int(refused),
        )

    async def metric(self, name: str) -> float:
        """One figure of the running ingest, all labels added up."""
        text = await asyncio.to_thread(lambda: urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics").read().decode())
        found = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)
        return sum(map(float, found))

    async def until_metric(self, name: str, wanted: float, *, within_seconds: float = 60) -> None:
        """Wait for a figure."""

        async def is_so() -> bool:
            return await self.metric(name) == wanted

        await until(is_so, within_seconds=within_seconds)

    async def start_ingest(self, **settings: int | str) -> asyncio.subprocess.Process:
        """The real process, with figures."""
        given: dict[str, Any] = {"metrics_port": self.metrics_port, **settings}
        return await self.street.start_ingest(**given)

    async def kill_service(self, name: str) -> None:
        """SIGKILL, as when the machine loses it; ``restart`` brings it back."""
        service = find_service(self.services._state, name)  # noqa: SLF001 - killed behind its keeper's back
        assert service is not None
        os.kill(service.pid, signal.SIGKILL)
        await asyncio.to_thread(service.has_ended_within, 10)

    async def restart_service(self, name: str) -> None:
        """Start it again; our own connection to the database with it."""
        await asyncio.to_thread(self.services.restart, name)
        if name == "postgres":
            self.street.db.terminate()
            self.street.db = await asyncpg.connect(self.street.database_url)

    @asynccontextmanager
    async def locked(self, table: str) -> AsyncIterator[None]:
        """Nobody may touch a table meanwhile, as when it is being dumped or altered."""
        other = await asyncpg.connect(self.street.database_url)
        try:
            async with other.transaction():
                await other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
                yield
        finally:
            await other.close()

    async def memory_kib(self) -> int:
        """Resident memory of the newest ingest."""
        with open(f"/proc/{self.street.ingests[-1].pid}/statm") as file:  # noqa: ASYNC230, PTH123 - not a real file
            return int(file.read().split()[1]) * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What became of everything in one test."""

    sent: int
    stored: int
    repeated: int
    refused: int

    def show(self, fault: str) -> None:
        """For whoever runs the tests with -s, and for docs."""
        sys.stdout.write(
            f"\n{fault}: sent {self.sent}, stored {self.stored}, repeated {self.repeated}, refused {self.refused}\n"
        )


def encode(reading: Identity) -> bytes:
    """A reading as its sensor sends it."""
    _, at_ms, seq, occupied = reading
    return json.dumps({"at": at_ms, "seq": seq, "occupied": occupied, "kind": "heartbeat"}).encode()


def chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """So many at a time."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


@asynccontextmanager
async def built_county(services: RunningServices, url: str, *, spaces: int) -> AsyncIterator[County]:
    """Planted in this database."""
    async with built_street(services.endpoints, url, count=spaces) as street:
        yield County(street=street, services=services, spaces=spaces)

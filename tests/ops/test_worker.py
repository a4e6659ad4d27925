"""Several workers: one leads, and whatever becomes of it another does."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg
import pytest

from core.db import plain_url
from tests.support.waiting import until

pytestmark = pytest.mark.services

LEADS = "worker.leads"


@dataclass(kw_only=True)
class Worker:
    """A real process and what it said."""

    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)

    def leads(self) -> int:
        """How often it began to lead."""
        return sum(LEADS in line for line in self.said)

    async def listen(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said.append(line.decode())


@pytest.fixture
async def two(database_url: str) -> AsyncIterator[list[Worker]]:
    environment = {
        **os.environ,
        "PARKING_DATABASE_URL": database_url,
        "PARKING_LOG_JSON": "true",
    }
    workers = []
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ops.worker", env=environment, stderr=asyncio.subprocess.PIPE
        )
        workers.append(Worker(process=process))
    listening = [asyncio.create_task(worker.listen()) for worker in workers]
    yield workers
    for worker in workers:
        if worker.process.returncode is None:
            worker.process.send_signal(signal.SIGTERM)
        await worker.process.wait()
    await asyncio.gather(*listening)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    db = await asyncpg.connect(plain_url(database_url))
    yield db
    await db.close()


async def until_led(workers: list[Worker], times: int) -> Worker:
    """Wait until leading has begun so often in all; who began last is the one that is alive and leads."""

    async def are_led() -> bool:
        return sum(worker.leads() for worker in workers) >= times

    await until(are_led)
    return next(worker for worker in workers if worker.leads())


async def test_a_killed_leader_is_followed(two: list[Worker], db: asyncpg.Connection) -> None:
    leader = await until_led(two, 1)
    (follower,) = (worker for worker in two if worker is not leader)
    assert follower.leads() == 0
    leader.process.kill()
    await until_led([follower], 1)
    assert await leaders(db) == 1


async def test_a_leader_cut_off_from_its_lock_steps_down(two: list[Worker], db: asyncpg.Connection) -> None:
    """Within a second, which is how often it looks; its jobs do no harm beside another leader's till then."""
    leader = await until_led(two, 1)
    await db.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'parking-leader' AND datname = current_database()
        """
    )

    async def has_stepped_down() -> bool:
        return any("worker.stands_by" in line for line in leader.said)

    await until(has_stepped_down)
    await until_led(two, 2)
    assert await leaders(db) == 1


async def leaders(db: asyncpg.Connection) -> int:
    """How many connections hold a leader's lock in this database."""
    count: int = await db.fetchval(
        """
        SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND granted AND application_name = 'parking-leader' AND datname = current_database()
        """
    )
    return count

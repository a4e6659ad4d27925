"""The worker process: APScheduler runs the jobs, on whichever copy holds the leader's lock."""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from typing import Any, Final

import asyncpg
import structlog
import uvloop
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from prometheus_client import Counter, start_http_server

from core.clock import Clock
from core.db import NOTICED_DEAD, Database, plain_url
from core.errors import InvalidError
from core.logs import configure_logging
from core.settings import Settings
from ops.jobs import Job, jobs_of
from ops.payments import till_of

log = structlog.get_logger()

LEADER_LOCK: Final = 0x9A4B2E
STAND_BY_SECONDS: Final = 1.0
LAST_JOB_SECONDS: Final = 5.0
"""Of a worker that is to end."""
SHORTEST_SECONDS: Final = 0.5
"""No job runs more often than this in real time, however fast the clock."""
GRACE_SECONDS: Final = 300
"""A run that is late by less is still done (the library's default of one second skips it)."""

ended = Counter("parking_worker_runs", "Runs of scheduled jobs", ["job", "outcome"])


async def work(settings: Settings) -> None:
    """Stand by until leader, run the jobs, and step down when the lock's connection is lost; until told to stop."""
    if settings.database_url is None:
        raise InvalidError("the worker needs PARKING_DATABASE_URL; `parking up` sets it")
    url = settings.database_url.get_secret_value()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database = Database(url, application="parking-worker")
    till = till_of(settings, database)
    while not stop.is_set():
        try:
            await _lead(url, database, settings.the_clock, jobs_of(till), stop)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            log.warning("worker.stands_by", why=f"{type(error).__name__}: {error}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STAND_BY_SECONDS):
                await stop.wait()
    await till.aclose()
    await database.close()
    log.info("worker.stopped")


async def _lead(url: str, database: Database, clock: Clock, jobs: Sequence[Job], stop: asyncio.Event) -> None:
    """Hold the leader's lock on a connection of its own for as long as it lives; return when another has it."""
    settings = {"application_name": "parking-leader", **NOTICED_DEAD}
    lock = await asyncpg.connect(plain_url(url), timeout=10, server_settings=settings)
    try:
        if not await lock.fetchval("SELECT pg_try_advisory_lock($1)", LEADER_LOCK):
            return
        log.info("worker.leads", jobs=[job.name for job in jobs])
        busy: set[asyncio.Task[Any]] = set()
        scheduler = _schedule(database, clock, jobs, busy)
        scheduler.start()
        speed = clock.speed
        try:
            while not stop.is_set():
                await lock.execute("SELECT 1")
                if clock.speed != speed:
                    speed = clock.speed
                    _keep_pace(scheduler, clock, jobs)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STAND_BY_SECONDS):
                        await stop.wait()
        finally:
            scheduler.pause()
            if stop.is_set() and busy:
                await asyncio.wait(busy, timeout=LAST_JOB_SECONDS)
            scheduler.shutdown(wait=False)
    finally:
        lock.terminate()


def _schedule(database: Database, clock: Clock, jobs: Sequence[Job], busy: set[asyncio.Task[Any]]) -> AsyncIOScheduler:
    scheduler = AsyncIOScheduler(timezone="UTC")
    for job in jobs:
        scheduler.add_job(
            _run,
            _trigger(job, clock),
            args=[job, database, clock, busy],
            id=job.name,
            replace_existing=True,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=GRACE_SECONDS,
        )
    scheduler.add_listener(_count_trouble, EVENT_JOB_MISSED | EVENT_JOB_ERROR)
    return scheduler


def _keep_pace(scheduler: AsyncIOScheduler, clock: Clock, jobs: Sequence[Job]) -> None:
    """The city's clock runs at another speed from now on: so do the jobs that follow it."""
    for job in jobs:
        if not job.is_on_real_time:
            scheduler.reschedule_job(job.name, trigger=_trigger(job, clock))


def _trigger(job: Job, clock: Clock) -> IntervalTrigger:
    speed = 1.0 if job.is_on_real_time else clock.speed
    return IntervalTrigger(seconds=max(SHORTEST_SECONDS, job.every_seconds / speed))


async def _run(job: Job, database: Database, clock: Clock, busy: set[asyncio.Task[Any]]) -> None:
    task = asyncio.current_task()
    if task is not None:
        busy.add(task)
        task.add_done_callback(busy.discard)
    await job.run(database, clock)
    ended.labels(job.name, "done").inc()


def _count_trouble(event: JobExecutionEvent) -> None:
    outcome = "missed" if event.exception is None else "failed"
    ended.labels(event.job_id, outcome).inc()
    log.error("job.failed", job=event.job_id, outcome=outcome, why=repr(event.exception), trace=event.traceback)


def main() -> None:
    """Start the process."""
    settings = Settings()
    configure_logging("worker", json=settings.log_json)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.host)
    uvloop.run(work(settings))


if __name__ == "__main__":
    main()

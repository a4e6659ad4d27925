"""An ingest process under a bench: started, followed by its own metrics, and asked what it used."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from core.errors import UnavailableError

LOOK_EVERY_SECONDS: Final = 0.1
PATIENCE_SECONDS: Final = 60.0
"""Without progress for so long the bench gives up."""
RECEIVED: Final = "parking_ingest_messages_received_total"
"""Counted after the commit."""
COMMITTED_AT: Final = "parking_ingest_last_commit_timestamp_seconds"
"""The process's own time stamp of the same commit: how often it is asked does not blur the rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What it took to write a queue down."""

    messages_per_second: float
    process_us: float
    """CPU time of the ingest process, a message."""
    database_us: float
    """CPU time of its database backend, a message."""
    memory_bytes: int
    """Of the ingest process, at the end."""


@asynccontextmanager
async def ingest_process(
    environment: Mapping[str, str], log: Path, *, profile: Path | None = None
) -> AsyncIterator[tuple[psutil.Process, str]]:
    """The process and the address of its metrics; ended as an operator ends it."""
    port = free_port()
    profiled = ["-m", "cProfile", "-o", str(profile)] if profile else []
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *profiled,
            "-m",
            "ingest",
            env={**os.environ, **environment, "PARKING_METRICS_PORT": str(port)},
            stderr=errors,
        )
    try:
        yield psutil.Process(process.pid), f"http://127.0.0.1:{port}/metrics"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def follow(
    process: psutil.Process, metrics_url: str, db: asyncpg.Connection, count: int, show: Callable[[int], None]
) -> Ran:
    """Watch until ``count`` messages are written; timed from the first commit seen to the last.

    Args:
        process: the ingest.
        metrics_url: where it counts.
        db: on its database.
        count: how many messages are queued.
        show: told how many are written.

    Raises:
        UnavailableError: it has died, or makes no progress.
    """
    first: Seen | None = None
    last_progress, last_count = time.monotonic(), 0
    async with httpx.AsyncClient() as client:
        while True:
            written, committed_at = await _written(client, metrics_url)
            if first is None and written:
                backend = psutil.Process(await db.fetchval(_BACKEND))
                first = Seen(written, committed_at, _cpu(process), _cpu(backend))
            if first is not None and written >= count:
                break
            if written != last_count:
                last_progress, last_count = time.monotonic(), written
                show(written)
            if not process.is_running() or time.monotonic() - last_progress > PATIENCE_SECONDS:
                raise UnavailableError(f"ingest wrote {written} of {count} messages and makes no progress")
            await asyncio.sleep(LOOK_EVERY_SECONDS)
    messages = max(1, written - first.written)
    return Ran(
        messages_per_second=messages / max(LOOK_EVERY_SECONDS, committed_at - first.committed_at),
        process_us=1e6 * (_cpu(process) - first.process_cpu) / messages,
        database_us=1e6 * (_cpu(backend) - first.backend_cpu) / messages,
        memory_bytes=process.memory_info().rss,
    )


class Seen(NamedTuple):
    """How far it was when the first commit was seen; CPU times in seconds."""

    written: int
    committed_at: float
    process_cpu: float
    backend_cpu: float


_BACKEND = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'parking-ingest' ORDER BY backend_start DESC LIMIT 1
"""


async def _written(client: httpx.AsyncClient, url: str) -> tuple[int, float]:
    """How many messages are written, and when the last of them were, in seconds since 1970."""
    try:
        answer = await client.get(url)
    except httpx.TransportError:
        return 0, 0.0
    samples = {
        sample.name: sample.value for family in text_string_to_metric_families(answer.text) for sample in family.samples
    }
    return int(samples.get(RECEIVED, 0)), samples.get(COMMITTED_AT, 0.0)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

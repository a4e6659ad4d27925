"""The api under a bench, and beside it the least that a FastAPI application can do: both as processes of their own."""

import asyncio
import os
import secrets
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

from core.errors import UnavailableError
from ops.bench.running import free_port

READY_WITHIN_SECONDS: Final = 60.0
LOOK_EVERY_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that answers."""

    url: str
    process: psutil.Process

    @property
    def cpu_seconds(self) -> float:
        """What its process has used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def api_process(database_url: str, log: Path) -> AsyncIterator[Served]:
    """One api over this database, once it is ready."""
    environment = {
        "PARKING_DATABASE_URL": database_url,
        "PARKING_SECRET_KEY": secrets.token_hex(32),
        "PARKING_PLATE_KEY": secrets.token_hex(32),
        "PARKING_CLOCK": "",
        "PARKING_LOG_JSON": "true",
    }
    async with _served(["-m", "api"], environment, log, ready="/api/v1/spaces/state") as served:
        yield served


@asynccontextmanager
async def constant_process(sizes: Sequence[int], log: Path) -> AsyncIterator[Served]:
    """A FastAPI application with a route for each size that returns so many constant bytes."""
    arguments = ["-m", "ops.bench.constant", *map(str, sizes)]
    async with _served(arguments, {}, log, ready=f"/{sizes[0]}") as served:
        yield served


@asynccontextmanager
async def _served(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path, *, ready: str
) -> AsyncIterator[Served]:
    port = free_port()
    told = {**os.environ, **environment, "PARKING_PORT": str(port), "PARKING_HOST": "127.0.0.1"}
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env=told, stdout=errors, stderr=errors
        )
    try:
        url = f"http://127.0.0.1:{port}"
        await _until_ready(f"{url}{ready}", process, log)
        yield Served(url=url, process=psutil.Process(process.pid))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _until_ready(url: str, process: Process, log: Path) -> None:
    ends_at = time.monotonic() + READY_WITHIN_SECONDS
    async with httpx.AsyncClient() as client:
        while time.monotonic() < ends_at and process.returncode is None:
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(LOOK_EVERY_SECONDS)
    raise UnavailableError(f"{url} does not answer: see {log}")

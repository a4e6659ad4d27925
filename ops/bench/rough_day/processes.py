"""The processes of a rough day: gateway, api and worker, each of which can be killed where it stands."""

import asyncio
import os
import secrets
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import httpx

from core.errors import UnavailableError
from ops.bench.running import free_port
from simulator.gateway.keys import merchant_settings, prepare

READY_WITHIN_SECONDS: Final = 60.0
LOOK_EVERY_SECONDS: Final = 0.1
LOOPBACK: Final = "127.0.0.1"


@dataclass(slots=True)
class Mortal:
    """A process that is started again and again."""

    name: str
    arguments: Sequence[str]
    environment: dict[str, str]
    log: Path
    process: Process | None = None
    kills: int = 0

    async def start(self) -> None:
        """Once more."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self.arguments, env={**os.environ, **self.environment}, stdout=log, stderr=log
            )

    async def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """As a machine that loses its power ends it, unless told otherwise."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
        if self.process is not None:
            await self.process.wait()

    async def kill(self) -> None:
        """And start it again."""
        self.kills += 1
        await self.end()
        await self.start()


@dataclass(slots=True, kw_only=True)
class Crew:
    """Who works at the till."""

    gateway: Mortal
    api: Mortal
    worker: Mortal
    gateway_url: str
    api_url: str
    settings: dict[str, str]
    """Of the api and the worker, secrets included."""
    http: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(
            timeout=20, trust_env=False, limits=httpx.Limits(max_connections=200, max_keepalive_connections=100)
        )
    )

    async def until_ready(self) -> None:
        """Both servers answer.

        Raises:
            UnavailableError: not in time.
        """
        for mortal, url in ((self.gateway, f"{self.gateway_url}/health"), (self.api, f"{self.api_url}/health/live")):
            ends_at = time.monotonic() + READY_WITHIN_SECONDS
            while not await self._answers(url):
                if time.monotonic() > ends_at:
                    raise UnavailableError(f"the {mortal.name} does not answer: see {mortal.log}")
                await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def kill_now_and_then(self, dice: Random, after: tuple[float, float], is_over: asyncio.Event) -> None:
        """The api, the worker, or both, until the day is over."""
        while not is_over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(dice.uniform(*after)):
                    await is_over.wait()
            if not is_over.is_set():
                for mortal in dice.choice(((self.api,), (self.worker,), (self.api, self.worker))):
                    await mortal.kill()
                await self.until_ready()

    async def _answers(self, url: str) -> bool:
        with suppress(httpx.HTTPError):
            return (await self.http.get(url)).is_success
        return False


@asynccontextmanager
async def crew(database_url: str, folder: Path, *, told_at: str | None = None) -> AsyncIterator[Crew]:
    """All three at work over this database; ended and waited for afterwards. ``told_at``: who hears the gateway."""
    gateway_port, api_port = free_port(), free_port()
    gateway_url, api_url = f"http://{LOOPBACK}:{gateway_port}", f"http://{LOOPBACK}:{api_port}"
    prepare(folder / "gateway", gateway_url)
    settings = {
        "PARKING_DATABASE_URL": database_url,
        "PARKING_SECRET_KEY": secrets.token_hex(32),
        "PARKING_PLATE_KEY": secrets.token_hex(32),
        "PARKING_CLOCK": "",
        "PARKING_HOST": LOOPBACK,
        "PARKING_PORT": str(api_port),
        "PARKING_PUBLIC_URL": told_at or api_url,
        "PARKING_TRUSTED_PROXIES": f'["{LOOPBACK}"]',
        "PARKING_METRICS_PORT": "0",
        "PARKING_LOG_JSON": "true",
        **merchant_settings(folder / "gateway"),
    }
    at_the_gateway = ["simulator.gateway", "--folder", str(folder / "gateway"), "--port", str(gateway_port)]
    works = Crew(
        gateway=Mortal("gateway", at_the_gateway, {}, folder / "gateway.log"),
        api=Mortal("api", ["api"], settings, folder / "api.log"),
        worker=Mortal("worker", ["ops.worker"], settings, folder / "worker.log"),
        gateway_url=gateway_url,
        api_url=api_url,
        settings=settings,
    )
    everybody = (works.gateway, works.api, works.worker)
    try:
        for mortal in everybody:
            await mortal.start()
        await works.until_ready()
        yield works
    finally:
        await works.http.aclose()
        for mortal in everybody:
            await mortal.end()

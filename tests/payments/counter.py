"""Our api as a process that can be killed, the simulated gateway as another, and the drivers' side of both."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

from billing.bills import bill_ended_sessions
from billing.payments.till import Till
from billing.providers.configured import build_providers
from core.clock import RealClock
from core.settings import Settings
from ops.state import free_port
from simulator.gateway.keys import merchant_settings
from tests.api.conftest import SECRET
from tests.api.town import Town, now
from tests.support.waiting import PATIENCE_SECONDS, until

CHANNELS = ("wechat", "alipay")
NOON_IN_CHINA = now().replace(hour=4, minute=0, second=0, microsecond=0) - timedelta(days=1)


@dataclass
class Counter:
    """An api process that can be killed, a gateway, and the drivers' side of both."""

    town: Town
    gateway: str
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    askers: Iterator[int] = field(default_factory=count)
    http: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False)
    )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PARKING_DATABASE_URL": self.town.database.url,
            "PARKING_SECRET_KEY": SECRET,
            "PARKING_PORT": str(self.port),
            "PARKING_PUBLIC_URL": self.url,
            "PARKING_TRUSTED_PROXIES": '["127.0.0.1"]',
            **merchant_settings(self.folder),
        }

    async def start(self) -> None:
        """The process, ready."""
        self.process = subprocess.Popen(  # noqa: ASYNC220 - starting takes no time, being ready is awaited
            [sys.executable, "-m", "api"], env={**os.environ, **self.environment}, stderr=subprocess.DEVNULL
        )
        await until(self.is_ready)

    async def is_ready(self) -> bool:
        with suppress(httpx.HTTPError):
            return (await self.http.get(f"{self.url}/health/live")).is_success
        return False

    def kill(self) -> None:
        """As the machine would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    async def begin(self, session_id: UUID, channel: str, key: str, driver: str = "198.51.100.1") -> dict[str, Any]:
        """Begin to pay, as stubbornly as a page does: the same key for a while, then the page is loaded again."""
        for attempt in range(200):
            if attempt % 8 == 7:
                key = uuid4().hex
            with suppress(httpx.HTTPError):
                answer = await self.http.post(
                    f"{self.url}/api/v1/sessions/{session_id}/payments",
                    json={"channel": channel},
                    headers={"Idempotency-Key": key, "X-Forwarded-For": driver},
                )
                if answer.status_code not in {409, 429, 500, 503} or answer.json()["type"].endswith("nothing-due"):
                    found: dict[str, Any] = answer.json()
                    return found
            await asyncio.sleep(0.25)
        raise AssertionError("no answer to a payment")

    async def pay(self, payment: dict[str, Any]) -> None:
        """The payer pays at the gateway, if the order ever got there."""
        order_no = await self.one("SELECT order_no FROM payment WHERE id = :id", id=payment["id"])
        with suppress(httpx.HTTPError):
            await self.http.post(f"{self.gateway}/control/pay/{order_no}?provider={payment['provider']}")

    async def payment(self, payment: dict[str, Any]) -> dict[str, Any]:
        """As it stands; asked from ever another address, as a test asks more often than a driver may."""
        number = next(self.askers)
        headers = {"X-Forwarded-For": f"203.0.{number // 250 % 250}.{number % 250 + 1}"}
        answer = await self.http.get(f"{self.url}/api/v1/payments/{payment['id']}", headers=headers)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def script(self, *rules: dict[str, Any], **more: Any) -> None:
        """What goes wrong at the gateway."""
        answer = await self.http.put(f"{self.gateway}/control/script", json={"rules": list(rules), **more})
        assert answer.is_success, answer.text

    async def one(self, statement: str, **values: Any) -> Any:
        """One value, by SQL."""
        async with self.town.database.transaction() as db:
            return (await db.execute(text(statement), values)).scalar()

    @asynccontextmanager
    async def till(self) -> AsyncIterator[Till]:
        """The worker's."""
        settings = {name.removeprefix("PARKING_").lower(): value for name, value in self.environment.items()}
        settings.pop("trusted_proxies")
        till = Till(
            providers=build_providers(Settings.model_validate(settings)),
            database=self.town.database,
            clock=RealClock(),
            notify_base_url=self.url,
        )
        yield till
        await till.aclose()

    async def bill(self) -> None:
        async with self.town.database.transaction() as db:
            await bill_ended_sessions(db, at=now(), limit=500)


async def ended(counter: Counter, days_ago: int = 0) -> UUID:
    """A stay of an hour and a quarter, 6 yuan, so many days before yesterday."""
    began = NOON_IN_CHINA - timedelta(days=days_ago)
    return await counter.town.session("KA-001", began, began + timedelta(minutes=75))


async def until_paid(counter: Counter, payment: dict[str, Any]) -> None:
    async def is_paid() -> bool:
        return bool((await counter.payment(payment))["status"] == "paid")

    await until(is_paid)

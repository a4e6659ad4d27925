"""A small town whose api takes payments through two strangers, and what the books say of it."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text

from api.parts import Parts
from billing.payments.sweeping import sweep
from billing.payments.till import Till, real_now
from billing.providers.port import OrderState, RefundState
from ops.state import free_port
from tests.api.conftest import Api, running
from tests.api.town import Town, built
from tests.payments.counter import NOON_IN_CHINA, Counter
from tests.support.stranger import Stranger
from tests.support.waiting import until

PLATE_KEY = "a key for plates, at least 32 characters"


@dataclass
class Desk:
    """Where a driver pays, what the providers do, and what is in the books afterwards."""

    api: Api
    town: Town
    wechat: Stranger = field(default_factory=lambda: Stranger("wechat"))
    alipay: Stranger = field(default_factory=lambda: Stranger("alipay"))

    @property
    def till(self) -> Till:
        return self.api.parts.till

    async def ended(self, minutes: int = 75, code: str = "KA-001") -> UUID:
        """A stay of yesterday noon that is over; 75 minutes cost 6 yuan, 61 too, 45 cost 3."""
        return await self.town.session(code, NOON_IN_CHINA, NOON_IN_CHINA + timedelta(minutes=minutes))

    async def running(self, minutes: int = 75, code: str = "KA-001") -> UUID:
        """A stay that goes on, its fee standing still where its silent sensor was heard last: after so long."""
        session_id = await self.town.session(code, NOON_IN_CHINA)
        await self.hear(minutes, code)
        return session_id

    async def hear(self, minutes: int, code: str = "KA-001") -> None:
        """The sensor said occupied, so many minutes after the arrival."""
        await self.town.report(code, occupied=True, heard_at=NOON_IN_CHINA + timedelta(minutes=minutes))

    async def ask(self, session_id: UUID, channel: str = "wechat", *, key: str = "", **body: Any) -> httpx.Response:
        """Ask to pay."""
        return await self.api.client.post(
            f"/api/v1/sessions/{session_id}/payments",
            json={"channel": channel, **body},
            headers={"Idempotency-Key": key or uuid4().hex},
        )

    async def begin(self, session_id: UUID, channel: str = "wechat", **body: Any) -> dict[str, Any]:
        """A payment that could be begun."""
        answer = await self.ask(session_id, channel, **body)
        assert answer.status_code == 201, answer.text
        payment: dict[str, Any] = answer.json()
        return payment

    async def order_no(self, payment: dict[str, Any]) -> str:
        """Our number of it."""
        return str(await self.one("SELECT order_no FROM payment WHERE id = :id", id=payment["id"]))

    async def notify(self, stranger: Stranger, about: OrderState | RefundState, **more: Any) -> httpx.Response:
        """The provider tells us."""
        headers, body = stranger.notification(about, **more)
        return await self.api.client.post(f"/api/v1/notify/{stranger.name}", content=body, headers=headers)

    async def pay(self, payment: dict[str, Any], **odd: Any) -> OrderState:
        """The payer pays and we are told."""
        stranger = self.wechat if payment["provider"] == "wechat" else self.alipay
        state = stranger.pay(await self.order_no(payment), **odd)
        answer = await self.notify(stranger, state)
        assert answer.status_code == 200, answer.text
        return state

    async def payment(self, payment: dict[str, Any]) -> dict[str, Any]:
        """As it stands."""
        found: dict[str, Any] = await self.api.json(f"/api/v1/payments/{payment['id']}")
        return found

    async def session(self, session_id: UUID) -> dict[str, Any]:
        """As it stands."""
        found: dict[str, Any] = await self.api.json(f"/api/v1/sessions/{session_id}")
        return found

    async def sweep(self, *, later: timedelta = timedelta()) -> None:
        """What the worker does, as if so much time had passed."""
        await sweep(self.till, real_now() + later)

    async def one(self, statement: str, **values: Any) -> Any:
        """One value, by SQL."""
        async with self.town.database.transaction() as db:
            return (await db.execute(text(statement), values)).scalar()

    async def do(self, statement: str) -> None:
        """Something to the database, by SQL."""
        async with self.town.database.transaction() as db:
            await db.execute(text(statement))

    async def account(self, name: str) -> int:
        """An account's debits less its credits."""
        query = "SELECT coalesce(sum(debit_fen - credit_fen), 0) FROM journal_line WHERE account LIKE :name"
        return int(await self.one(query, name=name))

    async def books(self) -> dict[str, int]:
        """What every account that moved holds; the sum is nothing."""
        query = (
            "SELECT account, sum(debit_fen - credit_fen)::bigint FROM journal_line GROUP BY account ORDER BY account"
        )
        async with self.town.database.transaction() as db:
            held = {account: int(fen) for account, fen in (await db.execute(text(query))).all()}
        assert sum(held.values()) == 0
        return {account: fen for account, fen in held.items() if fen}

    async def bookings(self) -> int:
        """How often money of a payment was booked."""
        return int(await self.one("SELECT count(*) FROM journal_entry WHERE business_key LIKE 'payment:%'"))


@asynccontextmanager
async def open_desk(town: Town, **settings: Any) -> AsyncIterator[Desk]:
    """An api process with two strangers behind its port."""
    wechat, alipay = Stranger("wechat"), Stranger("alipay")

    def prepare(app: FastAPI) -> None:
        parts = Parts.of(app)
        app.state.parts = replace(parts, till=replace(parts.till, providers={"wechat": wechat, "alipay": alipay}))

    async with running(town.database.url, prepare, plate_key=SecretStr(PLATE_KEY), **settings) as api:
        yield Desk(api=api, town=town, wechat=wechat, alipay=alipay)


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    async with built(database_url) as town:
        yield town


@pytest.fixture
async def desk(town: Town) -> AsyncIterator[Desk]:
    async with open_desk(town) as desk:
        yield desk


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder, port = tmp_path_factory.mktemp("gateway"), free_port()
    command = [sys.executable, "-m", "simulator.gateway", "--folder", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}", folder
    process.terminate()
    process.wait()


@pytest.fixture
async def counter(town: Town, gateway: tuple[str, Path]) -> AsyncIterator[Counter]:
    url, folder = gateway
    counter = Counter(town=town, gateway=url, folder=folder)

    async def answers() -> bool:
        with suppress(httpx.HTTPError):
            return (await counter.http.get(f"{url}/health")).is_success
        return False

    await until(answers)
    await counter.http.delete(f"{url}/control/script")
    await counter.start()
    yield counter
    counter.kill()
    await counter.http.aclose()

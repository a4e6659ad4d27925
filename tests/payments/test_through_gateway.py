"""The whole way over HTTP: our api, the real adapters, and the simulated gateway with its faults, three programs.

The last test is a random run: drivers pay at a gateway that loses, repeats, forges and stalls, while the api is killed
again and again. Afterwards the books hold, and what the gateway collected is what they say.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from billing.bills import bill_ended_sessions
from billing.ledger.checking import check_ledger
from billing.payments.schedule import LIVES
from billing.payments.sweeping import sweep
from billing.payments.till import Till, real_now
from billing.providers.configured import build_providers
from core.clock import RealClock
from core.settings import Settings
from ops.state import free_port
from simulator.gateway.keys import merchant_settings
from tests.api.conftest import SECRET
from tests.api.town import Town, now
from tests.payments.conftest import NOON_IN_CHINA
from tests.support.waiting import until

pytestmark = pytest.mark.services

CHANNELS = ("wechat", "alipay")


@dataclass
class Counter:
    """An api process that can be killed, a gateway, and the drivers' side of both."""

    town: Town
    gateway: str
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=20, trust_env=False))

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
        await until(self.is_ready, within_seconds=30)

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
        found: dict[str, Any] = (await self.http.get(f"{self.url}/api/v1/payments/{payment['id']}")).json()
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


async def ended(counter: Counter, days_ago: int = 0) -> UUID:
    """A stay of an hour and a quarter, 6 yuan, so many days before yesterday."""
    began = NOON_IN_CHINA - timedelta(days=days_ago)
    return await counter.town.session("KA-001", began, began + timedelta(minutes=75))


async def until_paid(counter: Counter, payment: dict[str, Any]) -> None:
    async def is_paid() -> bool:
        return bool((await counter.payment(payment))["status"] == "paid")

    await until(is_paid, within_seconds=20)


async def test_a_stay_is_paid_over_http(counter: Counter) -> None:
    for days_ago, channel in enumerate(CHANNELS):
        payment = await counter.begin(await ended(counter, days_ago), channel, uuid4().hex)
        assert (payment["status"], payment["amount_fen"]) == ("pending", 600)
        assert payment["code_url"].startswith(counter.gateway)
        await counter.pay(payment)
        await until_paid(counter, payment)
    sources = "SELECT count(*) FROM journal_entry WHERE business_key LIKE 'payment:%' AND source = 'notification'"
    assert await counter.one(sources) == len(CHANNELS)
    await counter.bill()
    async with counter.town.database.transaction() as db:
        assert [one for one in await check_ledger(db, now=datetime.now(UTC)) if not one.is_kept] == []


async def test_a_notification_that_is_lost_or_wrong_costs_seconds(counter: Counter) -> None:
    faults = ("drop", "forged", "corrupt", "probe", "stale", "wrong-merchant", "wrong-key", "wrong-amount")

    async def survive(days_ago: int, channel: str) -> None:
        payment = await counter.begin(await ended(counter, days_ago), channel, uuid4().hex)
        await counter.pay(payment)
        await until_paid(counter, payment)
        assert (await counter.payment(payment))["received_fen"] == 600

    for number, fault in enumerate(faults):
        await counter.script({"on": "*.notify.payment", "do": fault})
        await asyncio.gather(*(survive(2 * number + n, channel) for n, channel in enumerate(CHANNELS)))
    assert await counter.one("SELECT count(*) FROM journal_line WHERE account = 'suspense'") == 0


async def test_f28_an_answer_that_proves_nothing_leaves_it_unknown_until_it_is_asked(counter: Counter) -> None:
    faults = ("unsigned", "forged", "corrupt", "cut-after", "error")
    for days_ago, fault in enumerate(faults):
        await counter.script({"on": "wechat.create", "do": fault, "times": 1})
        payment = await counter.begin(await ended(counter, days_ago), "wechat", uuid4().hex)
        assert (payment["status"], payment["code_url"]) == ("unknown", None), fault

        async def has_a_code(payment: dict[str, Any] = payment) -> bool:
            return (await counter.payment(payment))["code_url"] is not None

        await until(has_a_code)
        await counter.pay(payment)
        await until_paid(counter, payment)
    assert await counter.one("SELECT count(*) FROM payment") == len(faults)


async def test_f10_over_http_the_second_payment_goes_back(counter: Counter) -> None:
    session_id = await ended(counter)
    first, second = [await counter.begin(session_id, channel, uuid4().hex) for channel in CHANNELS]
    for payment in (first, second):
        await counter.pay(payment)
        await until_paid(counter, payment)
    async with counter.till() as till:
        for minutes in (0, 10, 30):
            await sweep(till, real_now() + timedelta(minutes=minutes))
    assert (await counter.payment(second))["status"] == "refunded"
    assert (await counter.payment(first))["status"] == "paid"


ROUGH = (
    {"on": "*.create", "do": "cut-after", "chance": 0.1},
    {"on": "*.create", "do": "down", "chance": 0.1},
    {"on": "*.query", "do": "error", "chance": 0.15},
    {"on": "*.close", "do": "cut-after", "chance": 0.2},
    {"on": "*.refund", "do": "cut-after", "chance": 0.3},
    {"on": "*.notify.payment", "do": "drop", "chance": 0.2},
    {"on": "*.notify.payment", "do": "repeat", "copies": 4, "chance": 0.3},
    {"on": "*.notify.payment", "do": "forged", "chance": 0.1},
    {"on": "*.notify.payment", "do": "reorder", "chance": 0.1},
    {"on": "*.notify.refund", "do": "drop", "chance": 0.3},
)
SEEDS = tuple(int(seed) for seed in os.environ.get("TEST_SEEDS", "1").split(","))
KILLS = int(os.environ.get("TEST_KILLS", "3"))
STAYS = int(os.environ.get("TEST_STAYS", "24"))


@pytest.mark.parametrize("seed", SEEDS)
async def test_after_a_rough_day_with_kills_every_fen_is_where_the_books_say(counter: Counter, seed: int) -> None:
    dice = Random(seed)
    before = (await counter.http.get(f"{counter.gateway}/control/totals")).json()
    await counter.script(*ROUGH, seed=seed, refund_seconds=0)
    sessions = [
        await counter.town.session(
            f"KA-{number % 3 + 1:03d}",
            NOON_IN_CHINA - timedelta(days=number),
            NOON_IN_CHINA - timedelta(days=number) + timedelta(minutes=dice.choice((20, 45, 75, 130))),
        )
        for number in range(STAYS)
    ]
    is_over = asyncio.Event()
    killing = asyncio.create_task(kill_now_and_then(counter, Random(seed + 1), is_over))
    await asyncio.gather(
        *(drive(counter, session_id, Random(f"{seed}{n}"), n) for n, session_id in enumerate(sessions))
    )
    is_over.set()
    await killing
    await counter.bill()
    async with counter.till() as till:
        for minutes in (0, 1, 3, 6, 10, 16, 35, 70, 140, 210, 300, 400, 500, 600):
            await sweep(till, real_now() + LIVES + timedelta(minutes=minutes))
            await asyncio.sleep(0.02)
    async with counter.town.database.transaction() as db:
        assert [one for one in await check_ledger(db, now=datetime.now(UTC)) if not one.is_kept] == []
    assert await counter.one("SELECT count(*) FROM payment WHERE status IN ('created', 'sent', 'unknown')") == 0
    after = (await counter.http.get(f"{counter.gateway}/control/totals")).json()
    for provider in CHANNELS:
        account = f"provider:{provider}:clearing"
        held = "SELECT coalesce(sum(debit_fen - credit_fen), 0) FROM journal_line WHERE account = :account"
        assert await counter.one(held, account=account) == kept(after, provider) - kept(before, provider), provider
    owed = "SELECT coalesce(sum(credit_fen - debit_fen), 0) FROM journal_line WHERE account = ANY(:accounts)"
    assert await counter.one(owed, accounts=["overpaid", "refund:pending"]) == 0, "what was paid too much has gone back"


def kept(totals: dict[str, Any], provider: str) -> int:
    """What the gateway has of us: collected, less given back."""
    held = totals.get(provider, {"received_fen": 0, "refunded_fen": 0})
    return int(held["received_fen"]) - int(held["refunded_fen"])


async def drive(counter: Counter, session_id: UUID, dice: Random, number: int) -> None:
    """One driver: pays, perhaps twice from two phones, perhaps never."""
    address = f"198.51.100.{number + 1}"
    await asyncio.sleep(dice.uniform(0, 4))
    for channel in dice.choice((CHANNELS[:1], CHANNELS[1:], CHANNELS, ())):
        payment = await counter.begin(session_id, channel, uuid4().hex, address)
        if "id" in payment and dice.random() < 0.85:
            await asyncio.sleep(dice.uniform(0, 1))
            await counter.pay(payment)


async def kill_now_and_then(counter: Counter, dice: Random, is_over: asyncio.Event) -> None:
    """End the api where it stands, start it again, until the day is over."""
    for _ in range(KILLS):
        with suppress(TimeoutError):
            async with asyncio.timeout(dice.uniform(0.5, 2)):
                await is_over.wait()
        counter.kill()
        await counter.start()

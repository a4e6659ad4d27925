"""A random run: drivers pay at a gateway that loses, repeats, forges and stalls, while the api is killed.

Afterwards the books hold, and what the gateway collected is what they say.
"""

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from billing.ledger.checking import check_ledger
from billing.payments.schedule import LIVES
from billing.payments.sweeping import sweep
from billing.payments.till import real_now
from tests.payments.counter import CHANNELS, NOON_IN_CHINA, Counter

pytestmark = pytest.mark.services


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
STAYS = int(os.environ.get("TEST_STAYS", "16"))


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

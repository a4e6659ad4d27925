"""The whole way over HTTP: our api, the real adapters, and the simulated gateway with its faults, three programs."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from billing.ledger.checking import check_ledger
from billing.payments.sweeping import sweep
from billing.payments.till import real_now
from tests.payments.counter import CHANNELS, Counter, ended, until_paid
from tests.support.waiting import until

pytestmark = pytest.mark.services


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

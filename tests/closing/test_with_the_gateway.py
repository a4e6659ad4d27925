"""The whole close over HTTP: real adapters, a simulated WeChat Pay and Alipay, their own bills of the day."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from api.parts import Parts
from billing.closing import Cause, close_day
from billing.ledger import accounts
from billing.ledger.refunds import request_refund
from billing.payments.till import real_now
from billing.providers.calendar import PROVIDERS_ZONE
from billing.providers.port import BillNotReadyError
from ops.ledger import prove
from ops.state import free_port
from tests.api.conftest import running
from tests.api.town import Town
from tests.payments.conftest import Desk
from tests.providers.conftest import Merchant, merchant
from tests.support.waiting import until

__all__ = ["merchant"]

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """One of this file's own: other tests' orders would be on its bills."""
    folder, port = tmp_path_factory.mktemp("gateway"), free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator.gateway", "--folder", str(folder), "--port", str(port)],
        stderr=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}", folder
    process.terminate()
    process.wait()


@pytest.fixture
async def shop(town: Town, merchant: Merchant) -> AsyncIterator[Desk]:
    """A desk whose providers are the real adapters."""

    def prepare(app: FastAPI) -> None:
        parts = Parts.of(app)
        till = replace(parts.till, providers=merchant.providers, notify_base_url=merchant.door)
        app.state.parts = replace(parts, till=till)

    async with running(town.database.url, prepare) as api:
        yield Desk(api=api, town=town)


async def paid(shop: Desk, merchant: Merchant, channel: str, code: str) -> dict[str, Any]:
    """A stay of 6 yuan paid at the gateway; nobody has told us yet."""
    payment = await shop.begin(await shop.ended(code=code), channel)
    await merchant.pay(await shop.order_no(payment), payment["provider"])
    return payment


async def test_a_day_of_both_providers_ends_with_no_unexplained_difference(shop: Desk, merchant: Merchant) -> None:
    today = real_now().astimezone(PROVIDERS_ZONE).date()
    with pytest.raises(BillNotReadyError):
        await close_day(shop.till, "wechat", today, by="command")
    first = await paid(shop, merchant, "wechat_native", "KA-001")
    await paid(shop, merchant, "alipay_precreate", "KA-002")
    await shop.sweep(later=timedelta(minutes=2))
    lost = await paid(shop, merchant, "wechat_native", "KA-003")
    async with shop.town.database.transaction() as db:
        await request_refund(
            db,
            UUID(first["id"]),
            200,
            cause="operator",
            reason="a test",
            requested_by="operator:li",
            at=real_now(),
        )
    await shop.one("UPDATE payment SET poll_at = NULL WHERE id = :id RETURNING 1", id=lost["id"])
    hours = count()

    async def is_given_back() -> bool:
        await shop.sweep(later=timedelta(hours=next(hours)))
        return bool(await shop.one("SELECT status = 'succeeded' FROM refund"))

    await until(is_given_back)
    await merchant.script(bills_at_once=True)
    wechat = await close_day(shop.till, "wechat", today, by="command")
    alipay = await close_day(shop.till, "alipay", today, by="command")
    assert [one.cause for one in wechat.differences] == [Cause.BOOKED_LATE]
    assert wechat.sums["bill"] == wechat.sums["journal"] | {"fee": wechat.sums["bill"]["fee"]}
    assert (wechat.sums["bill"]["paid"], wechat.sums["bill"]["refunded"]) == (1200, 200)
    assert (alipay.outcome, alipay.sums["bill"]["paid"]) == ("balanced", 600)
    assert (await shop.payment(lost))["status"] == "paid"
    books = await shop.books()
    fees = wechat.sums["bill"]["fee"] + alipay.sums["bill"]["fee"]
    assert books[accounts.BANK] == 1600 - fees
    assert not [account for account in books if account.endswith(":clearing")]
    assert all(finding.is_kept for finding in await prove(shop.town.database, shop.till.clock))

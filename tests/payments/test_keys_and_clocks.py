"""Keys that change and clocks that are wrong: the api with the real adapters, told by the simulated gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from api.parts import Parts
from billing.payments.till import real_now
from billing.providers.configured import wechat_merchant
from billing.providers.port import PaymentProvider
from billing.providers.wechat.provider import WechatPay
from core.settings import Settings
from simulator.gateway.keys import merchant_settings
from tests.api.conftest import running
from tests.api.town import Town
from tests.payments.conftest import PLATE_KEY, Desk
from tests.providers.conftest import Merchant, gateway, merchant
from tests.support.waiting import until

__all__ = ["gateway", "merchant"]

pytestmark = pytest.mark.services


@asynccontextmanager
async def shop(town: Town, providers: dict[str, PaymentProvider]) -> AsyncIterator[Desk]:
    """A desk whose api takes payments through these adapters; what the gateway tells arrives by HTTP."""

    def prepare(app: FastAPI) -> None:
        parts = Parts.of(app)
        app.state.parts = replace(parts, till=replace(parts.till, providers=providers))

    async with running(town.database.url, prepare, plate_key=SecretStr(PLATE_KEY)) as api:
        parts = api.parts
        api.app.state.parts = replace(parts, till=replace(parts.till, notify_base_url=api.url))
        yield Desk(api=api, town=town)


async def told(desk: Desk, merchant: Merchant, payment: dict[str, Any], times: int) -> dict[str, Any]:
    """The gateway's notice of a payment after so many attempts."""
    order_no = await desk.order_no(payment)

    async def often_enough() -> dict[str, Any] | None:
        seen = await merchant.control("GET", f"orders/{order_no}?provider=wechat")
        notice: dict[str, Any] | None = next(iter(seen["notices"]), None)
        return notice if notice and notice["attempts"] >= times else None

    found = await until(often_enough)
    assert found is not None
    return found


async def unpolled(desk: Desk, payment: dict[str, Any]) -> None:
    """Nobody asks: only what is told counts."""
    await desk.one("UPDATE payment SET poll_at = NULL WHERE id = :id RETURNING 1", id=payment["id"])


async def test_f21_signed_with_a_key_we_do_not_know_it_comes_again_and_is_booked_once(
    town: Town, merchant: Merchant
) -> None:
    async with shop(town, merchant.providers) as desk:
        await merchant.script({"on": "wechat.notify.payment", "do": "wrong-key", "times": 1})
        payment = await desk.begin(await desk.ended(), "wechat_native")
        await unpolled(desk, payment)
        await merchant.pay(await desk.order_no(payment), "wechat")
        notice = await told(desk, merchant, payment, 1)
        assert (notice["acknowledged_at"], notice["answer"]) == (None, "500")
        assert await desk.bookings() == 0
        await merchant.control("POST", "clock", advance_seconds=20)
        notice = await told(desk, merchant, payment, 2)
        assert notice["acknowledged_at"] is not None
        assert (await desk.payment(payment))["status"] == "paid"
        assert await desk.bookings() == 1


async def test_f21_a_merchant_of_platform_certificates_learns_them_and_is_paid(town: Town, merchant: Merchant) -> None:
    providers = merchant.with_settings(PARKING_WECHAT_PUBLIC_KEY_ID="", PARKING_WECHAT_PUBLIC_KEY="")
    async with shop(town, providers) as desk:
        payment = await desk.begin(await desk.ended(), "wechat_native")
        await unpolled(desk, payment)
        await merchant.pay(await desk.order_no(payment), "wechat")
        assert (await told(desk, merchant, payment, 1))["acknowledged_at"] is not None
        assert (await desk.payment(payment))["status"] == "paid"


async def test_f24_with_a_wrong_clock_nothing_is_believed_and_nothing_lost(town: Town, merchant: Merchant) -> None:
    wrong_by = timedelta(minutes=10)

    def now() -> datetime:
        return real_now() + wrong_by

    variables = merchant_settings(merchant.folder)
    settings = {name.removeprefix("PARKING_").lower(): value for name, value in variables.items()}
    account = wechat_merchant(Settings.model_validate(settings))
    assert account is not None
    provider = WechatPay(account, now=now)
    async with shop(town, {"wechat": provider}) as desk:
        payment = await desk.begin(await desk.ended(), "wechat_native")
        assert payment["status"] == "unknown"
        assert provider.clock_ahead_seconds is not None
        assert provider.clock_ahead_seconds < -500
        wrong_by = timedelta()

        async def has_a_code() -> bool:
            await desk.sweep(later=timedelta(seconds=10))
            return (await desk.payment(payment))["code_url"] is not None

        await until(has_a_code)
        wrong_by = timedelta(minutes=-10)
        await unpolled(desk, payment)
        await merchant.pay(await desk.order_no(payment), "wechat")
        assert (await told(desk, merchant, payment, 1))["answer"] == "401"
        assert await desk.bookings() == 0
        wrong_by = timedelta()
        await desk.one("UPDATE payment SET poll_at = now() WHERE id = :id RETURNING 1", id=payment["id"])
        await desk.sweep()
        assert (await desk.payment(payment))["status"] == "paid"
        assert await desk.bookings() == 1

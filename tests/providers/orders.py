"""Orders of a merchant at the simulated gateway."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.providers.port import (
    Channel,
    Opened,
    Order,
    PaymentProvider,
    RefundOrder,
)
from core.money import Fen
from tests.providers.conftest import Merchant

PROVIDERS = {"wechat": Channel.WECHAT_NATIVE, "alipay": Channel.ALIPAY_PRECREATE}
both = pytest.mark.parametrize("name", PROVIDERS)


def order(merchant: Merchant, channel: Channel, **changed: Any) -> Order:
    provider = channel.partition("_")[0]
    given: dict[str, Any] = {
        "order_no": merchant.order_no,
        "channel": channel,
        "amount_fen": Fen(600),
        "description": "停车费 KL-017, 测试",
        "notify_url": merchant.notify_url(provider),
        "return_url": f"{merchant.door}/s/KL-017",
        "expires_at": datetime.now(UTC) + timedelta(minutes=15),
        "payer_id": None,
        "payer_ip": "203.0.113.9",
    }
    return Order(**{**given, **changed})


def refund(merchant: Merchant, name: str, amount: int = 200) -> RefundOrder:
    return RefundOrder(
        order_no=merchant.order_no,
        refund_no=merchant.refund_no,
        amount_fen=Fen(amount),
        total_fen=Fen(600),
        reason="paid twice",
        notify_url=merchant.notify_url(name),
    )


async def opened(merchant: Merchant, name: str, **changed: Any) -> tuple[PaymentProvider, Order, Opened]:
    provider, wanted = merchant.providers[name], order(merchant, PROVIDERS[name], **changed)
    return provider, wanted, await provider.create(wanted)


async def paid(merchant: Merchant, name: str, **how: Any) -> tuple[PaymentProvider, Order]:
    provider, wanted, _ = await opened(merchant, name)
    await merchant.pay(wanted.order_no, name, **how)
    return provider, wanted

"""The adapters against a gateway that misbehaves, over HTTP."""

import pytest

from billing.providers.port import (
    Channel,
    ForgedError,
    NotReadableError,
    OrderStatus,
    ProviderUnavailableError,
)
from billing.providers.wechat.provider import WechatPay
from tests.providers.conftest import Merchant
from tests.providers.orders import PROVIDERS, both, order, paid


@both
@pytest.mark.parametrize("fault", ["unsigned", "forged", "corrupt", "error", "down", "cut-after"])
async def test_f28_an_answer_that_proves_nothing_is_unknown(merchant: Merchant, name: str, fault: str) -> None:
    provider, wanted = await paid(merchant, name)
    await merchant.script({"on": f"{name}.*", "do": fault})
    with pytest.raises(ProviderUnavailableError):
        await provider.query(wanted.order_no)
    await merchant.script()
    assert (await provider.query(wanted.order_no)).status is OrderStatus.PAID


@both
async def test_f04_an_order_whose_answer_was_lost_is_made_once(merchant: Merchant, name: str) -> None:
    await merchant.script({"on": f"{name}.create", "do": "cut-after", "times": 1})
    provider, wanted = merchant.providers[name], order(merchant, PROVIDERS[name])
    with pytest.raises(ProviderUnavailableError):
        await provider.create(wanted)
    assert (await provider.create(wanted)).code_url
    await merchant.pay(wanted.order_no, name)
    assert (await provider.query(wanted.order_no)).total_fen == 600


@pytest.mark.parametrize(
    ("name", "fault", "error"),
    [
        ("wechat", "forged", ForgedError),
        ("wechat", "unsigned", ForgedError),
        ("wechat", "corrupt", ForgedError),
        ("wechat", "probe", ForgedError),
        ("wechat", "stale", ForgedError),
        ("wechat", "wrong-merchant", ForgedError),
        ("wechat", "wrong-key", NotReadableError),
        ("alipay", "forged", ForgedError),
        ("alipay", "unsigned", ForgedError),
        ("alipay", "corrupt", ForgedError),
        ("alipay", "stale", ForgedError),
        ("alipay", "wrong-merchant", ForgedError),
        ("alipay", "wrong-key", ForgedError),
    ],
)
async def test_f16_f18_f20_f22_notifications_that_are_not_theirs_are_refused(
    merchant: Merchant, name: str, fault: str, error: type[Exception]
) -> None:
    await merchant.script({"on": f"{name}.notify.*", "do": fault})
    await paid(merchant, name)
    with pytest.raises(error):
        await merchant.heard(name)


async def test_f01_every_copy_is_the_same_notification(merchant: Merchant) -> None:
    await merchant.script({"on": "*.notify.*", "do": "repeat", "copies": 5})
    for name in PROVIDERS:
        await paid(merchant, name)
        keys = {(await merchant.heard(name)).key for _ in range(5)}
        assert len(keys) == 1


async def test_f21_a_merchant_of_platform_certificates_fetches_them(merchant: Merchant) -> None:
    (provider, _) = merchant.with_settings(PARKING_WECHAT_PUBLIC_KEY_ID="", PARKING_WECHAT_PUBLIC_KEY="").values()
    try:
        wanted = order(merchant, Channel.WECHAT_NATIVE)
        assert (await provider.create(wanted)).code_url
        await merchant.pay(wanted.order_no, "wechat")
        headers, body = await merchant.bytes_from("wechat")
        assert (await provider.read_notification(headers, body)).about.order_no == wanted.order_no
    finally:
        await provider.aclose()


async def test_f23_a_wrong_api_key_is_ours_to_mend(merchant: Merchant) -> None:
    (provider, _) = merchant.with_settings(PARKING_WECHAT_API_KEY="another key of exactly 32 bytes!").values()
    try:
        await paid(merchant, "wechat")
        headers, body = await merchant.bytes_from("wechat")
        with pytest.raises(NotReadableError):
            await provider.read_notification(headers, body)
    finally:
        await provider.aclose()


async def test_f24_the_providers_clock_is_known_after_a_call(merchant: Merchant) -> None:
    provider = merchant.providers["wechat"]
    assert isinstance(provider, WechatPay)
    await provider.query("P00000000")
    assert provider.clock_ahead_seconds is not None
    assert abs(provider.clock_ahead_seconds) < 5

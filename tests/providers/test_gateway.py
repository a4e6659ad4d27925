"""The adapters against the simulated gateway over HTTP: two programs that share no code must understand each other."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from billing.providers.port import (
    BillNotReadyError,
    Channel,
    OrderState,
    OrderStatus,
    ProviderRefusedError,
    RefundState,
    RefundStatus,
)
from billing.providers.wechat.provider import WechatPay
from core.money import Fen
from tests.providers.conftest import Merchant
from tests.providers.orders import PROVIDERS, both, opened, order, paid, refund
from tests.support.waiting import until


@both
async def test_an_order_is_made_paid_told_and_found(merchant: Merchant, name: str) -> None:
    provider, wanted, found = await opened(merchant, name)
    assert found.code_url is not None
    assert (await provider.create(wanted)).code_url == found.code_url
    assert (await provider.query(wanted.order_no)).status in (OrderStatus.PENDING, OrderStatus.NOT_FOUND)
    await merchant.pay(wanted.order_no, name)
    told, asked = (await merchant.heard(name)).about, await provider.query(wanted.order_no)
    assert isinstance(told, OrderState)
    assert told == asked
    assert (told.status, told.total_fen, told.currency) == (OrderStatus.PAID, 600, "CNY")
    assert told.transaction_id
    assert told.paid_at is not None
    assert abs(told.paid_at - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("channel", [Channel.WECHAT_H5, Channel.ALIPAY_WAP, Channel.ALIPAY_PAGE])
async def test_a_page_opens_in_a_browser(merchant: Merchant, channel: Channel) -> None:
    wanted = order(merchant, channel)
    name = channel.partition("_")[0]
    found = await merchant.providers[name].create(wanted)
    assert found.pay_url is not None
    page = await merchant.http.get(found.pay_url, follow_redirects=True)
    assert page.is_success
    assert "6.00" in page.text
    await merchant.pay(wanted.order_no, name)
    assert (await merchant.heard(name)).about.order_no == wanted.order_no


async def test_a_payer_inside_wechat_is_recognised_and_pays(merchant: Merchant) -> None:
    provider = merchant.providers["wechat"]
    assert isinstance(provider, WechatPay)
    back = await merchant.http.get(provider.recognition.authorize_url(f"{merchant.door}/s/KL-017?k=1", "st4te"))
    query = parse_qs(urlsplit(back.headers["location"]).query)
    assert (query["state"], query["k"]) == (["st4te"], ["1"])
    openid = await provider.recognition.openid(query["code"][0])
    with pytest.raises(ProviderRefusedError):
        await provider.recognition.openid(query["code"][0])
    found = await provider.create(order(merchant, Channel.WECHAT_JSAPI, payer_id=openid))
    assert found.bridge is not None
    assert (await merchant.http.get(f"{merchant.url}/wechat/bridge", params=dict(found.bridge))).is_redirect


@both
async def test_a_coupon_of_the_providers_changes_no_total(merchant: Merchant, name: str) -> None:
    provider, wanted = await paid(merchant, name, coupon_fen=100)
    assert (await provider.query(wanted.order_no)).total_fen == 600


@both
async def test_f15_another_amount_is_told_as_it_is(merchant: Merchant, name: str) -> None:
    provider, wanted = await paid(merchant, name, amount_fen=1)
    assert (await provider.query(wanted.order_no)).total_fen == 1


@both
async def test_an_order_nobody_made_is_not_found(merchant: Merchant, name: str) -> None:
    provider = merchant.providers[name]
    assert (await provider.query("P00000000")).status is OrderStatus.NOT_FOUND
    assert (await provider.close("P00000000")).status is OrderStatus.NOT_FOUND
    assert (await provider.query_refund("P00000000", "R00000000")).status is RefundStatus.NOT_FOUND


async def test_a_closed_order_cannot_be_paid(merchant: Merchant) -> None:
    provider, wanted, _ = await opened(merchant, "wechat")
    assert (await provider.close(wanted.order_no)).status is OrderStatus.CLOSED
    assert (await provider.close(wanted.order_no)).status is OrderStatus.CLOSED
    assert (await provider.query(wanted.order_no)).status is OrderStatus.CLOSED


@both
async def test_f13_closing_what_was_paid_says_paid(merchant: Merchant, name: str) -> None:
    provider, wanted = await paid(merchant, name)
    state = await provider.close(wanted.order_no)
    assert (state.status, state.total_fen) == (OrderStatus.PAID, 600)


@both
async def test_the_same_number_for_something_else_is_refused(merchant: Merchant, name: str) -> None:
    provider, wanted, _ = await opened(merchant, name)
    with pytest.raises(ProviderRefusedError):
        await provider.create(order(merchant, PROVIDERS[name], amount_fen=Fen(700), expires_at=wanted.expires_at))


@both
async def test_a_refund_arrives_once(merchant: Merchant, name: str) -> None:
    provider, wanted = await paid(merchant, name)
    await merchant.heard(name)
    first = await provider.refund(refund(merchant, name))
    assert first.status in (RefundStatus.ACCEPTED, RefundStatus.SUCCEEDED)
    assert (await provider.refund(refund(merchant, name))).status in (RefundStatus.ACCEPTED, RefundStatus.SUCCEEDED)
    told = (await merchant.heard(name)).about
    assert isinstance(told, RefundState)
    assert (told.refund_no, told.status) == (merchant.refund_no, RefundStatus.SUCCEEDED)
    asked = await provider.query_refund(wanted.order_no, merchant.refund_no)
    assert (asked.status, asked.amount_fen) == (RefundStatus.SUCCEEDED, 200)
    assert (await merchant.control("GET", f"orders/{wanted.order_no}?provider={name}"))["refunds"][0][
        "amount_fen"
    ] == 200


@both
async def test_f41_what_was_given_back_whole_was_paid_once(merchant: Merchant, name: str) -> None:
    provider, wanted = await paid(merchant, name)
    await provider.refund(refund(merchant, name, amount=600))

    async def is_refunded() -> bool:
        return (await provider.query(wanted.order_no)).status is OrderStatus.REFUNDED

    await until(is_refunded)


@both
async def test_more_than_was_paid_is_refused(merchant: Merchant, name: str) -> None:
    provider, _ = await paid(merchant, name)
    with pytest.raises(ProviderRefusedError):
        await provider.refund(refund(merchant, name, amount=601))


@both
async def test_f55_the_bill_has_what_moved_by_its_own_numbers(merchant: Merchant, name: str) -> None:
    await merchant.script(bills_at_once=True, refund_seconds=0)
    provider, wanted = await paid(merchant, name)
    await provider.refund(refund(merchant, name))

    async def is_done() -> bool:
        return (await provider.query_refund(wanted.order_no, merchant.refund_no)).status is RefundStatus.SUCCEEDED

    await until(is_done)
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    bill = await provider.fetch_bill(today)
    payment, given_back = (line for line in bill.lines if line.order_no == wanted.order_no)
    asked = await provider.query(wanted.order_no)
    assert (payment.order_no, payment.transaction_id) == (wanted.order_no, asked.transaction_id)
    assert (payment.refund_no, payment.amount_fen) == (None, 600)
    assert 0 <= payment.fee_fen < 10
    assert (given_back.refund_no, given_back.amount_fen) == (merchant.refund_no, 200)
    assert given_back.fee_fen <= 0


@both
async def test_a_bill_of_today_is_not_made_yet(merchant: Merchant, name: str) -> None:
    with pytest.raises(BillNotReadyError):
        await merchant.providers[name].fetch_bill(datetime.now(ZoneInfo("Asia/Shanghai")).date())


@both
async def test_a_proxy_is_not_asked_for_what_is_on_this_machine(
    merchant: Merchant, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    provider = merchant.with_settings()[name]
    assert (await provider.query("P00000000")).status is OrderStatus.NOT_FOUND
    await provider.aclose()

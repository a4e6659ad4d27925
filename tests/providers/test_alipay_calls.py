"""Alipay: each call and what becomes of each kind of answer."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from billing.providers.port import (
    Channel,
    OrderStatus,
    PaymentProvider,
    ProviderRefusedError,
    ProviderUnavailableError,
    RefundStatus,
)
from tests.providers.strangers import (
    ALIPAY_APP_ID,
    ALIPAY_URL,
    ORDER_NO,
    REFUND_NO,
    AlipayStranger,
    alipay,
    alipay_sdk,
    order,
    private_key,
    refund_order,
)

PRECREATE, QUERY, CLOSE = "alipay.trade.precreate", "alipay.trade.query", "alipay.trade.close"
REFUND, QUERY_REFUND = "alipay.trade.refund", "alipay.trade.fastpay.refund.query"
OK = {"code": "10000", "out_trade_no": ORDER_NO}
PAID = {
    **OK,
    "trade_no": "2026112322001400000000000001",
    "trade_status": "TRADE_SUCCESS",
    "total_amount": "6.00",
    "receipt_amount": "5.00",
    "send_pay_date": "2026-11-23 11:59:30",
}


def no(sub_code: str, code: str = "40004") -> dict[str, str]:
    return {"code": code, "sub_code": sub_code, "sub_msg": "交易不存在"}


def is_provider(provider: PaymentProvider) -> str:
    return provider.name


def test_it_fits_the_port() -> None:
    assert is_provider(alipay(AlipayStranger())) == "alipay"


async def test_a_precreated_order_becomes_a_code() -> None:
    stranger = AlipayStranger({PRECREATE: {**OK, "qr_code": "https://qr.test/bax03431"}})
    opened = await alipay(stranger).create(order(Channel.ALIPAY_PRECREATE))
    assert opened.code_url == "https://qr.test/bax03431"
    asked = stranger.asked[0]
    assert (asked["app_id"], asked["notify_url"]) == (ALIPAY_APP_ID, "https://parking.test/api/v1/notify/x")
    assert json.loads(asked["biz_content"]) == {
        "out_trade_no": ORDER_NO,
        "total_amount": "6.00",
        "subject": "停车费 KL-017",
        "time_expire": "2026-11-23 12:15:00",
    }


@pytest.mark.parametrize(
    ("channel", "method", "product"),
    [
        (Channel.ALIPAY_WAP, "alipay.trade.wap.pay", "QUICK_WAP_WAY"),
        (Channel.ALIPAY_PAGE, "alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    ],
)
async def test_a_page_is_a_signed_address(channel: Channel, method: str, product: str) -> None:
    stranger = AlipayStranger()
    opened = await alipay(stranger).create(order(channel))
    assert opened.pay_url is not None
    assert opened.pay_url.startswith(f"{ALIPAY_URL}?")
    form = dict(parse_qsl(urlsplit(opened.pay_url).query))
    assert (form["method"], form["return_url"]) == (method, "https://parking.test/s/KL-017?k=abc")
    assert json.loads(form["biz_content"])["product_code"] == product
    signature = form.pop("sign")
    message = "&".join(f"{name}={value}" for name, value in sorted(form.items()))
    oracle = alipay_sdk("alipay")
    assert oracle._verify(message, signature)  # noqa: SLF001 - the oracle's own verifier
    assert stranger.asked == []


async def test_a_paid_order_counts_what_it_was_for() -> None:
    state = await alipay(AlipayStranger({QUERY: PAID})).query(ORDER_NO)
    assert (state.status, state.total_fen) == (OrderStatus.PAID, 600)
    assert state.transaction_id == "2026112322001400000000000001"
    assert state.paid_at == datetime(2026, 11, 23, 3, 59, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"trade_status": "WAIT_BUYER_PAY", "send_pay_date": None}, OrderStatus.PENDING),
        ({"trade_status": "TRADE_CLOSED", "send_pay_date": None}, OrderStatus.CLOSED),
        ({"trade_status": "TRADE_CLOSED"}, OrderStatus.REFUNDED),
        ({"trade_status": "TRADE_FINISHED"}, OrderStatus.PAID),
    ],
)
async def test_f41_f42_each_state_has_its_word(changed: dict[str, object], status: OrderStatus) -> None:
    assert (await alipay(AlipayStranger({QUERY: {**PAID, **changed}})).query(ORDER_NO)).status is status


async def test_an_order_nobody_scanned_is_not_found() -> None:
    provider = alipay(AlipayStranger({QUERY: no("ACQ.TRADE_NOT_EXIST"), CLOSE: no("ACQ.TRADE_NOT_EXIST")}))
    assert (await provider.query(ORDER_NO)).status is OrderStatus.NOT_FOUND
    assert (await provider.close(ORDER_NO)).status is OrderStatus.NOT_FOUND


@pytest.mark.parametrize(
    "changed",
    [
        {"total_amount": "6.001"},
        {"total_amount": "6e2"},
        {"total_amount": ""},
        {"total_amount": 6.0},
        {"trade_status": "WONDERFUL"},
        {"trade_no": ""},
        {"out_trade_no": "P20261123040000OTHER"},
        {"send_pay_date": "yesterday"},
    ],
)
async def test_a_genuine_answer_in_a_strange_shape_proves_nothing(changed: dict[str, object]) -> None:
    with pytest.raises(ProviderUnavailableError):
        await alipay(AlipayStranger({QUERY: {**PAID, **changed}})).query(ORDER_NO)


async def test_a_closed_order_is_closed() -> None:
    assert (await alipay(AlipayStranger({CLOSE: OK})).close(ORDER_NO)).status is OrderStatus.CLOSED


async def test_f13_closing_what_was_paid_says_paid() -> None:
    provider = alipay(AlipayStranger({CLOSE: no("ACQ.TRADE_STATUS_ERROR"), QUERY: PAID}))
    assert (await provider.close(ORDER_NO)).status is OrderStatus.PAID


async def test_undoing_says_whether_money_went_back() -> None:
    stranger = AlipayStranger({"alipay.trade.cancel": {**OK, "action": "refund"}})
    assert await alipay(stranger).cancel(ORDER_NO)
    stranger.answers["alipay.trade.cancel"] = {**OK, "action": "close"}
    assert not await alipay(stranger).cancel(ORDER_NO)


async def test_a_refund_that_moved_money_succeeded() -> None:
    stranger = AlipayStranger({REFUND: {**OK, "fund_change": "Y", "trade_no": "2026"}})
    state = await alipay(stranger).refund(refund_order())
    assert (state.status, state.amount_fen) == (RefundStatus.SUCCEEDED, 200)
    assert json.loads(stranger.asked[0]["biz_content"])["refund_amount"] == "2.00"


async def test_a_refund_asked_for_twice_is_found() -> None:
    found = {**OK, "out_request_no": REFUND_NO, "refund_status": "REFUND_SUCCESS", "refund_amount": "2.00"}
    stranger = AlipayStranger({REFUND: {**OK, "fund_change": "N"}, QUERY_REFUND: {**found, "trade_no": "2026"}})
    state = await alipay(stranger).refund(refund_order())
    assert (state.status, state.amount_fen) == (RefundStatus.SUCCEEDED, 200)


async def test_a_refund_that_left_no_trace_is_asked_for_again() -> None:
    stranger = AlipayStranger({REFUND: {**OK, "fund_change": "N"}, QUERY_REFUND: {"code": "10000"}})
    provider = alipay(stranger)
    assert (await provider.refund(refund_order())).status is RefundStatus.ACCEPTED
    assert (await provider.query_refund(ORDER_NO, REFUND_NO)).status is RefundStatus.NOT_FOUND


async def test_a_signed_no_is_final_and_names_its_code() -> None:
    with pytest.raises(ProviderRefusedError) as refusal:
        await alipay(AlipayStranger({REFUND: no("ACQ.TRADE_HAS_FINISHED")})).refund(refund_order())
    assert refusal.value.facts["code"] == "ACQ.TRADE_HAS_FINISHED"


@pytest.mark.parametrize(
    "answer",
    [
        no("ACQ.SYSTEM_ERROR"),
        no("isp.unknow-error", code="20000"),
        no("isv.invalid-signature", code="40002"),
        {"code": "10003", "msg": "order success pay inprocess"},
        {},
    ],
)
async def test_f27_not_now_is_not_no(answer: dict[str, object]) -> None:
    with pytest.raises(ProviderUnavailableError):
        await alipay(AlipayStranger({QUERY: answer})).query(ORDER_NO)


@pytest.mark.parametrize("error", [httpx.ConnectTimeout("x"), httpx.ReadTimeout("x"), httpx.ConnectError("x")])
async def test_f04_no_answer_is_unknown(error: Exception) -> None:
    with pytest.raises(ProviderUnavailableError):
        await alipay(AlipayStranger({QUERY: error})).query(ORDER_NO)


async def test_an_answer_that_is_no_200_is_unknown() -> None:
    with pytest.raises(ProviderUnavailableError):
        await alipay(AlipayStranger({QUERY: PAID}, status=502)).query(ORDER_NO)


CHANGES: list[Callable[[bytes], bytes]] = [
    lambda body: body.replace(b"6.00", b"7.00"),
    lambda body: body.replace(b"TRADE_SUCCESS", b"TRADE_CLOSED"),
    lambda body: body.replace(b"\n ", b""),
    lambda body: body.replace(b'"sign"', b'"sing"'),
    lambda body: body[:-3],
    lambda body: body + b"{}",
    lambda body: b"\xff" + body,
    lambda body: b'{"alipay_trade_query_response":{"code":"10000"},' + body[1:],
    lambda body: body.replace(b'"alipay_trade_query_response"', b'"alipay_trade_close_response"'),
    lambda _: b'{"error_response":{"code":"40002","sub_code":"isv.invalid-app-id"}}',
    lambda _: b"[" * 100_000,
    lambda _: b"",
    lambda _: b"null",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_f28_an_answer_that_is_not_proved_is_unknown(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ProviderUnavailableError):
        await alipay(AlipayStranger({QUERY: PAID}, change=change)).query(ORDER_NO)


async def test_two_keys_are_believed_while_they_change() -> None:
    keys = (private_key("next").public_key(), private_key("alipay").public_key())
    assert (await alipay(AlipayStranger({QUERY: PAID}), public_keys=keys).query(ORDER_NO)).status is OrderStatus.PAID

"""WeChat Pay: each call and what becomes of each kind of answer."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from billing.providers.port import (
    Channel,
    OrderStatus,
    PaymentProvider,
    ProviderRefusedError,
    ProviderUnavailableError,
    RefundStatus,
)
from core.errors import InvalidError
from tests.providers.strangers import (
    APP_ID,
    MERCHANT_ID,
    NOW,
    ORDER_NO,
    PUBLIC_KEY_ID,
    REFUND_NO,
    WechatStranger,
    certificate,
    order,
    private_key,
    refund_order,
    sealed,
    serial_of,
    wechat,
    wechat_refund,
    wechat_transaction,
)

QUERY = f"GET /v3/pay/transactions/out-trade-no/{ORDER_NO}"
CLOSE = f"POST /v3/pay/transactions/out-trade-no/{ORDER_NO}/close"
REFUND = "POST /v3/refund/domestic/refunds"
QUERY_REFUND = f"GET /v3/refund/domestic/refunds/{REFUND_NO}"
CERTIFICATES = "GET /v3/certificates"


def is_provider(provider: PaymentProvider) -> str:
    return provider.name


def test_it_fits_the_port() -> None:
    assert is_provider(wechat(WechatStranger())) == "wechat"


async def test_a_native_order_becomes_a_code() -> None:
    stranger = WechatStranger(
        {"POST /v3/pay/transactions/native": (200, {"code_url": "weixin://wxpay/bizpayurl?pr=x"})}
    )
    opened = await wechat(stranger).create(order(Channel.WECHAT_NATIVE))
    assert opened.code_url == "weixin://wxpay/bizpayurl?pr=x"
    asked = json.loads(stranger.asked[0].content)
    assert asked == {
        "appid": APP_ID,
        "mchid": MERCHANT_ID,
        "description": "停车费 KL-017",
        "out_trade_no": ORDER_NO,
        "time_expire": "2026-11-23T12:15:00+08:00",
        "notify_url": "https://parking.test/api/v1/notify/x",
        "amount": {"total": 600, "currency": "CNY"},
    }
    assert stranger.asked[0].headers["Wechatpay-Serial"] == PUBLIC_KEY_ID


async def test_a_jsapi_order_becomes_signed_parameters_for_the_payer() -> None:
    stranger = WechatStranger({"POST /v3/pay/transactions/jsapi": (200, {"prepay_id": "wx2611"})})
    opened = await wechat(stranger).create(order(Channel.WECHAT_JSAPI))
    assert json.loads(stranger.asked[0].content)["payer"] == {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}
    assert opened.bridge is not None
    assert opened.bridge["package"] == "prepay_id=wx2611"
    assert opened.bridge["signType"] == "RSA"


async def test_an_h5_order_becomes_an_address_that_comes_back() -> None:
    stranger = WechatStranger(
        {"POST /v3/pay/transactions/h5": (200, {"h5_url": "https://wx.test/checkmweb?prepay_id=1"})}
    )
    opened = await wechat(stranger).create(order(Channel.WECHAT_H5))
    assert json.loads(stranger.asked[0].content)["scene_info"]["payer_client_ip"] == "203.0.113.9"
    query = parse_qs(urlsplit(opened.pay_url or "").query)
    assert query["redirect_url"] == ["https://parking.test/s/KL-017?k=abc"]


@pytest.mark.parametrize(("channel", "missing"), [(Channel.WECHAT_JSAPI, "payer_id"), (Channel.WECHAT_H5, "payer_ip")])
async def test_a_channel_says_what_it_needs(channel: Channel, missing: str) -> None:
    with pytest.raises(InvalidError):
        await wechat(WechatStranger()).create(order(channel, **{missing: None}))


async def test_a_long_description_is_cut_between_characters() -> None:
    stranger = WechatStranger({"POST /v3/pay/transactions/native": (200, {"code_url": "weixin://x"})})
    await wechat(stranger).create(order(Channel.WECHAT_NATIVE, description="停" * 200))
    assert json.loads(stranger.asked[0].content)["description"] == "停" * 42


async def test_the_total_counts_whoever_paid_part_of_it() -> None:
    state = await wechat(WechatStranger({QUERY: (200, wechat_transaction())})).query(ORDER_NO)
    assert (state.status, state.total_fen, state.currency) == (OrderStatus.PAID, 600, "CNY")
    assert state.transaction_id == "4200000000202611230000000001"
    assert state.paid_at == datetime(2026, 11, 23, 3, 59, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("NOTPAY", OrderStatus.PENDING),
        ("USERPAYING", OrderStatus.PENDING),
        ("CLOSED", OrderStatus.CLOSED),
        ("REVOKED", OrderStatus.CLOSED),
        ("PAYERROR", OrderStatus.FAILED),
        ("REFUND", OrderStatus.REFUNDED),
    ],
)
async def test_each_state_has_its_word(told: str, status: OrderStatus) -> None:
    provider = wechat(WechatStranger({QUERY: (200, wechat_transaction(trade_state=told))}))
    assert (await provider.query(ORDER_NO)).status is status


@pytest.mark.parametrize("code", ["ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"])
async def test_an_order_nobody_knows_is_not_found(code: str) -> None:
    provider = wechat(WechatStranger({QUERY: (404, {"code": code, "message": "订单不存在"})}))
    assert (await provider.query(ORDER_NO)).status is OrderStatus.NOT_FOUND


@pytest.mark.parametrize(
    "answer",
    [
        wechat_transaction(mchid="1900000110"),
        wechat_transaction(appid="wx1"),
        wechat_transaction(out_trade_no="P2026112304000000OTHER"),
        wechat_transaction(trade_state="WONDERFUL"),
        wechat_transaction(amount={"total": 600.0}),
        wechat_transaction(amount={"total": True}),
        wechat_transaction(amount={"total": -1}),
        wechat_transaction(amount=None),
        wechat_transaction(success_time="2026-11-23 11:59:30"),
        wechat_transaction(transaction_id=None),
        {},
    ],
)
async def test_a_genuine_answer_in_a_strange_shape_proves_nothing(answer: dict[str, object]) -> None:
    with pytest.raises(ProviderUnavailableError):
        await wechat(WechatStranger({QUERY: (200, answer)})).query(ORDER_NO)


async def test_a_closed_order_is_closed() -> None:
    stranger = WechatStranger({CLOSE: (204, None)})
    assert (await wechat(stranger).close(ORDER_NO)).status is OrderStatus.CLOSED
    assert json.loads(stranger.asked[0].content) == {"mchid": MERCHANT_ID}


@pytest.mark.parametrize("code", ["ORDERPAID", "ORDER_PAID"])
async def test_f13_closing_what_was_paid_says_paid(code: str) -> None:
    stranger = WechatStranger({CLOSE: (400, {"code": code}), QUERY: (200, wechat_transaction())})
    state = await wechat(stranger).close(ORDER_NO)
    assert (state.status, state.total_fen) == (OrderStatus.PAID, 600)


async def test_closing_twice_is_closing() -> None:
    provider = wechat(WechatStranger({CLOSE: (400, {"code": "ORDER_CLOSED"})}))
    assert (await provider.close(ORDER_NO)).status is OrderStatus.CLOSED


async def test_closing_what_never_was_is_not_found() -> None:
    provider = wechat(WechatStranger({CLOSE: (404, {"code": "ORDER_NOT_EXIST"})}))
    assert (await provider.close(ORDER_NO)).status is OrderStatus.NOT_FOUND


async def test_a_refund_is_accepted_then_asked_for() -> None:
    stranger = WechatStranger({REFUND: (200, wechat_refund()), QUERY_REFUND: (200, wechat_refund(status="SUCCESS"))})
    provider = wechat(stranger)
    accepted = await provider.refund(refund_order())
    assert (accepted.status, accepted.amount_fen) == (RefundStatus.ACCEPTED, 200)
    asked = json.loads(stranger.asked[0].content)
    assert asked["amount"] == {"refund": 200, "total": 600, "currency": "CNY"}
    assert (await provider.query_refund(ORDER_NO, REFUND_NO)).status is RefundStatus.SUCCEEDED


@pytest.mark.parametrize(("told", "status"), [("CLOSED", RefundStatus.FAILED), ("ABNORMAL", RefundStatus.ABNORMAL)])
async def test_a_refund_may_fail(told: str, status: RefundStatus) -> None:
    provider = wechat(WechatStranger({QUERY_REFUND: (200, wechat_refund(status=told))}))
    assert (await provider.query_refund(ORDER_NO, REFUND_NO)).status is status


async def test_a_refund_nobody_knows_is_not_found() -> None:
    provider = wechat(WechatStranger({QUERY_REFUND: (404, {"code": "RESOURCE_NOT_EXISTS"})}))
    assert (await provider.query_refund(ORDER_NO, REFUND_NO)).status is RefundStatus.NOT_FOUND


async def test_a_signed_no_is_final_and_names_its_code() -> None:
    words = "订单号重复 oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
    stranger = WechatStranger(
        {"POST /v3/pay/transactions/native": (403, {"code": "OUT_TRADE_NO_USED", "message": words})}
    )
    with pytest.raises(ProviderRefusedError) as refusal:
        await wechat(stranger).create(order(Channel.WECHAT_NATIVE))
    assert refusal.value.facts["code"] == "OUTTRADENOUSED"
    assert "oUpF8" not in refusal.value.message


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (500, "SYSTEM_ERROR"),
        (429, "FREQUENCY_LIMITED"),
        (403, "RATELIMIT_EXCEEDED"),
        (202, "USERPAYING"),
        (401, "SIGN_ERROR"),
    ],
)
async def test_f27_not_now_is_not_no(status: int, code: str) -> None:
    with pytest.raises(ProviderUnavailableError):
        await wechat(WechatStranger({QUERY: (status, {"code": code})})).query(ORDER_NO)


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectTimeout("x"), httpx.ReadTimeout("x"), httpx.ConnectError("x"), httpx.RemoteProtocolError("x")],
)
async def test_f04_no_answer_is_unknown(error: Exception) -> None:
    with pytest.raises(ProviderUnavailableError):
        await wechat(WechatStranger({QUERY: error})).query(ORDER_NO)


def unsigned(response: httpx.Response) -> httpx.Response:
    return httpx.Response(response.status_code, content=response.content)


def altered(response: httpx.Response) -> httpx.Response:
    return httpx.Response(
        response.status_code, headers=response.headers, content=response.content.replace(b"600", b"601")
    )


def by_another_serial(response: httpx.Response) -> httpx.Response:
    return httpx.Response(
        response.status_code,
        headers={**response.headers, "Wechatpay-Serial": "PUB_KEY_ID_99"},
        content=response.content,
    )


@pytest.mark.parametrize("change", [unsigned, altered, by_another_serial])
@pytest.mark.parametrize("answer", [(200, wechat_transaction()), (404, {"code": "ORDER_NOT_EXIST", "total": 600})])
async def test_f28_an_answer_that_is_not_proved_is_unknown(
    change: Callable[[httpx.Response], httpx.Response], answer: tuple[int, object]
) -> None:
    stranger = WechatStranger({QUERY: answer})
    stranger.change = change
    with pytest.raises(ProviderUnavailableError):
        await wechat(stranger).query(ORDER_NO)


async def test_f24_a_wrong_clock_of_ours_shows_and_believes_nothing() -> None:
    provider = wechat(WechatStranger({QUERY: (200, wechat_transaction())}), now=NOW + timedelta(minutes=10))
    assert provider.clock_ahead_seconds is None
    with pytest.raises(ProviderUnavailableError):
        await provider.query(ORDER_NO)
    assert provider.clock_ahead_seconds == -600


def certificate_list(*whose: str, api_key: str | None = None) -> dict[str, object]:
    return {
        "data": [
            {
                "serial_no": serial_of(each),
                "encrypt_certificate": sealed(
                    certificate(each).public_bytes(Encoding.PEM),
                    associated="certificate",
                    **({"api_key": api_key} if api_key else {}),
                ),
            }
            for each in whose
        ]
    }


async def test_platform_certificates_are_fetched_when_first_needed() -> None:
    stranger = WechatStranger(
        {QUERY: (200, wechat_transaction()), CERTIFICATES: (200, certificate_list("platform"))},
        serial=serial_of("platform"),
        whose="platform",
    )
    provider = wechat(stranger, public_keys={})
    for _ in range(2):
        assert (await provider.query(ORDER_NO)).status is OrderStatus.PAID
    assert [request.url.path for request in stranger.asked].count("/v3/certificates") == 1
    assert "Wechatpay-Serial" not in stranger.asked[0].headers


async def test_both_kinds_of_keys_are_believed_while_a_merchant_moves() -> None:
    stranger = WechatStranger({QUERY: (200, wechat_transaction()), CERTIFICATES: (200, certificate_list("platform"))})
    provider = wechat(stranger)
    await provider.query(ORDER_NO)
    stranger.serial, stranger.whose = serial_of("platform"), "platform"
    await provider.query(ORDER_NO)


async def test_two_public_keys_are_believed_while_they_change() -> None:
    stranger = WechatStranger({QUERY: (200, wechat_transaction())})
    keys = {PUBLIC_KEY_ID: private_key("wechat").public_key(), "PUB_KEY_ID_2": private_key("next").public_key()}
    provider = wechat(stranger, public_keys=keys)
    await provider.query(ORDER_NO)
    stranger.serial, stranger.whose = "PUB_KEY_ID_2", "next"
    await provider.query(ORDER_NO)


async def test_certificates_sealed_with_another_key_are_not_learned() -> None:
    foreign = certificate_list("platform", api_key="another key of exactly 32 bytes!")
    stranger = WechatStranger(
        {QUERY: (200, wechat_transaction()), CERTIFICATES: (200, foreign)},
        serial=serial_of("platform"),
        whose="platform",
    )
    with pytest.raises(ProviderUnavailableError):
        await wechat(stranger, public_keys={}).query(ORDER_NO)


async def test_an_expired_certificate_is_not_believed() -> None:
    stranger = WechatStranger(
        {QUERY: (200, wechat_transaction()), CERTIFICATES: (200, certificate_list("platform"))},
        serial=serial_of("platform"),
        whose="platform",
    )
    later = NOW + timedelta(days=31)
    with pytest.raises(ProviderUnavailableError):
        await wechat(stranger, now=later, public_keys={}).query(ORDER_NO)


async def test_a_code_becomes_an_openid() -> None:
    path = "GET /sns/oauth2/access_token"
    stranger = WechatStranger({path: (200, b'{"openid":"o123","scope":"snsapi_base"}')})
    provider = wechat(stranger)
    assert await provider.recognition.openid("c0de") == "o123"
    stranger.answers[path] = (200, b'{"errcode":40029,"errmsg":"invalid code"}')
    with pytest.raises(ProviderRefusedError):
        await provider.recognition.openid("c0de")
    for broken in (b'{"errcode":-1}', b"[]", b"not json", b"{}"):
        stranger.answers[path] = (200, broken)
        with pytest.raises(ProviderUnavailableError):
            await provider.recognition.openid("c0de")


def test_the_browser_is_sent_for_a_code_silently() -> None:
    url = urlsplit(wechat(WechatStranger()).recognition.authorize_url("https://parking.test/s/KL-017", "st4te"))
    query = parse_qs(url.query)
    assert query["scope"] == ["snsapi_base"]
    assert query["redirect_uri"] == ["https://parking.test/s/KL-017"]
    assert url.fragment == "wechat_redirect"


async def test_a_merchant_shows_no_key() -> None:
    provider = wechat(WechatStranger())
    shown = repr(replace(provider._merchant))  # noqa: SLF001 - what a log would show of it
    assert "the-secret" not in shown
    assert "0123456789abcdef" not in shown
    await provider.aclose()

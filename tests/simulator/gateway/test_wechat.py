"""The gateway as WeChat Pay, with the public SDK as its merchant: each takes what the other signs."""

import asyncio
import gzip
import hashlib
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from wechatpayv3 import WeChatPay, WeChatPayType  # type: ignore[import-untyped]  # the SDK has no types

from simulator.gateway.clock import CALENDAR
from simulator.gateway.trades import SealedBy
from tests.simulator.gateway.conftest import Merchant, Running
from tests.support.waiting import until

ORDER = "P2026112300000001"
REFUND = "R2026112300000001"


async def called(method: Any, *values: Any, **more: Any) -> tuple[int, dict[str, Any]]:
    """The SDK's calls block, and raise where the answer's signature is wrong."""
    status, text = await asyncio.to_thread(method, *values, **more)
    return status, json.loads(text) if text else {}


async def opened(sdk: WeChatPay, merchant: Merchant, order_no: str = ORDER, total: int = 600, **more: Any) -> Any:
    return await called(
        sdk.pay,
        description="停车费 KL-017",
        out_trade_no=order_no,
        amount={"total": total, "currency": "CNY"},
        notify_url=merchant.url("wechat"),
        **more,
    )


@pytest.mark.parametrize("sealed_by", ["public_key", "certificate"])
async def test_an_order_is_made_paid_told_and_given_back(
    gateway: Running, merchant: Merchant, sealed_by: SealedBy
) -> None:
    sdk = await asyncio.to_thread(gateway.wechat, sealed_by)
    status, answer = await opened(sdk, merchant)
    assert (status, answer["code_url"].startswith(f"{gateway.url}/pay/{ORDER}")) == (200, True)
    assert (await called(sdk.query, out_trade_no=ORDER))[1]["trade_state"] == "NOTPAY"

    paid = await gateway.pay(ORDER)
    (heard,) = await merchant.until_heard(1)
    told = await asyncio.to_thread(sdk.callback, heard.headers, heard.body)
    assert told["event_type"] == "TRANSACTION.SUCCESS"
    assert told["resource"]["transaction_id"] == paid["transaction_id"]
    assert told["resource"]["amount"]["total"] == 600

    _, begun = await called(
        sdk.refund,
        REFUND,
        {"refund": 200, "total": 600, "currency": "CNY"},
        out_trade_no=ORDER,
        notify_url=merchant.url("wechat"),
    )
    assert begun["status"] == "PROCESSING"
    heard = (await merchant.until_heard(2))[1]
    told = await asyncio.to_thread(sdk.callback, heard.headers, heard.body)
    assert (told["event_type"], told["resource"]["amount"]["refund"]) == ("REFUND.SUCCESS", 200)
    assert (await called(sdk.query_refund, REFUND))[1]["status"] == "SUCCESS"
    assert (await called(sdk.query, out_trade_no=ORDER))[1]["trade_state"] == "REFUND"


async def test_other_products_lead_to_the_page(gateway: Running, merchant: Merchant) -> None:
    sdk = gateway.wechat()
    scene = {"payer_client_ip": "127.0.0.1", "h5_info": {"type": "Wap"}}
    _, answer = await opened(sdk, merchant, "P2026112300000002", pay_type=WeChatPayType.H5, scene_info=scene)
    async with httpx.AsyncClient() as browser:
        page = await browser.get(f"{answer['h5_url']}&redirect_url=http%3A%2F%2F127.0.0.1%2Fs%2FKL-017")
        assert "¥6.00" in page.text
        done = await browser.post(str(page.url), data={"choice": "pay"}, follow_redirects=True)
        assert 'href="http://127.0.0.1/s/KL-017"' in done.text

        _, answer = await opened(
            sdk, merchant, "P2026112300000003", pay_type=WeChatPayType.JSAPI, payer={"openid": "oPayer"}
        )
        package = f"prepay_id={answer['prepay_id']}"
        values = [gateway.keys.app_id, "1795390000", "nonce", package]
        query = {"appId": values[0], "timeStamp": values[1], "nonceStr": values[2], "package": package}
        bridge = await browser.get(
            f"{gateway.url}/wechat/bridge", params=query | {"paySign": sdk.sign(values)}, follow_redirects=True
        )
        assert "P2026112300000003" in bridge.text
        forged = await browser.get(f"{gateway.url}/wechat/bridge", params=query | {"paySign": sdk.sign(["x"])})
        assert forged.status_code == 400


async def test_the_same_number_is_the_same_order_or_refused(gateway: Running, merchant: Merchant) -> None:
    sdk = gateway.wechat()
    assert (await opened(sdk, merchant))[0] == (await opened(sdk, merchant))[0] == 200
    status, answer = await opened(sdk, merchant, total=700)
    assert (status, answer["code"]) == (403, "OUT_TRADE_NO_USED")


async def test_what_is_closed_cannot_be_paid_and_what_is_paid_cannot_be_closed(
    gateway: Running, merchant: Merchant
) -> None:
    sdk = gateway.wechat()
    await opened(sdk, merchant)
    assert (await called(sdk.close, ORDER))[0] == 204
    assert await gateway.pay(ORDER) == {"refused": "closed"}
    await opened(sdk, merchant, "P2026112300000002")
    await gateway.pay("P2026112300000002")
    status, answer = await called(sdk.close, "P2026112300000002")
    assert (status, answer["code"]) == (400, "ORDERPAID")


async def test_no_more_goes_back_than_came_and_each_number_once(gateway: Running, merchant: Merchant) -> None:
    sdk = gateway.wechat()
    await opened(sdk, merchant)
    await gateway.pay(ORDER)
    amount = {"refund": 400, "total": 600, "currency": "CNY"}
    first = await called(sdk.refund, REFUND, amount, out_trade_no=ORDER)
    assert (await called(sdk.refund, REFUND, amount, out_trade_no=ORDER))[1]["refund_id"] == first[1]["refund_id"]
    status, answer = await called(sdk.refund, f"{REFUND}B", amount, out_trade_no=ORDER)
    assert (status, answer["code"]) == (400, "INVALID_REQUEST")
    assert (await gateway.order(ORDER))["refunded_fen"] == 400


async def test_what_nobody_or_another_signed_is_refused(gateway: Running, merchant: Merchant) -> None:
    async with httpx.AsyncClient(base_url=gateway.url) as client:
        answer = await client.get(f"/v3/pay/transactions/out-trade-no/{ORDER}?mchid={gateway.keys.merchant_id}")
        assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")
    stranger = gateway.wechat()
    stranger._core._cert_serial_no = "1234"  # noqa: SLF001 - a certificate that is not the merchant's
    assert (await called(stranger.query, out_trade_no=ORDER))[1]["code"] == "SIGN_ERROR"


async def test_the_bill_adds_up_to_what_was_collected_and_given_back(gateway: Running, merchant: Merchant) -> None:
    sdk = gateway.wechat()
    for number, total in enumerate((1, 600, 12_345)):
        await opened(sdk, merchant, f"P202611230000010{number}", total=total)
        await gateway.pay(f"P202611230000010{number}")
    await called(sdk.refund, REFUND, {"refund": 100, "total": 600, "currency": "CNY"}, out_trade_no="P2026112300000101")
    day = datetime.now(CALENDAR).date().isoformat()
    assert (await called(sdk.trade_bill, day))[1]["code"] == "STATEMENT_CREATING"

    async def is_given_back() -> bool:
        return bool((await gateway.order("P2026112300000101"))["refunds"][0]["status"] == "done")

    await until(is_given_back)
    await gateway.script(bills_at_once=True)
    _, told = await called(sdk.trade_bill, day)
    status, packed = await asyncio.to_thread(sdk.download_bill, told["download_url"])
    content = gzip.decompress(packed if isinstance(packed, bytes) else packed.encode("latin-1"))
    assert (status, hashlib.sha1(content, usedforsecurity=False).hexdigest()) == (200, told["hash_value"])
    rows = content.decode("utf-8-sig").splitlines()
    columns = rows[0].split(",")
    lines = [dict(zip(columns, row[1:].split(",`"), strict=True)) for row in rows[1:5]]
    sums = dict(zip(rows[5].split(","), rows[6][1:].split(",`"), strict=True))
    assert sum(Decimal(line["订单金额"]) for line in lines) == Decimal(sums["订单总金额"]) == Decimal("129.46")
    assert sum(Decimal(line["退款金额"]) for line in lines) == Decimal(sums["退款总金额"]) == Decimal("1.00")
    assert sum(Decimal(line["手续费"]) for line in lines) == Decimal(sums["手续费总金额"])


async def test_a_payer_inside_wechat_is_recognised_once_a_code(gateway: Running) -> None:
    keys = gateway.keys
    async with httpx.AsyncClient(base_url=gateway.url) as browser:
        query = {"appid": keys.app_id, "redirect_uri": "http://127.0.0.1/s/KL-017?k=abc", "response_type": "code"}
        answer = await browser.get("/connect/oauth2/authorize", params=query | {"scope": "snsapi_base", "state": "s1"})
        back = httpx.URL(answer.headers["location"])
        assert (back.params["k"], back.params["state"]) == ("abc", "s1")
        asked = {"appid": keys.app_id, "secret": keys.app_secret, "code": back.params["code"]}
        first = (await browser.get("/sns/oauth2/access_token", params=asked)).json()
        assert first["openid"].startswith("o")
        assert (await browser.get("/sns/oauth2/access_token", params=asked)).json()["errcode"] == 40029

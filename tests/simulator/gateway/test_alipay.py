"""The gateway as Alipay, with the public SDK as its merchant: what it signs is taken, what it verifies is right."""

import asyncio
import io
import zipfile
from datetime import datetime
from typing import Any

import httpx

from simulator.gateway.clock import CALENDAR
from tests.simulator.gateway.conftest import Heard, Merchant, Running

ORDER = "P2026112300000001"


async def called(method: Any, *values: Any, **more: Any) -> dict[str, Any]:
    """The SDK's calls block, and raise where the answer's signature is wrong."""
    answer: dict[str, Any] = await asyncio.to_thread(method, *values, **more)
    return answer


async def opened(gateway: Running, merchant: Merchant, order_no: str = ORDER, yuan: str = "6.00") -> dict[str, Any]:
    return await called(
        gateway.alipay().api_alipay_trade_precreate, "停车费 KL-017", order_no, yuan, notify_url=merchant.url("alipay")
    )


def is_verified(gateway: Running, heard: Heard) -> bool:
    form = heard.form
    return bool(gateway.alipay().verify(form, form.pop("sign")))


async def test_a_code_nobody_scanned_is_no_trade_yet(gateway: Running, merchant: Merchant) -> None:
    answer = await opened(gateway, merchant)
    sdk = gateway.alipay()
    assert (await called(sdk.api_alipay_trade_query, ORDER))["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    async with httpx.AsyncClient() as phone:
        assert "¥6.00" in (await phone.get(answer["qr_code"])).text
    assert (await called(sdk.api_alipay_trade_query, ORDER))["trade_status"] == "WAIT_BUYER_PAY"


async def test_an_order_is_paid_told_and_given_back_at_once(gateway: Running, merchant: Merchant) -> None:
    await opened(gateway, merchant)
    paid = await gateway.pay(ORDER)
    (heard,) = await merchant.until_heard(1)
    assert is_verified(gateway, heard)
    form = heard.form
    assert (form["trade_status"], form["total_amount"], form["seller_id"]) == (
        "TRADE_SUCCESS",
        "6.00",
        gateway.keys.seller_id,
    )
    sdk = gateway.alipay()
    assert (await called(sdk.api_alipay_trade_query, ORDER))["trade_no"] == paid["transaction_id"]
    first = await called(sdk.api_alipay_trade_refund, "2.00", ORDER, out_request_no="R1")
    again = await called(sdk.api_alipay_trade_refund, "2.00", ORDER, out_request_no="R1")
    assert (first["fund_change"], again["fund_change"], again["refund_fee"]) == ("Y", "N", "2.00")
    found = await called(sdk.api_alipay_trade_fastpay_refund_query, "R1", out_trade_no=ORDER)
    assert (found["refund_status"], found["refund_amount"]) == ("REFUND_SUCCESS", "2.00")
    heard = (await merchant.until_heard(2))[1]
    assert is_verified(gateway, heard)
    assert (heard.form["out_biz_no"], heard.form["refund_fee"]) == ("R1", "2.00")


async def test_given_back_whole_it_is_closed_and_no_more_goes_back(gateway: Running, merchant: Merchant) -> None:
    await opened(gateway, merchant)
    await gateway.pay(ORDER)
    sdk = gateway.alipay()
    await called(sdk.api_alipay_trade_refund, "6.00", ORDER, out_request_no="R1")
    assert (await called(sdk.api_alipay_trade_query, ORDER))["trade_status"] == "TRADE_CLOSED"
    assert (await called(sdk.api_alipay_trade_refund, "0.01", ORDER, out_request_no="R2"))["code"] == "40004"


async def test_finished_months_later_it_is_told_and_gives_nothing_back(gateway: Running, merchant: Merchant) -> None:
    await opened(gateway, merchant)
    await gateway.pay(ORDER)
    await gateway.control("POST", f"/orders/{ORDER}/finish")
    heard = (await merchant.until_heard(2))[1]
    assert heard.form["trade_status"] == "TRADE_FINISHED"
    refused = await called(gateway.alipay().api_alipay_trade_refund, "1.00", ORDER, out_request_no="R1")
    assert refused["sub_code"] == "ACQ.TRADE_HAS_FINISHED"


async def test_a_page_is_an_order_once_a_browser_opens_it(gateway: Running, merchant: Merchant) -> None:
    sdk = gateway.alipay()
    query = sdk.api_alipay_trade_wap_pay(
        "停车费", ORDER, "6.00", return_url="http://127.0.0.1/s/KL-017", notify_url=merchant.url("alipay")
    )
    async with httpx.AsyncClient(follow_redirects=True, headers={"Accept-Language": "en"}) as browser:
        page = await browser.get(f"{gateway.url}/gateway.do?{query}")
        assert "no real money moves" in page.text
        assert (await called(sdk.api_alipay_trade_query, ORDER))["trade_status"] == "WAIT_BUYER_PAY"
        done = await browser.post(str(page.url), data={"choice": "pay"})
        assert 'class="state good"' in done.text
        forged = await browser.get(f"{gateway.url}/gateway.do?{query}".replace("6.00", "0.01"))
        assert forged.status_code == 400
    assert (await gateway.order(ORDER))["received_fen"] == 600


async def test_a_stranger_is_not_understood(gateway: Running) -> None:
    sdk = gateway.alipay()
    sdk._appid = "2021000000000000"  # noqa: SLF001 - another application's
    assert (await called(sdk.api_alipay_trade_query, ORDER))["sub_code"] == "isv.invalid-app-id"


async def test_the_bill_adds_up(gateway: Running, merchant: Merchant) -> None:
    sdk = gateway.alipay()
    for number, yuan in enumerate(("0.01", "6.00", "123.45")):
        await opened(gateway, merchant, f"P202611230000010{number}", yuan)
        await gateway.pay(f"P202611230000010{number}")
    await called(sdk.api_alipay_trade_refund, "1.00", "P2026112300000101", out_request_no="R1")
    asked = {"bill_type": "trade", "bill_date": datetime.now(CALENDAR).date().isoformat()}
    name = "alipay.data.dataservice.bill.downloadurl.query"
    assert (await called(sdk.server_api, name, dict(asked)))["sub_code"] == "isp.bill_not_exist"
    await gateway.script(bills_at_once=True)
    told = await called(sdk.server_api, name, dict(asked))
    async with httpx.AsyncClient() as client:
        packed = (await client.get(told["bill_download_url"])).content
        assert (await client.get(told["bill_download_url"].replace(asked["bill_date"], "2026-01-01"))).is_error
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        single, sums = archive.namelist()
        assert "汇总" in sums
        text = archive.read(single).decode("gb18030")
    assert "#交易合计：3笔，商家实收共129.46元" in text
    assert "#退款合计：1笔，商家实收退款共-1.00元" in text

"""The providers' daily bills: whole and adding up, or nothing of them."""

import gzip
import hashlib
import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from billing.providers.alipay.bills import read_bill as read_alipay
from billing.providers.port import BillNotReadyError, ProviderUnavailableError
from billing.providers.wechat.bills import read_bill as read_wechat
from tests.providers.strangers import (
    MERCHANT_ID,
    NOW,
    SELLER_ID,
    AlipayStranger,
    WechatStranger,
    alipay,
    alipay_merchant,
    wechat,
    wechat_merchant,
)

DAY = date(2026, 11, 22)

WECHAT_HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
WECHAT_SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"


def row(**changed: str) -> str:
    """A payment of 6.00, one of them by the provider's coupon; each field with its back-tick."""
    values = {
        "交易时间": "2026-11-22 18:30:00",
        "公众账号ID": "wx8888888888888888",
        "商户号": MERCHANT_ID,
        "特约商户号": "0",
        "微信订单号": "42000000002026112200001",
        "商户订单号": "P1",
        "用户标识": "o1",
        "交易类型": "NATIVE",
        "交易状态": "SUCCESS",
        "付款银行": "OTHERS",
        "货币种类": "CNY",
        "应结订单金额": "5.00",
        "代金券金额": "1.00",
        "微信退款单号": "0",
        "商户退款单号": "0",
        "退款金额": "0.00",
        "充值券退款金额": "0.00",
        "商品名称": "停车费, KL-017",
        "手续费": "0.03600",
        "费率": "0.60%",
        "订单金额": "6.00",
        "申请退款金额": "0.00",
        **changed,
    }
    return ",".join(f"`{values.get(name, '')}" for name in WECHAT_HEADER.split(","))


REFUND_ROW = row(
    交易状态="REFUND",
    应结订单金额="0.00",
    微信退款单号="5000000000",
    商户退款单号="R1",
    退款金额="2.00",
    申请退款金额="2.00",
    退款状态="SUCCESS",
    手续费="-0.01200",
    订单金额="0.00",
)


def wechat_bill(*rows: str, sums: str) -> bytes:
    return "\r\n".join(["\ufeff" + WECHAT_HEADER, *rows, WECHAT_SUMS, sums, ""]).encode()


WHOLE = wechat_bill(row(), REFUND_ROW, sums="`2,`5.00,`2.00,`0.00,`0.02400,`6.00,`2.00")


def wechat_with(content: bytes, *, packed: bytes | None = None, hash_value: str | None = None) -> WechatStranger:
    told = {
        "hash_type": "SHA1",
        "hash_value": hash_value or hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "download_url": "https://wechat.test/v3/billdownload/file?token=t0ken",
    }
    return WechatStranger(
        {
            "GET /v3/bill/tradebill": (200, told),
            "GET /v3/billdownload/file": (200, gzip.compress(content) if packed is None else packed),
        }
    )


async def test_wechats_bill_is_read() -> None:
    stranger = wechat_with(WHOLE)
    bill = await wechat(stranger).fetch_bill(DAY)
    payment, refund = bill.lines
    assert (payment.order_no, payment.refund_no, payment.amount_fen, payment.fee_fen) == ("P1", None, 600, 4)
    assert payment.at == datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
    assert (refund.order_no, refund.refund_no, refund.amount_fen, refund.fee_fen) == ("P1", "R1", 200, -1)
    assert dict(stranger.asked[0].url.params) == {"bill_date": "2026-11-22", "bill_type": "ALL", "tar_type": "GZIP"}
    assert "Authorization" in stranger.asked[1].headers


async def test_a_bill_may_come_unpacked() -> None:
    assert len((await wechat(wechat_with(WHOLE, packed=WHOLE)).fetch_bill(DAY)).lines) == 2


async def test_f54_a_bill_with_another_hash_is_not_used() -> None:
    with pytest.raises(BillNotReadyError):
        await wechat(wechat_with(WHOLE, hash_value="0" * 40)).fetch_bill(DAY)


@pytest.mark.parametrize("packed", [gzip.compress(WHOLE)[:-9], b"\x1f\x8bnonsense", WHOLE[:-20], b""])
async def test_f54_a_bill_cut_short_is_not_used(packed: bytes) -> None:
    with pytest.raises(BillNotReadyError):
        await wechat(wechat_with(WHOLE, packed=packed)).fetch_bill(DAY)


async def test_a_download_that_fails_is_no_bill() -> None:
    stranger = wechat_with(WHOLE)
    del stranger.answers["GET /v3/billdownload/file"]
    with pytest.raises(ProviderUnavailableError):
        await wechat(stranger).fetch_bill(DAY)


@pytest.mark.parametrize(
    "content",
    [
        wechat_bill(row(), sums="`2,`5.00,`0.00,`0.00,`0.03600,`6.00,`0.00"),
        wechat_bill(row(), sums="`1,`5.00,`0.00,`0.00,`0.03600,`600,`0.00"),
        wechat_bill(row(订单金额="600"), sums="`1,`5.00,`0.00,`0.00,`0.03600,`6.00,`0.00"),
        wechat_bill(row(订单金额="6.001"), sums="`1,`5.00,`0.00,`0.00,`0.03600,`6.001,`0.00"),
        wechat_bill(row(手续费="0.04"), sums="`1,`5.00,`0.00,`0.00,`0.03600,`6.00,`0.00"),
        wechat_bill(row(商户号="1"), sums="`1,`5.00,`0.00,`0.00,`0.03600,`6.00,`0.00"),
        wechat_bill(row(交易状态="X"), sums="`1,`5.00,`0.00,`0.00,`0.03600,`6.00,`0.00"),
        wechat_bill(row(交易时间="2026-11-21 18:30:00"), sums="`1,`5.00,`0.00,`0.00,`0.03600,`6.00,`0.00"),
        wechat_bill(row().replace("`", ""), sums="`1,`5.00,`0.00,`0.00,`0.03600,`6.00,`0.00"),
        wechat_bill(row() + ",`more", sums="`1,`5.00,`0.00,`0.00,`0.03600,`6.00,`0.00"),
        wechat_bill(row(), sums="`one"),
        WHOLE + row().encode(),
        WHOLE.split(b"\r\n")[0],
        b"<html>",
        b"\xff\xff",
        b"",
    ],
)
def test_f54_a_bill_that_does_not_add_up_is_not_used(content: bytes) -> None:
    with pytest.raises(BillNotReadyError):
        read_wechat(content, DAY, wechat_merchant())


def test_a_bill_of_small_and_round_amounts() -> None:
    rows = [row(订单金额=each, 应结订单金额=each, 手续费="0.00000") for each in ("0.01", "100.00", "0.10", "12345.60")]
    content = wechat_bill(*rows, sums="`4,`12445.71,`0.00,`0.00,`0.00000,`12445.71,`0.00")
    assert [line.amount_fen for line in read_wechat(content, DAY, wechat_merchant()).lines] == [1, 10000, 10, 1234560]


def test_what_never_moved_is_no_line() -> None:
    revoked, failed = row(交易状态="REVOKED"), REFUND_ROW.replace("`SUCCESS", "`FAIL")
    content = wechat_bill(row(), revoked, failed, sums="`3,`10.00,`2.00,`0.00,`0.06000,`12.00,`2.00")
    assert [line.refund_no for line in read_wechat(content, DAY, wechat_merchant()).lines] == [None]


@pytest.mark.parametrize("code", ["STATEMENT_CREATING", "NO_STATEMENT_EXIST"])
async def test_a_bill_not_made_yet_is_not_ready(code: str) -> None:
    morning = NOW - timedelta(hours=3)
    stranger = WechatStranger({"GET /v3/bill/tradebill": (400, {"code": code})}, at=morning)
    with pytest.raises(BillNotReadyError):
        await wechat(stranger, now=morning).fetch_bill(DAY)


async def test_from_noon_no_bill_means_no_trade() -> None:
    stranger = WechatStranger({"GET /v3/bill/tradebill": (400, {"code": "NO_STATEMENT_EXIST"})})
    assert (await wechat(stranger, now=NOW).fetch_bill(DAY)).lines == ()


ALIPAY_HEADER = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,"
    "卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)


def alipay_row(**changed: str) -> str:
    values = {
        "支付宝交易号": "2026112222001400000000000001\t",
        "商户订单号": "P1\t",
        "业务类型": "交易",
        "商品名称": "停车费, KL-017",
        "创建时间": "2026-11-22 18:29:50",
        "完成时间": "2026-11-22 18:30:00",
        "对方账户": "buy***@example.com",
        "订单金额": "6.00",
        "商家实收": "6.00",
        "服务费": "-0.04",
        "分润": "0.00",
        **changed,
    }
    return ",".join(values.get(name.removesuffix("（元）"), "") for name in ALIPAY_HEADER.split(","))


ALIPAY_REFUND = alipay_row(
    业务类型="退款", 订单金额="-2.00", 商家实收="-2.00", **{"退款批次号/请求号": "R1\t"}, 服务费="0.01"
)


def alipay_bill(*rows: str, paid: str = "1笔，商家实收共6.00元", refunded: str = "0笔，商家实收退款共0.00元") -> str:
    return "\r\n".join(
        [
            "#支付宝业务明细查询",
            f"#账号：[{SELLER_ID}0156]",
            "#起始日期：[2026年11月22日 00:00:00]   终止日期：[2026年11月23日 00:00:00]",
            "#-----------------------------------------业务明细列表----------------------------------------",
            ALIPAY_HEADER,
            *rows,
            "#-----------------------------------------业务明细列表结束------------------------------------",
            f"#交易合计：{paid}，商家优惠共0.00元",
            f"#退款合计：{refunded}，商家优惠退款共0.00元",
            "#导出时间：[2026年11月23日 09:16:14]",
        ]
    )


def zipped(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text.encode("gbk"))
    return packed.getvalue()


BOTH = alipay_bill(alipay_row(), ALIPAY_REFUND, refunded="1笔，商家实收退款共-2.00元")
PACKED = zipped({"20880_20261122_业务明细.csv": BOTH, "20880_20261122_业务明细(汇总).csv": "#"})


def alipay_with(packed: bytes) -> AlipayStranger:
    return AlipayStranger(
        {
            "alipay.data.dataservice.bill.downloadurl.query": {
                "code": "10000",
                "bill_download_url": "https://dwbill.test/downloadBillFile.resource?token=x",
            },
            "/downloadBillFile.resource": packed,
        }
    )


async def test_alipays_bill_is_read() -> None:
    payment, refund = (await alipay(alipay_with(PACKED)).fetch_bill(DAY)).lines
    assert (payment.order_no, payment.refund_no, payment.amount_fen, payment.fee_fen) == ("P1", None, 600, 4)
    assert payment.transaction_id == "2026112222001400000000000001"
    assert payment.at == datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
    assert (refund.order_no, refund.refund_no, refund.amount_fen, refund.fee_fen) == ("P1", "R1", 200, -1)


@pytest.mark.parametrize("packed", [PACKED[:-40], PACKED[:200], b"", b"PK", zipped({"other.csv": BOTH}), zipped({})])
async def test_f54_a_zip_cut_short_is_not_used(packed: bytes) -> None:
    with pytest.raises(BillNotReadyError):
        await alipay(alipay_with(packed)).fetch_bill(DAY)


@pytest.mark.parametrize(
    "text",
    [
        alipay_bill(alipay_row(), paid="2笔，商家实收共6.00元"),
        alipay_bill(alipay_row(), paid="1笔，商家实收共600元"),
        alipay_bill(alipay_row(订单金额="6.001")),
        alipay_bill(alipay_row(业务类型="转账")),
        alipay_bill(alipay_row(), ALIPAY_REFUND),
        alipay_bill(alipay_row()).replace(SELLER_ID, "2088000000000099"),
        alipay_bill(alipay_row()).partition("业务明细列表结束")[0],
        alipay_bill(alipay_row()).partition("#退款合计")[0],
        alipay_bill("1,2,3"),
        "",
    ],
)
def test_f54_a_table_that_does_not_add_up_is_not_used(text: str) -> None:
    with pytest.raises(BillNotReadyError):
        read_alipay(text, DAY, alipay_merchant())


def test_a_day_without_trade_is_an_empty_table() -> None:
    assert read_alipay(alipay_bill(paid="0笔，商家实收共0.00元"), DAY, alipay_merchant()).lines == ()


async def test_alipay_without_a_bill() -> None:
    stranger = alipay_with(b"")
    stranger.answers["alipay.data.dataservice.bill.downloadurl.query"] = {
        "code": "40004",
        "sub_code": "isp.bill_not_exist",
    }
    assert (await alipay(stranger).fetch_bill(DAY)).lines == ()
    with pytest.raises(BillNotReadyError):
        await alipay(stranger, now=NOW - timedelta(hours=3)).fetch_bill(DAY)

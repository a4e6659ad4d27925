"""WeChat Pay's trade bill of a day: yuan although the API speaks fen, back-ticks, sums at the end."""

import gzip
import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from simulator.gateway.bills import day_of, is_made, yuan_text
from simulator.gateway.clock import CALENDAR
from simulator.gateway.keys import Keys
from simulator.gateway.parts import Gateway
from simulator.gateway.trades import Refund, Trade, fee_of
from simulator.gateway.wechat.documents import TRADE_TYPE, openid_of

HEADER: Final = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
SUMMARY: Final = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
_NOTHING: Final = "0.00"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillFile:
    """A day's bill."""

    content: bytes

    @property
    def sha1(self) -> str:
        """Of the unpacked file, as WeChat Pay tells it."""
        return hashlib.sha1(self.content, usedforsecurity=False).hexdigest()

    @property
    def packed(self) -> bytes:
        """As it is downloaded when gzip was asked for; the same bill gives the same bytes."""
        return gzip.compress(self.content, mtime=0)


def bill_file(gateway: Gateway, day: date) -> BillFile | tuple[str, str]:
    """The bill of a day, or WeChat's code and words for why there is none."""
    if not is_made(gateway, day):
        return "STATEMENT_CREATING", "账单生成中，请稍后再试"
    begin, end = day_of(day)
    paid = gateway.book.paid_between("wechat", begin, end)
    refunded = gateway.book.refunded_between("wechat", begin, end)
    if not paid and not refunded:
        return "NO_STATEMENT_EXIST", "账单文件不存在"
    rows = [(trade.paid_at or begin, _payment(trade, gateway.keys)) for trade in paid]
    rows += [(refund.done_at or begin, _refund(refund, trade, gateway.keys)) for refund, trade in refunded]
    rows.sort(key=lambda row: row[0])
    given_back = sum(refund.amount_fen for refund, _ in refunded)
    collected = sum(trade.received_fen or 0 for trade in paid)
    fees = sum(fee_of(trade.received_fen or 0) for trade in paid) - sum(fee_of(one.amount_fen) for one, _ in refunded)
    sums = (
        str(len(rows)),
        yuan_text(collected),
        yuan_text(given_back),
        _NOTHING,
        _fine(fees),
        yuan_text(collected),
        yuan_text(given_back),
    )
    lines = [HEADER, *(_line(fields) for _, fields in rows), SUMMARY, _line(sums)]
    return BillFile(content=("\ufeff" + "\r\n".join(lines) + "\r\n").encode())


def _payment(trade: Trade, keys: Keys) -> tuple[str, ...]:
    received = trade.received_fen or 0
    return (
        *_about(trade, trade.paid_at, keys),
        *("SUCCESS", "OTHERS", "CNY", yuan_text(received), yuan_text(trade.coupon_fen), "0", "0"),
        *(_NOTHING, _NOTHING, "", "", _plain(trade.description), "", _fine(fee_of(received)), "0.60%"),
        *(yuan_text(received), _NOTHING, ""),
    )


def _refund(refund: Refund, trade: Trade, keys: Keys) -> tuple[str, ...]:
    amount = yuan_text(refund.amount_fen)
    return (
        *_about(trade, refund.done_at, keys),
        *("REFUND", "OTHERS", "CNY", _NOTHING, _NOTHING, refund.refund_id, refund.refund_no),
        *(amount, _NOTHING, "ORIGINAL", "SUCCESS", _plain(trade.description), "", _fine(-fee_of(refund.amount_fen))),
        *("0.60%", _NOTHING, amount, ""),
    )


def _about(trade: Trade, at: datetime | None, keys: Keys) -> tuple[str, ...]:
    written = at.astimezone(CALENDAR).strftime("%Y-%m-%d %H:%M:%S") if at else ""
    number = trade.transaction_id or ""
    who = openid_of(trade.order_no)
    return (written, keys.app_id, keys.merchant_id, "0", "", number, trade.order_no, who, TRADE_TYPE[trade.product])


def _line(fields: tuple[str, ...]) -> str:
    return ",".join(f"`{field}" for field in fields)


def _fine(thousandths: int) -> str:
    """An amount finer than a fen, in yuan with five decimals."""
    sign, rest = ("-", -thousandths) if thousandths < 0 else ("", thousandths)
    return f"{sign}{rest // 100_000}.{rest % 100_000:05d}"


def _plain(text: str) -> str:
    return text.replace("`", "'").replace("\r", " ").replace("\n", " ")

"""Alipay's trade bill of a day: a zip with a table of single trades and one of sums, both in GBK."""

import io
import zipfile
from datetime import date, datetime
from typing import Final

from simulator.gateway.alipay.documents import buyer_of, trade_no, written
from simulator.gateway.bills import day_of, is_made, yuan_text
from simulator.gateway.parts import Gateway
from simulator.gateway.trades import Refund, Trade, fee_of

HEADER: Final = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,"
    "卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
SUMS_HEADER: Final = (
    "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,"
    "卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）"
)
RULE: Final = "-----------------------------------------"
_NOTHING: Final = "0.00"
_FEE_STEP: Final = 1_000
"""Thousandths of a fen in a fen: Alipay keeps whole fen, halves upwards."""


def bill_zip(gateway: Gateway, day: date) -> bytes | None:
    """The bill of a day; None while it is not made, and where nothing was traded."""
    if not is_made(gateway, day):
        return None
    begin, end = day_of(day)
    paid = gateway.book.paid_between("alipay", begin, end)
    refunded = gateway.book.refunded_between("alipay", begin, end)
    if not paid and not refunded:
        return None
    account = f"{gateway.keys.seller_id}0156"
    single = _table(account, begin, end, paid, refunded)
    sums = _sums_table(account, begin, end, paid, refunded)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{account}_{day:%Y%m%d}_业务明细.csv", single.encode("gb18030"))
        archive.writestr(f"{account}_{day:%Y%m%d}_业务明细(汇总).csv", sums.encode("gb18030"))
    return packed.getvalue()


def _table(
    account: str, begin: datetime, end: datetime, paid: list[Trade], refunded: list[tuple[Refund, Trade]]
) -> str:
    rows = [(trade.paid_at or begin, _payment(trade)) for trade in paid]
    rows += [(refund.done_at or begin, _refund(refund, trade)) for refund, trade in refunded]
    rows.sort(key=lambda row: row[0])
    collected = sum(trade.received_fen or 0 for trade in paid)
    given_back = sum(refund.amount_fen for refund, _ in refunded)
    return "\r\n".join(
        (
            *_head("支付宝业务明细查询", account, begin, end),
            f"#{RULE}业务明细列表{RULE}",
            HEADER,
            *(row for _, row in rows),
            f"#{RULE}业务明细列表结束{RULE}",
            f"#交易合计：{len(paid)}笔，商家实收共{yuan_text(collected)}元，商家优惠共0.00元",
            f"#退款合计：{len(refunded)}笔，商家实收退款共{yuan_text(-given_back)}元，商家优惠退款共0.00元",
            f"#导出时间：[{_long(end)}]",
            "",
        )
    )


def _sums_table(
    account: str, begin: datetime, end: datetime, paid: list[Trade], refunded: list[tuple[Refund, Trade]]
) -> str:
    collected = sum(trade.received_fen or 0 for trade in paid)
    net = collected - sum(refund.amount_fen for refund, _ in refunded)
    fees = sum(_fee(trade.received_fen or 0) for trade in paid) - sum(_fee(one.amount_fen) for one, _ in refunded)
    row = ("合计", "", str(len(paid)), str(len(refunded)), yuan_text(net), yuan_text(net), *(_NOTHING,) * 3)
    return "\r\n".join(
        (
            *_head("支付宝业务汇总查询", account, begin, end),
            f"#{RULE}业务汇总列表{RULE}",
            SUMS_HEADER,
            _line((*row, yuan_text(-fees), _NOTHING, yuan_text(net - fees))),
            f"#{RULE}业务汇总列表结束{RULE}",
            f"#导出时间：[{_long(end)}]",
            "",
        )
    )


def _head(title: str, account: str, begin: datetime, end: datetime) -> tuple[str, ...]:
    period = f"#起始日期：[{_long(begin)}]   终止日期：[{_long(end)}]"
    return (f"#{title}", f"#账号：[{account}]", period)


def _payment(trade: Trade) -> str:
    received = trade.received_fen or 0
    amounts = (yuan_text(received), yuan_text(received))
    return _line((*_about(trade, "交易", trade.paid_at), *amounts, *_rest("", -_fee(received))))


def _refund(refund: Refund, trade: Trade) -> str:
    amounts = (yuan_text(-refund.amount_fen), yuan_text(-refund.amount_fen))
    return _line((*_about(trade, "退款", refund.done_at), *amounts, *_rest(refund.refund_no, _fee(refund.amount_fen))))


def _about(trade: Trade, kind: str, at: datetime | None) -> tuple[str, ...]:
    times = (written(trade.created_at), written(at) if at else "")
    who = f"{buyer_of(trade.order_no)[:3]}***"
    return (trade_no(trade), trade.order_no, kind, trade.description.replace("\n", " "), *times, "", "", "", "", who)


def _rest(refund_no: str, fee_fen: int) -> tuple[str, ...]:
    nothing = (_NOTHING,) * 5
    return (*nothing, "", _NOTHING, _NOTHING, refund_no, yuan_text(fee_fen), _NOTHING, "")


def _line(fields: tuple[str, ...]) -> str:
    return ",".join(f"{field}\t" for field in fields)


def _fee(amount_fen: int) -> int:
    return (fee_of(amount_fen) + _FEE_STEP // 2) // _FEE_STEP


def _long(at: datetime) -> str:
    return at.strftime("%Y年%m月%d日 %H:%M:%S")

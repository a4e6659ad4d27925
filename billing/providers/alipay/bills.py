"""The trade bill of Alipay: a zip with one table in GBK, believed only when its own sums agree."""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date
from decimal import Decimal
from typing import Final

from billing.providers.alipay.client import AlipayClient
from billing.providers.alipay.merchant import NAME, AlipayMerchant
from billing.providers.alipay.signing import instant_of
from billing.providers.calendar import is_made
from billing.providers.port import BillLine, BillNotReadyError, ProviderBill, ProviderRefusedError
from billing.providers.yuan import exact_yuan, fen_of, rounded_fen
from core.money import Fen

LARGEST_BILL_BYTES: Final = 512 * 1024 * 1024
BEGINS, ENDS = "业务明细列表-", "业务明细列表结束"
PAID, REFUNDED = "交易", "退款"
_SUMS: Final = re.compile(r"#(?P<kind>交易|退款)合计：(?P<count>\d+)笔，商家实收(?:退款)?共(?P<sum>-?[\d.]+)元")
_ACCOUNT: Final = re.compile(r"#账号：\[(?P<account>\d+)\]")


async def fetch_bill(client: AlipayClient, day: date) -> ProviderBill:
    """The bill of one day of Alipay's calendar, whole or not at all.

    Raises:
        BillNotReadyError: not made yet; cut short; a sum differs.
    """
    content = {"bill_type": "trade", "bill_date": day.isoformat()}
    try:
        told = await client.call("alipay.data.dataservice.bill.downloadurl.query", content)
    except ProviderRefusedError as refusal:
        if "bill_not_exist" in str(refusal.facts.get("code")).lower() and is_made(day, client.now()):
            return ProviderBill(day=day, lines=())
        raise BillNotReadyError(f"Alipay has no bill of {day} yet: {refusal.message}", provider=NAME) from refusal
    packed = await client.download(str(told.get("bill_download_url", "")))
    return read_bill(unpacked(packed), day, client.merchant)


def unpacked(packed: bytes) -> str:
    """The text of the table of single trades; the zip also holds one of sums by shop.

    Raises:
        BillNotReadyError: no such zip, cut short, beyond all bounds, or not GBK.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed), metadata_encoding="gbk") as archive:
            (single,) = [each for each in archive.infolist() if "明细" in each.filename and "汇总" not in each.filename]
            if single.file_size > LARGEST_BILL_BYTES:
                raise _untrusted("is larger than any bill")
            return archive.read(single).decode("gb18030")
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, RuntimeError) as error:
        raise _untrusted(f"cannot be unpacked ({type(error).__name__})") from error


def read_bill(text: str, day: date, merchant: AlipayMerchant) -> ProviderBill:
    """The lines of a bill's table, after its own sums have been checked.

    Raises:
        BillNotReadyError: it is no such table, ends early, is another merchant's, or does not add up.
    """
    try:
        rows = text.splitlines()
        begin = next(n for n, row in enumerate(rows) if row.startswith("#") and BEGINS in row)
        end = next(n for n, row in enumerate(rows) if row.startswith("#") and ENDS in row)
        names = [_column(name) for name in rows[begin + 1].split(",")]
        lines = [dict(zip(names, _fields(row, len(names)), strict=True)) for row in rows[begin + 2 : end]]
        _check_account(rows[:begin], merchant)
        for kind in (PAID, REFUNDED):
            _check_sums(kind, [line for line in lines if line["业务类型"] == kind], rows[end:])
        return ProviderBill(day=day, lines=tuple(_line(row) for row in lines))
    except (StopIteration, IndexError, KeyError, ValueError, OverflowError) as error:
        raise _untrusted(f"cannot be read ({type(error).__name__})") from error


def _column(name: str) -> str:
    return name.strip().removesuffix("（元）").removesuffix("(元)")


def _fields(row: str, wanted: int) -> Sequence[str]:
    """Fields end with tabs. Only a description may hold commas: whatever is too much belongs to it."""
    fields = [field.strip() for field in row.split(",")]
    if len(fields) > wanted:
        more = len(fields) - wanted
        fields[3 : 4 + more] = [",".join(fields[3 : 4 + more])]
    return fields


def _check_account(head: Sequence[str], merchant: AlipayMerchant) -> None:
    """The account's line names the merchant's number, followed by four digits."""
    accounts = [found["account"] for row in head if (found := _ACCOUNT.match(row))]
    if not accounts or not accounts[0].startswith(merchant.seller_id):
        raise _untrusted("is another merchant's")


def _check_sums(kind: str, lines: Sequence[Mapping[str, str]], tail: Sequence[str]) -> None:
    told = next(found for row in tail if (found := _SUMS.match(row.strip())) and found["kind"] == kind)
    received = sum((exact_yuan(line["商家实收"]) for line in lines), Decimal())
    # the sum of refunds is told without its sign in some bills
    if int(told["count"]) != len(lines) or abs(received) != abs(exact_yuan(told["sum"])):
        raise _untrusted(f"does not add up in {kind}")


def _line(row: Mapping[str, str]) -> BillLine:
    kind, amount = row["业务类型"], fen_of(row["订单金额"])
    if kind not in (PAID, REFUNDED) or (kind == PAID and amount < 0):
        raise _untrusted("has a line of an unknown kind")
    return BillLine(
        order_no=row["商户订单号"],
        transaction_id=row["支付宝交易号"],
        refund_no=row["退款批次号/请求号"] if kind == REFUNDED else None,
        amount_fen=Fen(abs(amount)),
        # what Alipay keeps is shown as taken from us
        fee_fen=Fen(-rounded_fen(exact_yuan(row["服务费"] or "0"))),
        at=instant_of(row["完成时间"] or row["创建时间"]).astimezone(UTC),
    )


def _untrusted(what: str) -> BillNotReadyError:
    return BillNotReadyError(f"Alipay's bill {what}; nothing of it is used", provider=NAME)

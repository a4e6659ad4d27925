"""The trade bill of WeChat Pay: asked for, downloaded, believed only when hash and sums agree."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from billing.providers.calendar import PROVIDERS_ZONE, is_made
from billing.providers.port import BillLine, BillNotReadyError, ProviderBill, ProviderRefusedError
from billing.providers.wechat.client import WechatClient
from billing.providers.wechat.merchant import NAME, WechatMerchant
from billing.providers.yuan import exact_yuan, fen_of, rounded_fen

LARGEST_BILL_BYTES: Final = 512 * 1024 * 1024
SUMMARY_BEGINS: Final = "总交易单数"
COUNT: Final = "总交易单数"
SUMS: Final = {
    "应结订单总金额": "应结订单金额",
    "退款总金额": "退款金额",
    "充值券退款总金额": "充值券退款金额",
    "手续费总金额": "手续费",
    "订单总金额": "订单金额",
    "申请退款总金额": "申请退款金额",
}
"""Each sum of the last line, and the column it is the sum of."""
_PAYMENT, _REFUND, _REVOKED = "SUCCESS", "REFUND", "REVOKED"
_FAILED_REFUNDS: Final = frozenset({"FAIL", "CHANGE"})


async def fetch_bill(client: WechatClient, day: date) -> ProviderBill:
    """The bill of one day of WeChat's calendar, whole or not at all.

    Raises:
        BillNotReadyError: not made yet; cut short; its hash or a sum differs.
    """
    try:
        told = await client.call("GET", f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL&tar_type=GZIP")
    except ProviderRefusedError as refusal:
        if refusal.facts.get("code") == "NOSTATEMENTEXIST" and is_made(day, client.now()):
            return ProviderBill(day=day, lines=())
        raise BillNotReadyError(f"WeChat Pay has no bill of {day} yet: {refusal.message}", provider=NAME) from refusal
    content = unpacked(await client.download(str(told.get("download_url", ""))))
    check_hash(content, str(told.get("hash_type", "")), str(told.get("hash_value", "")))
    return read_bill(content, day, client.merchant)


def unpacked(content: bytes) -> bytes:
    """The file's text; some answers come unpacked already.

    Raises:
        BillNotReadyError: cut short, or beyond all bounds.
    """
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        text = unpacker.decompress(content, LARGEST_BILL_BYTES)
    except zlib.error as error:
        raise _untrusted("is not a gzip file") from error
    if not unpacker.eof:
        raise _untrusted("is cut short or larger than any bill")
    return text


def check_hash(content: bytes, kind: str, expected: str) -> None:
    """Whether it is the file that WeChat's signed answer spoke of.

    Raises:
        BillNotReadyError: it is not.
    """
    # SHA-1 is WeChat's choice; the address it protects came in a signed answer over TLS
    if kind != "SHA1" or hashlib.sha1(content, usedforsecurity=False).hexdigest() != expected.lower():
        raise _untrusted("has another hash than WeChat Pay said")


def read_bill(content: bytes, day: date, merchant: WechatMerchant) -> ProviderBill:
    """The lines of a bill's file, after its own last line has been added up.

    Raises:
        BillNotReadyError: it is no such file, ends early, is another merchant's or day's, or does not add up.
    """
    try:
        header, *rows = content.decode("utf-8-sig").splitlines()
        names = header.split(",")
        end = next(n for n, row in enumerate(rows) if row.startswith(SUMMARY_BEGINS))
        lines = [dict(zip(names, _fields(row), strict=True)) for row in rows[:end]]
        summary = dict(zip(rows[end].split(","), _fields(rows[end + 1]), strict=True))
        if any(row.strip() for row in rows[end + 2 :]):
            raise _untrusted("goes on after its sums")
        _check_sums(lines, summary)
        return ProviderBill(day=day, lines=tuple(line for row in lines if (line := _line(row, day, merchant))))
    except (UnicodeDecodeError, StopIteration, IndexError, KeyError, ValueError, OverflowError) as error:
        raise _untrusted(f"cannot be read ({type(error).__name__})") from error


def _fields(row: str) -> Sequence[str]:
    """Each field begins with a back-tick, so that a comma inside a description parts nothing."""
    if not row.startswith("`"):
        raise ValueError("a line without its back-tick")
    return row[1:].split(",`")


def _check_sums(lines: Sequence[Mapping[str, str]], summary: Mapping[str, str]) -> None:
    if int(summary[COUNT]) != len(lines):
        raise _untrusted(f"lists {len(lines)} lines and says {summary[COUNT]}")
    for total, column in SUMS.items():
        if total in summary and sum((exact_yuan(line[column]) for line in lines), Decimal()) != exact_yuan(
            summary[total]
        ):
            raise _untrusted(f"does not add up in {column}")


def _line(row: Mapping[str, str], day: date, merchant: WechatMerchant) -> BillLine | None:
    """None: nothing moved, such as an order that was called off or a refund that failed."""
    if row["商户号"] != merchant.merchant_id:
        raise _untrusted("is another merchant's")
    at = datetime.strptime(row["交易时间"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=PROVIDERS_ZONE)
    kind = row["交易状态"]
    is_refund = kind == _REFUND
    if kind not in (_PAYMENT, _REFUND, _REVOKED):
        raise _untrusted("has a line of an unknown kind")
    if kind == _REVOKED or (is_refund and row["退款状态"] in _FAILED_REFUNDS):
        return None
    if at.date() != day and not is_refund:
        raise _untrusted(f"has a payment of {at.date()}")
    return BillLine(
        order_no=row["商户订单号"],
        transaction_id=row["微信订单号"],
        refund_no=row["商户退款单号"] if is_refund else None,
        amount_fen=fen_of(row["申请退款金额"] if is_refund else row["订单金额"]),
        fee_fen=rounded_fen(exact_yuan(row["手续费"])),
        at=at.astimezone(UTC),
    )


def _untrusted(what: str) -> BillNotReadyError:
    return BillNotReadyError(f"WeChat Pay's bill {what}; nothing of it is used", provider=NAME)

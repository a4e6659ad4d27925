"""Orders and refunds in Alipay's words, and what it signs. Pure.

Source: Alipay open platform, ``alipay.trade.*``: amounts are yuan with two decimals, times its own calendar's.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, Field

from core.money import FEN_IN_YUAN
from simulator.gateway.bills import yuan_text
from simulator.gateway.clock import CALENDAR
from simulator.gateway.keys import Keys
from simulator.gateway.trades import Asked, Trade, TradeStatus

TIME: Final = "%Y-%m-%d %H:%M:%S"
_MINUTES: Final = {"m": 1, "h": 60, "d": 1_440}


def _fen(yuan: Decimal) -> Decimal:
    if yuan != yuan.quantize(Decimal("0.01")):
        raise ValueError("an amount has two decimals at most")
    return yuan


Yuan = Annotated[Decimal, Field(ge=Decimal("0.01"), le=Decimal(100_000_000)), AfterValidator(_fen)]


class OrderIn(BaseModel):
    """``biz_content`` of precreate, wap.pay and page.pay."""

    out_trade_no: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_\-]+$")
    total_amount: Yuan
    subject: str = Field(min_length=1, max_length=256, pattern=r"^[^/=&]+$")
    product_code: str | None = None
    time_expire: str | None = None
    timeout_express: str | None = Field(default=None, pattern=r"^\d{1,5}[mhd]$")
    quit_url: str | None = None


class NamedIn(BaseModel):
    """``biz_content`` of whatever is about an order that exists: by the merchant's number or Alipay's own."""

    out_trade_no: str = ""
    trade_no: str = ""


class RefundIn(NamedIn):
    """``biz_content`` of a refund."""

    refund_amount: Yuan
    refund_reason: str = Field(default="", max_length=256)
    out_request_no: str = Field(default="", max_length=64)


class RefundQueryIn(NamedIn):
    """``biz_content`` of a refund's query."""

    out_request_no: str = Field(min_length=1, max_length=64)


class BillIn(BaseModel):
    """``biz_content`` of a bill's address."""

    bill_type: str
    bill_date: str


def asked_of(order: OrderIn, product: str, addresses: Mapping[str, str], now: datetime, latest: datetime) -> Asked:
    """The order as the book keeps it; without a time of its own it ends at ``latest``."""
    content = json.dumps([product, order.model_dump(mode="json"), dict(addresses)], sort_keys=True)
    return Asked(
        provider="alipay",
        order_no=order.out_trade_no,
        product=product,
        amount_fen=fen_of(order.total_amount),
        description=order.subject,
        notify_url=addresses.get("notify_url", ""),
        return_url=addresses.get("return_url") or order.quit_url,
        expires_at=min(_end(order, now) or latest, latest),
        fingerprint=hashlib.sha256(content.encode()).hexdigest(),
    )


def trade_fields(trade: Trade) -> dict[str, Any]:
    """A trade as a query tells it."""
    fields = {
        "trade_no": trade_no(trade),
        "out_trade_no": trade.order_no,
        "buyer_logon_id": "159****5620",
        "trade_status": status_word(trade),
        "total_amount": yuan_text(trade.received_fen or trade.amount_fen),
    }
    if trade.paid_at is None or trade.received_fen is None:
        return fields | {"receipt_amount": "0.00", "buyer_pay_amount": "0.00", "invoice_amount": "0.00"}
    own = yuan_text(trade.received_fen - trade.coupon_fen)
    return fields | {
        "send_pay_date": written(trade.paid_at),
        "receipt_amount": yuan_text(trade.received_fen),
        "buyer_pay_amount": own,
        "invoice_amount": own,
        "point_amount": "0.00",
        "buyer_user_id": buyer_of(trade.order_no),
        "fund_bill_list": [{"amount": own, "fund_channel": "ALIPAYACCOUNT"}],
    }


def status_word(trade: Trade, *, refunded_fen: int | None = None) -> str:
    """``TRADE_CLOSED`` is both: never paid in time, and given back whole."""
    refunded = trade.refunded_fen if refunded_fen is None else refunded_fen
    match trade.status:
        case TradeStatus.PAID if refunded and refunded == trade.received_fen:
            return "TRADE_CLOSED"
        case TradeStatus.PAID:
            return "TRADE_FINISHED" if trade.finished else "TRADE_SUCCESS"
        case TradeStatus.CLOSED:
            return "TRADE_CLOSED"
        case TradeStatus.OPEN | TradeStatus.PREPARED:
            return "WAIT_BUYER_PAY"


def notified_fields(trade: Trade, keys: Keys, *, notify_id: str, at: datetime) -> dict[str, str]:
    """What a notification of a payment says; ``sign`` comes on top."""
    paid = trade.paid_at or at
    return {
        "notify_time": written(at),
        "notify_type": "trade_status_sync",
        "notify_id": notify_id,
        "app_id": keys.alipay_app_id,
        "auth_app_id": keys.alipay_app_id,
        "charset": "utf-8",
        "version": "1.0",
        "trade_no": trade_no(trade),
        "out_trade_no": trade.order_no,
        "buyer_id": buyer_of(trade.order_no),
        "seller_id": keys.seller_id,
        "trade_status": status_word(trade, refunded_fen=0),
        "subject": trade.description,
        "total_amount": yuan_text(trade.received_fen or trade.amount_fen),
        "receipt_amount": yuan_text(trade.received_fen or trade.amount_fen),
        "buyer_pay_amount": yuan_text((trade.received_fen or trade.amount_fen) - trade.coupon_fen),
        "gmt_create": written(trade.created_at),
        "gmt_payment": written(paid),
    }


def signed_text(fields: Mapping[str, str], *, without: frozenset[str] = frozenset({"sign"})) -> bytes:
    """What is signed: every field by its name, but for the signature itself."""
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name not in without).encode()


def trade_no(trade: Trade) -> str:
    """Alipay's own number; before the payment it is of the order alone."""
    return trade.transaction_id or str(int(hashlib.sha256(trade.token.encode()).hexdigest(), 16))[:28]


def buyer_of(word: str) -> str:
    """The payer's number: the same word is the same person."""
    return f"2088{int(hashlib.sha256(word.encode()).hexdigest(), 16) % 10**12:012d}"


def fen_of(yuan: Decimal) -> int:
    """Exact: an amount has two decimals at most."""
    return int(yuan * FEN_IN_YUAN)


def written(at: datetime) -> str:
    """An instant as Alipay writes it."""
    return at.astimezone(CALENDAR).strftime(TIME)


def instant_of(text: str) -> datetime:
    """The instant of such a text.

    Raises:
        ValueError: it is none.
    """
    return datetime.strptime(text, TIME).replace(tzinfo=CALENDAR)


def _end(order: OrderIn, now: datetime) -> datetime | None:
    if order.time_expire:
        return instant_of(order.time_expire)
    if order.timeout_express:
        return now + timedelta(minutes=int(order.timeout_express[:-1]) * _MINUTES[order.timeout_express[-1]])
    return None

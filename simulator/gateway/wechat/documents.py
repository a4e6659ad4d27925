"""Orders and refunds in WeChat Pay's words: what merchants send, what they are told. Pure."""

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from simulator.gateway.clock import CALENDAR
from simulator.gateway.keys import Keys
from simulator.gateway.trades import Asked, GivenBack, Refund, SealedBy, Trade, TradeStatus

Product = Literal["native", "jsapi", "h5"]
TRADE_TYPE: Final = {"native": "NATIVE", "jsapi": "JSAPI", "h5": "MWEB"}
_STATE_WORDS: Final = {"NOTPAY": "订单未支付", "SUCCESS": "支付成功", "CLOSED": "订单已关闭", "REFUND": "转入退款"}
_REFUND_STATUS: Final = {
    GivenBack.PROCESSING: "PROCESSING",
    GivenBack.DONE: "SUCCESS",
    GivenBack.FAILED: "CLOSED",
    GivenBack.ABNORMAL: "ABNORMAL",
}


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query:
        raise ValueError("a notify_url is an absolute address without a query string")
    return text


NotifyUrl = Annotated[str, Field(max_length=255), AfterValidator(_address)]
Number = Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-|*]{6,32}$")]


class AmountIn(BaseModel):
    """What is to be collected."""

    total: int = Field(ge=1, le=100_000_000, strict=True)
    currency: Literal["CNY"] = "CNY"


class PayerIn(BaseModel):
    """Who pays (JSAPI)."""

    openid: str = Field(min_length=1, max_length=128)


class H5In(BaseModel):
    """From where (H5)."""

    type: str


class SceneIn(BaseModel):
    """From where."""

    payer_client_ip: str = Field(min_length=2, max_length=45)
    h5_info: H5In | None = None


class OrderIn(BaseModel):
    """The body that makes an order."""

    appid: str
    mchid: str
    description: str = Field(min_length=1, max_length=127)
    out_trade_no: Number
    time_expire: AwareDatetime | None = None
    notify_url: NotifyUrl
    amount: AmountIn
    payer: PayerIn | None = None
    scene_info: SceneIn | None = None


class RefundAmountIn(BaseModel):
    """What is to be given back."""

    refund: int = Field(ge=1, strict=True)
    total: int = Field(ge=1, strict=True)
    currency: Literal["CNY"]


class RefundIn(BaseModel):
    """The body that asks for a refund."""

    out_trade_no: Number | None = None
    transaction_id: str | None = None
    out_refund_no: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_\-|*@]+$")
    reason: str = Field(default="", max_length=80)
    notify_url: NotifyUrl | None = None
    amount: RefundAmountIn


def asked_of(order: OrderIn, product: Product, sealed_by: SealedBy, latest: datetime) -> Asked:
    """The order as the book keeps it; without a time of its own it ends at ``latest``."""
    content = json.dumps([product, order.model_dump(mode="json")], sort_keys=True)
    return Asked(
        provider="wechat",
        order_no=order.out_trade_no,
        product=product,
        amount_fen=order.amount.total,
        description=order.description,
        notify_url=order.notify_url,
        return_url=None,
        expires_at=min(order.time_expire or latest, latest),
        fingerprint=hashlib.sha256(content.encode()).hexdigest(),
        sealed_by=sealed_by,
    )


def trade_document(trade: Trade, keys: Keys, *, notified: bool = False) -> dict[str, Any]:
    """A trade as a query or a notification tells it; a notification tells of the payment alone."""
    state = _state(trade, notified=notified)
    document: dict[str, Any] = {
        "appid": keys.app_id,
        "mchid": keys.merchant_id,
        "out_trade_no": trade.order_no,
        "trade_type": TRADE_TYPE[trade.product],
        "trade_state": state,
        "trade_state_desc": _STATE_WORDS[state],
        "attach": "",
    }
    if trade.paid_at is None or trade.received_fen is None:
        return document | {"amount": {"total": trade.amount_fen, "currency": "CNY"}}
    amount = {
        "total": trade.received_fen,
        "payer_total": trade.received_fen - trade.coupon_fen,
        "currency": "CNY",
        "payer_currency": "CNY",
    }
    return document | {
        "transaction_id": trade.transaction_id,
        "bank_type": "OTHERS",
        "success_time": written(trade.paid_at),
        "payer": {"openid": openid_of(trade.order_no)},
        "amount": amount,
    }


def refund_document(refund: Refund, trade: Trade, keys: Keys, *, notified: bool = False) -> dict[str, Any]:
    """A refund as an answer or a notification tells it: the two name its status differently."""
    document: dict[str, Any] = {
        "out_trade_no": refund.order_no,
        "transaction_id": trade.transaction_id,
        "out_refund_no": refund.refund_no,
        "refund_id": refund.refund_id,
        "user_received_account": "支付用户零钱",
        "amount": {"total": trade.received_fen, "refund": refund.amount_fen, "payer_total": trade.received_fen},
    }
    document["amount"] |= {"payer_refund": refund.amount_fen, "currency": "CNY"}
    status = _REFUND_STATUS[refund.status]
    if refund.status is GivenBack.DONE and refund.done_at:
        document["success_time"] = written(refund.done_at)
    if notified:
        del document["amount"]["currency"]
        return document | {"mchid": keys.merchant_id, "refund_status": status}
    return document | {"status": status, "channel": "ORIGINAL", "create_time": written(refund.created_at)}


def written(at: datetime) -> str:
    """An instant as WeChat Pay writes it."""
    return at.astimezone(CALENDAR).isoformat(timespec="seconds")


def openid_of(word: str) -> str:
    """The payer's name for this official account: the same word is the same person."""
    return "o" + hashlib.sha256(word.encode()).hexdigest()[:27]


def _state(trade: Trade, *, notified: bool) -> str:
    match trade.status:
        case TradeStatus.PAID:
            return "REFUND" if trade.refunded_fen and not notified else "SUCCESS"
        case TradeStatus.CLOSED:
            return "CLOSED"
        case TradeStatus.OPEN | TradeStatus.PREPARED:
            return "NOTPAY"

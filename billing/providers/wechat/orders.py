"""Orders and refunds in WeChat Pay's words, both directions. Pure.

Source: WeChat Pay API v3, ``/v3/pay/transactions`` and ``/v3/refund/domestic/refunds``. Amounts there are fen.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from billing.providers.calendar import PROVIDERS_ZONE
from billing.providers.port import (
    Channel,
    Order,
    OrderState,
    OrderStatus,
    RefundOrder,
    RefundState,
    RefundStatus,
)
from billing.providers.wechat.merchant import WechatMerchant
from core.errors import InvalidError
from core.money import Fen

PRODUCT_OF: Final = {
    Channel.WECHAT_NATIVE: "native",
    Channel.WECHAT_JSAPI: "jsapi",
    Channel.WECHAT_H5: "h5",
}
LONGEST_DESCRIPTION_BYTES: Final = 127
LONGEST_REASON_BYTES: Final = 80
LARGEST_FEN: Final = 10**14
"""Beyond it no order of anybody's can be; far below what the journal holds."""

_ORDER_STATUS: Final = {
    "SUCCESS": OrderStatus.PAID,
    "REFUND": OrderStatus.REFUNDED,
    "NOTPAY": OrderStatus.PENDING,
    "USERPAYING": OrderStatus.PENDING,
    "ACCEPT": OrderStatus.PENDING,
    "CLOSED": OrderStatus.CLOSED,
    "REVOKED": OrderStatus.CLOSED,
    "PAYERROR": OrderStatus.FAILED,
}
_REFUND_STATUS: Final = {
    "PROCESSING": RefundStatus.ACCEPTED,
    "SUCCESS": RefundStatus.SUCCEEDED,
    "CLOSED": RefundStatus.FAILED,
    "ABNORMAL": RefundStatus.ABNORMAL,
}


class UnreadableAnswerError(ValueError):
    """Genuine, but not in the shape that WeChat documents, or about something else than was asked."""


def order_document(order: Order, merchant: WechatMerchant) -> dict[str, Any]:
    """The body that makes an order; the same order always gives the same body.

    Raises:
        InvalidError: JSAPI without the payer's openid, H5 without the payer's address.
    """
    document: dict[str, Any] = {
        "appid": merchant.app_id,
        "mchid": merchant.merchant_id,
        "description": shortened(order.description, LONGEST_DESCRIPTION_BYTES),
        "out_trade_no": order.order_no,
        "time_expire": order.expires_at.astimezone(PROVIDERS_ZONE).isoformat(timespec="seconds"),
        "notify_url": order.notify_url,
        "amount": {"total": order.amount_fen, "currency": "CNY"},
    }
    if order.channel is Channel.WECHAT_JSAPI:
        if not order.payer_id:
            raise InvalidError("paying inside WeChat needs the payer's openid", channel=order.channel)
        document["payer"] = {"openid": order.payer_id}
    if order.channel is Channel.WECHAT_H5:
        if not order.payer_ip:
            raise InvalidError("paying from a browser needs the payer's address", channel=order.channel)
        document["scene_info"] = {"payer_client_ip": order.payer_ip, "h5_info": {"type": "Wap"}}
    return document


def with_return(h5_url: str, return_url: str | None) -> str:
    """The address that opens WeChat, and where the browser is sent afterwards."""
    if return_url is None:
        return h5_url
    return f"{h5_url}{'&' if '?' in h5_url else '?'}redirect_url={quote(return_url, safe='')}"


def order_state(document: Mapping[str, Any], merchant: WechatMerchant) -> OrderState:
    """An order as an answer or a notification tells it; what it was *for* counts, whoever's coupon paid part of it.

    Raises:
        UnreadableAnswerError: see there; another merchant's order is one of these.
    """
    try:
        if (document["mchid"], document["appid"]) != (merchant.merchant_id, merchant.app_id):
            raise UnreadableAnswerError("the order is another merchant's")
        status = _ORDER_STATUS[document["trade_state"]]
        amount = document.get("amount") or {}
        was_paid = status in (OrderStatus.PAID, OrderStatus.REFUNDED)
        return OrderState(
            order_no=_text(document["out_trade_no"]),
            status=status,
            transaction_id=_text(document["transaction_id"]) if was_paid else None,
            total_fen=_fen(amount["total"]) if was_paid or "total" in amount else None,
            currency=_text(amount.get("currency", "CNY")),
            paid_at=_instant(document["success_time"]) if was_paid else None,
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise _unreadable(error) from error


def refund_document(order: RefundOrder) -> dict[str, Any]:
    """The body that asks for a refund; the same number is refunded once."""
    of_what = {"transaction_id": order.transaction_id} if order.transaction_id else {"out_trade_no": order.order_no}
    return {
        **of_what,
        "out_refund_no": order.refund_no,
        "reason": shortened(order.reason, LONGEST_REASON_BYTES),
        "notify_url": order.notify_url,
        "amount": {"refund": order.amount_fen, "total": order.total_fen, "currency": order.currency},
    }


def refund_state(document: Mapping[str, Any]) -> RefundState:
    """A refund as an answer or a notification tells it: they name its status differently.

    Raises:
        UnreadableAnswerError: see there.
    """
    try:
        amount = document.get("amount") or {}
        return RefundState(
            order_no=_text(document["out_trade_no"]),
            refund_no=_text(document["out_refund_no"]),
            status=_REFUND_STATUS[document.get("refund_status") or document["status"]],
            amount_fen=_fen(amount["refund"]) if "refund" in amount else None,
            refund_id=_text(document["refund_id"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise _unreadable(error) from error


def shortened(text: str, most_bytes: int) -> str:
    """The beginning of a text that fits into so many bytes of UTF-8."""
    return text.encode()[:most_bytes].decode(errors="ignore")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise UnreadableAnswerError("a text is missing")
    return value


def _fen(value: object) -> Fen:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_FEN:
        raise UnreadableAnswerError("an amount is not a whole number of fen")
    return Fen(value)


def _instant(value: object) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise UnreadableAnswerError("a time is without its offset")
    return at.astimezone(UTC)


def _unreadable(error: Exception) -> UnreadableAnswerError:
    if isinstance(error, UnreadableAnswerError):
        return error
    return UnreadableAnswerError(f"the answer is not in the documented shape ({type(error).__name__}: {error})"[:200])

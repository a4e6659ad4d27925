"""Orders and refunds in Alipay's words, both directions. Pure.

Source: Alipay open platform, ``alipay.trade.*``. Amounts there are yuan with two decimals, times its own calendar's.
"""

from collections.abc import Mapping
from typing import Any, Final

from billing.providers.alipay.signing import instant_of, written
from billing.providers.port import Order, OrderState, OrderStatus, RefundOrder, RefundState, RefundStatus
from billing.providers.yuan import fen_of, yuan_of

LONGEST_SUBJECT: Final = 128
LONGEST_REASON: Final = 128
_NOT_IN_A_SUBJECT: Final = str.maketrans(dict.fromkeys("/=&", " "))
_STATUS: Final = {
    "WAIT_BUYER_PAY": OrderStatus.PENDING,
    "TRADE_SUCCESS": OrderStatus.PAID,
    "TRADE_FINISHED": OrderStatus.PAID,
    "TRADE_CLOSED": OrderStatus.CLOSED,
}


class UnreadableAnswerError(ValueError):
    """Genuine, but not in the shape that Alipay documents."""


def order_content(order: Order, product_code: str | None) -> dict[str, Any]:
    """What makes an order; the same order always gives the same content."""
    content = {
        "out_trade_no": order.order_no,
        "total_amount": yuan_of(order.amount_fen),
        "subject": order.description.translate(_NOT_IN_A_SUBJECT)[:LONGEST_SUBJECT],
        "time_expire": written(order.expires_at),
    }
    if product_code:
        content["product_code"] = product_code
    return content


def order_state(fields: Mapping[str, Any]) -> OrderState:
    """An order as an answer or a notification tells it.

    ``TRADE_CLOSED`` means two things: never paid in time, or paid and given back whole. Only what was paid has a time
    of payment. ``TRADE_FINISHED`` is paid, and past the time in which it could be given back.

    Raises:
        UnreadableAnswerError: see there.
    """
    try:
        status = _STATUS[fields["trade_status"]]
        paid_at = fields.get("gmt_payment") or fields.get("send_pay_date")
        given_back = fen_of(str(fields.get("refund_fee") or "0"))
        if (status is OrderStatus.CLOSED and paid_at) or (status is OrderStatus.PAID and given_back):
            status = OrderStatus.REFUNDED
        was_paid = status in (OrderStatus.PAID, OrderStatus.REFUNDED)
        return OrderState(
            order_no=_text(fields["out_trade_no"]),
            status=status,
            transaction_id=_text(fields["trade_no"]) if was_paid else None,
            total_fen=fen_of(_text(fields["total_amount"])) if was_paid or fields.get("total_amount") else None,
            currency=str(fields.get("trans_currency") or "CNY"),
            paid_at=instant_of(str(paid_at)) if was_paid and paid_at else None,
        )
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise _unreadable(error) from error


def refund_content(order: RefundOrder) -> dict[str, Any]:
    """What asks for a refund; the same number is refunded once."""
    content = {
        "out_trade_no": order.order_no,
        "out_request_no": order.refund_no,
        "refund_amount": yuan_of(order.amount_fen),
        "refund_reason": order.reason[:LONGEST_REASON],
    }
    if order.transaction_id is not None:
        content["trade_no"] = order.transaction_id
    if order.currency != "CNY":
        content["refund_currency"] = order.currency
    return content


def refund_found(answer: Mapping[str, Any], order_no: str, refund_no: str) -> RefundState:
    """What a query of a refund says; without a status Alipay has not received it, or could not do it.

    Raises:
        UnreadableAnswerError: it speaks of another refund, or its amount is none.
    """
    if answer.get("refund_status") != "REFUND_SUCCESS":
        return RefundState(order_no=order_no, refund_no=refund_no, status=RefundStatus.NOT_FOUND)
    if (answer.get("out_trade_no"), answer.get("out_request_no")) != (order_no, refund_no):
        raise UnreadableAnswerError("the answer is about another refund")
    try:
        return RefundState(
            order_no=order_no,
            refund_no=refund_no,
            status=RefundStatus.SUCCEEDED,
            amount_fen=fen_of(_text(answer["refund_amount"])),
            refund_id=_text(answer["trade_no"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise _unreadable(error) from error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise UnreadableAnswerError("a text is missing")
    return value


def _unreadable(error: Exception) -> UnreadableAnswerError:
    if isinstance(error, UnreadableAnswerError):
        return error
    return UnreadableAnswerError(f"not in the documented shape ({type(error).__name__}: {error})"[:200])

"""What Alipay tells us unasked: verified on the decoded form, and checked to be ours."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from billing.providers.alipay.client import AlipayClient
from billing.providers.alipay.merchant import NAME
from billing.providers.alipay.orders import UnreadableAnswerError, order_state
from billing.providers.alipay.signing import SIGN_TYPE, form_of, instant_of, is_signed_by_any, notified_message
from billing.providers.line import FRESH_SECONDS
from billing.providers.port import (
    ForgedError,
    Notification,
    NotReadableError,
    OrderState,
    RefundState,
    RefundStatus,
)
from billing.providers.recent import Recent

OLDEST: Final = timedelta(hours=26)
"""Alipay repeats a notification for 25 hours, and does not promise that a repetition is given a new time.

Five minutes, as with WeChat Pay, might refuse the provider's own repetitions; that nothing is booked twice is the
booking's promise.
"""


class AlipayMailbox:
    """Reads notifications for one application."""

    def __init__(self, client: AlipayClient) -> None:
        self._client = client
        self._recent = Recent(provider=NAME)

    def read(self, body: bytes) -> Notification:
        """The notification in this form.

        Raises:
            ForgedError: its ``why`` is ``unsigned``, ``age``, ``signature`` or ``merchant``.
            NotReadableError: its ``why`` is ``shape``.
        """
        try:
            form = form_of(body)
        except ValueError as error:
            raise _forged("unsigned", "that is no form") from error
        signature = form.get("sign", "")
        if not signature or form.get("sign_type") != SIGN_TYPE:
            raise _forged("unsigned", "without an RSA2 signature")
        if not is_signed_by_any(self._client.merchant.public_keys, notified_message(form), signature):
            raise _forged("signature", "with a wrong signature")
        merchant, now = self._client.merchant, self._client.now()
        if (form.get("app_id"), form.get("seller_id")) != (merchant.app_id, merchant.seller_id):
            raise _forged("merchant", "meant for another merchant")
        notification = _understood(form, now)
        if known := self._recent.find(signature, body, now):
            return known
        self._recent.remember(signature, body, notification, now)
        return notification


def _understood(form: Mapping[str, str], now: datetime) -> Notification:
    try:
        sent_at, key = instant_of(form["notify_time"]), form["notify_id"]
        about = _about(form)
    except (UnreadableAnswerError, KeyError, ValueError, OverflowError) as error:
        raise NotReadableError(f"Alipay's notification: {error}", provider=NAME, why="shape") from error
    if not -timedelta(seconds=FRESH_SECONDS) <= now - sent_at <= OLDEST:
        raise _forged("age", "too old, or from the future; compare the machine's clock")
    return Notification(key=key, about=about)


def _about(form: Mapping[str, str]) -> OrderState | RefundState:
    """A refund where it names one (``out_biz_no`` is our refund's number); else the order."""
    state = order_state(form)
    refund_no = form.get("out_biz_no")
    if refund_no and form.get("gmt_refund"):
        # refund_fee is the sum of all refunds so far, not the amount of this one
        return RefundState(
            order_no=state.order_no,
            refund_no=refund_no,
            status=RefundStatus.SUCCEEDED,
            refund_id=form["trade_no"],
        )
    return state


def _forged(why: str, what: str) -> ForgedError:
    return ForgedError(f"a notification {what}", provider=NAME, why=why)

"""Alipay behind the port: precreate, wap and page."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final, TypeVar

import httpx

from billing.providers.alipay.bills import fetch_bill
from billing.providers.alipay.client import AlipayClient
from billing.providers.alipay.merchant import NAME, AlipayMerchant
from billing.providers.alipay.notifications import AlipayMailbox
from billing.providers.alipay.orders import (
    UnreadableAnswerError,
    order_content,
    order_state,
    refund_content,
    refund_found,
)
from billing.providers.line import Line, real_now
from billing.providers.port import (
    Acknowledgement,
    Channel,
    Notification,
    Opened,
    Order,
    OrderState,
    OrderStatus,
    ProviderBill,
    ProviderRefusedError,
    ProviderUnavailableError,
    RefundOrder,
    RefundState,
    RefundStatus,
)

PAGES: Final = {
    Channel.ALIPAY_WAP: ("alipay.trade.wap.pay", "QUICK_WAP_WAY"),
    Channel.ALIPAY_PAGE: ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
}
_ABSENT: Final = frozenset({"ACQ.TRADE_NOT_EXIST"})
_NOT_OPEN: Final = frozenset({"ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID", "ACQ.REASON_ILLEGAL_STATUS"})
"""Refusals to close after which only a query tells what the order is."""

T = TypeVar("T")


class Alipay:
    """One application of one merchant at Alipay."""

    def __init__(
        self,
        merchant: AlipayMerchant,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], datetime] = real_now,
    ) -> None:
        self._merchant = merchant
        self._line = Line(NAME, transport, now)
        self._client = AlipayClient(merchant, self._line, now)
        self._mailbox = AlipayMailbox(self._client)

    @property
    def name(self) -> str:
        """``alipay``."""
        return NAME

    @property
    def channels(self) -> frozenset[Channel]:
        """Those the merchant signed for."""
        return self._merchant.channels

    @property
    def clock_ahead_seconds(self) -> float | None:
        """Alipay's clock minus ours; None before its first answer."""
        return self._line.clock_ahead_seconds

    async def create(self, order: Order) -> Opened:
        """Make a code, or sign the address of a page.

        Until a payer scans the code or opens the page, Alipay knows no such order: a query says ``NOT_FOUND``, and
        neither can be called off. Only ``expires_at`` ends them, so it is to be near.
        """
        if order.channel in PAGES:
            method, product_code = PAGES[order.channel]
            content = order_content(order, product_code)
            if order.return_url:
                content["quit_url"] = order.return_url
            url = self._client.page_url(method, content, notify_url=order.notify_url, return_url=order.return_url)
            return Opened(pay_url=url)
        content = order_content(order, None)
        answer = await self._client.call("alipay.trade.precreate", content, notify_url=order.notify_url)
        self._check_order(answer, order.order_no)
        code_url = answer.get("qr_code")
        if not isinstance(code_url, str) or not code_url:
            raise ProviderUnavailableError("Alipay's answer lacks its code", provider=NAME)
        return Opened(code_url=code_url)

    async def query(self, order_no: str) -> OrderState:
        """What became of it."""
        try:
            answer = await self._client.call("alipay.trade.query", {"out_trade_no": order_no})
        except ProviderRefusedError as refusal:
            if refusal.facts.get("code") in _ABSENT:
                return OrderState(order_no=order_no, status=OrderStatus.NOT_FOUND)
            raise
        self._check_order(answer, order_no)
        return self._read(lambda: order_state(answer))

    async def close(self, order_no: str) -> OrderState:
        """Make it unpayable; where it was paid before that, says so. It never gives money back."""
        try:
            await self._client.call("alipay.trade.close", {"out_trade_no": order_no})
        except ProviderRefusedError as refusal:
            if refusal.facts.get("code") in _NOT_OPEN:
                return await self.query(order_no)
            if refusal.facts.get("code") in _ABSENT:
                return OrderState(order_no=order_no, status=OrderStatus.NOT_FOUND)
            raise
        return OrderState(order_no=order_no, status=OrderStatus.CLOSED)

    async def cancel(self, order_no: str) -> bool:
        """Undo an order whatever became of it: unpaid it is closed, paid it is given back. Whether money went back.

        Beyond the port on purpose: closing must never give money back that then is not in the journal.
        """
        answer = await self._client.call("alipay.trade.cancel", {"out_trade_no": order_no})
        return answer.get("action") == "refund"

    async def refund(self, order: RefundOrder) -> RefundState:
        """Give back. Alipay does it at once, and says of a repetition only that nothing moved: then it is asked."""
        answer = await self._client.call("alipay.trade.refund", refund_content(order))
        self._check_order(answer, order.order_no)
        if answer.get("fund_change") == "Y":
            return RefundState(
                order_no=order.order_no,
                refund_no=order.refund_no,
                status=RefundStatus.SUCCEEDED,
                amount_fen=order.amount_fen,
                refund_id=str(answer.get("trade_no") or "") or None,
            )
        found = await self.query_refund(order.order_no, order.refund_no)
        if found.status is RefundStatus.SUCCEEDED:
            return found
        return RefundState(order_no=order.order_no, refund_no=order.refund_no, status=RefundStatus.ACCEPTED)

    async def query_refund(self, order_no: str, refund_no: str) -> RefundState:
        """What became of it."""
        content = {"out_trade_no": order_no, "out_request_no": refund_no}
        try:
            answer = await self._client.call("alipay.trade.fastpay.refund.query", content)
        except ProviderRefusedError as refusal:
            if refusal.facts.get("code") in _ABSENT:
                return RefundState(order_no=order_no, refund_no=refund_no, status=RefundStatus.NOT_FOUND)
            raise
        return self._read(lambda: refund_found(answer, order_no, refund_no))

    async def fetch_bill(self, day: date) -> ProviderBill:
        """The trade bill of a day."""
        return await fetch_bill(self._client, day)

    async def read_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:  # noqa: ARG002 - Alipay signs the body alone
        """See ``AlipayMailbox.read``."""
        return self._mailbox.read(body)

    def acknowledge(self, *, taken: bool) -> Acknowledgement:
        """Exactly ``success`` ends Alipay's repetitions, anything else does not."""
        if taken:
            return Acknowledgement(status=200, body=b"success", media_type="text/plain")
        return Acknowledgement(status=500, body=b"fail", media_type="text/plain")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._line.aclose()

    def _check_order(self, answer: Mapping[str, Any], order_no: str) -> None:
        if answer.get("out_trade_no") != order_no:
            raise ProviderUnavailableError("Alipay answered about something else", provider=NAME)

    def _read(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except UnreadableAnswerError as error:
            raise ProviderUnavailableError(f"Alipay: {error}", provider=NAME) from error

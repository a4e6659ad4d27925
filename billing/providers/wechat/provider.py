"""WeChat Pay behind the port: native, JSAPI and H5."""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

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
from billing.providers.wechat.bills import fetch_bill
from billing.providers.wechat.client import WechatClient
from billing.providers.wechat.merchant import NAME, WechatMerchant
from billing.providers.wechat.notifications import WechatMailbox
from billing.providers.wechat.oauth import Recognition
from billing.providers.wechat.orders import (
    PRODUCT_OF,
    UnreadableAnswerError,
    order_document,
    order_state,
    refund_document,
    refund_state,
    with_return,
)
from billing.providers.wechat.signing import bridge

_ABSENT = frozenset({"ORDERNOTEXIST", "RESOURCENOTEXISTS", "RESOURCENOTEXIST"})
_PAID_ALREADY = frozenset({"ORDERPAID", "TRADEERROR", "USERPAYING"})
"""Refusals to close after which only a query tells what the order is."""


T = TypeVar("T")


class WechatPay:
    """One merchant at WeChat Pay."""

    def __init__(
        self,
        merchant: WechatMerchant,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], datetime] = real_now,
    ) -> None:
        self._merchant = merchant
        self._line = Line(NAME, transport, now)
        self._client = WechatClient(merchant, self._line, now)
        self._mailbox = WechatMailbox(self._client)
        self.recognition = Recognition(merchant, self._line)
        """Who pays, inside WeChat: the step before a JSAPI order."""

    @property
    def name(self) -> str:
        """``wechat``."""
        return NAME

    @property
    def channels(self) -> frozenset[Channel]:
        """Those the merchant applied for."""
        return self._merchant.channels

    @property
    def clock_ahead_seconds(self) -> float | None:
        """WeChat's clock minus ours; None before its first answer."""
        return self._line.clock_ahead_seconds

    async def create(self, order: Order) -> Opened:
        """Make the order, or get a fresh address of the one that exists with the same content."""
        product = PRODUCT_OF[order.channel]
        document = order_document(order, self._merchant)
        answer = await self._client.call("POST", f"/v3/pay/transactions/{product}", document)
        match order.channel:
            case Channel.WECHAT_JSAPI:
                prepay_id, timestamp = self._word(answer, "prepay_id"), int(self._client.now().timestamp())
                return Opened(
                    bridge=bridge(self._merchant, prepay_id, timestamp=timestamp, nonce=secrets.token_hex(16))
                )
            case Channel.WECHAT_H5:
                return Opened(pay_url=with_return(self._word(answer, "h5_url"), order.return_url))
            case _:
                return Opened(code_url=self._word(answer, "code_url"))

    async def query(self, order_no: str) -> OrderState:
        """What became of it."""
        path = f"/v3/pay/transactions/out-trade-no/{quote(order_no, safe='')}?mchid={self._merchant.merchant_id}"
        try:
            answer = await self._client.call("GET", path)
        except ProviderRefusedError as refusal:
            if refusal.facts.get("code") in _ABSENT:
                return OrderState(order_no=order_no, status=OrderStatus.NOT_FOUND)
            raise
        state = self._read(lambda: order_state(answer, self._merchant))
        return self._same(state, state.order_no == order_no)

    async def close(self, order_no: str) -> OrderState:
        """Make it unpayable; where it was paid before that, says so."""
        path = f"/v3/pay/transactions/out-trade-no/{quote(order_no, safe='')}/close"
        try:
            await self._client.call("POST", path, {"mchid": self._merchant.merchant_id})
        except ProviderRefusedError as refusal:
            code = refusal.facts.get("code")
            if code in _PAID_ALREADY:
                return await self.query(order_no)
            if code in _ABSENT:
                return OrderState(order_no=order_no, status=OrderStatus.NOT_FOUND)
            if code != "ORDERCLOSED":
                raise
        return OrderState(order_no=order_no, status=OrderStatus.CLOSED)

    async def refund(self, order: RefundOrder) -> RefundState:
        """Ask for a refund; the answer mostly says that it was accepted."""
        answer = await self._client.call("POST", "/v3/refund/domestic/refunds", refund_document(order))
        state = self._read(lambda: refund_state(answer))
        return self._same(state, (state.order_no, state.refund_no) == (order.order_no, order.refund_no))

    async def query_refund(self, order_no: str, refund_no: str) -> RefundState:
        """What became of it."""
        try:
            answer = await self._client.call("GET", f"/v3/refund/domestic/refunds/{quote(refund_no, safe='')}")
        except ProviderRefusedError as refusal:
            if refusal.facts.get("code") in _ABSENT:
                return RefundState(order_no=order_no, refund_no=refund_no, status=RefundStatus.NOT_FOUND)
            raise
        state = self._read(lambda: refund_state(answer))
        return self._same(state, (state.order_no, state.refund_no) == (order_no, refund_no))

    async def fetch_bill(self, day: date) -> ProviderBill:
        """The trade bill of a day."""
        return await fetch_bill(self._client, day)

    async def read_notification(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """See ``WechatMailbox.read``."""
        return await self._mailbox.read(headers, body)

    def acknowledge(self, *, taken: bool) -> Acknowledgement:
        """WeChat looks at the status first: only an error makes it send again."""
        if taken:
            return Acknowledgement(status=200, body=b'{"code":"SUCCESS"}', media_type="application/json")
        body = json.dumps({"code": "FAIL", "message": "not taken, send again"}).encode()
        return Acknowledgement(status=500, body=body, media_type="application/json")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._line.aclose()

    def _word(self, answer: Mapping[str, Any], name: str) -> str:
        value = answer.get(name)
        if not isinstance(value, str) or not value:
            raise ProviderUnavailableError(f"WeChat Pay's answer lacks {name}", provider=NAME)
        return value

    def _read(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except UnreadableAnswerError as error:
            raise ProviderUnavailableError(f"WeChat Pay: {error}", provider=NAME) from error

    def _same(self, state: T, is_same: bool) -> T:
        if not is_same:
            raise ProviderUnavailableError("WeChat Pay answered about something else", provider=NAME)
        return state

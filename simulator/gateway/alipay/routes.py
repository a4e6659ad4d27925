"""Alipay's gateway over HTTP: one address for every call, signed parameters in, a signed object out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator.gateway.alipay.bill import bill_zip
from simulator.gateway.alipay.documents import (
    BillIn,
    NamedIn,
    OrderIn,
    RefundIn,
    RefundQueryIn,
    asked_of,
    fen_of,
    instant_of,
    signed_text,
    trade_fields,
    trade_no,
)
from simulator.gateway.answering import Answer, answered
from simulator.gateway.bills import yuan_text
from simulator.gateway.clock import real_now
from simulator.gateway.keys import ALIPAY, ALIPAY_APPLICATION
from simulator.gateway.parts import Gateway
from simulator.gateway.rsa import is_signed, sign, spoiled
from simulator.gateway.trades import GivenBack, RefusedError, Trade, TradeStatus, Why

_ADDRESSES: Final[tuple[str, ...]] = ("notify_url", "return_url")
FRESH: Final = timedelta(minutes=15)
LONGEST_LIFE: Final = timedelta(hours=2)
DOWNLOAD_SECONDS: Final = 30
PAGES: Final = {"alipay.trade.wap.pay": "wap", "alipay.trade.page.pay": "page"}
_REFUSALS: Final = {
    Why.ABSENT: ("ACQ.TRADE_NOT_EXIST", "交易不存在"),
    Why.ALREADY_PAID: ("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"),
    Why.CLOSED: ("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
    Why.NUMBER_USED: ("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"),
    Why.NOT_PAID: ("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"),
    Why.TOO_MUCH: ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"),
    Why.TOO_MANY: ("ACQ.REFUND_CHARGE_ERROR", "退款次数超限"),
    Why.TOO_LATE: ("ACQ.TRADE_HAS_FINISHED", "交易已完结"),
    Why.REFUND_ABSENT: ("ACQ.TRADE_NOT_EXIST", "退款不存在"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call with its parameters."""

    gateway: Gateway
    parameters: dict[str, str]

    @classmethod
    async def of(cls, request: Request) -> "Call":
        """From the query string and, of a form, from the body; decoded once."""
        body = (await request.body()).decode("utf-8", "replace")
        pairs = parse_qsl(request.url.query, keep_blank_values=True) + parse_qsl(body, keep_blank_values=True)
        return cls(gateway=Gateway.of(request), parameters=dict(pairs))

    @property
    def method(self) -> str:
        """Alipay's name of the call."""
        return self.parameters.get("method", "")

    @property
    def content(self) -> str:
        """``biz_content``."""
        return self.parameters.get("biz_content", "{}")

    @property
    def order_no(self) -> str:
        """Of the order it is about, for the script."""
        try:
            found = json.loads(self.content).get("out_trade_no")
        except (ValueError, AttributeError):
            return ""
        return found if isinstance(found, str) else ""

    def is_genuine(self) -> bool:
        """Whether our merchant's application signed it."""
        key = self.gateway.keys.private[ALIPAY_APPLICATION].public_key()
        return is_signed(key, signed_text(self.parameters), self.parameters.get("sign", ""))

    def is_fresh(self) -> bool:
        """Whether it was made within a quarter of an hour of now."""
        try:
            return abs(real_now() - instant_of(self.parameters.get("timestamp", ""))) <= FRESH
        except ValueError:
            return False

    def said(self, fields: Mapping[str, Any]) -> Answer:
        """A signed answer: Alipay signs the very characters of the object."""
        name = f"{self.method.replace('.', '_')}_response"
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        signature = sign(self.gateway.keys.private[ALIPAY], text.encode())
        body = f'{{"{name}":{text},"sign":"{signature}"}}'.encode()
        return Answer(status=200, body=body, media_type="text/html;charset=utf-8")

    def did(self, **fields: Any) -> Answer:
        """A signed yes."""
        return self.said({"code": "10000", "msg": "Success", **fields})

    def failed(self, sub_code: str, sub_msg: str, *, code: str = "40004", msg: str = "Business Failed") -> Answer:
        """A signed no."""
        return self.said({"code": code, "msg": msg, "sub_code": sub_code, "sub_msg": sub_msg})

    def misread(self, sub_code: str, sub_msg: str) -> Answer:
        """A signed no to something that is no proper call."""
        return self.failed(sub_code, sub_msg, code="40002", msg="Invalid Arguments")

    def named(self, about: NamedIn) -> Trade:
        """The trade a call is about, if anybody has ever seen its code.

        Raises:
            RefusedError: ``ABSENT``.
        """
        book, now = self.gateway.book, self.gateway.clock.now()
        found = (
            book.find("alipay", about.out_trade_no, now)
            if about.out_trade_no
            else book.find_by("transaction_id", about.trade_no, now)
        )
        if found is None or found.provider != "alipay" or found.status is TradeStatus.PREPARED:
            raise RefusedError(Why.ABSENT)
        return found


async def serve(request: Request) -> Response:
    """Any call: a page opens in the browser, everything else answers with an object."""
    call = await Call.of(request)
    if call.method in PAGES:
        return _open_page(call)
    operation, act = _CALLS.get(call.method, ("unknown", _unknown))
    return await answered(call.gateway, f"alipay.{operation}", call.order_no, lambda: _judged(call, act), _spoil)


async def download(request: Request) -> Response:
    """A day's bill, by the address that a signed answer gave."""
    call = await Call.of(request)
    signature = call.parameters.pop("sign", "")
    genuine = is_signed(call.gateway.keys.private[ALIPAY].public_key(), signed_text(call.parameters), signature)
    if not genuine or float(call.parameters.get("until", 0)) < real_now().timestamp():
        return PlainTextResponse("expired", 404)

    def act() -> Answer:
        made = bill_zip(call.gateway, date.fromisoformat(call.parameters["bill_date"]))
        return Answer(status=200 if made else 404, body=made or b"", media_type="application/octet-stream")

    return await answered(call.gateway, "alipay.download", "", act, _spoil)


def precreate(call: Call) -> Answer:
    """A code to be scanned; until somebody does, no query knows the trade."""
    order = OrderIn.model_validate_json(call.content)
    trade = _opened(call, order, "precreate", TradeStatus.PREPARED)
    return call.did(out_trade_no=trade.order_no, qr_code=f"{call.gateway.url}/pay/{trade.order_no}?provider=alipay")


def query(call: Call) -> Answer:
    """What became of a trade."""
    return call.did(**trade_fields(call.named(NamedIn.model_validate_json(call.content))))


def close(call: Call) -> Answer:
    """Make a trade unpayable."""
    trade = call.named(NamedIn.model_validate_json(call.content))
    if trade.status is TradeStatus.PAID:
        return call.failed("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    call.gateway.book.call_off(trade, call.gateway.clock.now())
    return call.did(trade_no=trade_no(trade), out_trade_no=trade.order_no)


def cancel(call: Call) -> Answer:
    """Undo a trade: unpaid it is closed, paid it is given back."""
    trade = call.named(NamedIn.model_validate_json(call.content))
    if trade.status is not TradeStatus.PAID:
        call.gateway.book.call_off(trade, call.gateway.clock.now())
        return call.did(out_trade_no=trade.order_no, retry_flag="N", action="close")
    rest_fen = (trade.received_fen or 0) - trade.refunded_fen
    if rest_fen:
        _give_back(call, trade, f"cancel{trade.order_no}", rest_fen, "cancel")
    return call.did(out_trade_no=trade.order_no, retry_flag="N", action="refund")


def refund(call: Call) -> Answer:
    """Give back at once; a repetition of the same number moves nothing."""
    asked = RefundIn.model_validate_json(call.content)
    trade = call.named(asked)
    moved = _give_back(
        call, trade, asked.out_request_no or trade.order_no, fen_of(asked.refund_amount), asked.refund_reason
    )
    after = call.gateway.book.fetch("alipay", trade.order_no, call.gateway.clock.now())
    return call.did(
        trade_no=trade_no(after),
        out_trade_no=trade.order_no,
        fund_change="Y" if moved else "N",
        refund_fee=yuan_text(after.refunded_fen),
    )


def query_refund(call: Call) -> Answer:
    """What became of a refund; of one it never heard of, Alipay says nothing but that the call went well."""
    asked = RefundQueryIn.model_validate_json(call.content)
    trade = call.named(asked)
    found = call.gateway.book.find_refund("alipay", asked.out_request_no, order_no=trade.order_no)
    if found is None or found.status is not GivenBack.DONE:
        return call.did()
    return call.did(
        trade_no=trade_no(trade),
        out_trade_no=trade.order_no,
        out_request_no=found.refund_no,
        total_amount=yuan_text(trade.received_fen or 0),
        refund_amount=yuan_text(found.amount_fen),
        refund_status="REFUND_SUCCESS",
    )


def bill_url(call: Call) -> Answer:
    """Where a day's bill can be downloaded, for half a minute."""
    asked = BillIn.model_validate_json(call.content)
    if bill_zip(call.gateway, date.fromisoformat(asked.bill_date)) is None:
        return call.failed("isp.bill_not_exist", "账单不存在")
    until = int(real_now().timestamp() + DOWNLOAD_SECONDS)
    fields = {"bill_date": asked.bill_date, "until": str(until)}
    fields["sign"] = sign(call.gateway.keys.private[ALIPAY], signed_text(fields))
    return call.did(bill_download_url=f"{call.gateway.url}/alipay/bill.zip?{urlencode(fields)}")


def _judged(call: Call, act: Callable[[Call], Answer]) -> Answer:
    if call.parameters.get("app_id") != call.gateway.keys.alipay_app_id:
        return call.misread("isv.invalid-app-id", "无效的AppID参数")
    if not call.is_genuine():
        return call.misread("isv.invalid-signature", "验签出错")
    if not call.is_fresh():
        return call.misread("isv.invalid-timestamp", "非法的时间戳参数")
    try:
        return act(call)
    except RefusedError as refusal:
        return call.failed(*_REFUSALS[refusal.why])
    except (ValidationError, ValueError):
        return call.failed("ACQ.INVALID_PARAMETER", "参数无效")


def _open_page(call: Call) -> Response:
    """The browser is here: the order exists from now on, and the payer goes on to its page."""
    if call.parameters.get("app_id") != call.gateway.keys.alipay_app_id or not call.is_genuine():
        return PlainTextResponse("invalid-signature", 400)
    rule = call.gateway.faults.choose("alipay.create", call.order_no, among=("error", "down"))
    if rule:
        return PlainTextResponse("Bad Gateway", rule.status)
    try:
        trade = _opened(call, OrderIn.model_validate_json(call.content), PAGES[call.method], TradeStatus.OPEN)
    except RefusedError as refusal:
        if refusal.why in (Why.ALREADY_PAID, Why.CLOSED) and call.order_no:
            return _to_page(call, call.order_no)  # which says so
        return PlainTextResponse(_REFUSALS[refusal.why][0], 400)
    except ValidationError:
        return PlainTextResponse("ACQ.INVALID_PARAMETER", 400)
    return _to_page(call, trade.order_no)


def _to_page(call: Call, order_no: str) -> Response:
    return RedirectResponse(f"{call.gateway.url}/pay/{order_no}?provider=alipay", 302)


def _opened(call: Call, order: OrderIn, product: str, status: TradeStatus) -> Trade:
    now = call.gateway.clock.now()
    addresses = {name: call.parameters.get(name, "") for name in _ADDRESSES}
    asked = asked_of(order, product, addresses, now, now + LONGEST_LIFE)
    return call.gateway.book.open(asked, now, status=status)


def _give_back(call: Call, trade: Trade, number: str, amount_fen: int, reason: str) -> bool:
    """Whether money moved; Alipay tells of it at the order's own address."""
    book, now = call.gateway.book, call.gateway.clock.now()
    begun, is_new = book.give_back(trade, number, amount_fen, now, reason=reason, notify_url=trade.notify_url or None)
    if is_new:
        book.end_refund(begun, GivenBack.DONE, now)
    return is_new


def _unknown(call: Call) -> Answer:
    return call.misread("isv.invalid-method", "不存在的方法名")


def _spoil(answer: Answer, how: str) -> Answer:
    text = answer.body.decode("utf-8", "replace")
    head, mark, signature = text.rpartition(',"sign":"')
    if not mark:
        return replace(answer, body=answer.body[: len(answer.body) // 2])
    match how:
        case "unsigned":
            return replace(answer, body=f"{head}}}".encode())
        case "forged":
            return replace(answer, body=f'{head}{mark}{spoiled(signature.removesuffix(chr(34) + "}"))}"}}'.encode())
        case _:
            return replace(answer, body=answer.body.replace(b'"msg":', b'"msg": ', 1))


_CALLS: Final[dict[str, tuple[str, Callable[[Call], Answer]]]] = {
    "alipay.trade.precreate": ("create", precreate),
    "alipay.trade.query": ("query", query),
    "alipay.trade.close": ("close", close),
    "alipay.trade.cancel": ("cancel", cancel),
    "alipay.trade.refund": ("refund", refund),
    "alipay.trade.fastpay.refund.query": ("refund-query", query_refund),
    "alipay.data.dataservice.bill.downloadurl.query": ("bill", bill_url),
}

ROUTES: Final = [
    Route("/gateway.do", serve, methods=["GET", "POST"]),
    Route("/alipay/bill.zip", download, methods=["GET"]),
]

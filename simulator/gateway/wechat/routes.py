"""WeChat Pay's API v3 over HTTP: every request's signature is checked, every answer signed but the bill's download."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.gateway.answering import Answer, answered
from simulator.gateway.keys import WECHAT_MERCHANT
from simulator.gateway.parts import Gateway
from simulator.gateway.rsa import spoiled
from simulator.gateway.trades import GivenBack, Refund, RefusedError, SealedBy, Trade, Why
from simulator.gateway.wechat.bill import BillFile, bill_file
from simulator.gateway.wechat.documents import (
    OrderIn,
    Product,
    RefundIn,
    asked_of,
    refund_document,
    trade_document,
    written,
)
from simulator.gateway.wechat.seal import Authorization, encrypted, seal

LONGEST_LIFE: Final = timedelta(hours=2)
"""Of an order's code or address."""
DOWNLOAD_SECONDS: Final = 300.0
PRODUCTS: Final = frozenset({"native", "jsapi", "h5"})
_REFUSALS: Final = {
    Why.ABSENT: (404, "ORDER_NOT_EXIST", "订单不存在"),
    Why.ALREADY_PAID: (400, "ORDERPAID", "该订单已支付"),
    Why.CLOSED: (400, "ORDER_CLOSED", "订单已关闭"),
    Why.NUMBER_USED: (403, "OUT_TRADE_NO_USED", "商户订单号重复"),
    Why.NOT_PAID: (400, "INVALID_REQUEST", "订单未支付"),
    Why.TOO_MUCH: (400, "INVALID_REQUEST", "退款金额大于可退金额"),
    Why.TOO_MANY: (400, "INVALID_REQUEST", "部分退款次数过多"),
    Why.TOO_LATE: (400, "INVALID_REQUEST", "订单已超过可退期限"),
    Why.REFUND_ABSENT: (404, "RESOURCE_NOT_EXISTS", "退款单不存在"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request whose body was read."""

    gateway: Gateway
    request: Request
    body: bytes

    @classmethod
    async def of(cls, request: Request) -> "Call":
        """Read it."""
        return cls(gateway=Gateway.of(request), request=request, body=await request.body())

    @property
    def sealed_by(self) -> SealedBy:
        """The merchant names the public key he knows, or none and means certificates."""
        named = self.request.headers.get("wechatpay-serial", "")
        return "public_key" if named.startswith("PUB_KEY_ID_") else "certificate"

    def is_genuine(self) -> bool:
        """Whether our merchant signed it, just now."""
        found = Authorization.find(self.request.headers.get("authorization", ""))
        keys = self.gateway.keys
        return (
            found is not None
            and (found.merchant_id, found.serial) == (keys.merchant_id, keys.merchant_serial)
            and found.is_fresh(time.time())
            and found.fits(
                keys.private[WECHAT_MERCHANT].public_key(), self.request.method, _target(self.request), self.body
            )
        )

    def said(self, status: int, document: Mapping[str, Any] | None) -> Answer:
        """A signed answer."""
        body = b"" if document is None else json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        return Answer(status=status, body=body, seal=seal(self.gateway.keys, self.sealed_by, body, int(time.time())))

    def refused(self, status: int, code: str, message: str) -> Answer:
        """A signed no."""
        return self.said(status, {"code": code, "message": message})

    def judged(self, act: Callable[[], Answer]) -> Answer:
        """What ``act`` answers, once the signature was found right; every refusal in WeChat's words."""
        if not self.is_genuine():
            return self.refused(401, "SIGN_ERROR", "签名错误")
        try:
            return act()
        except RefusedError as refusal:
            return self.refused(*_REFUSALS[refusal.why])
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            return self.refused(400, "PARAM_ERROR", f"参数错误: {where}")
        except ValueError:
            return self.refused(400, "PARAM_ERROR", "参数错误")

    async def answer(self, operation: str, order_no: str, act: Callable[[], Answer]) -> Response:
        """As ``judged``, with the fault that the script has for it."""
        return await answered(self.gateway, f"wechat.{operation}", order_no, lambda: self.judged(act), _spoil)


async def create(request: Request) -> Response:
    """An order by one of the three ways to reach a payer."""
    call = await Call.of(request)
    product: Product = request.path_params["product"]
    if product not in PRODUCTS:
        return Response(status_code=404)

    def act() -> Answer:
        order = OrderIn.model_validate_json(call.body)
        keys, now = call.gateway.keys, call.gateway.clock.now()
        if (order.appid, order.mchid) != (keys.app_id, keys.merchant_id):
            return call.refused(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")
        if (product == "jsapi" and order.payer is None) or (product == "h5" and order.scene_info is None):
            return call.refused(400, "PARAM_ERROR", "缺少必填参数")
        trade = call.gateway.book.open(asked_of(order, product, call.sealed_by, now + LONGEST_LIFE), now)
        page = f"{call.gateway.url}/pay/{trade.order_no}?provider=wechat"
        match product:
            case "native":
                return call.said(200, {"code_url": page})
            case "h5":
                return call.said(200, {"h5_url": page})
            case "jsapi":
                return call.said(200, {"prepay_id": trade.token})

    return await call.answer("create", _order_no_in(call.body), act)


async def query(request: Request) -> Response:
    """An order by the merchant's number or WeChat's own."""
    call = await Call.of(request)
    trade = _named(call)

    def act() -> Answer:
        if request.query_params.get("mchid") != call.gateway.keys.merchant_id:
            return call.refused(400, "PARAM_ERROR", "参数错误: mchid")
        if trade is None:
            raise RefusedError(Why.ABSENT)
        return call.said(200, trade_document(trade, call.gateway.keys))

    return await call.answer("query", trade.order_no if trade else request.path_params.get("order_no", ""), act)


async def close(request: Request) -> Response:
    """Make an order unpayable."""
    call = await Call.of(request)
    order_no = request.path_params["order_no"]

    def act() -> Answer:
        if json.loads(call.body).get("mchid") != call.gateway.keys.merchant_id:
            return call.refused(400, "PARAM_ERROR", "参数错误: mchid")
        now = call.gateway.clock.now()
        call.gateway.book.call_off(call.gateway.book.fetch("wechat", order_no, now), now)
        return call.said(204, None)

    return await call.answer("close", order_no, act)


async def refund(request: Request) -> Response:
    """Begin to give back; the same number is given back once."""
    call = await Call.of(request)

    def act() -> Answer:
        asked = RefundIn.model_validate_json(call.body)
        book, now = call.gateway.book, call.gateway.clock.now()
        trade = (
            book.fetch("wechat", asked.out_trade_no, now)
            if asked.out_trade_no
            else book.find_by("transaction_id", asked.transaction_id or "", now)
        )
        if trade is None:
            raise RefusedError(Why.ABSENT)
        if trade.received_fen != asked.amount.total:
            return call.refused(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致,请核实后再试")
        try:
            begun, is_new = book.give_back(
                trade,
                asked.out_refund_no,
                asked.amount.refund,
                now,
                reason=asked.reason,
                notify_url=asked.notify_url,
            )
        except RefusedError as refusal:
            if refusal.why is Why.NUMBER_USED:
                return call.refused(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致,请核实后再试")
            raise
        if is_new:
            book.end_refund_at(begun, now + timedelta(seconds=call.gateway.faults.script.refund_seconds))
        return call.said(200, refund_document(begun, trade, call.gateway.keys))

    return await call.answer("refund", _order_no_in(call.body), act)


async def query_refund(request: Request) -> Response:
    """What became of a refund."""
    call = await Call.of(request)
    found = call.gateway.book.find_refund("wechat", request.path_params["refund_no"])

    def act() -> Answer:
        if found is None:
            raise RefusedError(Why.REFUND_ABSENT)
        trade = call.gateway.book.fetch("wechat", found.order_no, call.gateway.clock.now())
        return call.said(200, refund_document(found, trade, call.gateway.keys))

    return await call.answer("refund-query", found.order_no if found else "", act)


async def certificates(request: Request) -> Response:
    """The platform's certificates, encrypted with the APIv3 key, signed by one of them."""
    call = await Call.of(request)

    def act() -> Answer:
        keys = call.gateway.keys
        certificate = keys.certificate
        entry = {
            "serial_no": keys.certificate_serial,
            "effective_time": written(certificate.not_valid_before_utc),
            "expire_time": written(certificate.not_valid_after_utc),
            "encrypt_certificate": encrypted(keys.api_key, certificate_pem(call.gateway), "certificate"),
        }
        body = json.dumps({"data": [entry]}).encode()
        return Answer(status=200, body=body, seal=seal(keys, "certificate", body, int(time.time())))

    return await call.answer("certificates", "", act)


async def bill(request: Request) -> Response:
    """Where a day's bill can be downloaded, and its hash."""
    call = await Call.of(request)

    def act() -> Answer:
        day = date.fromisoformat(request.query_params.get("bill_date", ""))
        made = bill_file(call.gateway, day)
        if not isinstance(made, BillFile):
            return call.refused(400, *made)
        kind = "&tar_type=GZIP" if request.query_params.get("tar_type") == "GZIP" else ""
        until = int(time.time() + DOWNLOAD_SECONDS)
        url = f"{call.gateway.url}/v3/billdownload/file?bill_date={day}&until={until}{kind}"
        return call.said(200, {"hash_type": "SHA1", "hash_value": made.sha1, "download_url": url})

    return await call.answer("bill", "", act)


async def download(request: Request) -> Response:
    """The bill itself: the one answer that is not signed."""
    call = await Call.of(request)

    def act() -> Answer:
        made = bill_file(call.gateway, date.fromisoformat(request.query_params.get("bill_date", "")))
        if not isinstance(made, BillFile) or float(request.query_params.get("until", 0)) < time.time():
            return call.refused(404, "RESOURCE_NOT_EXISTS", "文件不存在或已过期")
        packed = request.query_params.get("tar_type") == "GZIP"
        return Answer(status=200, body=made.packed if packed else made.content, media_type="text/plain")

    return await call.answer("download", "", act)


def end_due_refunds(gateway: Gateway) -> list[Refund]:
    """Let the refunds whose time has come arrive, or end as the script wants."""
    now = gateway.clock.now()
    ends = GivenBack(gateway.faults.script.refunds_end)
    return [gateway.book.end_refund(found, ends, now) for found in gateway.book.due_refunds(now)]


def certificate_pem(gateway: Gateway) -> bytes:
    """The platform certificate as it is handed out."""
    return gateway.keys.certificate.public_bytes(Encoding.PEM)


def _named(call: Call) -> Trade | None:
    book, now = call.gateway.book, call.gateway.clock.now()
    if "order_no" in call.request.path_params:
        return book.find("wechat", call.request.path_params["order_no"], now)
    found = book.find_by("transaction_id", call.request.path_params["transaction_id"], now)
    return found if found and found.provider == "wechat" else None


def _target(request: Request) -> str:
    """The path and query exactly as they were sent."""
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    target = path.partition(b"?")[0]
    question: bytes = request.scope["query_string"]
    return (target + b"?" + question if question else target).decode("ascii")


def _order_no_in(body: bytes) -> str:
    try:
        found = json.loads(body).get("out_trade_no")
    except (ValueError, AttributeError):
        return ""
    return found if isinstance(found, str) else ""


def _spoil(answer: Answer, how: str) -> Answer:
    match how:
        case "unsigned":
            return replace(answer, seal={})
        case "forged" if answer.seal:
            return replace(
                answer, seal=answer.seal | {"Wechatpay-Signature": spoiled(answer.seal["Wechatpay-Signature"])}
            )
        case _:
            return replace(answer, body=answer.body.replace(b":", b": ", 1) if answer.body else b" ")


ROUTES: Final = [
    Route("/v3/pay/transactions/{product}", create, methods=["POST"]),
    Route("/v3/pay/transactions/out-trade-no/{order_no}", query, methods=["GET"]),
    Route("/v3/pay/transactions/id/{transaction_id}", query, methods=["GET"]),
    Route("/v3/pay/transactions/out-trade-no/{order_no}/close", close, methods=["POST"]),
    Route("/v3/refund/domestic/refunds", refund, methods=["POST"]),
    Route("/v3/refund/domestic/refunds/{refund_no}", query_refund, methods=["GET"]),
    Route("/v3/certificates", certificates, methods=["GET"]),
    Route("/v3/bill/tradebill", bill, methods=["GET"]),
    Route("/v3/billdownload/file", download, methods=["GET"]),
]

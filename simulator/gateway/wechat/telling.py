"""What WeChat Pay tells a merchant: a notification, encrypted, sealed, and spoiled where a script wants it."""

import json
import secrets
import time
from typing import Any, Final

from simulator.gateway.faults import Rule
from simulator.gateway.parts import Gateway
from simulator.gateway.rsa import spoiled
from simulator.gateway.trades import Notice, TradeStatus
from simulator.gateway.wechat.documents import refund_document, trade_document, written
from simulator.gateway.wechat.seal import PROBE, encrypted, seal

STALE_SECONDS: Final = 3_600
_REFUND_EVENT: Final = {"SUCCESS": "SUCCESS", "CLOSED": "CLOSED", "ABNORMAL": "ABNORMAL"}


def told(gateway: Gateway, notice: Notice, rule: Rule | None) -> tuple[dict[str, str], bytes]:
    """Headers and body of a notification; its id and time stay the same on every repetition."""
    fault = rule.do if rule else None
    keys = gateway.keys
    kind, event, content = _content(gateway, notice, rule)
    if fault == "wrong-merchant":
        content["mchid"] = str(int(keys.merchant_id) + 1)
    plain = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    api_key = secrets.token_hex(16) if fault == "wrong-key" else keys.api_key
    envelope = {
        "id": notice.id,
        "create_time": written(notice.created_at),
        "resource_type": "encrypt-resource",
        "event_type": event,
        "summary": "支付成功" if kind == "transaction" else "退款通知",
        "resource": {"original_type": kind, **encrypted(api_key, plain, kind)},
    }
    body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
    trade = gateway.book.fetch("wechat", notice.order_no, gateway.clock.now())
    at = int(time.time()) - (STALE_SECONDS if fault == "stale" else 0)
    headers = seal(keys, trade.sealed_by, body, at)
    return _spoilt({"Content-Type": "application/json", **headers}, body, fault)


def is_taken(status: int) -> bool:
    """Whether the merchant's answer ends the repetitions: the status alone counts."""
    return 200 <= status < 300  # noqa: PLR2004 - HTTP's own bounds


def _content(gateway: Gateway, notice: Notice, rule: Rule | None) -> tuple[str, str, dict[str, Any]]:
    book, keys, now = gateway.book, gateway.keys, gateway.clock.now()
    trade = book.fetch("wechat", notice.order_no, now)
    if notice.refund_no is not None:
        refund = book.fetch_refund("wechat", notice.refund_no, order_no=notice.order_no)
        content = refund_document(refund, trade, keys, notified=True)
        amount, name = content["amount"], "refund"
        kind, event = "refund", f"REFUND.{_REFUND_EVENT[content['refund_status']]}"
    else:
        content = trade_document(trade, keys, notified=trade.status is TradeStatus.PAID)
        amount, name = content["amount"], "total"
        kind, event = "transaction", "TRANSACTION.SUCCESS"
    if rule and rule.do == "wrong-amount":
        amount[name] = max(1, amount[name] + rule.fen)
    return kind, event, content


def _spoilt(headers: dict[str, str], body: bytes, fault: str | None) -> tuple[dict[str, str], bytes]:
    match fault:
        case "forged":
            headers["Wechatpay-Signature"] = spoiled(headers["Wechatpay-Signature"])
        case "probe":
            headers["Wechatpay-Signature"] = PROBE + headers["Wechatpay-Signature"]
        case "unsigned":
            headers = {name: value for name, value in headers.items() if not name.startswith("Wechatpay-")}
        case "corrupt":
            body = body.replace(b":", b": ", 1)
        case _:
            pass
    return headers, body

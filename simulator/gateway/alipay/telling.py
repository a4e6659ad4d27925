"""What Alipay tells a merchant: a signed form, the same bytes on every repetition, spoiled where a script wants it."""

from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from simulator.gateway.alipay.documents import notified_fields, signed_text, status_word, written
from simulator.gateway.bills import yuan_text
from simulator.gateway.faults import Rule
from simulator.gateway.keys import ALIPAY
from simulator.gateway.parts import Gateway
from simulator.gateway.rsa import sign, spoiled
from simulator.gateway.trades import Notice

STALE: Final = timedelta(days=3)
TAKEN: Final = "success"
_UNSIGNED: Final = frozenset({"sign", "sign_type"})


def told(gateway: Gateway, notice: Notice, rule: Rule | None) -> tuple[dict[str, str], bytes]:
    """Headers and body of a notification."""
    fault = rule.do if rule else None
    trade = gateway.book.fetch("alipay", notice.order_no, gateway.clock.now())
    at = notice.created_at - STALE if fault == "stale" else notice.created_at
    fields = notified_fields(trade, gateway.keys, notify_id=notice.id, at=at)
    if notice.refund_no is not None:
        refund = gateway.book.fetch_refund("alipay", notice.refund_no, order_no=notice.order_no)
        fields |= {
            "trade_status": status_word(trade, refunded_fen=notice.refunded_fen),
            "out_biz_no": refund.refund_no,
            "refund_fee": yuan_text(notice.refunded_fen),
            "gmt_refund": f"{written(refund.done_at or notice.created_at)}.000",
        }
    if rule and fault == "wrong-amount":
        name = "refund_fee" if notice.refund_no else "total_amount"
        told_fen = notice.refunded_fen if notice.refund_no else trade.received_fen or 0
        fields[name] = yuan_text(max(1, told_fen + rule.fen))
    if fault == "wrong-merchant":
        fields["seller_id"] = str(int(fields["seller_id"]) + 1)
    signer = "wechat-platform" if fault == "wrong-key" else ALIPAY
    fields |= {"sign": sign(gateway.keys.private[signer], signed_text(fields, without=_UNSIGNED)), "sign_type": "RSA2"}
    if fault in ("forged", "probe"):
        fields["sign"] = spoiled(fields["sign"])
    if fault == "unsigned":
        del fields["sign"]
    if fault == "corrupt":
        fields["subject"] += " "
    return {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, urlencode(fields).encode()


def is_taken(answer: str) -> bool:
    """Whether the merchant's answer ends the repetitions: exactly one word does."""
    return answer.strip() == TAKEN

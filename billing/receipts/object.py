"""A receipt in JSON's types, as the api answers it. Pure."""

from typing import Any

from billing.fee import fee_object
from billing.phrases import Lang
from billing.receipts.content import Receipt
from core.clock import rfc3339


def receipt_object(receipt: Receipt, lang: Lang, *, url: str, token: str) -> dict[str, Any]:
    """The receipt; ``url`` is where people read it, ``token`` its signed proof."""
    content, paid = receipt.content, receipt.content.paid
    return {
        "number": receipt.number,
        "issued_at": rfc3339(receipt.issued_at),
        "lot_id": content.lot_code,
        "lot_name": content.lot_in(lang),
        "operator": content.operator,
        "space_code": content.space_code,
        "entered_at": rfc3339(content.entered_at),
        "left_at": rfc3339(content.left_at) if content.left_at else None,
        "counted_to": rfc3339(content.counted_to),
        "fee": fee_object(content.bill, lang) if content.bill else None,
        "notice": content.notice_name
        and {"name": content.notice_name[0 if lang == "zh" else 1], "number": content.notice_number},
        "total_fen": content.total_fen,
        "allowed_fen": content.allowed_fen,
        "paid_before_fen": content.paid_before_fen,
        "paid_fen": content.paid_fen,
        "paid": paid
        and {
            "provider": paid.provider,
            "channel": paid.channel,
            "order_no": paid.order_no,
            "transaction_id": paid.transaction_id,
            "paid_at": rfc3339(paid.paid_at),
        },
        "refunds": [
            {
                "refund_no": refund.refund_no,
                "amount_fen": refund.amount_fen,
                "done": refund.done,
                "at": rfc3339(refund.at),
            }
            for refund in receipt.refunds
        ],
        "kept_fen": receipt.kept_fen,
        "exit_by": rfc3339(content.exit_by) if content.exit_by else None,
        "token": token,
        "url": url,
        "pdf_url": f"/api/v1/receipts/{receipt.number}.pdf",
    }

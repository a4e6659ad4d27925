"""Receipts: what a payer was told, kept as facts, shown as a page, as JSON and on paper. docs/receipts.md"""

from billing.receipts.content import Content, Paid, Receipt, ReceiptRefund
from billing.receipts.issuing import (
    ReceiptNotFoundError,
    fetch_receipt,
    issue_for_free_stay,
    issue_for_payment,
)
from billing.receipts.object import receipt_object
from billing.receipts.token import public_key_of, sign_token, verify_token

__all__ = [
    "Content",
    "Paid",
    "Receipt",
    "ReceiptNotFoundError",
    "ReceiptRefund",
    "fetch_receipt",
    "issue_for_free_stay",
    "issue_for_payment",
    "public_key_of",
    "receipt_object",
    "sign_token",
    "verify_token",
]

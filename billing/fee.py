"""The fee as every answer shows it: one shape for a quote, a running fee and a bill. Pure."""

from typing import Any

from billing.lines import Bill, Line, Quote
from billing.phrases import Lang
from billing.wording import CLASS_ASSUMED, why_text
from core.clock import rfc3339


def fee_object(fee: Quote | Bill, lang: Lang = "zh") -> dict[str, Any]:
    """The fee in JSON's types; of a final bill ``next_change_at`` and ``next_total_fen`` are null."""
    bill = fee.bill if isinstance(fee, Quote) else fee
    next_change_at = fee.next_change_at if isinstance(fee, Quote) else None
    return {
        "total_fen": bill.total_fen,
        "currency": bill.currency,
        "lines": [_line(line, lang, bill.currency) for line in bill.lines],
        "tariff": {"code": bill.tariff_code, "version": bill.tariff_version},
        "vehicle": {
            "class": bill.vehicle,
            "assumed": bill.class_assumed,
            "note": CLASS_ASSUMED[lang] if bill.class_assumed else None,
        },
        "calendar_assumed": any(line.calendar_assumed for line in bill.lines),
        "next_change_at": rfc3339(next_change_at) if next_change_at else None,
        "next_total_fen": fee.next_total_fen if isinstance(fee, Quote) else None,
    }


def _line(line: Line, lang: Lang, currency: str) -> dict[str, Any]:
    return {
        "rule": line.rule,
        "from": rfc3339(line.from_at),
        "to": rfc3339(line.to_at),
        "minutes": line.minutes,
        "amount_fen": line.amount_fen,
        "why": why_text(line, lang, currency),
        **({"calendar_assumed": True} if line.calendar_assumed else {}),
    }

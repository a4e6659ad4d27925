"""The words and the table of a close, for people who keep books. Pure."""

import csv
import io
from typing import Final

from billing.closing.matching import Cause, Closed
from billing.phrases import Lang, said
from core.clock import rfc3339
from core.money import yuan_text

CAUSES: Final = {
    Cause.BOOKED_LATE: (
        "账单有、本地原无：已向渠道查询并补记",
        "on the bill only: confirmed by the provider, booked now",
    ),
    Cause.OTHER_DAY: ("双方记在不同日期", "counted to different days"),
    Cause.HELD: ("本地有、账单无：等待次日账单", "not on the bill: waits for the next one"),
    Cause.MISSING_THERE: ("本地有、次日账单仍无：请向渠道核实", "on no bill: ask the provider"),
    Cause.MISSING_HERE: (
        "账单有、本地无：无法确认，请人工处理",
        "on the bill only and not to be confirmed: needs a person",
    ),
    Cause.AMOUNT: ("金额不一致", "the amounts differ"),
    Cause.NOT_IN_JOURNAL: ("订单与总账不一致", "order and journal differ"),
}
OUTCOMES: Final = {
    "balanced": ("三方一致", "all three books agree"),
    "explained": ("差异均已说明", "every difference is explained"),
    "open": ("有差异待处理", "differences need a person"),
}
HEADER: Final = (
    "day", "provider", "outcome", "row", "kind", "number", "order_no", "bill_fen", "order_fen", "journal_fen",
    "at", "cause", "bill_day", "text",
)  # fmt: skip


def cause_text(cause: Cause, lang: Lang) -> str:
    """Why, in words."""
    return said(CAUSES[cause], lang)


def outcome_text(closed: Closed, lang: Lang) -> str:
    """How it stands, in words."""
    return said(OUTCOMES[closed.outcome], lang)


def sums_text(closed: Closed, book: str) -> str:
    """What one book says, for a line on a screen."""
    sums = closed.sums[book]
    return f"{yuan_text(sums['paid'])} - {yuan_text(sums['refunded'])}"


def close_csv(closes: list[Closed], lang: Lang) -> str:
    """For the bookkeeper: of each provider its sums, then each difference; fen, empty where there is nothing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for closed in closes:
        head = (closed.day.isoformat(), closed.provider, closed.outcome)
        for kind in ("paid", "refunded", "fee"):
            amounts = [closed.sums[book].get(kind, "") for book in ("bill", "orders", "journal")]
            writer.writerow([*head, "sum", kind, "", "", *amounts, "", "", "", ""])
        for one in closed.differences:
            amounts = ["" if fen is None else fen for fen in (one.bill_fen, one.order_fen, one.journal_fen)]
            bill_day = one.bill_day.isoformat() if one.bill_day else ""
            text = cause_text(one.cause, lang)
            row = ["difference", one.kind, one.key, one.order_no, *amounts, rfc3339(one.at), one.cause, bill_day, text]
            writer.writerow([*head, *row])
    return out.getvalue()

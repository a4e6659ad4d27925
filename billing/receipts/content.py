"""What a receipt says, as facts: stored once, never changed, worded only when it is read. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from billing.lines import Bill, bill_from_json, bill_to_json
from billing.phrases import Lang
from core.clock import rfc3339
from core.money import Fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """The payment that a receipt is for."""

    amount_fen: Fen
    provider: str
    channel: str
    order_no: str
    """Our number of it at the provider, by which a person finds it in the provider's app."""
    transaction_id: str
    paid_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The stay, its fee and what was paid of it, as they were when the receipt was issued."""

    lot_code: str
    lot_name: str
    lot_name_en: str | None
    operator: str | None
    zone: ZoneInfo
    space_code: str
    entered_at: datetime
    left_at: datetime | None
    """None: the vehicle still stood there."""
    counted_to: datetime
    """Until when the fee was counted."""
    bill: Bill | None
    """None where nothing is charged."""
    notice_name: tuple[str, str] | None
    """Of the price notice, Chinese and English."""
    notice_number: str | None
    allowed_fen: Fen
    """Discounts and allowances."""
    paid_before_fen: Fen
    """By other payments, less what went back of them."""
    paid: Paid | None
    """None: nothing was to be paid."""
    exit_by: datetime | None
    """Leaving until then costs nothing more."""

    @property
    def total_fen(self) -> Fen:
        """The fee."""
        return self.bill.total_fen if self.bill else Fen(0)

    @property
    def paid_fen(self) -> Fen:
        """By this payment."""
        return self.paid.amount_fen if self.paid else Fen(0)

    @property
    def currency(self) -> str:
        """Of every amount."""
        return self.bill.currency if self.bill else "CNY"

    def lot_in(self, lang: Lang) -> str:
        """The lot's name; the Chinese one where it has no other."""
        return self.lot_name_en or self.lot_name if lang == "en" else self.lot_name

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        paid = self.paid
        return {
            "lot": {
                "code": self.lot_code,
                "name": self.lot_name,
                "name_en": self.lot_name_en,
                "operator": self.operator,
                "zone": self.zone.key,
            },
            "space_code": self.space_code,
            "entered_at": rfc3339(self.entered_at),
            "left_at": _text(self.left_at),
            "counted_to": rfc3339(self.counted_to),
            "bill": bill_to_json(self.bill) if self.bill else None,
            "notice": {"name": list(self.notice_name), "number": self.notice_number} if self.notice_name else None,
            "allowed_fen": self.allowed_fen,
            "paid_before_fen": self.paid_before_fen,
            "paid": paid
            and {
                "amount_fen": paid.amount_fen,
                "provider": paid.provider,
                "channel": paid.channel,
                "order_no": paid.order_no,
                "transaction_id": paid.transaction_id,
                "paid_at": rfc3339(paid.paid_at),
            },
            "exit_by": _text(self.exit_by),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What was stored."""
        lot, notice, paid = stored["lot"], stored["notice"], stored["paid"]
        return cls(
            lot_code=lot["code"],
            lot_name=lot["name"],
            lot_name_en=lot["name_en"],
            operator=lot["operator"],
            zone=ZoneInfo(lot["zone"]),
            space_code=stored["space_code"],
            entered_at=datetime.fromisoformat(stored["entered_at"]),
            left_at=_instant(stored["left_at"]),
            counted_to=datetime.fromisoformat(stored["counted_to"]),
            bill=bill_from_json(stored["bill"]) if stored["bill"] else None,
            notice_name=(notice["name"][0], notice["name"][1]) if notice else None,
            notice_number=notice["number"] if notice else None,
            allowed_fen=Fen(stored["allowed_fen"]),
            paid_before_fen=Fen(stored["paid_before_fen"]),
            paid=Paid(**{**paid, "paid_at": datetime.fromisoformat(paid["paid_at"])}) if paid else None,
            exit_by=_instant(stored["exit_by"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRefund:
    """Money of the payment that goes back, as it stands when the receipt is read."""

    refund_no: str
    amount_fen: Fen
    done: bool
    """False: on its way."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt as somebody reads it."""

    number: str
    issued_at: datetime
    content: Content
    refunds: tuple[ReceiptRefund, ...] = ()
    """Oldest first; those that were refused or failed are none."""

    @property
    def kept_fen(self) -> Fen:
        """What is left of the payment after what goes back."""
        return Fen(self.content.paid_fen - sum(refund.amount_fen for refund in self.refunds))


def _text(at: datetime | None) -> str | None:
    return rfc3339(at) if at else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

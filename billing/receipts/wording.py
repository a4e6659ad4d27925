"""The words of a receipt, Chinese and English, shared by the page and by paper. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from billing.phrases import Lang, minutes_text, said
from billing.receipts.content import Receipt
from billing.wording import why_text
from core.money import yuan_text

TITLE: Final = ("停车收据", "Parking receipt")
LEAVE_BY: Final = ("请在此时间前离开", "Leave by")
LATER_COSTS: Final = ("超过后按收费公示补收差额", "After that the difference is charged by the price notice")
NOTHING_TO_PAY: Final = ("本次停车无需付费", "This stay cost nothing")
SCAN: Final = ("扫码查看收据原件", "Scan to see the receipt itself")
NO_INVOICE: Final = ("本收据不是发票", "This receipt is not a tax invoice")
PROVIDERS: Final = {"wechat": ("微信支付", "WeChat Pay"), "alipay": ("支付宝", "Alipay")}
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A line with money: why, and how much."""

    label: str
    amount: str
    strong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """A receipt in one language, in the order in which it is read."""

    title: str
    number: str
    leave_by: tuple[str, str, str] | None
    """Label with the day, the time in the largest type, and what happens after it."""
    facts: tuple[tuple[str, str], ...]
    fee: tuple[Amount, ...]
    settled: tuple[Amount, ...]
    """What the fee became: taken off, paid, given back."""
    notes: tuple[str, ...]


def word(receipt: Receipt, lang: Lang) -> Worded:
    """All that a receipt says."""
    return _Words(receipt, lang).all()


class _Words:
    """One receipt in one language."""

    def __init__(self, receipt: Receipt, lang: Lang) -> None:
        self._receipt = receipt
        self._content = receipt.content
        self._lang = lang

    def all(self) -> Worded:
        exit_by = self._content.exit_by
        return Worded(
            title=self._said(*TITLE),
            number=self._receipt.number,
            leave_by=self._leave_by(exit_by) if exit_by else None,
            facts=tuple(self._facts()),
            fee=tuple(self._fee()),
            settled=tuple(self._settled()),
            notes=tuple(self._notes()),
        )

    def _leave_by(self, exit_by: datetime) -> tuple[str, str, str]:
        local = exit_by.astimezone(self._content.zone)
        return f"{self._said(*LEAVE_BY)} · {local:%Y-%m-%d}", f"{local:%H:%M}", self._said(*LATER_COSTS)

    def _facts(self) -> list[tuple[str, str]]:
        content = self._content
        facts = [
            (self._said("收据编号", "Receipt"), self._receipt.number),
            (self._said("开具时间", "Issued"), self._at(self._receipt.issued_at)),
            (self._said("停车场", "Lot"), f"{content.lot_in(self._lang)} ({content.lot_code})"),
            (self._said("泊位", "Space"), content.space_code),
            (self._said("驶入", "Arrived"), self._at(content.entered_at)),
        ]
        if content.left_at is not None:
            facts.append((self._said("驶离", "Left"), self._at(content.left_at)))
        if content.left_at != content.counted_to:
            facts.append((self._said("计费至", "Counted until"), self._at(content.counted_to)))
        length = (content.counted_to - content.entered_at) // _MINUTE
        facts.append((self._said("时长", "Length"), minutes_text(length, self._lang)))
        if content.operator:
            facts.append((self._said("经营单位", "Operator"), content.operator))
        if content.bill is not None and content.notice_name is not None:
            version = self._said(f"第 {content.bill.tariff_version} 版", f"version {content.bill.tariff_version}")
            number = f" · {content.notice_number}" if content.notice_number else ""
            name = said(content.notice_name, self._lang)
            facts.append(
                (self._said("收费公示", "Price notice"), f"{name} ({content.bill.tariff_code}, {version}){number}")
            )
        if content.paid is not None:
            facts += self._paid_facts()
        return facts

    def _paid_facts(self) -> list[tuple[str, str]]:
        paid = self._content.paid
        assert paid is not None  # noqa: S101 - asked for only then
        by = said(PROVIDERS.get(paid.provider, (paid.provider, paid.provider)), self._lang)
        return [
            (self._said("支付方式", "Paid by"), by),
            (self._said("支付时间", "Paid at"), self._at(paid.paid_at)),
            (self._said("商户单号", "Order"), paid.order_no),
            (self._said("交易单号", "Transaction"), paid.transaction_id),
        ]

    def _fee(self) -> list[Amount]:
        bill = self._content.bill
        lines = [
            Amount(label=why_text(line, self._lang, self._content.currency), amount=self._money(line.amount_fen))
            for line in (bill.lines if bill else ())
        ]
        total = Amount(label=self._said("停车费", "Fee"), amount=self._money(self._content.total_fen), strong=True)
        return [*lines, total]

    def _settled(self) -> list[Amount]:
        content = self._content
        amounts = []
        if content.allowed_fen:
            amounts.append(
                Amount(label=self._said("优惠与减免", "Discounts"), amount=self._money(-content.allowed_fen))
            )
        if content.paid_before_fen:
            amounts.append(
                Amount(label=self._said("此前已付", "Paid before"), amount=self._money(-content.paid_before_fen))
            )
        amounts.append(
            Amount(label=self._said("本次支付", "Paid now"), amount=self._money(content.paid_fen), strong=True)
        )
        for refund in self._receipt.refunds:
            how = self._said("已退款", "Refunded") if refund.done else self._said("退款中", "Refund on its way")
            amounts.append(Amount(label=f"{how} · {self._at(refund.at)}", amount=self._money(-refund.amount_fen)))
        if self._receipt.refunds:
            amounts.append(
                Amount(label=self._said("实付", "Kept"), amount=self._money(self._receipt.kept_fen), strong=True)
            )
        return amounts

    def _notes(self) -> list[str]:
        notes = [self._said(*NO_INVOICE)]
        if self._content.paid is None:
            notes.insert(0, self._said(*NOTHING_TO_PAY))
        return notes

    def _money(self, fen: int) -> str:
        return yuan_text(fen, self._content.currency)

    def _at(self, at: datetime) -> str:
        return f"{at.astimezone(self._content.zone):%Y-%m-%d %H:%M:%S}"

    def _said(self, zh: str, en: str) -> str:
        return said((zh, en), self._lang)

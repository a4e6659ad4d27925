"""A provider's bill of a day: stored whole, once, together with the entry that moves the money to the bank."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.closing.matching import key_of
from billing.ledger import accounts
from billing.ledger.entries import Entry, Line
from billing.ledger.journal import post
from billing.providers.port import BillLine, BillNotReadyError, ProviderBill
from core.clock import rfc3339
from core.errors import ConflictError
from core.money import Fen
from core.tables import ProviderBillLine, ProviderBillRow


class BillChangedError(ConflictError):
    """The provider gives another bill for a day that was imported before. Carries ``provider`` and ``day``."""

    slug = "bill-changed"


async def import_bill(db: AsyncConnection, provider: str, day: date, bill: ProviderBill, *, at: datetime) -> bool:
    """Store the bill and post its settlement; False where the very same was stored before.

    Raises:
        BillNotReadyError: it is for another day, or names something twice: nothing of it is used.
        BillChangedError: see there.
    """
    _refuse_nonsense(day, bill)
    digest = digest_of(bill.lines)
    known = await db.scalar(_stored(provider, day, ProviderBillRow.digest).with_for_update())
    if known is not None:
        if known != digest:
            raise BillChangedError(
                f"{provider} gives another bill for {day} than the one imported before",
                provider=provider,
                day=day.isoformat(),
            )
        return False
    paid, refunded, fee = sums_of(bill.lines)
    row = insert(ProviderBillRow).values(
        provider=provider,
        day=day,
        paid_fen=paid,
        refunded_fen=refunded,
        fee_fen=fee,
        digest=digest,
        imported_at=at,
    )
    bill_id = (await db.execute(row.returning(ProviderBillRow.id))).scalar_one()
    if bill.lines:
        await db.execute(
            insert(ProviderBillLine), [_row(bill_id, number, one) for number, one in enumerate(bill.lines)]
        )
    await post(db, settlement(provider, day, bill.lines), source="bill", at=at)
    return True


async def find_bill(db: AsyncConnection, provider: str, day: date) -> ProviderBill | None:
    """The bill as it was imported."""
    bill_id = await db.scalar(_stored(provider, day, ProviderBillRow.id))
    if bill_id is None:
        return None
    lines = select(ProviderBillLine.__table__).where(ProviderBillLine.bill_id == bill_id)
    return ProviderBill(
        day=day,
        lines=tuple(
            BillLine(
                order_no=row.order_no,
                transaction_id=row.transaction_id,
                refund_no=row.refund_no,
                amount_fen=Fen(row.amount_fen),
                fee_fen=Fen(row.fee_fen),
                at=row.at,
            )
            for row in await db.execute(lines.order_by(ProviderBillLine.number))
        ),
    )


def settlement(provider: str, day: date, lines: Sequence[BillLine]) -> Entry | None:
    """What the provider pays out for a day, less what it keeps. Pure."""
    paid, refunded, fee = sums_of(lines)
    amounts = (
        (accounts.BANK, paid - refunded - fee),
        (accounts.PROVIDER_FEE, fee),
        (accounts.clearing(provider), refunded - paid),
    )
    moved = tuple(Line.of(account, signed, session_id=None) for account, signed in amounts if signed)
    key = f"settlement:{provider}:{day.isoformat()}"
    return Entry(business_key=key, kind="settlement", lines=moved) if moved else None


def sums_of(lines: Sequence[BillLine]) -> tuple[int, int, int]:
    """Paid, refunded and the provider's fee. Pure."""
    return (
        sum(line.amount_fen for line in lines if line.refund_no is None),
        sum(line.amount_fen for line in lines if line.refund_no is not None),
        sum(line.fee_fen for line in lines),
    )


def digest_of(lines: Sequence[BillLine]) -> bytes:
    """The same for the same lines in any order. Pure."""
    texts = sorted(
        f"{one.order_no}|{one.transaction_id}|{one.refund_no}|{one.amount_fen}|{one.fee_fen}|{rfc3339(one.at)}"
        for one in lines
    )
    return hashlib.sha256("\n".join(texts).encode()).digest()


def _refuse_nonsense(day: date, bill: ProviderBill) -> None:
    if bill.day != day:
        raise BillNotReadyError(f"the bill is for {bill.day}, not for {day}: nothing of it is used")
    twice = [key for key, times in Counter(map(key_of, bill.lines)).items() if times > 1]
    if twice:
        raise BillNotReadyError(f"the bill of {day} names {twice[0]} more than once: nothing of it is used")


def _stored(provider: str, day: date, column: Any) -> Any:
    return select(column).where(ProviderBillRow.provider == provider, ProviderBillRow.day == day)


def _row(bill_id: int, number: int, line: BillLine) -> dict[str, Any]:
    return {
        "bill_id": bill_id,
        "number": number,
        "order_no": line.order_no,
        "transaction_id": line.transaction_id,
        "refund_no": line.refund_no,
        "amount_fen": line.amount_fen,
        "fee_fen": line.fee_fen,
        "at": line.at,
    }

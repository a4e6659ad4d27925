"""Receipts are made the first time somebody asks, in one transaction, and are the same ever after.

That is as good as making them with the booking: a paid payment, its quote and a bill never change. It also means that
whatever booked a payment (notification, query, bill) has nothing to do with receipts, and can never fail for one.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import accounts
from billing.ledger.exits import exit_by_of
from billing.lines import Bill, bill_from_json
from billing.receipts.content import Content, Paid, Receipt, ReceiptRefund
from billing.receipts.numbers import new_number, read_number
from billing.tariff import Tariff, load_tariff
from core.errors import ConflictError, NotFoundError
from core.money import Fen
from core.tables import Bill as BillRow
from core.tables import (
    JournalLine,
    Lot,
    ParkingSession,
    Payment,
    ReceiptRow,
    Refund,
    Space,
    TariffVersion,
)
from core.tables import Tariff as TariffRow

GOING_BACK: Final = ("requested", "accepted", "succeeded")
"""A refund that waits for a second person, was refused or failed is no refund to the payer."""


class ReceiptNotFoundError(NotFoundError):
    """No receipt has this number, or nothing of this id was ever paid for. Carries ``number`` or ``id``."""

    slug = "receipt-not-found"


class NotPaidError(ConflictError):
    """There is no receipt for what is not paid. Carries ``status``."""

    slug = "not-paid"


async def issue_for_payment(db: AsyncConnection, payment_id: UUID, *, at: datetime) -> str:
    """The number of a payment's receipt, made now if it has none.

    Raises:
        ReceiptNotFoundError: there is no such payment, or it is for no stay.
        NotPaidError: it is not paid.
    """
    known = await db.scalar(select(ReceiptRow.number).where(ReceiptRow.payment_id == payment_id))
    if known is not None:
        return str(known)
    payment = (await db.execute(select(*_PAYMENT).where(Payment.id == payment_id))).first()
    if payment is None or payment.session_id is None:
        raise ReceiptNotFoundError("there is no such payment", id=str(payment_id))
    if payment.status != "paid":
        raise NotPaidError("this payment is not paid; a receipt is made once it is", status=payment.status)
    place = await _place(db, payment.session_id)
    bill = _quoted(payment.quote) or await _current_bill(db, payment.session_id)
    counted_to = payment.covers_to or (bill.stay.left_at if bill else place.left_at or payment.paid_at)
    tariff = await _tariff(db, bill)
    still_there = place.left_at is None or counted_to < place.left_at
    exit_by = exit_by_of(counted_to, tariff.exit_window_minutes if tariff else 0)
    content = _content(
        place,
        bill,
        tariff,
        counted_to=counted_to,
        allowed_fen=await _allowed_fen(db, payment.session_id),
        paid_before_fen=await _paid_before_fen(db, payment),
        paid=Paid(
            amount_fen=Fen(payment.received_fen),
            provider=payment.provider,
            channel=payment.channel,
            order_no=payment.order_no,
            transaction_id=payment.transaction_id,
            paid_at=payment.paid_at,
        ),
        exit_by=exit_by if still_there else None,
    )
    return await _store(db, content, session_id=payment.session_id, payment_id=payment_id, at=at)


async def issue_for_free_stay(db: AsyncConnection, session_id: UUID, *, at: datetime) -> str:
    """The number of the receipt of an ended stay that cost nothing, made now if it has none.

    Raises:
        ReceiptNotFoundError: there is no such session.
        NotPaidError: it goes on, is not billed yet, or costs something.
    """
    mine = select(ReceiptRow.number).where(ReceiptRow.session_id == session_id, ReceiptRow.payment_id.is_(None))
    known = await db.scalar(mine)
    if known is not None:
        return str(known)
    place = await _place(db, session_id)
    if place.status != "ended" or place.billed_revision != place.revision:
        raise NotPaidError("this stay is not ended and billed yet", status=place.status)
    bill = await _current_bill(db, session_id)
    if bill is not None and bill.total_fen > 0:
        raise NotPaidError("this stay costs something: its receipts are those of its payments", status="due")
    content = _content(
        place,
        bill,
        await _tariff(db, bill),
        counted_to=place.left_at,
        allowed_fen=Fen(0),
        paid_before_fen=Fen(0),
        paid=None,
        exit_by=None,
    )
    return await _store(db, content, session_id=session_id, payment_id=None, at=at)


async def fetch_receipt(db: AsyncConnection, number: str) -> Receipt:
    """The receipt of this number, with what went back of its payment since.

    Raises:
        ReceiptNotFoundError: there is none.
    """
    wanted = select(ReceiptRow.number, ReceiptRow.payment_id, ReceiptRow.content, ReceiptRow.issued_at)
    read = read_number(number)
    row = (await db.execute(wanted.where(ReceiptRow.number == read))).first() if read else None
    if row is None:
        raise ReceiptNotFoundError("no receipt has this number", number=number[:40])
    refunds = (
        select(Refund.refund_no, Refund.amount_fen, Refund.status, Refund.changed_at)
        .where(Refund.payment_id == row.payment_id, Refund.status.in_(GOING_BACK))
        .order_by(Refund.created_at)
    )
    return Receipt(
        number=row.number,
        issued_at=row.issued_at,
        content=Content.from_json(row.content),
        refunds=tuple(
            ReceiptRefund(
                refund_no=one.refund_no,
                amount_fen=Fen(one.amount_fen),
                done=one.status == "succeeded",
                at=one.changed_at,
            )
            for one in await db.execute(refunds)
        ),
    )


async def _store(
    db: AsyncConnection, content: Content, *, session_id: UUID, payment_id: UUID | None, at: datetime
) -> str:
    """Store it unless somebody else just did; the number that counts."""
    values = {
        "number": new_number(at, content.zone),
        "session_id": session_id,
        "payment_id": payment_id,
        "content": content.to_json(),
        "issued_at": at,
    }
    await db.execute(insert(ReceiptRow).values(values).on_conflict_do_nothing())
    mine = select(ReceiptRow.number).where(ReceiptRow.payment_id.is_not_distinct_from(payment_id))
    return str((await db.execute(mine.where(ReceiptRow.session_id == session_id))).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A session with where it stood."""

    status: str
    revision: int
    billed_revision: int | None
    entered_at: datetime
    left_at: datetime | None
    space_code: str
    code: str
    name: str
    name_en: str | None
    operator: str | None
    zone: str


async def _place(db: AsyncConnection, session_id: UUID) -> _Place:
    wanted = (
        select(
            ParkingSession.status,
            ParkingSession.revision,
            ParkingSession.billed_revision,
            ParkingSession.entered_at,
            ParkingSession.left_at,
            Space.code.label("space_code"),
            Lot.code,
            Lot.name,
            Lot.name_en,
            Lot.operator,
            Lot.zone,
        )
        .join(Space, Space.id == ParkingSession.space_id)
        .join(Lot, Lot.id == Space.lot_id)
    )
    row = (await db.execute(wanted.where(ParkingSession.id == session_id))).mappings().first()
    if row is None:
        raise ReceiptNotFoundError("there is no such session", id=str(session_id))
    return _Place(**row)


def _content(place: _Place, bill: Bill | None, tariff: Tariff | None, **facts: Any) -> Content:
    name = tariff.document.name if tariff else None
    return Content(
        lot_code=place.code,
        lot_name=place.name,
        lot_name_en=place.name_en,
        operator=place.operator,
        zone=ZoneInfo(place.zone),
        space_code=place.space_code,
        entered_at=place.entered_at,
        left_at=place.left_at,
        bill=bill,
        notice_name=(name.zh, name.en) if name else None,
        notice_number=tariff.document.notice.number if tariff else None,
        **facts,
    )


def _quoted(quote: dict[str, Any] | None) -> Bill | None:
    """The fee that was asked for: facts as on a bill, with or without what surrounds them there."""
    facts = (quote or {}).get("bill", quote)
    return bill_from_json(facts) if facts and "lines" in facts else None


async def _current_bill(db: AsyncConnection, session_id: UUID) -> Bill | None:
    newest = (
        select(BillRow.fee).where(BillRow.session_id == session_id).order_by(BillRow.session_revision.desc()).limit(1)
    )
    return _quoted(await db.scalar(newest))


async def _tariff(db: AsyncConnection, bill: Bill | None) -> Tariff | None:
    if bill is None:
        return None
    document = (
        select(TariffVersion.document)
        .join(TariffRow, TariffRow.id == TariffVersion.tariff_id)
        .where(TariffRow.code == bill.tariff_code, TariffVersion.version == bill.tariff_version)
    )
    return load_tariff(json.dumps((await db.execute(document)).scalar_one()).encode())


async def _allowed_fen(db: AsyncConnection, session_id: UUID) -> Fen:
    """What discounts, waivers and the exit window took off so far, by the journal; money given back is no discount."""
    taken = select(func.coalesce(func.sum(JournalLine.debit_fen - JournalLine.credit_fen), 0)).where(
        JournalLine.session_id == session_id,
        JournalLine.account.startswith(accounts.DISCOUNT),
        JournalLine.account != accounts.GOODWILL,
    )
    return Fen(int((await db.execute(taken)).scalar_one() or 0))


async def _paid_before_fen(db: AsyncConnection, payment: Row[Any]) -> Fen:
    """By the payments of the same session that were paid earlier, less what went back of them."""
    gone = (
        select(func.coalesce(func.sum(Refund.amount_fen), 0))
        .where(Refund.payment_id == Payment.id, Refund.status.in_(GOING_BACK))
        .scalar_subquery()
    )
    earlier = select(func.coalesce(func.sum(Payment.received_fen - gone), 0)).where(
        Payment.session_id == payment.session_id,
        Payment.status == "paid",
        Payment.id != payment.id,
        Payment.paid_at < payment.paid_at,
    )
    return Fen(int((await db.execute(earlier)).scalar_one() or 0))


_PAYMENT: Final = (
    Payment.id,
    Payment.session_id,
    Payment.status,
    Payment.order_no,
    Payment.provider,
    Payment.channel,
    Payment.quote,
    Payment.covers_to,
    Payment.transaction_id,
    Payment.received_fen,
    Payment.paid_at,
)

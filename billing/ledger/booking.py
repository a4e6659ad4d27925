"""The one place where a provider's word becomes money in the books, whichever way and however often it comes.

Fed by notifications, by questions we asked, and by the daily bill. Whoever books holds the session's row and then the
payment's, so two workers never book one payment twice, nor two payments against one debt (M2).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import structlog
from prometheus_client import Counter
from sqlalchemy import Row, func, insert, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import accounts, entries
from billing.ledger.balances import NOTHING_YET, balance_of
from billing.ledger.entries import CNY
from billing.ledger.journal import post
from billing.ledger.refunds import FAILED, fetch_currency, is_paid_out, lock_money, refund_overpaid, request_refund
from billing.ledger.sending_again import failure_of
from billing.pass_sales.delivering import deliver_pass
from billing.providers.port import OrderState, RefundState, RefundStatus
from core.errors import NotFoundError
from core.tables import Bill, Lot, ParkingSession, Payment, Refund, Space

log = structlog.get_logger()

booked = Counter("parking_payments_booked", "Payments booked", ["provider", "source"])
twice = Counter("parking_payments_twice", "Further transactions of an order that was paid before", ["provider"])
differing = Counter("parking_payments_differing", "Payments of another amount than was asked for", ["provider"])


class UnknownOrderError(NotFoundError):
    """A provider speaks of a payment or refund that is none of ours. Carries ``provider`` and ``order_no``."""

    slug = "unknown-order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """What a booking came to."""

    payment_id: UUID
    status: str
    new: bool
    """False: this was known already, and nothing moved."""
    overpaid_fen: int = 0
    suspense_fen: int = 0


async def book_payment(db: AsyncConnection, order: OrderState, *, provider: str, source: str, at: datetime) -> Booked:
    """Book what a provider says it has collected.

    Args:
        db: the transaction; what is booked is true once it is committed.
        order: the provider's word, verified; it must say ``PAID`` (or ``REFUNDED``: it was paid once) and its number.
        provider: who says so.
        source: ``notification``, ``query``, ``close`` or ``bill``.
        at: on the installation's clock.

    Raises:
        UnknownOrderError: no payment of this provider has that number.
    """
    found = select(Payment.id).where(Payment.provider == provider, Payment.order_no == order.order_no)
    payment_id = (await db.execute(found)).scalar_one_or_none()
    if payment_id is None or order.transaction_id is None:
        raise UnknownOrderError("no payment of ours has this number", provider=provider, order_no=order.order_no)
    payment = await lock_money(db, payment_id)
    received_fen = payment.amount_fen if order.total_fen is None else order.total_fen
    if payment.status == "paid":
        if payment.transaction_id == order.transaction_id:
            return Booked(payment_id=payment_id, status="paid", new=False)
        return await _book_again(db, payment, order, received_fen, source=source, at=at)
    await _mark_paid(db, payment, order, received_fen)
    booked.labels(provider, source).inc()
    if received_fen != payment.amount_fen or order.currency != CNY:
        return await _book_odd(db, payment, order, received_fen, source=source, at=at)
    return await _book_as_asked(db, payment, order.transaction_id, source=source, at=at)


async def book_refund(db: AsyncConnection, state: RefundState, *, provider: str, source: str, at: datetime) -> None:
    """Book what a provider says became of a refund; what is older than what we know changes nothing.

    Raises:
        UnknownOrderError: no refund of this provider has that number.
    """
    found = (
        select(Refund.id, Refund.payment_id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.refund_no == state.refund_no, Payment.provider == provider)
    )
    ids = (await db.execute(found)).first()
    if ids is None:
        raise UnknownOrderError("no refund of ours has this number", provider=provider, order_no=state.order_no)
    payment = await lock_money(db, ids.payment_id)
    refund = (await db.execute(select(Refund.__table__).where(Refund.id == ids.id).with_for_update())).one()
    after = _refund_after(refund.status, state.status)
    if after is None:
        return
    had_failed = refund.status in FAILED
    about = {
        "payment_id": payment.id,
        "session_id": payment.session_id,
        "amount_fen": refund.amount_fen,
        "currency": await fetch_currency(db, payment.id),
    }
    if after == "succeeded":
        account = await _waited_in(db, refund.id) if had_failed else accounts.REFUND_PENDING
        await post(db, entries.finish_refund(refund.id, provider, account=account, **about), source=source, at=at)
    elif after in FAILED and not had_failed:
        await post(db, await failure_of(db, refund.id, **about), source=source, at=at)
        log.error("refund.failed", refund_id=str(refund.id), provider=provider, outcome=after)
    values: dict[str, Any] = {"status": after, "changed_at": datetime.now(UTC)}
    if state.why is not None:
        values["why"] = state.why
    if after != "accepted":
        values["poll_at"] = None
    if state.refund_id is not None:
        values["provider_refund_id"] = state.refund_id
    await db.execute(update(Refund).where(Refund.id == refund.id).values(values))
    await _announce(db, payment.id)


async def _book_as_asked(
    db: AsyncConnection, payment: Row[Any], transaction_id: str, *, source: str, at: datetime
) -> Booked:
    if payment.pass_order_id and not await deliver_pass(db, payment.pass_order_id, payment.id, at=at):
        return await _give_all_back(db, payment, transaction_id, "the order was closed", source=source, at=at)
    owed = NOTHING_YET
    if payment.session_id is not None:
        if payment.again_of is None:
            await _charge_before_the_bill(db, payment, source=source, at=at)
        owed = await balance_of(db, payment.session_id)
    entry = entries.receive(
        payment.provider,
        transaction_id,
        payment_id=payment.id,
        session_id=payment.session_id,
        amount_fen=payment.amount_fen,
        due_fen=owed.due_fen,
        later=owed.later,
    )
    await post(db, entry, source=source, at=at)
    overpaid_fen = max(0, payment.amount_fen - owed.due_fen) if payment.session_id else 0
    if overpaid_fen:
        await refund_overpaid(db, payment.session_id, cause="overpaid", reason="paid more than was due", at=at)
    await _announce(db, payment.id)
    return Booked(payment_id=payment.id, status="paid", new=True, overpaid_fen=overpaid_fen)


async def _book_again(
    db: AsyncConnection, payment: Row[Any], order: OrderState, received: int, *, source: str, at: datetime
) -> Booked:
    """An order that was paid once more, by another transaction: a payment of its own, so that it can go back.

    It settles whatever is still due, as any money of the session's does; the rest is given back at once.
    """
    number = order.transaction_id
    known = select(Payment.id).where(Payment.provider == payment.provider, Payment.transaction_id == number)
    if (known_id := (await db.execute(known)).scalar_one_or_none()) is not None:
        return Booked(payment_id=known_id, status="paid", new=False)
    again = await _write_again(db, payment, order, received)
    twice.labels(payment.provider).inc()
    log.error("payment.second_transaction", payment_id=str(payment.id), again_id=str(again.id), received=received)
    if order.currency != CNY:
        return await _book_odd(db, again, order, received, source=source, at=at)
    if again.session_id is not None:
        return await _book_as_asked(db, again, str(number), source=source, at=at)
    return await _give_all_back(db, again, str(number), "paid more than once", source=source, at=at)


async def _give_all_back(
    db: AsyncConnection, payment: Row[Any], transaction_id: str, reason: str, *, source: str, at: datetime
) -> Booked:
    """Money that buys nothing and settles nothing goes back by itself."""
    entry = entries.receive_again(
        payment.provider, transaction_id, payment_id=payment.id, session_id=None, amount_fen=payment.amount_fen
    )
    await post(db, entry, source=source, at=at)
    await request_refund(
        db, payment.id, payment.amount_fen, cause="overpaid", reason=reason, requested_by="worker", at=at
    )
    await _announce(db, payment.id)
    return Booked(payment_id=payment.id, status="paid", new=True, overpaid_fen=payment.amount_fen)


async def _write_again(db: AsyncConnection, payment: Row[Any], order: OrderState, received: int) -> Row[Any]:
    now = datetime.now(UTC)
    values = payment._asdict() | {
        "id": uuid4(),
        "again_of": payment.id,
        "order_no": f"A{uuid4().hex[:24].upper()}",  # never sent: the provider knows it by its transaction
        "transaction_id": order.transaction_id,
        "amount_fen": received,
        "received_fen": received,
        "paid_at": order.paid_at or now,
        "late": False,
        "quote": null(),
        "covers_to": None,
        "opened": null(),
        "asked": null(),
        "polls": 0,
        "poll_at": None,
        "created_at": now,
        "changed_at": now,
        "expires_at": now,
    }
    return (await db.execute(insert(Payment).values(values).returning(Payment.__table__))).one()


async def _waited_in(db: AsyncConnection, refund_id: UUID) -> str:
    """Where the money of a refund is that succeeds although it had failed."""
    if not await is_paid_out(db, refund_id):
        return accounts.OVERPAID
    log.error("refund.returned_twice", refund_id=str(refund_id))
    return accounts.RETURNED_TWICE


async def _book_odd(
    db: AsyncConnection, payment: Row[Any], order: OrderState, received: int, *, source: str, at: datetime
) -> Booked:
    entry = entries.receive_odd(
        payment.provider,
        str(order.transaction_id),
        payment_id=payment.id,
        session_id=payment.session_id,
        amount=received,
        currency=order.currency,
    )
    await post(db, entry, source=source, at=at)
    differing.labels(payment.provider).inc()
    log.error(
        "payment.amount_differs",
        payment_id=str(payment.id),
        asked_fen=payment.amount_fen,
        received=received,
        currency=order.currency,
    )
    await _announce(db, payment.id)
    return Booked(payment_id=payment.id, status="paid", new=True, suspense_fen=received)


async def _charge_before_the_bill(db: AsyncConnection, payment: Row[Any], *, source: str, at: datetime) -> None:
    """A stay that is paid for while it lasts is charged the quoted fee now; its bill will charge the difference.

    Its mark makes sure that it gets a bill even if it turns out to be none: the bill of 0 gives the money back.
    """
    if (await db.execute(select(Bill.id).where(Bill.session_id == payment.session_id).limit(1))).first():
        return
    place = (
        select(ParkingSession.status, Lot.code)
        .join(Space, Space.id == ParkingSession.space_id)
        .join(Lot, Lot.id == Space.lot_id)
        .where(ParkingSession.id == payment.session_id)
    )
    session = (await db.execute(place)).one()
    if session.status == "void":
        return
    stand = (await balance_of(db, payment.session_id)).stand
    quoted_fen = payment.amount_fen if payment.quote is None else int(payment.quote["total_fen"])
    entry = entries.charge(
        f"charge:{payment.id}",
        payment.session_id,
        session.code,
        stand,
        total_fen=max(stand.charged_fen, quoted_fen),
        exit_window_fen=stand.exit_window_fen,
    )
    await post(db, entry, source=source, at=at)
    unmarked = (ParkingSession.id == payment.session_id) & ParkingSession.billed_revision.is_(None)
    await db.execute(update(ParkingSession).where(unmarked).values(billed_revision=0))


async def _mark_paid(db: AsyncConnection, payment: Row[Any], order: OrderState, received: int) -> None:
    now = datetime.now(UTC)
    values = {
        "status": "paid",
        "late": payment.status in {"closed", "failed"},
        "transaction_id": order.transaction_id,
        "received_fen": received,
        "paid_at": order.paid_at or now,
        "changed_at": now,
        "poll_at": None,
    }
    await db.execute(update(Payment).where(Payment.id == payment.id).values(values))


def _refund_after(before: str, said: RefundStatus) -> str | None:
    """Where a refund stands after this was said; None: as before."""
    if before in {"succeeded", "rejected", "held"} or said is RefundStatus.NOT_FOUND:
        return None
    if said is RefundStatus.ACCEPTED:
        return "accepted" if before == "requested" else None
    return None if said == before else str(said)


async def _announce(db: AsyncConnection, payment_id: UUID) -> None:
    await db.execute(select(func.pg_notify("parking_payment", str(payment_id))))

"""What a provider said of an order, written down: money is booked, an end is an end, anything else changes little.

One transaction for each thing said. Which path it came by (notification, query, close) makes no difference to what
becomes of it.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger.booking import UnknownOrderError, book_payment, book_refund
from billing.payments import attempts
from billing.payments.states import PaymentStatus
from billing.payments.till import Till, real_now
from billing.providers.port import OrderState, OrderStatus, RefundState
from core.clock import rfc3339
from core.tables import Payment, ProviderMessage, Refund

log = structlog.get_logger()

Source = Literal["notification", "query", "close", "refund"]
MONEY: Final = frozenset({OrderStatus.PAID, OrderStatus.REFUNDED})


async def settle(
    till: Till, provider: str, state: OrderState, *, source: Source, key: str | None = None, gone: bool = False
) -> PaymentStatus:
    """Write down what became of an order; the payment's status afterwards.

    Args:
        till: see there.
        provider: who says so.
        state: what it says.
        source: how we came to know.
        key: of a notification: the same on each repetition.
        gone: an order that the provider does not know can no longer be paid, because it was just closed.

    Raises:
        UnknownOrderError: no payment of this provider has that number.
    """
    async with till.database.transaction() as db:
        if state.status in MONEY and state.transaction_id is not None:
            booked = await book_payment(db, state, provider=provider, source=source, at=till.clock.now())
            await attempts.forget_what_was_asked(db, booked.payment_id)
            outcome = "booked" if booked.new else "known"
            if booked.new or key is not None:
                await store_message(
                    db, provider, state, source=source, key=key, payment_id=booked.payment_id, outcome=outcome
                )
            if booked.new:
                log.info(
                    "payment.booked",
                    payment_id=str(booked.payment_id),
                    provider=provider,
                    source=source,
                    overpaid_fen=booked.overpaid_fen,
                    suspense_fen=booked.suspense_fen,
                )
            return PaymentStatus(booked.status)
        return await _without_money(db, provider, state, source, key, gone=gone)


async def settle_refund(
    till: Till, provider: str, state: RefundState, *, source: Source, key: str | None = None
) -> None:
    """Write down what became of a refund.

    Raises:
        UnknownOrderError: no refund has that number.
    """
    async with till.database.transaction() as db:
        await book_refund(db, state, provider=provider, source=source, at=till.clock.now())
        found = select(Refund.payment_id).where(Refund.refund_no == state.refund_no)
        payment_id = (await db.execute(found)).scalar_one_or_none()
        await store_message(
            db, provider, state, source=source, key=key, payment_id=payment_id, outcome=str(state.status)
        )
        log.info("refund.heard", refund_no=state.refund_no, provider=provider, source=source, status=state.status)


async def store_message(
    db: AsyncConnection,
    provider: str,
    about: OrderState | RefundState,
    *,
    source: Source,
    key: str | None,
    payment_id: UUID | None,
    outcome: str,
) -> None:
    """Keep what was said; a notification's repetitions are kept once."""
    message = insert(ProviderMessage).values(
        provider=provider,
        source=source,
        key=key,
        order_no=about.order_no,
        payment_id=payment_id,
        outcome=outcome,
        facts=facts_of(about),
        heard_at=real_now(),
    )
    await db.execute(message.on_conflict_do_nothing(index_elements=["provider", "key"]))


def facts_of(about: OrderState | RefundState) -> dict[str, Any]:
    """What was said, in JSON's types."""
    return {name: rfc3339(one) if isinstance(one, datetime) else one for name, one in asdict(about).items()}


async def _without_money(
    db: AsyncConnection, provider: str, state: OrderState, source: Source, key: str | None, *, gone: bool
) -> PaymentStatus:
    row = await attempts.find_attempt(db, provider, state.order_no)
    if row is None:
        raise UnknownOrderError("no payment has this number", provider=provider, order_no=state.order_no)
    after = _meaning(state.status, gone=gone)
    moved = after is not None and await attempts.move(db, row.id, after, at=real_now(), why=_why(state.status))
    if moved or key is not None:
        outcome = after if moved and after else "nothing-new"
        await store_message(db, provider, state, source=source, key=key, payment_id=row.id, outcome=outcome)
    now = (await db.execute(select(Payment.status).where(Payment.id == row.id))).scalar_one()
    return PaymentStatus(now)


def _meaning(status: OrderStatus, *, gone: bool) -> PaymentStatus | None:
    match status:
        case OrderStatus.CLOSED:
            return PaymentStatus.CLOSED
        case OrderStatus.FAILED:
            return PaymentStatus.FAILED
        case OrderStatus.NOT_FOUND:
            return PaymentStatus.CLOSED if gone else None
        case OrderStatus.PENDING:
            return PaymentStatus.SENT
        case OrderStatus.PAID | OrderStatus.REFUNDED:
            return None  # money without a number of its own proves nothing


def _why(status: OrderStatus) -> str | None:
    return "provider-said-failed" if status is OrderStatus.FAILED else None

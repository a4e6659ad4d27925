"""Refunds on their way: sent with one number until the provider gives a final answer."""

from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import Row, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from billing.ledger.refunds import fetch_currency
from billing.payments.schedule import next_refund_poll
from billing.payments.settling import settle_refund
from billing.payments.till import Till
from billing.providers.port import (
    ProviderRefusedError,
    ProviderUnavailableError,
    RefundOrder,
    RefundState,
    RefundStatus,
)
from core.money import Fen
from core.tables import Payment, Refund

log = structlog.get_logger()

A_SWEEP: Final = 50


async def sweep_refunds(till: Till, at: datetime) -> None:
    """Send what was requested, ask about what was accepted; one after the other, as providers limit both."""
    async with till.database.transaction() as db:
        rows = await _claim(db, at)
    for row in rows:
        if row.provider not in till.providers:
            log.error("refund.has_no_provider", refund_no=row.refund_no, provider=row.provider)
            continue
        try:
            await _follow(till, row)
        except ProviderUnavailableError as error:
            log.warning("refund.not_answered", refund_no=row.refund_no, polls=row.polls + 1, why=error.message)


async def _claim(db: AsyncConnection, at: datetime) -> list[Row[Any]]:
    first = aliased(Payment)
    never_sent = (Refund.status == "requested") & (Refund.polls == 0)
    is_due = Refund.status.in_(("requested", "accepted")) & or_(Refund.poll_at.is_(None), Refund.poll_at <= at)
    due = (
        select(
            Refund.id,
            Refund.refund_no,
            Refund.amount_fen,
            Refund.cause,
            Refund.reason,
            Refund.status,
            Refund.polls,
            func.coalesce(first.order_no, Payment.order_no).label("order_no"),
            case((Payment.again_of.is_not(None), Payment.transaction_id)).label("transaction_id"),
            Payment.id.label("payment_id"),
            Payment.provider,
            Payment.received_fen,
        )
        .join(Payment, Payment.id == Refund.payment_id)
        .outerjoin(first, first.id == Payment.again_of)
        .where(or_(never_sent, is_due))
        .order_by(Refund.created_at)
        .limit(A_SWEEP)
        .with_for_update(of=Refund, skip_locked=True)
    )
    rows = list((await db.execute(due)).all())
    for row in rows:
        later = next_refund_poll(row.polls, at)
        await db.execute(update(Refund).where(Refund.id == row.id).values(polls=row.polls + 1, poll_at=later))
    return rows


async def _follow(till: Till, row: Row[Any]) -> None:
    provider = till.provider(row.provider)
    try:
        if row.status == "accepted":
            state = await provider.query_refund(row.order_no, row.refund_no)
        if row.status == "requested" or state.status is RefundStatus.NOT_FOUND:
            state = await provider.refund(await _order(till, row))
    except ProviderRefusedError as error:
        code = error.facts.get("code")
        log.error("refund.refused", refund_no=row.refund_no, provider=row.provider, code=code)  # noqa: TRY400 - no bug
        state = RefundState(
            order_no=row.order_no, refund_no=row.refund_no, status=RefundStatus.FAILED, why=str(code or "refused")
        )
    if state.status not in {RefundStatus.NOT_FOUND, row.status}:
        await settle_refund(till, row.provider, state, source="query" if row.status == "accepted" else "refund")


async def _order(till: Till, row: Row[Any]) -> RefundOrder:
    async with till.database.transaction() as db:
        currency = await fetch_currency(db, row.payment_id)
    return RefundOrder(
        order_no=row.order_no,
        refund_no=row.refund_no,
        amount_fen=Fen(row.amount_fen),
        total_fen=Fen(row.received_fen),
        reason=REASONS.get(row.cause, row.reason),
        notify_url=till.notify_url(row.provider),
        currency=currency,
        transaction_id=row.transaction_id,
    )


REASONS: Final = {"overpaid": "重复或多付退款", "correction": "费用更正退款"}
"""What the payer reads; an operator's own words otherwise."""

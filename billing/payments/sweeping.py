"""Following payments until nothing about them is open: the net under lost notifications, lost answers and kills.

Work is found in the rows themselves: a payment or refund whose ``poll_at`` has come. It is put off before the provider
is asked, so any number of processes may sweep, and one that dies leaves it to the next.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.payments.refunding import sweep_refunds
from billing.payments.schedule import DRIVER_WAITS, is_to_be_closed, next_poll
from billing.payments.sending import ask, close, send
from billing.payments.settling import settle
from billing.payments.states import ACTIVE
from billing.payments.till import Till
from billing.providers.port import OrderState, OrderStatus, ProviderRefusedError, ProviderUnavailableError
from core.tables import Payment

log = structlog.get_logger()

AT_ONCE: Final = 8
"""Providers are asked about so many orders side by side."""
A_SWEEP: Final = 200
"""Most payments of one sweep."""
TERMINAL_WITHIN: Final = timedelta(hours=24)
"""A payment open for longer is somebody's trouble."""


async def sweep(till: Till, at: datetime) -> None:
    """Ask about every payment that is due, close what ran out, send and follow refunds; ``at`` in real time."""
    await _sweep_payments(till, at, younger_than=None)
    await sweep_refunds(till, at)


async def sweep_young(till: Till, at: datetime) -> None:
    """Only payments whose driver still waits: for the api, so that a lost notification costs seconds."""
    await _sweep_payments(till, at, younger_than=DRIVER_WAITS)


async def _sweep_payments(till: Till, at: datetime, *, younger_than: timedelta | None) -> None:
    async with till.database.transaction() as db:
        rows = await _claim(db, at, younger_than)
    await side_by_side(rows, lambda row: _follow(till, row, at))


async def side_by_side(
    rows: list[Row[Any]], follow: Callable[[Row[Any]], Coroutine[Any, Any, None]], *, at_once: int = AT_ONCE
) -> None:
    """Follow all of these, a few at a time."""
    gate = asyncio.Semaphore(at_once)

    async def one(row: Row[Any]) -> None:
        async with gate:
            await follow(row)

    async with asyncio.TaskGroup() as tasks:
        for row in rows:
            tasks.create_task(one(row))


async def _claim(db: AsyncConnection, at: datetime, younger_than: timedelta | None) -> list[Row[Any]]:
    due = (
        select(Payment.__table__)
        .where(Payment.poll_at <= at, Payment.status.in_(sorted(ACTIVE)))
        .order_by(Payment.poll_at)
        .limit(A_SWEEP)
        .with_for_update(skip_locked=True)
    )
    if younger_than is not None:
        due = due.where(Payment.created_at > at - younger_than)
    rows = list((await db.execute(due)).all())
    for row in rows:
        later = next_poll(row.created_at, row.expires_at, at)
        await db.execute(update(Payment).where(Payment.id == row.id).values(polls=row.polls + 1, poll_at=later))
    return rows


async def _follow(till: Till, row: Row[Any], at: datetime) -> None:
    """One payment; whatever the provider does not answer is asked again when the schedule says so."""
    if row.provider not in till.providers:
        log.error("payment.has_no_provider", payment_id=str(row.id), provider=row.provider)
        return
    if at - row.created_at > TERMINAL_WITHIN:
        log.error("payment.open_too_long", payment_id=str(row.id), provider=row.provider, status=row.status)
    try:
        status = await ask(till, row)
        if status in {OrderStatus.NOT_FOUND, OrderStatus.PENDING}:
            await _nudge(till, row, status, at)
    except (ProviderUnavailableError, ProviderRefusedError) as error:
        log.warning("payment.not_followed", payment_id=str(row.id), polls=row.polls + 1, why=error.message)


async def _nudge(till: Till, row: Row[Any], status: OrderStatus, at: datetime) -> None:
    """Of an order nobody has paid yet: closed when it has run out, sent again where its payer never got it."""
    if is_to_be_closed(row.expires_at, at):
        if status is OrderStatus.NOT_FOUND:  # there is nothing to close
            gone = OrderState(order_no=row.order_no, status=status)
            after = await settle(till, row.provider, gone, source="query", gone=True)
        else:
            after = await close(till, row)
        log.info("payment.ran_out", payment_id=str(row.id), status=after)
    elif row.opened is None and row.asked is not None:
        await send(till, row)

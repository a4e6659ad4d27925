"""The worker's part in the daily close: every finished day is closed once its bill can be had, and looked at again."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.closing import BillChangedError, Cause, Closed, close_day, fetch_close
from billing.payments.till import Till, real_now
from billing.providers.calendar import PROVIDERS_ZONE
from billing.providers.port import BillNotReadyError, ProviderRefusedError, ProviderUnavailableError
from core.clock import Clock
from core.db import Database
from core.tables import Payment, ProviderBillRow

log = structlog.get_logger()

BILLS_FROM: Final = time(10, 15)
"""Providers have yesterday's bill from about ten in the morning."""
LOOK_BACK_DAYS: Final = 7
A_DAY: Final = timedelta(days=1)


async def close_days(till: Till, _database: Database, _clock: Clock) -> None:
    """Close what is to be closed now; a bill that is not there yet is asked for again at the next run."""
    for provider in till.providers:
        for day in finished_days(real_now()):
            async with till.database.transaction() as db:
                wanted = await is_wanted(db, provider, day)
            if wanted:
                await _close(till, provider, day)


def finished_days(at: datetime) -> Iterator[date]:
    """The last days whose bills may be there, oldest first."""
    local = at.astimezone(PROVIDERS_ZONE)
    newest = local.date() - (A_DAY if local.time() >= BILLS_FROM else 2 * A_DAY)
    for back in reversed(range(LOOK_BACK_DAYS)):
        yield newest - back * A_DAY


async def is_wanted(db: AsyncConnection, provider: str, day: date) -> bool:
    """Whether the day was never closed, or something in it waited for a bill that is there now."""
    closed = next((one for one in await fetch_close(db, day) if one.provider == provider), None)
    if closed is None:
        return await _was_open_for_business(db, provider, day)
    return _waits(closed) and await _has_bill(db, provider, day + A_DAY)


async def _close(till: Till, provider: str, day: date) -> None:
    try:
        await close_day(till, provider, day, by="worker")
    except (BillNotReadyError, ProviderUnavailableError, ProviderRefusedError, BillChangedError) as error:
        log.warning("close.put_off", provider=provider, day=day.isoformat(), why=error.message)


def _waits(closed: Closed) -> bool:
    return any(one.cause is Cause.HELD for one in closed.differences)


async def _was_open_for_business(db: AsyncConnection, provider: str, day: date) -> bool:
    """Whether anybody had begun to pay through this provider by the end of the day."""
    first = await db.scalar(select(func.min(Payment.created_at)).where(Payment.provider == provider))
    return first is not None and first.astimezone(PROVIDERS_ZONE).date() <= day


async def _has_bill(db: AsyncConnection, provider: str, day: date) -> bool:
    stored = select(ProviderBillRow.id).where(ProviderBillRow.provider == provider, ProviderBillRow.day == day)
    return await db.scalar(stored) is not None

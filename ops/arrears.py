"""The worker's part in arrears: debts go where they belong, and what a rule gives up is given up."""

from datetime import datetime, timedelta
from typing import Final

import structlog

from billing.arrears.moving import move_debts
from billing.arrears.settling import AT_ONCE, write_off_unidentified
from billing.kiosks.finding import forget_finds
from billing.payments.till import real_now
from core.clock import Clock
from core.db import Database
from core.money import Fen
from core.settings import Settings

log = structlog.get_logger()

EVERYTHING_AT: Final = 3
"""In this hour, UTC, all debts are looked at, else those about which something happened lately."""


async def move_arrears(database: Database, clock: Clock) -> None:
    """Make arrears of what is owed for too long, and correct those that are known better now."""
    settings = Settings()
    now = clock.now()
    await move_all(
        database,
        at=now,
        grace=timedelta(hours=settings.arrears_grace_hours),
        everything=now.hour == EVERYTHING_AT,
    )
    if settings.arrears_write_off_days:
        await write_off(database, before=now - timedelta(days=settings.arrears_write_off_days), by="worker", at=now)
    async with database.transaction() as db:
        await forget_finds(db, at=real_now())


async def move_all(database: Database, *, at: datetime, grace: timedelta, everything: bool = False) -> None:
    """Look at every debt that is due, in transactions of a bounded size."""
    after = None
    arrears = unidentified = withdrawn = 0
    while True:
        async with database.transaction() as db:
            moved = await move_debts(db, at=at, grace=grace, after=after, everything=everything)
        arrears, unidentified = arrears + moved.arrears, unidentified + moved.unidentified
        withdrawn, after = withdrawn + moved.withdrawn, moved.last
        if after is None:
            break
    if arrears or unidentified or withdrawn:
        log.info("arrears.moved", arrears=arrears, unidentified=unidentified, withdrawn=withdrawn)


async def write_off(database: Database, *, before: datetime, by: str, at: datetime) -> tuple[int, Fen]:
    """Give up what nobody known owes for stays that ended before an instant; how many, and how much."""
    debts, fen = 0, 0
    while True:
        async with database.transaction() as db:
            given_up, amount_fen = await write_off_unidentified(db, before=before, by=by, at=at)
        debts, fen = debts + given_up, fen + amount_fen
        if given_up < AT_ONCE:
            break
    if debts:
        log.info("arrears.written_off", debts=debts, amount_fen=fen)
    return debts, Fen(fen)

"""Free days by decree: who decreed what for which lots, and for how long it held."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.calendar_table import CHANGED
from core.errors import ConflictError, InvalidError, LotNotFoundError, NotFoundError, TariffNotFoundError
from core.tables import FreeDecree, Lot
from core.tables import Tariff as TariffRow

LONGEST_DAYS = 366
EARLIEST_YEAR, LATEST_YEAR = 2000, 2099


class DecreeNotFoundError(NotFoundError):
    """No decree has this number. Carries ``decree``."""

    slug = "decree-not-found"


class DecreeEndedError(ConflictError):
    """It holds no longer. Carries ``decree``."""

    slug = "decree-ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decree:
    """Days on which nothing is charged, both included."""

    id: int
    first_day: date
    last_day: date
    lot: str | None
    tariff: str | None
    reason: str
    decreed_by: str
    decreed_at: datetime
    ended_by: str | None
    ended_at: datetime | None


async def decree(
    db: AsyncConnection,
    first_day: date,
    last_day: date,
    *,
    lot: str | None,
    tariff: str | None,
    reason: str,
    actor: str,
    at: datetime,
) -> Decree:
    """Free some days in the county, in one lot, or under one notice; holds for bills made from now on.

    Raises:
        InvalidError: the days run backwards, or for more than a year.
        LotNotFoundError, TariffNotFoundError: there is none of that code.
    """
    if first_day.year < EARLIEST_YEAR or last_day.year > LATEST_YEAR:
        raise InvalidError(f"a decree is for days from {EARLIEST_YEAR} to {LATEST_YEAR}")
    if not 0 <= (last_day - first_day).days < LONGEST_DAYS:
        raise InvalidError(f"a decree is for one day to a year, not for {first_day} to {last_day}")
    if lot is not None and (await db.execute(select(Lot.id).where(Lot.code == lot))).first() is None:
        raise LotNotFoundError(f"no lot has the code {lot!r}", lot_id=lot)
    if tariff is not None and (await db.execute(select(TariffRow.id).where(TariffRow.code == tariff))).first() is None:
        raise TariffNotFoundError(f"no notice is published under the code {tariff!r}", tariff=tariff)
    values = {
        "first_day": first_day,
        "last_day": last_day,
        "lot": lot,
        "tariff": tariff,
        "reason": reason,
        "decreed_by": actor,
        "decreed_at": at,
    }
    await db.execute(CHANGED)
    decree_id = (await db.execute(insert(FreeDecree).values(values).returning(FreeDecree.id))).scalar_one()
    return await _fetch(db, decree_id)


async def end_decree(db: AsyncConnection, decree_id: int, *, actor: str, at: datetime) -> Decree:
    """Let a decree hold no longer; bills that were made under it keep it.

    Raises:
        DecreeNotFoundError: there is none.
        DecreeEndedError: it had been ended before.
    """
    before = await _fetch(db, decree_id)
    if before.ended_at is not None:
        raise DecreeEndedError(f"decree {decree_id} was ended by {before.ended_by}", decree=decree_id)
    await db.execute(CHANGED)
    await db.execute(update(FreeDecree).where(FreeDecree.id == decree_id).values(ended_by=actor, ended_at=at))
    return await _fetch(db, decree_id)


async def list_decrees(db: AsyncConnection) -> list[Decree]:
    """Every decree, the newest days first."""
    rows = (await db.execute(_COLUMNS.order_by(FreeDecree.first_day.desc(), FreeDecree.id.desc()))).mappings()
    return [Decree(**row) for row in rows]


async def _fetch(db: AsyncConnection, decree_id: int) -> Decree:
    row = (await db.execute(_COLUMNS.where(FreeDecree.id == decree_id).with_for_update())).mappings().first()
    if row is None:
        raise DecreeNotFoundError(f"there is no decree {decree_id}", decree=decree_id)
    return Decree(**row)


_COLUMNS = select(
    FreeDecree.id,
    FreeDecree.first_day,
    FreeDecree.last_day,
    FreeDecree.lot,
    FreeDecree.tariff,
    FreeDecree.reason,
    FreeDecree.decreed_by,
    FreeDecree.decreed_at,
    FreeDecree.ended_by,
    FreeDecree.ended_at,
)

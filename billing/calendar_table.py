"""The calendar in the database: seeded by the package's release, corrected by operators, read once while it stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, cast

from sqlalchemy import delete, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.calendar import (
    HOLIDAYS,
    Calendar,
    DayKind,
    Holiday,
    SpecialDay,
    calendar_of,
    seed_days,
    seeded,
    special_day,
)
from core.errors import InvalidError, NotFoundError
from core.tables import CalendarDay, CalendarYear, FreeDecree

KEPT: Final = 64
_OF_THE_SEED: Final = {"holiday": "holiday", "make_up": "workday", "rest": "rest"}

_read: dict[tuple[str, str, frozenset[int]], Calendar] = {}
"""By database, state of its tables and decrees that apply, oldest first: the same value while nothing changes, as
what is computed from a calendar is remembered by its identity."""


class DayNotCorrectedError(NotFoundError):
    """No operator has decided about this day. Carries ``day``."""

    slug = "day-not-corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """A day as the table has it."""

    day: date
    kind: DayKind
    name: str
    source: str = "operator"
    reason: str | None = None
    changed_by: str | None = None


CHANGED: Final = select(func.pg_notify("parking_registry", ""))
"""The map shows prices; sent at the commit."""


async def fetch_calendar(db: AsyncConnection, *, lot: str | None = None, tariff: str | None = None) -> Calendar:
    """The calendar by which stays are priced now, with the free days of a lot and a notice.

    Before the table is seeded it is the installed package's.
    """
    stamp = str((await db.execute(_STAMP)).scalars().all())
    decrees = (await db.execute(_DECREES)).all()
    mine = [row for row in decrees if row.lot in {None, lot} and row.tariff in {None, tariff}]
    key = str(db.engine.url), stamp, frozenset(row.id for row in mine)
    if key not in _read:
        days = {
            date.fromordinal(day): row.reason
            for row in reversed(mine)
            for day in range(row.first_day.toordinal(), row.last_day.toordinal() + 1)
        }
        calendar = await _read_table(db, days)
        while len(_read) >= KEPT:
            del _read[next(iter(_read))]
        _read[key] = calendar
    return _read[key]


async def seed_calendar(db: AsyncConnection, *, at: datetime) -> int:
    """Bring the package's days and years into the table; returns how many rows changed. Safe to repeat.

    What an operator decided stays.
    """
    days, years = seed_days()
    rows = [
        {"day": day.on, "kind": _OF_THE_SEED[day.kind], "name": day.holiday, "source": "library", "changed_at": at}
        for day in days
    ]
    wanted = insert(CalendarDay).values(rows)
    changed = wanted.on_conflict_do_update(
        index_elements=["day"],
        set_={"kind": wanted.excluded.kind, "name": wanted.excluded.name, "changed_at": at},
        where=(CalendarDay.source == "library")
        & ((CalendarDay.kind != wanted.excluded.kind) | (CalendarDay.name != wanted.excluded.name)),
    ).returning(CalendarDay.day)
    count = len((await db.execute(changed)).all())
    gone = delete(CalendarDay).where(CalendarDay.source == "library", CalendarDay.day.not_in([day.on for day in days]))
    count += (await db.execute(gone)).rowcount
    known = insert(CalendarYear).values([{"year": year, "source": "library", "changed_at": at} for year in years])
    count += len((await db.execute(known.on_conflict_do_nothing().returning(CalendarYear.year))).all())
    return count


async def set_days(
    db: AsyncConnection, days: Sequence[DayRow], *, years: Sequence[int] = (), actor: str, at: datetime
) -> list[tuple[DayRow | None, DayRow]]:
    """Correct days; of ``years`` the whole official notice is known then. Returns each as it was and as it is.

    Raises:
        InvalidError: a kind or a name is none.
    """
    await seed_calendar(db, at=at)
    await db.execute(CHANGED)
    done: list[tuple[DayRow | None, DayRow]] = []
    for row in days:
        if row.name not in HOLIDAYS:
            raise InvalidError(f"no holiday is called {row.name!r}; one of {', '.join(sorted(HOLIDAYS))}")
        before = await _find(db, row.day)
        values = {
            "day": row.day,
            "kind": row.kind,
            "name": row.name,
            "source": "operator",
            "reason": row.reason,
            "changed_at": at,
            "changed_by": actor,
        }
        changed = insert(CalendarDay).values(values)
        await db.execute(changed.on_conflict_do_update(index_elements=["day"], set_=values))
        done.append((before, row))
    for year in years:
        known = insert(CalendarYear).values(year=year, source="operator", changed_at=at)
        await db.execute(known.on_conflict_do_nothing())
    return done


async def reset_day(db: AsyncConnection, day: date, *, at: datetime) -> DayRow:
    """Take an operator's correction back, so that the package's word holds again; returns what was corrected.

    Raises:
        DayNotCorrectedError: nobody had corrected it.
    """
    before = await _find(db, day)
    if before is None or before.source != "operator":
        raise DayNotCorrectedError(f"nobody has decided about {day}", day=day.isoformat())
    await db.execute(delete(CalendarDay).where(CalendarDay.day == day))
    await seed_calendar(db, at=at)
    return before


async def list_days(db: AsyncConnection, year: int) -> tuple[list[DayRow], bool]:
    """The days of a year that are not simply their weekday, and whether the year's official notice is known."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    rows = (await db.execute(_COLUMNS.where(CalendarDay.day.between(first, last)).order_by(CalendarDay.day))).mappings()
    known = (await db.execute(select(CalendarYear.year).where(CalendarYear.year == year))).first() is not None
    return [DayRow(**row) for row in rows], known


async def _find(db: AsyncConnection, day: date) -> DayRow | None:
    row = (await db.execute(_COLUMNS.where(CalendarDay.day == day).with_for_update())).mappings().first()
    return DayRow(**row) if row else None


async def _read_table(db: AsyncConnection, free: dict[date, str]) -> Calendar:
    rows = (await db.execute(select(CalendarDay.day, CalendarDay.kind, CalendarDay.name, CalendarDay.source))).all()
    years = (await db.execute(select(CalendarYear.year))).scalars().all()
    read = calendar_of([day for row in rows if (day := _special(row)) is not None], years) if years else seeded()
    known = frozenset(row.day for row in rows if row.source == "operator")
    return Calendar(special=read.special, years=read.years, known=known, free=free)


def _special(row: Any) -> SpecialDay | None:
    return special_day(row.day, cast("DayKind", row.kind), cast("Holiday", row.name))


_COLUMNS = select(
    CalendarDay.day, CalendarDay.kind, CalendarDay.name, CalendarDay.source, CalendarDay.reason, CalendarDay.changed_by
)
_DECIDED = func.string_agg(
    func.concat(CalendarDay.day, CalendarDay.kind, CalendarDay.name),
    aggregate_order_by(literal(" "), CalendarDay.day),
)
_STAMP = union_all(
    select(func.concat(func.count(), " ", func.max(CalendarDay.changed_at))),
    select(func.concat(_DECIDED)).where(CalendarDay.source == "operator"),
    select(func.concat(func.count(), " ", func.max(CalendarYear.changed_at))),
)
"""Changes whenever either table does."""
_DECREES = (
    select(
        FreeDecree.id, FreeDecree.first_day, FreeDecree.last_day, FreeDecree.lot, FreeDecree.tariff, FreeDecree.reason
    )
    .where(FreeDecree.ended_at.is_(None))
    .order_by(FreeDecree.id)
)

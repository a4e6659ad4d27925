"""``parking calendar``: which days are worked, which are not, and on which nothing is charged by decree."""

import asyncio
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.calendar import DAY_KINDS, HOLIDAYS, DayKind
from billing.calendar_table import DayRow, list_days, reset_day, seed_calendar, set_days
from billing.decrees import Decree, decree, end_decree, list_decrees
from core.audit import AuditEntry, write_audit
from core.errors import InvalidError
from ops.asking import in_database

app = typer.Typer(no_args_is_help=True, help="Working days, holidays, and free days by decree.")

ACTOR = "command"
LAST_YEAR = 9_999
_out = Console(soft_wrap=True, highlight=False)

Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The local date, such as 2027-02-06.")]
Reason = Annotated[str, typer.Option(help="Why: kept with the change.")]


@app.callback()
def calendar() -> None:
    """Working days, holidays, and free days by decree."""


@app.command()
def show(
    year: Annotated[int, typer.Argument(help="Which year; this one if none is given.", min=0, max=LAST_YEAR)] = 0,
) -> None:
    """The days of a year that are not simply their weekday, and the decrees."""
    wanted = year or datetime.now(UTC).year
    days, known, decrees = asyncio.run(in_database(lambda db: _shown(db, wanted)))
    title = f"{wanted}: {'known' if known else 'not announced: every other day is assumed to be its weekday'}"
    grid = Table("day", "", "kind", "holiday", "source", "reason", title=title, title_justify="left")
    for row in days:
        source = row.source if row.changed_by is None else f"{row.source} ({row.changed_by})"
        grid.add_row(row.day.isoformat(), f"{row.day:%a}", row.kind, row.name, source, row.reason or "")
    Console().print(grid)
    if decrees:
        free = Table("decree", "from", "to", "where", "reason", "by", "ended", title="free days", title_justify="left")
        for one in decrees:
            where = one.lot or one.tariff or "everywhere"
            ended = f"{one.ended_at:%Y-%m-%d} by {one.ended_by}" if one.ended_at else ""
            free.add_row(str(one.id), str(one.first_day), str(one.last_day), where, one.reason, one.decreed_by, ended)
        Console().print(free)


@app.command("set")
def set_(
    day: Day,
    kind: Annotated[str, typer.Argument(help="workday, rest or holiday.")],
    *,
    reason: Reason,
    holiday: Annotated[str, typer.Option(help="Which holiday it belongs to.")] = "other_holiday",
) -> None:
    """Decide what a day is; holds for bills made from now on."""
    row = DayRow(day=day.date(), kind=_kind(kind), name=holiday, reason=reason)
    asyncio.run(in_database(lambda db: _set(db, [row], [])))
    _out.print(f"{row.day} is {row.kind} now")


@app.command()
def reset(day: Day) -> None:
    """Take a decision back: the installed package's word holds again."""
    asyncio.run(in_database(lambda db: _reset(db, day.date())))
    _out.print(f"{day:%Y-%m-%d} is what the calendar package says")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="JSON: {year, reason, days: [{day, kind, holiday}]}.")],
) -> None:
    """Enter a year's official notice: afterwards the whole year is known."""
    year, rows = _read(file)
    asyncio.run(in_database(lambda db: _set(db, rows, [year])))
    _out.print(f"{year}: {len(rows)} days entered, the year is known")


@app.command()
def free(
    first: Day,
    last: Day,
    *,
    reason: Annotated[str, typer.Option(help="Why nothing is charged: shown on the bill.")],
    lot: Annotated[str | None, typer.Option(help="Only in this lot.")] = None,
    tariff: Annotated[str | None, typer.Option(help="Only under this notice.")] = None,
) -> None:
    """Decree free days, both included; holds for bills made from now on."""
    days = first.date(), last.date()
    made = asyncio.run(in_database(lambda db: _decree(db, days, lot, tariff, reason)))
    _out.print(f"decree {made.id}: nothing is charged from {made.first_day} to {made.last_day}")


@app.command()
def unfree(number: Annotated[int, typer.Argument(help="The decree's number, as `show` prints it.")]) -> None:
    """End a decree; bills made under it keep it."""
    asyncio.run(in_database(lambda db: _end(db, number)))
    _out.print(f"decree {number} holds no longer")


def _kind(word: str) -> DayKind:
    if word not in DAY_KINDS:
        raise InvalidError(f"a day is {', '.join(sorted(DAY_KINDS))}, not {word!r}")
    return cast("DayKind", word)


def _read(file: Path) -> tuple[int, list[DayRow]]:
    try:
        document = json.loads(file.read_bytes())
        year = int(document["year"])
        rows = [
            DayRow(
                day=date.fromisoformat(one["day"]),
                kind=_kind(one["kind"]),
                name=one.get("holiday", "other_holiday"),
                reason=document["reason"],
            )
            for one in document["days"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidError(f"{file} is no calendar: {error}") from error
    for row in rows:
        if row.day.year != year:
            raise InvalidError(f"{row.day} is not in {year}")
        if row.name not in HOLIDAYS:
            raise InvalidError(f"{row.day}: no holiday is called {row.name!r}")
    return year, rows


async def _shown(db: AsyncConnection, year: int) -> tuple[list[DayRow], bool, list[Decree]]:
    await seed_calendar(db, at=datetime.now(UTC))
    days, known = await list_days(db, year)
    return days, known, await list_decrees(db)


async def _set(db: AsyncConnection, rows: list[DayRow], years: list[int]) -> None:
    for before, row in await set_days(db, rows, years=years, actor=ACTOR, at=datetime.now(UTC)):
        after = {"kind": row.kind, "holiday": row.name, "reason": row.reason}
        was = {"kind": before.kind, "holiday": before.name} if before else None
        await _audit(db, "calendar.corrected", f"day:{row.day}", before=was, after=after)


async def _reset(db: AsyncConnection, day: date) -> None:
    before = await reset_day(db, day, at=datetime.now(UTC))
    await _audit(db, "calendar.reset", f"day:{day}", before={"kind": before.kind, "holiday": before.name})


async def _decree(
    db: AsyncConnection, days: tuple[date, date], lot: str | None, tariff: str | None, reason: str
) -> Decree:
    at, (first, last) = datetime.now(UTC), days
    made = await decree(db, first, last, lot=lot, tariff=tariff, reason=reason, actor=ACTOR, at=at)
    after = {"from": str(first), "to": str(last), "lot": lot, "tariff": tariff, "reason": reason}
    await _audit(db, "calendar.freed", f"decree:{made.id}", after=after)
    return made


async def _end(db: AsyncConnection, number: int) -> None:
    await end_decree(db, number, actor=ACTOR, at=datetime.now(UTC))
    await _audit(db, "calendar.unfreed", f"decree:{number}")


async def _audit(db: AsyncConnection, action: str, subject: str, **values: Any) -> None:
    await write_audit(db, AuditEntry(at=datetime.now(UTC), actor=ACTOR, action=action, subject=subject, **values))

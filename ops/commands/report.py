"""``parking report``: what was parked, known, billed and collected."""

import asyncio
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from billing.arrears.collecting import Collected, collection_of
from core.errors import InvalidError
from core.money import Fen, yuan_text
from core.settings import Settings
from ops.asking import in_database
from ops.installation import installation_clock

app = typer.Typer(no_args_is_help=True, help="What was parked, known, billed and collected.")

A_WEEK = timedelta(days=7)


class Format(StrEnum):
    """How it is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.callback()
def report() -> None:
    """What was parked, known, billed and collected."""


@app.command()
def collection(
    *,
    since: Annotated[str | None, typer.Option("--from", help="YYYY-MM-DD; a week ago if not given.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="YYYY-MM-DD, not included; tomorrow if not given.")] = None,
    lot: Annotated[str | None, typer.Option(help="Only this lot, by its code.")] = None,
    as_format: Annotated[Format, typer.Option("--format", help="json is one array.")] = Format.TABLE,
) -> None:
    """Stays ended, identified and billed; money billed, collected, given up and owed: per lot and day of departure."""
    zone = Settings().zone
    today = installation_clock().now().astimezone(zone).date()
    last = _day(until) if until else today + timedelta(days=1)
    first = _day(since) if since else last - A_WEEK
    days = asyncio.run(in_database(lambda db: collection_of(db, since=first, until=last, zone=zone, lot=lot)))
    match as_format:
        case Format.TABLE:
            Console().print(_table(days))
        case Format.CSV:
            writer = csv.DictWriter(sys.stdout, [field.name for field in fields(Collected)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(one) for one in days)
        case Format.JSON:
            typer.echo(json.dumps([asdict(one) for one in days], default=str, ensure_ascii=False))


def _table(days: Sequence[Collected]) -> Table:
    counts, money = (
        ("ended", "identified", "billed"),
        ("billed", "collected", "given up", "owed", "arrears", "nobody's"),
    )
    grid = Table("day", "lot", *counts, *(f"¥ {word}" for word in money))
    for one in days:
        grid.add_row(str(one.day), one.lot_code, *_cells([one]))
    grid.add_section()
    grid.add_row("all", "", *_cells(days))
    return grid


def _cells(days: Sequence[Collected]) -> list[str]:
    counts = [sum(getattr(one, name) for one in days) for name in ("ended", "identified", "billed")]
    money = ("billed_fen", "collected_fen", "given_up_fen", "stay_fen", "arrears_fen", "unidentified_fen")
    sums = [yuan_text(Fen(sum(getattr(one, name) for one in days))) for name in money]
    return [*map(str, counts), *sums]


def _day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError as error:
        raise InvalidError(f"{words!r} is no day; one is written like 2026-11-22") from error

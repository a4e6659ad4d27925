"""``parking close``: one day's journal, orders and providers' bills held against each other."""

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from billing.closing import Closed, close_day
from billing.closing.wording import cause_text, close_csv, outcome_text, sums_text
from billing.payments.till import real_now
from billing.phrases import Lang
from billing.providers.calendar import PROVIDERS_ZONE
from core.db import Database
from core.errors import InvalidError, NotFoundError
from core.money import yuan_text
from core.settings import Settings
from ops.installation import database_url
from ops.notices import language
from ops.payments import till_of

app = typer.Typer(add_completion=False)

_out = Console(soft_wrap=True, highlight=False)
_err = Console(stderr=True)


@app.command(name="close")
def close(
    day: Annotated[str, typer.Argument(help="YYYY-MM-DD, of the providers' calendar; yesterday if not given.")] = "",
    *,
    provider: Annotated[str, typer.Option("--provider", help="Only this one.")] = "",
    table: Annotated[Path | None, typer.Option("--csv", help="Write the bookkeeper's table there.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="zh or en.")] = "zh",
) -> None:
    """Fetch the day's bills, book what was missed, and list every difference with its cause.

    Safe to repeat. Exit status 1 while a difference needs a person; a bill that is not there yet or was cut short is
    refused whole.
    """
    chosen = language(lang)
    with _err.status("closing"):
        closes = asyncio.run(_close(_day(day), provider))
    for closed in closes:
        _print(closed, chosen)
    if table is not None:
        table.write_text(close_csv(closes, chosen), encoding="utf-8")
    if any(closed.outcome == "open" for closed in closes):
        raise typer.Exit(1)


async def _close(day: date, only: str) -> list[Closed]:
    database = Database(database_url(), pool_size=2, application="parking-close")
    till = till_of(Settings(), database)
    try:
        names = [name for name in till.providers if only in {"", name}]
        if not names:
            raise NotFoundError(f"no payment provider {only or 'at all'} is configured here", provider=only)
        return [await close_day(till, name, day, by="command") for name in names]
    finally:
        await till.aclose()
        await database.close()


def _day(words: str) -> date:
    today = real_now().astimezone(PROVIDERS_ZONE).date()
    try:
        day = date.fromisoformat(words) if words else today - timedelta(days=1)
    except ValueError as error:
        raise InvalidError(f"a day is written YYYY-MM-DD, not {words!r}") from error
    if day >= today:
        raise InvalidError(f"{day} is not over yet by the providers' calendar")
    return day


def _print(closed: Closed, lang: Lang) -> None:
    colour = {"balanced": "green", "explained": "green", "open": "bold red"}[closed.outcome]
    _out.print(f"[bold]{closed.provider}[/] {closed.day}: [{colour}]{outcome_text(closed, lang)}[/]")
    for book in ("bill", "orders", "journal"):
        _out.print(f"  {book:<8} {sums_text(closed, book)}")
    if not closed.differences:
        return
    table = Table("cause", "number", "bill", "order", "journal")
    for one in closed.differences:
        amounts = (one.bill_fen, one.order_fen, one.journal_fen)
        shown = ["" if fen is None else yuan_text(fen) for fen in amounts]
        text = cause_text(one.cause, lang)
        table.add_row(text if one.is_explained else f"[red]{text}[/]", one.key, *shown)
    _out.print(table)

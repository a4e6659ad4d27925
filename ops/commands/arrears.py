"""``parking arrears``: what is owed for longer than the grace, and what is given up."""

import asyncio
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from billing.arrears.settling import Which, list_open
from core.db import Database
from core.money import Fen, yuan_text
from core.settings import Settings
from ops.arrears import move_all, write_off
from ops.asking import in_database
from ops.installation import database_url, installation_clock
from ops.plate_key import find_plate_vault

app = typer.Typer(no_args_is_help=True, help="What is owed for longer than the grace, and what is given up.")

_out = Console(soft_wrap=True, highlight=False)


@app.callback()
def arrears() -> None:
    """What is owed for longer than the grace, and what is given up."""


@app.command("list")
def list_(
    *,
    which: Annotated[Which, typer.Option(help="Of vehicles that were seen, of nobody known, or disputed.")] = "arrears",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 200,
) -> None:
    """Debts that are not settled, oldest first; plates masked."""
    vault = find_plate_vault()
    grid = Table("debt", "plate", "space", "left", "owed", "disputed", "answer")
    for one in asyncio.run(in_database(lambda db: list_open(db, vault, which=which, limit=limit))):
        grid.add_row(
            str(one.id),
            one.plate or "",
            one.space_code,
            f"{one.left_at:%Y-%m-%d %H:%M}",
            yuan_text(Fen(one.amount_fen)),
            one.dispute or "",
            one.answer or "",
        )
    Console().print(grid)


@app.command()
def move() -> None:
    """Look at every debt now, as the worker does once a day."""
    settings = Settings()
    asyncio.run(_move(settings))
    _out.print("every debt is where it belongs")


@app.command("write-off")
def write_off_(
    *,
    older_than: Annotated[int, typer.Option(min=1, help="Days since the stay ended.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Give up what nobody known owes for so long. Arrears of vehicles that were seen are waived one by one."""
    if not yes:
        typer.confirm(f"Give up what nobody known owes for more than {older_than} days?", abort=True)
    debts, fen = asyncio.run(_write_off(timedelta(days=older_than)))
    _out.print(f"{debts} debts given up, {yuan_text(fen)}")


async def _move(settings: Settings) -> None:
    database = Database(database_url(), application="parking-arrears")
    try:
        grace = timedelta(hours=settings.arrears_grace_hours)
        await move_all(database, at=installation_clock().now(), grace=grace, everything=True)
    finally:
        await database.close()


async def _write_off(age: timedelta) -> tuple[int, Fen]:
    database = Database(database_url(), application="parking-arrears")
    now = installation_clock().now()
    try:
        return await write_off(database, before=now - age, by="command", at=now)
    finally:
        await database.close()

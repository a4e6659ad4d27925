"""``parking kiosk``: keys of payment kiosks and of platforms that push to us. A key is shown once."""

import asyncio
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.tables import DeviceKey
from ops.asking import in_database
from ops.device_keys import DeviceKind, add_key, revoke_key

app = typer.Typer(no_args_is_help=True, help="Keys of payment kiosks and other devices.")


@app.callback()
def kiosk() -> None:
    """Keys of payment kiosks and other devices."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Where it stands, or what it is.")],
    *,
    kind: Annotated[DeviceKind, typer.Option(help="What the key is for.")] = DeviceKind.KIOSK,
    lot: Annotated[str | None, typer.Option(help="The lot in which it stands, by its code.")] = None,
) -> None:
    """Make a key. It is printed once, to standard output, and cannot be read again."""
    number, key = asyncio.run(in_database(lambda db: add_key(db, name, kind, lot=lot)))
    Console(stderr=True).print(f"key {number} of {name}; revoke it with `parking kiosk revoke {number}`")
    typer.echo(key)


@app.command("list")
def list_keys() -> None:
    """Which keys there are, when each was last used, which are revoked."""
    table = Table("number", "kind", "name", "since", "last used", "revoked")
    for row in asyncio.run(in_database(_list)):
        times = [f"{at:%Y-%m-%d %H:%M}" if at else "" for at in (row.created_at, row.last_used_at, row.revoked_at)]
        table.add_row(str(row.id), row.kind, row.name, *times)
    Console().print(table)


@app.command()
def revoke(number: Annotated[int, typer.Argument(help="As `parking kiosk list` shows it.")]) -> None:
    """Let a key open nothing any more, from the next request on."""
    name = asyncio.run(in_database(lambda db: revoke_key(db, number)))
    Console().print(f"key {number} of {name} is revoked")


async def _list(db: AsyncConnection) -> list[Any]:
    columns = select(
        DeviceKey.id,
        DeviceKey.kind,
        DeviceKey.name,
        DeviceKey.created_at,
        DeviceKey.last_used_at,
        DeviceKey.revoked_at,
    )
    return list(await db.execute(columns.order_by(DeviceKey.id)))

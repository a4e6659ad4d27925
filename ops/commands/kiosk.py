"""``parking kiosk``: keys of payment kiosks and of platforms that push to us. A key is shown once."""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.audit import AuditEntry, write_audit
from core.errors import NotFoundError
from core.tables import DeviceKey
from core.tokens import digest_of, new_secret
from ops.asking import in_database

app = typer.Typer(no_args_is_help=True, help="Keys of payment kiosks and other devices.")


class DeviceKind(StrEnum):
    """What a key is for."""

    KIOSK = "kiosk"
    UPLINK = "uplink"
    """A platform that pushes sensors' messages over HTTP."""
    CAMERA = "camera"


@app.callback()
def kiosk() -> None:
    """Keys of payment kiosks and other devices."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Where it stands, or what it is.")],
    *,
    kind: Annotated[DeviceKind, typer.Option(help="What the key is for.")] = DeviceKind.KIOSK,
) -> None:
    """Make a key. It is printed once, to standard output, and cannot be read again."""
    key = new_secret(kind.value)
    number = asyncio.run(in_database(lambda db: _add(db, name, kind.value, digest_of(key))))
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
    name = asyncio.run(in_database(lambda db: _revoke(db, number)))
    Console().print(f"key {number} of {name} is revoked")


async def _add(db: AsyncConnection, name: str, kind: str, digest: bytes) -> int:
    key = insert(DeviceKey).values(kind=kind, name=name, digest=digest).returning(DeviceKey.id)
    number: int = (await db.execute(key)).scalar_one()
    await write_audit(db, _entry("key.added", number, after={"kind": kind, "name": name}))
    return number


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


async def _revoke(db: AsyncConnection, number: int) -> str:
    revoked = (
        update(DeviceKey)
        .where(DeviceKey.id == number, DeviceKey.revoked_at.is_(None))
        .values(revoked_at=datetime.now(UTC))
        .returning(DeviceKey.name)
    )
    name: str | None = (await db.execute(revoked)).scalar_one_or_none()
    if name is None:
        raise NotFoundError(f"there is no key {number} that is not revoked", number=number)
    await write_audit(db, _entry("key.revoked", number))
    return name


def _entry(action: str, number: int, **values: Any) -> AuditEntry:
    return AuditEntry(at=datetime.now(UTC), actor="command", action=action, subject=f"device:{number}", **values)

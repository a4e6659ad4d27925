"""``parking broker``: users of the broker for sensors, gateways and platforms, and who is denied what."""

import asyncio
import csv
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import InvalidError, UnavailableError
from core.tables import BrokerAccount
from ops.asking import in_database
from ops.broker.applying import apply as put_in_force
from ops.broker.applying import fetch_admitted, write_files
from ops.broker.credentials import Issued, Kind, Wanted, fetch_sensors, issue, revoke
from ops.broker.watching import watch as watch_denied
from ops.installation import database_url
from ops.services import accounts, mosquitto
from ops.services.running import find_service
from ops.state import State

app = typer.Typer(no_args_is_help=True, help="Users of the broker for sensors, gateways and platforms.")

SensorOption = Annotated[str | None, typer.Option("--sensor", metavar="ID", help="One registered sensor.")]
LotOption = Annotated[str | None, typer.Option("--lot", metavar="CODE", help="Every sensor that watches it now.")]
GatewayOption = Annotated[
    str | None, typer.Option("--gateway", metavar="ID", help="A gateway, by its id in the topic.")
]
PlatformOption = Annotated[str | None, typer.Option("--platform", metavar="NAME", help="A network server or carrier.")]

_out = Console(soft_wrap=True)
_err = Console(stderr=True, soft_wrap=True)


@app.callback()
def broker() -> None:
    """Users of the broker for sensors, gateways and platforms."""


@app.command()
def credentials(
    sensor: SensorOption = None,
    lot: LotOption = None,
    gateway: GatewayOption = None,
    platform: PlatformOption = None,
    topic: Annotated[
        list[str] | None, typer.Option(help="With --platform: a topic filter it publishes on; may be repeated.")
    ] = None,
    *,
    unregistered: Annotated[
        bool, typer.Option("--unregistered", help="The one user of all sensors that nobody has registered.")
    ] = False,
    renew: Annotated[bool, typer.Option("--renew", help="A new password for those that have one, too.")] = False,
) -> None:
    """Issue broker users: user, password and topics as CSV, to standard output. Nothing can show the password again."""
    if unregistered:
        shared = accounts.unregistered(State.find().secret("mqtt-unregistered"))
        _write([Issued(account=shared, password=shared.password)])
        return

    async def work(db: AsyncConnection) -> tuple[Sequence[Wanted], Sequence[Issued]]:
        wanted = await _wanted(db, (sensor, lot, gateway, platform), tuple(topic or ()))
        return wanted, await issue(db, wanted, renew=renew, at=datetime.now(UTC))

    wanted, issued = asyncio.run(in_database(work))
    _write(issued)
    if len(issued) < len(wanted):
        _err.print(f"{len(wanted) - len(issued)} have a password already; --renew gives them another")


@app.command("revoke")
def lock_out(
    sensor: SensorOption = None, lot: LotOption = None, gateway: GatewayOption = None, platform: PlatformOption = None
) -> None:
    """Revoke broker users: they are cut off within seconds."""

    async def work(db: AsyncConnection) -> list[Wanted]:
        wanted = await _wanted(db, (sensor, lot, gateway, platform), ("#",))
        return await revoke(db, wanted, at=datetime.now(UTC))

    locked_out = asyncio.run(in_database(work))
    _out.print(f"{len(locked_out)} locked out", highlight=False)


@app.command("list")
def list_() -> None:
    """Which users were issued, since when, and which are revoked."""
    table = Table("user", "issued", "revoked", "publishes on")
    for row in asyncio.run(in_database(_list)):
        times = [f"{at:%Y-%m-%d %H:%M}" if at else "" for at in (row.issued_at, row.revoked_at)]
        table.add_row(f"{row.kind}.{row.name}", *times, " ".join(row.topics) or "its own topics")
    _out.print(table)


@app.command()
def apply(
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the files there, for a broker elsewhere.")
    ] = None,
) -> None:
    """Put issued users in force now. While `parking up` runs it does so by itself, within a second of every change."""
    admitted = asyncio.run(fetch_admitted(database_url()))
    if folder is not None:
        write_files(folder, admitted)
        _out.print(f"{len(admitted)} users, in {folder}", highlight=False)
        return
    state = State.find()
    if find_service(state, mosquitto.NAME) is None:
        raise UnavailableError("this installation runs no broker of its own; --folder DIR writes the files for another")
    changed = put_in_force(state, admitted)
    _out.print(f"{len(admitted)} users{'' if changed else ', as before'}", highlight=False)


@app.command()
def watch(seconds: Annotated[float, typer.Option(min=1, max=3_600, help="For how long.")] = 30) -> None:
    """Name those who publish where they may not. The broker logs every packet meanwhile, which slows it down."""
    denied = watch_denied(State.find(), seconds=seconds)
    table = Table("user", "client", "address", "topic", "times")
    for who, times in denied.most_common():
        table.add_row(who.user or "(came earlier)", who.client, who.address, who.topic, str(times))
    _out.print(table if denied else "nobody was denied anything")


async def _wanted(
    db: AsyncConnection, named: tuple[str | None, str | None, str | None, str | None], topics: tuple[str, ...]
) -> list[Wanted]:
    """The one sensor, lot, gateway or platform that was named."""
    if sum(name is not None for name in named) != 1:
        raise InvalidError("name one of --sensor, --lot, --gateway, --platform")
    sensor, lot, gateway, platform = named
    if gateway is not None:
        return [Wanted(kind=Kind.GATEWAY, name=gateway)]
    if platform is not None:
        if not topics:
            raise InvalidError("a platform publishes on topics of its own: --topic FILTER, such as application/#")
        return [Wanted(kind=Kind.PLATFORM, name=platform, topics=topics)]
    return await fetch_sensors(db, sensor=sensor, lot=lot)


def _write(issued: Sequence[Issued]) -> None:
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(("user", "password", "publishes_on"))
    rows.writerows((each.account.name, each.password, " ".join(each.account.publishes)) for each in issued)


async def _list(db: AsyncConnection) -> list[Any]:
    columns = (BrokerAccount.kind, BrokerAccount.name, BrokerAccount.topics)
    times = (BrokerAccount.issued_at, BrokerAccount.revoked_at)
    return list(await db.execute(select(*columns, *times).order_by(BrokerAccount.kind, BrokerAccount.name)))

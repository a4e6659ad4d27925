"""``parking space``: what is printed for spaces."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.receipts.fonts import font_of
from core.errors import LotNotFoundError, SpaceNotFoundError
from core.settings import Settings
from core.tables import Lot, Space
from ops.asking import in_database
from ops.installation import Told, environment
from ops.labels import Label, address_of, labels_pdf
from ops.state import State

app = typer.Typer(no_args_is_help=True, help="Spaces: the labels with their codes.")

_out = Console(stderr=True, soft_wrap=True, highlight=False)


@app.callback()
def space() -> None:
    """Spaces: the labels with their codes."""


@app.command()
def labels(
    lot: Annotated[str, typer.Argument(help="The lot's code.")],
    out: Annotated[Path | None, typer.Argument(help="The PDF to write; LOT-labels.pdf by default.")] = None,
    *,
    url: Annotated[
        str | None, typer.Option(help="How phones reach this installation; PARKING_PUBLIC_URL by default.")
    ] = None,
) -> None:
    """The code labels of a lot's spaces as a PDF, eight on a sheet of A4, to be glued on posts."""
    address = url or os.environ.get("PARKING_PUBLIC_URL") or _running_url()
    found = asyncio.run(in_database(lambda db: _labels(db, lot)))
    secret_key = environment("command")["PARKING_SECRET_KEY"]
    pdf = labels_pdf(found, public_url=address, secret_key=secret_key, font=font_of(Settings().font_file))
    file = out or Path(f"{lot}-labels.pdf")
    file.write_bytes(pdf)
    _out.print(f"{len(found)} labels in {file}; their codes open {address}/s/…")
    if not address.startswith("https://"):
        _out.print("[yellow]phones reach that only from here: give the public address with --url https://…[/]")


@app.command()
def url(
    code: Annotated[str, typer.Argument(help="The space's code, as printed on it.")],
    *,
    public: Annotated[
        str | None, typer.Option("--url", help="How phones reach this installation; PARKING_PUBLIC_URL by default.")
    ] = None,
) -> None:
    """What the code on one space opens: the page with its running fee, where it is paid."""
    label = asyncio.run(in_database(lambda db: _label(db, code)))
    address = public or os.environ.get("PARKING_PUBLIC_URL") or _running_url()
    typer.echo(address_of(label, public_url=address, secret_key=environment("command")["PARKING_SECRET_KEY"]))


def _running_url() -> str:
    told = Told.find(State.find())
    settings = Settings()
    return told.api_url if told else f"http://{settings.host}:{settings.port}"


async def _labels(db: AsyncConnection, lot_code: str) -> list[Label]:
    lot = (await db.execute(select(Lot.id, Lot.name).where(Lot.code == lot_code))).first()
    if lot is None:
        codes = (await db.execute(select(Lot.code).where(Lot.source == "sensors").order_by(Lot.code))).scalars().all()
        raise LotNotFoundError(
            f"no lot has the code {lot_code!r}; there are {', '.join(codes) or 'none'}", lot_id=lot_code
        )
    spaces = select(Space.code).where(Space.lot_id == lot.id, Space.retired_at.is_(None)).order_by(Space.code)
    return [Label(space_code=code, lot_name=lot.name) for code in (await db.execute(spaces)).scalars()]


async def _label(db: AsyncConnection, space_code: str) -> Label:
    query = select(Lot.name).join(Space, Space.lot_id == Lot.id).where(Space.code == space_code)
    name = (await db.execute(query)).scalar_one_or_none()
    if name is None:
        raise SpaceNotFoundError(f"no space has the code {space_code!r}", space_code=space_code)
    return Label(space_code=space_code, lot_name=name)

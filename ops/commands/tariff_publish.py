"""``parking tariff import|list``: notices become versions in the database, from which stays are priced."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.published import Imported, Listed, list_notices, publish_next
from billing.publishing import FROM_EVER
from billing.tariff.read import TariffInvalidError
from core.audit import AuditEntry, write_audit
from ops.asking import in_database
from ops.notices import notice_bytes

app = typer.Typer()

_out = Console(soft_wrap=True, highlight=False)
_err = Console(stderr=True, soft_wrap=True, highlight=False)


@app.command("import")
def import_(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="JSON files, or ids of shipped notices.")],
) -> None:
    """Publish notices, each as the next version of its code; safe to repeat.

    Each is checked first. Where one is refused, its problems are told, each with the stay that shows it, and none is
    published.
    """
    documents = [(file, notice_bytes(file)) for file in files]
    imported = asyncio.run(in_database(lambda db: _import(db, documents)))
    for one in imported:
        _out.print(_told(one))
        if one.prices_the_past:
            _err.print(
                "  [yellow]it names no first day (valid_from): whatever is billed or corrected from now on is priced "
                "by it, also stays that began before[/]"
            )


@app.command("list")
def list_() -> None:
    """The published notices, their newest versions, and the lots that go by them."""
    grid = Table("code", "version", "in force", "name", "lots", title="price notices", title_justify="left")
    for listed in asyncio.run(in_database(list_notices)):
        newest = listed.newest
        grid.add_row(listed.code, str(newest.version), _validity(listed), newest.read().name.zh, _lots(listed.lots))
    Console().print(grid)


async def _import(db: AsyncConnection, documents: list[tuple[str, bytes]]) -> list[Imported]:
    """What became of each; where one is refused the command ends, and with it the transaction."""
    imported: list[Imported] = []
    for file, document in documents:
        try:
            one = await publish_next(db, document)
        except TariffInvalidError as error:
            _err.print(f"[bold red]{escape(file)}: {len(error.problems)} problems[/]")
            for problem in error.problems:
                _err.print(f"  {escape(str(problem))}")
            continue
        imported.append(one)
        if one.is_new:
            await write_audit(db, _entry(one))
    if len(imported) < len(documents):
        _err.print("nothing is published")
        raise typer.Exit(1)
    return imported


def _entry(one: Imported) -> AuditEntry:
    return AuditEntry(
        at=datetime.now(UTC),
        actor="command",
        action="tariff.published",
        subject=f"tariff:{one.tariff.code}",
        before=None if one.before is None else {"version": one.before},
        after={"version": one.tariff.version},
    )


def _told(one: Imported) -> str:
    name = f"[bold]{escape(one.tariff.code)}[/]"
    version = one.tariff.version
    if not one.is_new:
        newer = f"; version {one.before} is newer" if one.before != version else ""
        return f"{name}: published already as version {version}{newer}"
    renumbered = f" (the file says {one.asked_version}, which is taken)" if one.asked_version != version else ""
    since = f", in force from {one.tariff.valid_from}" if one.tariff.valid_from else ""
    follows = f", after version {one.before}" if one.before else ""
    return f"{name}: published as version {version}{renumbered}{follows}{since}"


def _validity(listed: Listed) -> str:
    newest = listed.newest
    zone = ZoneInfo(newest.read().zone)
    begins = "" if newest.valid_from == FROM_EVER else f"{newest.valid_from.astimezone(zone):%Y-%m-%d}"
    ends = f"{newest.valid_to.astimezone(zone):%Y-%m-%d}" if newest.valid_to else ""
    return f"{begins or '…'} – {ends or '…'}"


def _lots(codes: tuple[str, ...], most: int = 6) -> str:
    shown = ", ".join(codes[:most])
    return f"{shown} and {len(codes) - most} more" if len(codes) > most else shown or "none"

"""``parking ledger``: the proof that every fen is accounted for."""

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from billing.ledger.checking import Finding
from billing.ledger.digests import find_broken_seals, list_seals, seal_line
from core.db import Database
from core.tables import JournalDigest
from ops.installation import database_url, installation_clock
from ops.ledger import prove

app = typer.Typer(help="The books: double entry, insert-only, proved.")

_out = Console(soft_wrap=True)
_err = Console(stderr=True)


@app.command()
def check(
    *,
    bills: Annotated[
        int | None, typer.Option(min=0, help="Compute only so many of the newest bills again, not all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, for programs.")] = False,
) -> None:
    """Prove the twelve invariants of the books on this installation; exit status 1 when one is broken."""
    findings = asyncio.run(_prove(database_url(), bills))
    if as_json:
        typer.echo(json.dumps([_object(finding) for finding in findings], indent=2))
    else:
        _out.print(_table(findings))
        faults = sum(not finding.is_kept for finding in findings)
        _out.print(f"[bold red]{faults} broken[/]" if faults else "[green]every fen is accounted for[/]")
    raise typer.Exit(0 if all(finding.is_kept for finding in findings) else 1)


@app.command()
def digest(
    *,
    against: Annotated[
        Path | None, typer.Option(help="An output of this command that was kept: is it still so?", exists=True)
    ] = None,
) -> None:
    """Print the daily seals of the books, a line a day, to be kept elsewhere; exit status 1 when one is broken.

    Each is a SHA-256 over the seal before and every entry since: whoever kept a line can prove that nothing up to its
    day was touched.
    """
    seals, broken = asyncio.run(_seals(database_url()))
    lines = {line.partition(" ")[0]: line for line in map(seal_line, seals)}
    for line in lines.values():
        typer.echo(line)
    kept = against.read_text(encoding="utf-8").splitlines() if against else []
    other = [line.partition(" ")[0] for line in kept if line.strip() and lines.get(line.partition(" ")[0]) != line]
    for sealed_on in broken:
        _err.print(f"[red]{sealed_on}: the entries are not those that were sealed[/]")
    for day in other:
        _err.print(f"[red]{day}: another seal than the one that was kept[/]")
    if broken or other:
        raise typer.Exit(1)


async def _seals(url: str) -> tuple[list[JournalDigest], list[date]]:
    database = Database(url, pool_size=1, application="parking-ledger")
    try:
        async with database.transaction() as db:
            return await list_seals(db), await find_broken_seals(db)
    finally:
        await database.close()


async def _prove(url: str, bills: int | None) -> list[Finding]:
    database = Database(url, pool_size=1, application="parking-ledger")
    with Console(stderr=True).status("proving"):
        try:
            return await prove(database, installation_clock(), bills=bills)
        finally:
            await database.close()


def _object(finding: Finding) -> dict[str, object]:
    return {
        "invariant": finding.number,
        "holds": finding.holds,
        "kept": finding.is_kept,
        "broken_by": finding.count,
        "first": [{"what": one.what, "why": one.why} for one in finding.offences],
    }


def _table(findings: list[Finding]) -> Table:
    table = Table("", "what always holds", "")
    for finding in findings:
        table.add_row(finding.number, finding.holds, "[green]yes[/]" if finding.is_kept else f"[red]{finding.count}[/]")
        for offence in finding.offences:
            table.add_row("", f"[red]  {offence.what}: {offence.why}[/]", "")
    return table

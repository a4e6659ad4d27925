"""``parking ledger``: the proof that every fen is accounted for."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from billing.ledger.checking import Finding
from core.db import Database
from ops.installation import database_url, installation_clock
from ops.ledger import prove

app = typer.Typer(help="The books: double entry, insert-only, proved.")

_out = Console(soft_wrap=True)


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

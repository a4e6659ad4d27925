"""`parking doctor`: what is wrong with this installation, and the cure. Changes nothing."""

from collections.abc import Iterable, Iterator

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.checks.finding import Finding, Verdict, fail, ok
from ops.checks.installation import check_installation
from ops.checks.live import check_services
from ops.checks.machine import check_machine
from ops.checks.payments import check_payments
from ops.installation import find_endpoints
from ops.state import InstallationError, State

app = typer.Typer(help="What is wrong with this installation, and the cure.")

_COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


@app.command()
def doctor() -> None:
    """Look at the machine, the installation and the running services; exit status 1 if something will not work."""
    findings = list(examine(State.find()))
    show(findings, Console())
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        raise typer.Exit(1)


def examine(state: State) -> Iterator[Finding]:
    """Every finding, from the machine up to what runs on it."""
    yield from check_machine()
    yield from check_installation(state)
    yield from check_payments(state)
    try:
        endpoints = find_endpoints(state)
    except InstallationError as stop:
        yield fail("services", stop.what, stop.cure)
        return
    if endpoints:
        yield from check_services(endpoints)
    else:
        yield ok("services", "not running; ./parking up or ./parking demo starts them")


def show(findings: Iterable[Finding], console: Console) -> None:
    """A line a finding, its cure below it."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        colour = _COLOURS[finding.verdict]
        words = Text(finding.found)
        if finding.cure:
            words.append(f"\n-> {finding.cure}", style=colour)
        table.add_row(Text(finding.verdict.value, style=colour), Text(finding.what), words)
    console.print(table)

"""``parking verify``: is what was stored what really happened?"""

import asyncio
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from core.errors import InvalidError
from core.money import yuan_text
from ops.installation import database_url
from ops.notices import language
from ops.progress import progress_bar
from ops.report.verify_html import verify_html
from ops.state import State
from ops.verify import Difference, People, Report, Why, installation_name
from ops.verify import verify as verify_truth

app = typer.Typer(add_completion=False)

MOST_SHOWN = 40
_MOST_EVIDENT = 5
"""Of differences that nobody could have known better, where there are no others."""


@app.command(name="verify")
def verify(
    truth: Annotated[
        Path | None, typer.Argument(help="The simulator's truth file; unset: the newest in the state folder.")
    ] = None,
    wait: Annotated[float, typer.Option(min=0, help="Real seconds to let ingest and billing catch up.")] = 90.0,
    *,
    drivers: Annotated[
        Path | None,
        typer.Option(help="Where people tell what they paid; unset: demo-drivers.jsonl for demo-truth.jsonl."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="And there with charts, to be printed.", dir_okay=False)] = None,
    lang: Annotated[str, typer.Option("--lang", help="Of the HTML file: zh or en.")] = "zh",
    as_json: Annotated[bool, typer.Option("--json", help="The whole report as JSON on stdout.")] = False,
    show_all: Annotated[bool, typer.Option("--all", help=f"List all differences, not the first {MOST_SHOWN}.")] = False,
) -> None:
    """Compare sessions and fees in the database with a simulator's truth; exit status 1 where something is wrong.

    Every true stay must have exactly one session with its begin and end to the millisecond, ended ones a bill of the
    fee that the simulator walked by itself, and every reading must be stored exactly once. Where readings were lost or
    wrong, a session must be what the readings prove, and nobody may be charged beyond that.
    """
    chosen = language(lang)
    state = State.find()
    path = truth or _newest(state)
    with progress_bar() as progress:
        bar = progress.add_task("waiting for the database", total=None)

        def show(report: Report) -> None:
            different = f", {len(report.differences)} differences" if report.differences else ""
            progress.update(
                bar,
                total=report.stays,
                completed=report.equal,
                description=f"stays equal until {report.until}{different}",
            )

        report = asyncio.run(
            verify_truth(
                database_url(),
                path,
                installation=installation_name(state),
                people=_people(path, drivers),
                wait_seconds=wait,
                progress=show,
            )
        )
    if html is not None:
        html.write_text(verify_html(report, lang=chosen), encoding="utf-8")
    if as_json:
        typer.echo(_json(report))
    else:
        _print(report, Console(), len(report.differences) if show_all else MOST_SHOWN)
    if not report.is_right:
        raise typer.Exit(1)


def _people(truth: Path, drivers: Path | None) -> People | None:
    """Those of the truth (``demo-drivers.jsonl`` beside ``demo-truth.jsonl``), unless another file is named."""
    beside = truth.with_name(truth.name.replace("truth", "drivers"))
    path = drivers or (beside if beside != truth and beside.exists() else None)
    return None if path is None else People(drivers=path, orders=truth.with_suffix(".orders.jsonl"))


def _newest(state: State) -> Path:
    found = sorted(state.root.glob("*truth.jsonl"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise InvalidError(f"there is no truth file in {state.root}: name one, or start `parking simulate`")
    return found[-1]


def _json(report: Report) -> str:
    told = asdict(report) | {"is_equal": report.is_equal, "is_right": report.is_right, "counts": dict(report.counts())}
    return msgspec.json.format(msgspec.json.encode(told), indent=1).decode()


def _print(report: Report, console: Console, most: int) -> None:
    console.print(_summary(report))
    if report.is_equal:
        console.print("[bold green]Everything is as it really was.[/]")
        return
    print_by_fault(report, console)
    wrong = report.wrong() if report.readings_told else report.differences
    evident = [one for one in report.differences if one.is_evident]
    for why, number in sorted(Counter(one.why for one in wrong).items()):
        console.print(f"[bold red]{number}[/] {why}")
    shown = [*wrong, *evident][:most] if wrong else evident[:_MOST_EVIDENT]
    for difference in shown:
        console.print(_line(difference), highlight=False, soft_wrap=True)
    if len(report.differences) > len(shown):
        console.print(f"  … and {len(report.differences) - len(shown)} more (--all shows them)")
    if report.is_right:
        console.print(
            "[bold green]Everything is as it really was or, where no reading could say that, as the readings prove; "
            "nothing is charged beyond them.[/]"
        )


def _summary(report: Report) -> Table:
    table = Table(title=f"until {report.until}", title_justify="left", show_header=False, box=None)
    ended = report.stays - report.still_there
    table.add_row("stays", f"{report.stays:,} ({ended:,} ended, {report.still_there:,} still there)")
    table.add_row("equal to the millisecond and the fen", f"{report.equal:,}")
    if report.readings_told:
        wrong = report.stays - report.equal - report.evident
        table.add_row("not so, but as the readings prove", f"{report.evident:,}")
        table.add_row("neither", f"[bold red]{wrong:,}[/]" if wrong else "0")
    table.add_row(
        "fees compared",
        f"{report.fees_compared:,}: true {yuan_text(report.true_fen)}, billed {yuan_text(report.billed_fen)}; "
        f"{report.fees.right:,} right, {report.fees.under:,} under, {report.fees.over:,} over",
    )
    if report.readings_told:
        beyond_fen = sum(one.apart_fen for one in report.differences if one.why is Why.BEYOND)
        table.add_row(
            "charged beyond the evidence", f"[bold red]{yuan_text(beyond_fen)}[/]" if beyond_fen else "nothing"
        )
    if report.fees_reduced:
        table.add_row("fees left out", f"{report.fees_reduced:,}, reduced by a pass, an exemption or a coupon")
    if report.payments is not None:
        paid = report.payments
        table.add_row("payments", f"{paid.told:,} that people made, {yuan_text(paid.told_fen)}")
        for way in paid.ways:
            stored = "all stored and booked" if way.stored_fen == way.told_fen else yuan_text(way.stored_fen)
            table.add_row(f"  {way.way}", f"{way.told:,}, {yuan_text(way.told_fen)}: {stored}")
        others = [f"{paid.cut_off:,} cut off"] if paid.cut_off else []
        others += [f"{paid.visitors:,} by visitors"] if paid.visitors else []
        if others:
            table.add_row("  beside them", ", ".join(others))
        books = f"[bold red]{' '.join(paid.broken)} broken[/]" if paid.broken else "every invariant holds"
        table.add_row("books", f"{yuan_text(paid.received_fen)} received, {yuan_text(paid.due_fen)} due; {books}")
    table.add_row(
        "readings",
        f"{report.readings_sent:,} sent, {report.readings_stored:,} stored; "
        f"{report.repeated:,} were sent twice, {report.late:,} late, {report.lost:,} lost on purpose",
    )
    return table


def _line(difference: Difference) -> str:
    where = f"{difference.space} at {difference.entered_at}: " if difference.space else ""
    style, more = ("dim", " (as the readings prove)") if difference.is_evident else ("red", "")
    return f"  [{style}]{difference.why}[/] {where}{difference.detail}{more}"


def print_by_fault(report: Report, console: Console) -> None:
    """How right the stored is where something went wrong on purpose."""
    if not report.by_fault:
        return
    told = report.readings_told
    heads = ("fault", "stays", "equal", "", *(("proved", "neither") if told else ()), "true", "billed")
    table = Table(title="accuracy by fault", title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
    for head in heads:
        table.add_column(head, justify="left" if head == "fault" else "right", no_wrap=True)
    for one in report.by_fault:
        counts = [f"{one.stays:,}", f"{one.equal:,}", f"{one.share:.1%}"]
        counts += [f"{one.evident:,}", f"{one.wrong:,}"] if told else []
        table.add_row(one.fault, *counts, yuan_text(one.true_fen), yuan_text(one.billed_fen))
    console.print(table)
    if report.is_explained and not told:
        console.print("[green]Each stay that differs was touched by a fault.[/]")
    elif not report.is_explained:
        excuse = "the readings do not prove" if told else "no fault explains"
        console.print(f"[bold red]{report.unexplained} differences that {excuse}[/]")

"""``parking city``: draw a city from a description or make one of any size, check a city file, import it."""

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from billing import notices
from core.city import Problem, parse_city
from core.db import Database
from core.errors import InvalidError, UnavailableError
from core.settings import Settings
from ingest.vendors import CODECS
from ops.city import CityRefusedError, Counts, ImportReport, Progress, import_city
from ops.installation import database_url, without_password
from simulator.cities import DEMO_CITY, draw_city, write_grid
from simulator.cities.svg import draw_svg

app = typer.Typer(help="Draw a city, make one of any size, check a city file, import it.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="A city file (GeoJSON).")]
All = Annotated[bool, typer.Option("--all", help="Show every problem, not the first fifty.")]

_SHOWN = 50
_UNDEFINED_TABLE = "42P01"

_out = Console(soft_wrap=True)
_err = Console(stderr=True, soft_wrap=True)


@app.command()
def draw(
    description: Annotated[
        Path, typer.Argument(help="A description (TOML), or `xinchang` for the shipped one.")
    ] = DEMO_CITY,
    out: Annotated[Path | None, typer.Option("--out", help="Write there instead of to stdout.")] = None,
    svg: Annotated[bool, typer.Option("--svg", help="A picture to look at instead of the city file.")] = False,
    grids: Annotated[bool, typer.Option("--grids", help="With --svg: the outlines of grids too.")] = False,
) -> None:
    """A city file, or its picture, from a description. docs/city-file.md tells how to write one."""
    city = draw_city(DEMO_CITY if str(description) == DEMO_CITY.stem else description)
    drawn = draw_svg(city, grids=grids) if svg else json.dumps(city, ensure_ascii=False, separators=(",", ":"))
    if out is None:
        typer.echo(drawn)
        return
    try:
        out.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise InvalidError(f"{out} cannot be written: {error.strerror}") from error
    spaces = sum(feature["properties"]["kind"] == "space" for feature in city["features"])
    _err.print(f"{out}: {spaces} spaces", highlight=False)


@app.command()
def make(
    *,
    spaces: Annotated[int, typer.Option(min=1, max=2_000_000, help="How many, fifty to a car park.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The city file to write.")],
    seed: Annotated[int, typer.Option(help="Decides whom spaces are marked for.")] = 1,
    mixed: Annotated[bool, typer.Option("--mixed", help="One lot in four has sensors of another make.")] = False,
) -> None:
    """A city of any size as a plain grid of car parks: for measurements, not for looking at."""
    try:
        with out.open("w", encoding="utf-8") as file:
            write_grid(spaces, file, seed, mixed=mixed)
    except OSError as error:
        raise InvalidError(f"{out} cannot be written: {error.strerror}") from error
    _err.print(f"{out}: {spaces} spaces, {out.stat().st_size / 1_000_000:.1f} MB", highlight=False)


@app.command()
def check(file: File, show_all: All = False) -> None:
    """Whether a city file can be imported, without a database. Exit status 1 if not."""
    parsed = parse_city(_read(file), tariffs=notices.shipped(), codecs=CODECS)
    _show_problems(parsed.warnings, show_all=show_all)
    if parsed.city is None:
        _show_problems(parsed.errors, show_all=show_all)
        _err.print(f"[bold red]{file.name}: {len(parsed.errors)} errors[/]", highlight=False)
        raise typer.Exit(1)
    city = parsed.city
    _out.print(
        f"{file.name} is right: {len(city.lots)} lots, {len(city.spaces)} spaces, {len(city.areas)} areas, "
        f"{len(city.contexts)} lines and surfaces",
        highlight=False,
    )


@app.command("import")
def import_(file: File, show_all: All = False) -> None:
    """Make the city of this installation that of a file; safe to repeat. On any error nothing is changed."""
    source, settings, url = _read(file), Settings(), database_url()

    async def run() -> ImportReport:
        database = Database(url, application="parking city import")
        try:
            with _progress() as progress:
                return await import_city(
                    database, source, now=settings.the_clock.now(), zone=settings.zone, progress=progress
                )
        finally:
            await database.close()

    try:
        report = asyncio.run(run())
    except CityRefusedError as error:
        _show_problems(error.problems, show_all=show_all)
        _err.print(
            f"[bold red]{file.name} is refused: {len(error.problems)} errors, nothing was changed[/]", highlight=False
        )
        raise typer.Exit(1) from error
    except (DBAPIError, OSError) as error:
        raise _database_error(error, url) from error
    _show_problems(report.warnings, show_all=show_all)
    _show_report(report, file)


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidError(f"{file} cannot be read: {error.strerror}") from error


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar for each thing being done; nothing where stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ProgressBar(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bars:
        tasks = {}

        def show(doing: str, done: int, total: int) -> None:
            if doing not in tasks:
                tasks[doing] = bars.add_task(doing, total=total)
            bars.update(tasks[doing], completed=done, total=total)

        yield show


def _show_problems(problems: Sequence[Problem], *, show_all: bool) -> None:
    """Each with its place, why and what helps; the first fifty of many."""
    shown = problems if show_all else problems[:_SHOWN]
    for problem in shown:
        mark = "[yellow]warning[/]" if problem.is_warning else "[red]error[/]"
        _err.print(f"{mark} {escape(problem.where)}: {escape(problem.why)} \\[{problem.slug}]", highlight=False)
        _err.print(f"      {escape(problem.cure)}", highlight=False, style="dim")
    if len(shown) < len(problems):
        _err.print(f"... and {len(problems) - len(shown)} more; --all shows them", highlight=False)


def _show_report(report: ImportReport, file: Path) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for heading in ("added", "changed", "retired", "unchanged"):
        table.add_column(heading, justify="right")
    for name, counts in _counted(report):
        numbers = (counts.added, counts.changed, counts.retired, counts.unchanged)
        table.add_row(name, *(str(number) if number else "-" for number in numbers))
    _out.print(table)
    if report.contexts is not None:
        _out.print(f"{report.contexts} lines and surfaces are drawn under the map", highlight=False)
    for tariff in report.tariffs:
        _out.print(f"published the shipped price notice {tariff}, which a lot names", highlight=False)
    city = f" of {report.city}" if report.city else ""
    _out.print(f"imported {escape(file.name)}{city} in {report.took_seconds:.1f} s", highlight=False)


def _counted(report: ImportReport) -> list[tuple[str, Counts]]:
    return [
        ("areas", report.areas),
        ("lots", report.lots),
        ("spaces", report.spaces),
        ("sensors", report.sensors),
        ("assignments", report.assignments),
    ]


def _database_error(error: DBAPIError | OSError, url: str) -> UnavailableError:
    """What a person can do about a database that does not answer, or not as expected."""
    where = without_password(url)
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _UNDEFINED_TABLE:
        return UnavailableError(f"the database {where} has no tables yet: run `parking db upgrade`")
    reason = error.orig if isinstance(error, DBAPIError) else error
    return UnavailableError(f"the database {where} refused the import, nothing was changed: {reason}")

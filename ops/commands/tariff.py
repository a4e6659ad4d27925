"""`parking tariff`: price a stay by a notice, check a notice, show its price table; these need no database."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from billing.fee import fee_object
from billing.phrases import minutes_text
from billing.pricing import quote
from billing.tariff.check import check as check_document
from billing.tariff.read import TariffInvalidError, read_document
from billing.tariff.table import section_title
from billing.tariff.table import table as tariff_table
from billing.tariff.words import vehicle_text
from core.errors import InvalidError
from core.money import yuan_text
from core.stay import Stay, VehicleClass
from ops.commands import tariff_preview, tariff_publish
from ops.notices import language, load_notice, notice_bytes

app = typer.Typer(help="Price notices: tried out, checked, published.", no_args_is_help=True)
app.add_typer(tariff_publish.app)
app.add_typer(tariff_preview.app)

EARLIEST_YEAR, LATEST_YEAR = 1900, 2199

File = Annotated[str, typer.Argument(help="A notice's JSON file, or the id of a shipped one.")]
Language = Annotated[str, typer.Option("--lang", help="zh or en.")]


@app.command()
def price(  # noqa: PLR0917 - typer makes options of them
    file: File,
    entry: Annotated[str, typer.Option(help="Arrival, ISO 8601; without an offset in the tariff's zone.")],
    leave: Annotated[str, typer.Option("--exit", help="Departure, likewise.")],
    vehicle: Annotated[str | None, typer.Option(help="small, large, motorcycle, small-nev, ...")] = None,
    history: Annotated[
        Path | None, typer.Option(help='Earlier stays of the plate: a JSON list of {"entry", "exit"}, oldest first.')
    ] = None,
    lang: Language = "zh",
) -> None:
    """The fee of one stay as JSON, line by line, and when it next rises."""
    tariff = load_notice(file)
    stay = _stay(entry, leave, tariff.zone)
    fee = quote(
        tariff,
        stay,
        zone=tariff.zone,
        vehicle=VehicleClass(vehicle) if vehicle else None,
        history=_history(history, tariff.zone) if history else (),
    )
    typer.echo(json.dumps(fee_object(fee, language(lang)), ensure_ascii=False, indent=2))


@app.command()
def check(file: File) -> None:
    """Everything that is wrong with a notice, with the stay that shows it; exit status 1 where there is anything."""
    try:
        problems = check_document(read_document(notice_bytes(file)))
    except TariffInvalidError as error:
        problems = error.problems
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{file}: nothing is wrong with this notice")


@app.command()
def table(file: File, lang: Language = "zh") -> None:
    """The worked examples that a notice board would show."""
    board = tariff_table(load_notice(file))
    chosen = language(lang)
    console = Console()
    console.print(board.tariff.document.name.zh if chosen == "zh" else board.tariff.document.name.en, style="bold")
    for sentence in board.tariff.summary(chosen):
        console.print(f"  {sentence}", highlight=False)
    for section in board.sections:
        grid = Table(title=section_title(board, section, chosen), title_justify="left")
        grid.add_column()
        for vehicle in board.vehicles:
            grid.add_column(vehicle_text(board.tariff.document, vehicle, chosen), justify="right")
        for example in section.examples:
            fees = [yuan_text(fee, board.tariff.currency) for fee in example.fees]
            grid.add_row(minutes_text(example.minutes, chosen), *fees)
        console.print(grid)


def _stay(entry: str, leave: str, zone: ZoneInfo) -> Stay:
    return Stay(entered_at=_instant(entry, zone), left_at=_instant(leave, zone))


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidError(f"{text!r} is no instant: write it like 2026-03-10T09:00 or 2026-03-10T01:00:00Z") from error
    if not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise InvalidError(f"{text!r} lies outside the years {EARLIEST_YEAR} to {LATEST_YEAR}")
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _history(path: Path, zone: ZoneInfo) -> list[Stay]:
    try:
        stays: Any = json.loads(path.read_bytes())
        if not isinstance(stays, list):
            raise InvalidError(f'the history {path} is no JSON list of {{"entry", "exit"}}')
        return [_stay(stay["entry"], stay["exit"], zone) for stay in stays]
    except OSError as error:
        raise InvalidError(f"the history {path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidError(f'the history {path} is no JSON list of {{"entry", "exit"}}: {error}') from error

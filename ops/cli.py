"""``parking``: one command line for everything; each command's module is loaded only when it is called."""

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final, NoReturn

import structlog
import typer
from rich.console import Console
from rich.markup import escape

from core.errors import ParkingError

COMMANDS: Final = {
    "demo": ("run", "The whole county on this machine, live on a map; Ctrl-C stops all of it"),
    "up": ("run", "The embedded services and all processes but the simulator, until Ctrl-C"),
    "env": ("env", "The running installation's settings as shell lines"),
    "test": ("test", "Every check of the project, ending in pytest's summary"),
    "doctor": ("doctor", "What is wrong with this installation, and the cure"),
    "city": ("city", "Draw, check and import a city file"),
    "tariff": ("tariff", "Price stays, check and print price notices, import them"),
    "exempt": ("exempt", "Vehicles that pay nothing"),
    "pass": ("pass_", "Passes: time paid for in advance"),
    "coupon": ("coupon", "Coupons and merchants' validations"),
    "plate": ("plate", "The keys that seal plates, and moving everything to a newer one"),
    "arrears": ("arrears", "What is owed for longer than the grace, and what is given up"),
    "report": ("report", "What was parked, known, billed and collected"),
    "hold": ("hold", "Bills that wait for a person, and what makes them wait"),
    "calendar": ("calendar", "Working days, holidays, and free days by decree"),
    "explain": ("explain", "Why a session is what it is and costs what it costs"),
    "decode": ("decode", "What a sensor's payload says"),
    "export": ("export", "Sessions, bills, readings and the journal as CSV or JSON"),
    "ledger": ("ledger", "The proof that every fen is accounted for"),
    "backup": ("backup", "Everything the database knows, in one file"),
    "restore": ("backup", "Read a backup back into an empty database"),
    "close": ("close", "Hold a day's journal, orders and providers' bills against each other"),
    "simulate": ("simulate", "A city of sensors, with the truth written down"),
    "gateway": ("gateway", "WeChat Pay and Alipay, simulated, with a page to pay by clicking"),
    "verify": ("verify", "Compare sessions and fees with a simulator's truth"),
    "record": ("record", "Keep the raw traffic of an installation in a file"),
    "replay": ("replay", "Decode stored messages again, or play a recorded FILE into an empty installation"),
    "bench": ("bench", "Measure: every figure beside its limit, taken in the same run"),
    "db": ("db", "Bring the database to this version's schema"),
    "user": ("user", "People who may log in"),
    "broker": ("broker", "Users of the broker for sensors, gateways and platforms"),
    "sensor": ("sensor", "Sensors: how they are doing, what they watch; swap, adopt, import"),
    "space": ("space", "Spaces: the labels with their codes"),
    "kiosk": ("kiosk", "Keys of payment kiosks"),
    "ingest": ("process", "Process: broker to database"),
    "worker": ("process", "Process: bills, sweeps, watches"),
    "api": ("process", "Process: HTTP, live stream, pages"),
}
"""Command -> the module of ``ops.commands`` that has it, and its line in the overview."""


def build(command: str | None) -> typer.Typer:
    """The command line with ``command`` loaded; for any other word an overview of names and lines."""
    app = typer.Typer(
        name="parking",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(parking)
    if command in COMMANDS:
        loaded: typer.Typer = import_module(f"ops.commands.{COMMANDS[command][0]}").app
        names = {info.name or getattr(info.callback, "__name__", "") for info in loaded.registered_commands}
        is_group = command not in names
        app.add_typer(loaded, name=command if is_group else None)
        return app
    for name, (_, line) in COMMANDS.items():
        app.command(name, help=line)(_not_loaded)
    return app


def parking(
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            envvar="PARKING_STATE_DIR",
            help="Another installation's folder; two of them share nothing.",
        ),
    ] = None,
) -> None:
    """A county's parking on one map: sensors to sessions to explainable fees.

    New here? `parking demo` shows all of it. Something wrong? `parking doctor` names the cure.
    """
    if state is not None:
        os.environ["PARKING_STATE_DIR"] = str(state)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; what the system refuses on purpose is one message, not a traceback."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))  # processes set their own
    words = _state_first(list(sys.argv[1:] if arguments is None else arguments))
    command = next((word for word in _without_state(words) if not word.startswith("-")), None)
    try:
        build(command)(args=words, prog_name="parking")
    except ParkingError as error:
        _refuse(type(error).slug, error.message)
    except _out_of_reach() as error:
        _refuse("out-of-reach", f"{type(error).__name__}: {error}. `parking doctor` looks for the cause.")


def _refuse(slug: str, message: str) -> NoReturn:
    Console(stderr=True).print(f"[bold red]{slug}[/]: {escape(message)}", highlight=False)
    sys.exit(1)


def _out_of_reach() -> tuple[type[Exception], ...]:
    """How a database, a broker or a file says that it cannot be had; asked when something was raised."""
    driver = sys.modules.get("asyncpg")  # not loaded: it has raised nothing
    if driver is None:
        return (OSError,)
    return (
        OSError,
        driver.CannotConnectNowError,
        driver.InvalidAuthorizationSpecificationError,
        driver.InvalidCatalogNameError,
        driver.TooManyConnectionsError,
    )


def _not_loaded() -> None:
    """Stand in for a command in the overview; what is called is loaded instead."""


def _state_first(words: list[str]) -> list[str]:
    """``--state DIR`` is understood behind the command too."""
    for index, word in enumerate(words):
        if word == "--":
            break
        if word.startswith("--state="):
            return [word, *words[:index], *words[index + 1 :]]
        if word == "--state" and index + 1 < len(words):
            return [*words[index : index + 2], *words[:index], *words[index + 2 :]]
    return words


def _without_state(words: list[str]) -> list[str]:
    return words[2:] if words[:1] == ["--state"] else words


if __name__ == "__main__":
    main()

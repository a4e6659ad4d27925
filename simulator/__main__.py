"""The simulator process: ``python -m simulator --help``."""

import sys

import typer

from core.errors import ParkingError
from simulator.command import simulate

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(simulate)


def main() -> None:
    """Run; what is refused on purpose is one line, not a traceback."""
    try:
        app(prog_name="python -m simulator")
    except ParkingError as error:
        sys.stderr.write(f"{type(error).slug}: {error.message}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()

"""The gateway process: ``python -m simulator.gateway --help``."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn
from pydantic import ValidationError

from core.errors import InvalidError, ParkingError
from core.logs import configure_logging
from core.settings import Settings
from simulator.gateway.app import create_app
from simulator.gateway.faults import Script
from simulator.gateway.parts import DATABASE, Gateway

log = structlog.get_logger()

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve(
    *,
    folder: Annotated[Path, typer.Option(help="Its keys and its money; made if there is none.", file_okay=False)],
    port: Annotated[int, typer.Option(min=1, max=65_535, help="On loopback.")],
    book: Annotated[str, typer.Option(help="The file in the folder that remembers what was collected.")] = DATABASE,
    script: Annotated[
        Path | None, typer.Option(help="A script of faults, JSON; /control/script changes it.", exists=True)
    ] = None,
) -> None:
    """WeChat Pay and Alipay, simulated: real protocols, real signatures, no real money. Until Ctrl-C."""
    configure_logging("gateway", json=Settings().log_json)
    gateway = Gateway.open(folder, f"http://127.0.0.1:{port}", read_script(script) if script else None, book=book)
    log.info("gateway.started", url=gateway.url)
    config = uvicorn.Config(
        create_app(gateway), host="127.0.0.1", port=port, access_log=False, log_level="critical", server_header=False,
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    with contextlib.suppress(KeyboardInterrupt):  # raised once more after everything has ended well
        uvicorn.Server(config).run()
    log.info("gateway.stopped")


def read_script(path: Path) -> Script:
    """A script from a file.

    Raises:
        InvalidError: it is none; names the first thing that is wrong.
    """
    try:
        return Script.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidError(f"{path}: {where}: {first['msg']}") from error


def main() -> None:
    """Run; what is refused on purpose is one line, not a traceback."""
    try:
        app(prog_name="python -m simulator.gateway")
    except ParkingError as error:
        sys.stderr.write(f"{type(error).slug}: {error.message}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()

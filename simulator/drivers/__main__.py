"""The drivers' process: ``python -m simulator.drivers --help``."""

import json
import os
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import structlog
import typer

from core.errors import InvalidError, ParkingError
from core.logs import configure_logging
from core.settings import Settings
from simulator.drivers.habits import shares_of
from simulator.drivers.kiosk import Kiosk
from simulator.drivers.paying import Drivers
from simulator.drivers.seeking import SHARE, Seekers
from simulator.drivers.told import DriversHeader, Told
from simulator.drivers.wardens import Warden
from simulator.scenarios import load_scenario

log = structlog.get_logger()

KIOSK_KEY: Final = "PARKING_KIOSK_KEY"
WARDEN: Final = "PARKING_WARDEN_LOGIN"
WARDEN_PASSWORD: Final = "PARKING_WARDEN_PASSWORD"  # noqa: S105 - the variable's name
"""Secrets, so the environment alone says them."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def drive(
    *,
    api_url: Annotated[str, typer.Option(help="The api that phones call.", envvar="PARKING_API_URL")],
    codes: Annotated[Path, typer.Option(help="What is printed beside each space: a JSON object, code to token.")],
    seed: Annotated[int, typer.Option(help="Another seed is other drivers.")] = 1,
    scenario: Annotated[
        str | None, typer.Option(help="A day whose drivers these are: a shipped scenario, or a file.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Where every payment is written; unset: nowhere.", dir_okay=False)
    ] = None,
    orders_url: Annotated[
        str | None,
        typer.Option(help="The simulator's door, for those who choose a space by the map."),
    ] = None,
    by_map: Annotated[
        float | None,
        typer.Option(
            help="For each vehicle that comes by itself, so many more; unset: the scenario's, or 0.02.", min=0, max=1
        ),
    ] = None,
    installation: Annotated[str, typer.Option(help="Written into that file.", envvar="PARKING_INSTALLATION")] = "",
) -> None:
    """Drivers who look at the streets and pay: before leaving, afterwards, from two phones, or never. Until Ctrl-C."""
    settings = Settings()
    configure_logging("drivers", json=settings.log_json)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    played = load_scenario(scenario) if scenario else None
    header = DriversHeader(installation=installation, seed=seed, scenario=played.label if played else "")
    clock = settings.the_clock
    kiosk_key, login, password = (os.environ.get(name) for name in (KIOSK_KEY, WARDEN, WARDEN_PASSWORD))
    with Told(truth, header) as told, ExitStack() as closing:
        kiosk = warden = seekers = None
        if kiosk_key:
            kiosk = Kiosk(api_url, kiosk_key)
            closing.callback(kiosk.close)
        if login and password:
            warden = Warden(api_url, login, password, clock=clock, told=told, seed=seed)
            closing.callback(warden.close)
        if orders_url:
            share = next((said for said in (by_map, played.by_map if played else None) if said is not None), SHARE)
            seekers = Seekers(api_url, orders_url, share=share, seed=seed)
            closing.callback(seekers.close)
        drivers = Drivers(
            api_url,
            read_codes(codes),
            clock=clock,
            seed=seed,
            told=told,
            zone=settings.zone,
            shares=shares_of(played.paying if played else {}),
            kiosk=kiosk,
            warden=warden,
            seekers=seekers,
        )
        log.info("drivers.began", seed=seed, speed=clock.speed, kiosk=kiosk is not None, warden=login)
        drivers.run(stopping)
    log.info("drivers.ended", **drivers.figures())


def read_codes(path: Path) -> dict[str, str]:
    """The printed tokens by space.

    Raises:
        InvalidError: the file is missing or is no such object.
    """
    try:
        found: Any = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidError(f"{path} holds no printed codes: {error}") from error
    if not isinstance(found, dict):
        raise InvalidError(f"{path} holds no object of space codes and tokens")
    return {str(space): str(token) for space, token in found.items()}


def main() -> None:
    """Run; what is refused on purpose is one line, not a traceback."""
    try:
        app(prog_name="python -m simulator.drivers")
    except ParkingError as error:
        sys.stderr.write(f"{type(error).slug}: {error.message}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()

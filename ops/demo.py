"""The demo: a whole simulated county on the real system, with a line that tells how it is doing."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from rich.console import Console
from rich.live import Live
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from core.clock import Clock, RealClock, RushingClock, began_ms, instant
from core.db import Database
from core.settings import Settings
from core.tokens import space_token
from ops.chaos import Chaos
from ops.city import import_city
from ops.device_keys import DeviceKind, add_key
from ops.figures import FigureReader, read_status
from ops.installation import environment
from ops.on_sale import put_on_sale
from ops.people import admit_people
from ops.running import Installation
from ops.scenario import publish_prices
from ops.state import write_whole
from ops.summary import Summary, fetch_summary
from ops.verify import Promise, PromiseWatch, Report, installation_name, verify
from ops.visitors import Visitors
from simulator.cities import demo_city
from simulator.orders import orders_file
from simulator.scenarios import Scenario

DATABASE: Final = "parking_demo"
"""The demo has a database of its own beside the installation's, begun afresh each time."""
LINE_SECONDS: Final = 1.0
PLAIN_LINE_SECONDS: Final = 10.0
"""How often the line is repeated where it cannot be replaced in place."""
LOOK_SECONDS: Final = 5.0
"""Between two looks at whether the promise is kept."""
SETTLE_SECONDS: Final = 120.0


def put_city(installation: Installation) -> str:
    """Draw the demo city and import it, with passes on sale; the key with which its counters call."""
    settings = Settings()

    async def run() -> str:
        database = Database(installation.database_url)
        await import_city(database, demo_city(), now=installation.clock.now(), zone=settings.zone)
        async with database.transaction() as db:
            _, key = await add_key(db, "counters of the demo city", DeviceKind.UPLINK)
            await put_on_sale(db)
        await database.close()
        return key

    return asyncio.run(run())


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """The simulator beside an installation: where it writes what is true and how it is doing."""

    truth: Path
    status: Path

    @property
    def orders(self) -> Path:
        """Where it keeps who parked by the map."""
        return orders_file(self.truth)


def start_simulator(
    installation: Installation,
    *,
    seed: int | None,
    history: str | None,
    counters_key: str,
    scenario: str | None = None,
) -> Simulated:
    """Start the county's life, with some hours of history; what is not said is as in the scenario, or as ordinary."""
    simulated = Simulated(
        truth=installation.state.root / "demo-truth.jsonl", status=installation.state.run / "simulator-status.json"
    )
    simulated.truth.unlink(missing_ok=True)
    simulated.orders.unlink(missing_ok=True)
    simulated.status.unlink(missing_ok=True)
    said = {"--seed": seed, "--history": history, "--scenario": scenario, "--orders-port": installation.orders_port}
    arguments = ["simulator", *_options(said)]
    arguments += ["--truth", str(simulated.truth), "--status-file", str(simulated.status)]
    arguments += ["--installation", installation_name(installation.state)]
    settings = {**environment("simulate", installation.endpoints), "PARKING_CLOCK": str(installation.clock)}
    settings["PARKING_MQTT_URL"] = installation.endpoints.mqtt_tester_url
    settings |= {"PARKING_API_URL": installation.api_url, "PARKING_UPLINK_KEY": counters_key}
    installation.supervisor.add("simulator", arguments, settings)
    return simulated


def start_drivers(installation: Installation, *, seed: int, scenario: str | None = None) -> Path:
    """Start the people: they know what is printed on the spaces, and nothing else of ours; where they tell of payments.

    One of them is a warden with a login, and one kiosk stands in the street.
    """
    truth = installation.state.root / "demo-drivers.jsonl"
    truth.unlink(missing_ok=True)
    codes = installation.state.run / "printed-codes.json"
    secret_key = environment("command", installation.endpoints)["PARKING_SECRET_KEY"]
    features = httpx.get(f"{installation.api_url}/api/v1/spaces", timeout=10).raise_for_status().json()["features"]
    spaces = [feature["properties"]["code"] for feature in features]
    write_whole(codes, json.dumps({space: space_token(secret_key, space) for space in spaces}))
    arguments = ["simulator.drivers", "--api-url", installation.api_url, "--codes", str(codes), "--seed", str(seed)]
    arguments += ["--truth", str(truth), "--installation", installation_name(installation.state)]
    people = asyncio.run(admit_people(installation.database_url))
    installation.supervisor.add(
        "drivers",
        [*arguments, *_options({"--scenario": scenario, "--orders-url": installation.orders_url})],
        {"PARKING_CLOCK": str(installation.clock), **people},
    )
    return truth


def publish_prices_of(installation: Installation, scenario: Scenario) -> None:
    """Publish the notices that a scenario brings, in force from the midnight after the clock's begin."""
    zone = Settings().zone

    async def run() -> None:
        database = Database(installation.database_url)
        async with database.transaction() as db:
            await publish_prices(db, scenario, begins_at=begin_of(installation.clock), zone=zone)
        await database.close()

    asyncio.run(run())


def begin_of(clock: Clock) -> datetime:
    """Where a run's clock began; for real time: now."""
    return instant(began_ms(clock))


def _options(said: Mapping[str, object]) -> list[str]:
    """What is said as a command line."""
    return [word for name, value in said.items() if value is not None for word in (name, str(value))]


def watch(
    installation: Installation,
    console: Console,
    *,
    until: Callable[[], bool],
    simulated: Simulated | None = None,
    chaos: Chaos | None = None,
) -> None:
    """Show the live line and keep everything running until told to stop.

    Args:
        installation: what is watched.
        console: where the line is.
        until: true when it is to end.
        simulated: the simulator beside it, whose truth the promise is held against.
        chaos: kills somebody every now and then, once the hours before have been sent.
    """
    asyncio.run(_watch(installation, console, until, simulated, chaos))


def prove(installation: Installation, simulated: Simulated, progress: Callable[[str], None]) -> Report:
    """End the county's life, let the rest settle, and compare what was stored with what was true."""
    installation.supervisor.stop("drivers", "simulator")

    def show(report: Report) -> None:
        progress(f"comparing with the truth: {report.equal:,} of {report.stays:,} stays equal")

    return asyncio.run(verify(installation.database_url, simulated.truth, wait_seconds=SETTLE_SECONDS, progress=show))


def has_lots(installation: Installation) -> bool:
    """Whether a city was imported, as the api sees it."""
    answer = httpx.get(f"{installation.api_url}/api/v1/lots", timeout=30)
    return bool(answer.raise_for_status().json()["features"])


def summed_up(installation: Installation, simulated: Simulated) -> Summary:
    """What was done."""

    async def run() -> Summary:
        database = Database(installation.database_url, pool_size=1, application="parking-summary")
        async with database.transaction() as db:
            found = await fetch_summary(db, read_status(simulated.status))
        await database.close()
        return found

    return asyncio.run(run())


async def _watch(
    installation: Installation,
    console: Console,
    until: Callable[[], bool],
    simulated: Simulated | None,
    chaos: Chaos | None,
) -> None:
    reader = FigureReader(
        database_url=installation.database_url, ingest_metrics_port=installation.metrics_ports["ingest"]
    )
    promised = _Promised(installation, simulated)
    looking = asyncio.create_task(promised.look_for_ever())
    is_rushing = isinstance(installation.clock, RushingClock)
    visitors = Visitors(installation.database_url, simulated.orders, Settings().zone) if simulated else None
    with _line(console) as show:
        while not until():
            for name in installation.revive():
                console.print(f"[yellow]{name} had died and was started again[/]", highlight=False)
            if is_rushing and not _is_rushing(installation.clock):
                is_rushing = False
                console.print(_pace_words(installation.clock), highlight=False)
            status = read_status(simulated.status) if simulated else {}
            killed = chaos.turn(installation) if chaos and status.get("phase") == "live" else None
            if killed:
                console.print(f"[red]kill -9 {killed}[/]", highlight=False)
            try:
                for step in await visitors.news(installation.clock.now()) if visitors else ():
                    console.print(step, highlight=False, style="cyan")
                words = await _words(reader, installation.clock, status)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError) as error:
                words = f"the database is away ({type(error).__name__})"
            show(Text.assemble(words, *promised.words()))
            await asyncio.sleep(LINE_SECONDS)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


def _is_rushing(clock: Clock) -> bool:
    return isinstance(clock, RushingClock) and clock.speed != clock.then.speed


def _pace_words(clock: Clock) -> str:
    at = clock.now().astimezone(Settings().zone)
    pace = "in real time" if clock.speed == 1 else f"{clock.speed:g} times as fast as real time"
    return f"[bold]It is {at:%A %H:%M} in the county, and from here on it lives {pace}.[/]"


class _Promised:
    """What verify finds meanwhile, looked for beside the line."""

    def __init__(self, installation: Installation, simulated: Simulated | None) -> None:
        self._database = Database(installation.database_url, pool_size=1, application="parking-demo")
        self._watch = PromiseWatch(truth=simulated.truth, clock=installation.clock) if simulated else None
        self._newest: Promise | None = None

    async def look_for_ever(self) -> None:
        """Look, and look again; while the database is away the last look holds."""
        while self._watch:
            with suppress(OSError, SQLAlchemyError):
                self._newest = await self._watch.look(self._database) or self._newest
            await asyncio.sleep(LOOK_SECONDS)

    def words(self) -> Iterator[str | tuple[str, str]]:
        """For the line: green while the promise is kept, red if it ever is not."""
        if self._newest:
            yield " · "
            yield str(self._newest), "green" if self._newest.is_kept else "bold white on red"


async def _words(reader: FigureReader, clock: Clock, status: Mapping[str, Any]) -> str:
    words = str(await reader.read())
    if not isinstance(clock, RealClock):
        at = clock.now().astimezone(Settings().zone)
        words = f"{at:%a %H:%M} ×{clock.speed:g} · {words}"
    if status.get("phase") in {"connecting", "history"}:
        words += " · sending the hours before"
    return words


@contextmanager
def _line(console: Console) -> Iterator[Callable[[Text], None]]:
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield lambda words: live.update(words, refresh=True)
        return
    last = -PLAIN_LINE_SECONDS

    def show(words: Text) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_LINE_SECONDS:
            last = time.monotonic()
            console.print(words, highlight=False, soft_wrap=True)

    yield show

"""``parking demo`` and ``parking up``: a whole installation on this machine, until Ctrl-C."""

import os
import signal
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from core.clock import Clock, RealClock, RushingClock, parse_clock
from core.errors import InvalidError
from core.settings import Settings
from ops import demo as county
from ops.chaos import EVERY_SECONDS, Chaos
from ops.commands.verify import print_by_fault
from ops.lively import lively_clock
from ops.running import Installation, installed
from ops.scenario import clock_of, provider_troubled
from ops.summary import summary_table
from ops.verify import Report
from simulator.scenarios import Scenario, load_scenario

app = typer.Typer()

Port = Annotated[
    int | None,
    typer.Option(min=1, max=65_535, help="Of the pages and the api; unset: 8000, or another that is free."),
]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Stop by itself after so many real minutes.")]

LITTLE_HISTORY = "1h"
"""Before a rush through the hours that follow."""

_out = Console(soft_wrap=True)


@app.command()
def demo(
    *,
    port: Port = None,
    minutes: Minutes = None,
    speed: Annotated[
        float | None,
        typer.Option(min=0.1, max=3_600, help="Times as fast as real time; unset: the scenario's, or 1."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Another seed is another life of the same county; unset: the scenario's, or 1.")
    ] = None,
    history: Annotated[
        str | None, typer.Option(help="How much of the past to begin with: 6h, 90m, 0; unset: the scenario's, or 1h.")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="A day to play: `parking simulate --list` names the shipped ones."),
    ] = None,
    chaos: Annotated[
        bool, typer.Option("--chaos", help=f"kill -9 one process every {EVERY_SECONDS:g} s, whichever the seed says.")
    ] = False,
) -> None:
    """The whole county on this machine, live on a map: database, broker, 2 300 sensors, sessions and bills.

    Everything is real but the sensors. The demo has a database of its own, begun afresh each time. With --minutes it
    ends by comparing every session and every fee with what the simulator knows to be true.
    """
    played = load_scenario(scenario) if scenario else None
    lives = played.seed if played and seed is None else seed or 1
    stop, say = _Stop(minutes or (played.minutes if played else None)), _say_since(time.monotonic())
    deaths = Chaos(seed=lives) if chaos else None
    with installed(
        say, port=port, begin_clock=lambda: _clock(played, speed), fresh_database=county.DATABASE, with_gateway=True
    ) as (here, start):
        say("importing the county")
        key = county.put_city(here)
        start()
        if played:
            county.publish_prices_of(here, played)
            say(f"{played.en} · {played.zh}")
        said = history if history or played else LITTLE_HISTORY
        simulated = county.start_simulator(here, seed=seed, history=said, counters_key=key, scenario=scenario)
        county.start_drivers(here, seed=lives, scenario=scenario)
        say("the county lives")
        _show_addresses(here)
        _out.print(f"Passes     {here.api_url}/passes", highlight=False)
        _out.print(f"Truth      {simulated.truth}", highlight=False)
        if isinstance(here.clock, RushingClock):
            _out.print("[bold]The hours before pass in a minute, then the county slows down.[/]", highlight=False)
        _out.print("Ctrl-C stops all of it.\n", highlight=False)
        with _troubled(here, played):
            county.watch(here, _out, until=stop, simulated=simulated, chaos=deaths)
        proof = None if stop.was_asked else county.prove(here, simulated, say)
        _out.print(summary_table(county.summed_up(here, simulated), killed=deaths.kills if deaths else None))
        if proof:
            _show_proof(proof, here)


def _clock(played: Scenario | None, speed: float | None) -> Clock:
    """The scenario's day; without one, a lively one."""
    zone = Settings().zone
    if played:
        return parse_clock(clock_of(played, zone, speed=speed))
    return lively_clock(RealClock().now(), zone, speed=speed or 1)


def _troubled(here: Installation, played: Scenario | None) -> AbstractContextManager[None]:
    """The provider misbehaves in its time, if the scenario says so."""
    if played is None or here.gateway is None:
        return nullcontext()
    begins_at = county.begin_of(here.clock)
    return provider_troubled(
        played, gateway_url=here.gateway.url, clock=here.clock, begins_at=begins_at, zone=Settings().zone
    )


@app.command()
def up(*, port: Port = None, minutes: Minutes = None) -> None:
    """The embedded services and all processes but the simulator, until Ctrl-C; with whatever was imported."""
    stop, began = _Stop(minutes), time.monotonic()
    with installed(_say_since(began), port=port) as (here, start):
        start()
        _show_addresses(here)
        _out.print("Settings   parking env", highlight=False)
        if not county.has_lots(here):
            _out.print("No lots yet: `parking city import FILE` brings some; `parking city draw` makes an example.")
        _out.print("Ctrl-C stops all of it.\n", highlight=False)
        county.watch(here, _out, until=stop)


class _Stop:
    """True once the time is up or somebody asked; asked a second time, the program ends at once."""

    def __init__(self, minutes: float | None) -> None:
        self.was_asked = False
        self._ends_at: float | None = None
        self._minutes = minutes
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)
        signal.signal(signal.SIGHUP, self._ask_without_a_terminal)

    def __call__(self) -> bool:
        if self._minutes is not None and self._ends_at is None:
            self._ends_at = time.monotonic() + 60 * self._minutes  # from when everything runs
        return self.was_asked or (self._ends_at is not None and time.monotonic() >= self._ends_at)

    def _ask(self, _number: int, _frame: object) -> None:
        if self.was_asked:
            raise KeyboardInterrupt
        self.was_asked = True

    def _ask_without_a_terminal(self, number: int, frame: object) -> None:
        """The window was closed: what is left to say goes nowhere, but everything is stopped."""
        _out.file = Path(os.devnull).open("w")  # noqa: SIM115 - until the program ends
        self._ask(number, frame)


def _say_since(began: float) -> "_Say":
    return _Say(began)


class _Say:
    """Says what is being done and how long it has taken so far; progress on the same thing replaces itself."""

    def __init__(self, began: float) -> None:
        self._began = began

    def __call__(self, words: str) -> None:
        _out.print(f"[dim]{time.monotonic() - self._began:6.1f} s[/]  {words}", highlight=False)


def _show_addresses(here: Installation) -> None:
    _out.print()
    _out.print(f"Map        [bold]{here.api_url}/[/]", highlight=False)
    _out.print(f"API        {here.api_url}/docs", highlight=False)
    if here.gateway:
        _out.print(f"Payments   {here.gateway.url}  simulated: no real money moves", highlight=False)
    _out.print(f"Logs       {here.state.logs}", highlight=False)


def _show_proof(report: Report, here: Installation) -> None:
    if report.is_equal:
        _out.print(
            f"[bold green]{report.equal:,} stays, and every session and every fee is equal to the truth.[/]",
            highlight=False,
        )
        return
    if report.by_fault and report.is_explained:
        print_by_fault(report, _out)
        _out.print(
            f"[bold green]{report.equal:,} of {report.stays:,} stays are equal to the truth.[/]", highlight=False
        )
        return
    for difference in report.differences[:20]:
        _out.print(f"  {difference}", highlight=False)
    raise InvalidError(
        f"{len(report.differences)} differences between what was stored and what was true; "
        f"`parking verify` lists them, the logs are in {here.state.logs}"
    )

"""``parking bench``: measurements with the limit measured in the same run."""

import asyncio
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from core.errors import InvalidError
from ops.bench.change import ChangePlan, bench_change
from ops.bench.faults import FAULTS, FaultPlan
from ops.bench.faults import run as bench_faults
from ops.bench.hostile import running as hostile_night
from ops.bench.hostile.running import HostileNight
from ops.bench.ingest import Plan, Show, bench_ingest
from ops.bench.instead import InsteadPlan, bench_instead
from ops.bench.live import LivePlan, bench_live
from ops.bench.map import MapPlan, bench_map
from ops.bench.pricing import PricingPlan, bench_pricing
from ops.bench.report import Report
from ops.bench.rough_day.plan import RoughDay
from ops.bench.rough_day.running import Outcome, run_rough_day
from ops.bench.rough_day.seeds import keep_seed, kept_seeds
from ops.bench.surroundings import Surroundings, surroundings
from ops.progress import progress_bar
from ops.report.bench_html import bench_html
from ops.state import State

app = typer.Typer(no_args_is_help=True, add_completion=False)

COUNTY = 2_300
SIZES = (COUNTY, 10 * COUNTY)
PIPED_COLUMNS = 160
"""Where nobody's window says how wide a table may be: a file or a pipe cuts nothing off."""


@app.callback()
def bench() -> None:
    """Measure: each figure beside the limit it is compared with, taken in the same run.

    A bench starts services of its own in a folder that goes with it; where PARKING_DATABASE_URL and PARKING_MQTT_URL
    are both set, it uses those (no ingest may run there).
    """


@app.command()
def ingest(
    *,
    spaces: Annotated[list[int] | None, typer.Option(min=1, help="A city's size; may be repeated.")] = None,
    messages: Annotated[
        int, typer.Option(min=1_000, help="Readings a round; more than the broker's window measures the broker.")
    ] = 20_000,
    rounds: Annotated[int, typer.Option(min=1, help="The fastest of so many counts.")] = 3,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too.")] = None,
    profile: Annotated[Path | None, typer.Option(help="Leave a profile of the ingest process there.")] = None,
) -> None:
    """Durable ingest: QoS 1, acknowledged after the commit, states and sessions moved on; exit status always 0."""
    plan = Plan(sizes=spaces or SIZES, readings=messages, rounds=rounds, profile=profile)
    with _shown() as show, surroundings(show) as at:
        report = asyncio.run(bench_ingest(at, plan, show))
    _tell(report, json_file)


@app.command()
def pricing(
    *,
    stays: Annotated[int, typer.Option(min=1_000, help="Stays a round on one core.")] = 20_000,
    sample: Annotated[int, typer.Option(min=50_000, help="Stays of the county's year, by all cores.")] = 200_000,
    rounds: Annotated[int, typer.Option(min=1, help="The fastest of so many counts.")] = 3,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too.")] = None,
) -> None:
    """Pricing: stays a second a core beside the same notice by hand, and a year of the county; needs no services."""
    with _shown() as show:
        report = bench_pricing(PricingPlan(stays=stays, sample=sample, rounds=rounds), show)
    _tell(report, json_file)


@app.command()
def faults(
    *,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long each fault lasts.")] = 15,
    only: Annotated[list[str] | None, typer.Option(help=f"One of: {', '.join(FAULTS)}; may be repeated.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too.")] = None,
) -> None:
    """Long outages under the county's load: nothing lost, nothing twice, memory bounded; its own services."""
    for name in only or ():
        if name not in FAULTS:
            raise InvalidError(f"no fault is called {name!r}; there are: {', '.join(FAULTS)}", fault=name)
    with _shown() as show:
        report = bench_faults(FaultPlan(minutes=minutes, names=only or ()), show)
    _tell(report, json_file)


@app.command("map")
def map_(
    *,
    connections: Annotated[int, typer.Option(min=1, help="That ask at once.")] = 32,
    seconds: Annotated[float, typer.Option(min=0.5, help="Length of a round.")] = 4,
    rounds: Annotated[int, typer.Option(min=1, help="The fastest of so many counts.")] = 3,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too.")] = None,
) -> None:
    """Readers of the map: requests a second of the prepared answers beside constant bytes of the same size."""
    with _shown() as show, surroundings(show) as at:
        plan = MapPlan(connections=connections, seconds=seconds, rounds=rounds)
        report = asyncio.run(bench_map(at, plan, show))
    _tell(report, json_file)


@app.command()
def live(
    *,
    viewers: Annotated[int, typer.Option(min=1, help="On one api process.")] = 5_000,
    seconds: Annotated[int, typer.Option(min=3, help="How long they watch.")] = 20,
    changes: Annotated[int, typer.Option(min=1, max=1_000, help="Spaces that change each second.")] = 100,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too.")] = None,
) -> None:
    """Viewers of the live stream: from each commit to the last of them, beside a stream of constant frames."""
    with _shown() as show, surroundings(show) as at:
        plan = LivePlan(viewers=viewers, seconds=seconds, changes=changes)
        report = asyncio.run(bench_live(at, plan, show))
    _tell(report, json_file)


@app.command()
def change(
    *,
    changes: Annotated[int, typer.Option(min=1, max=2_000, help="Spaces that change each second.")] = 200,
    seconds: Annotated[int, typer.Option(min=3, help="For how long.")] = 30,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too.")] = None,
) -> None:
    """One change's way: from the sensor's message to its commit, and to the live stream."""
    with _shown() as show, surroundings(show) as at:
        report = asyncio.run(bench_change(at, ChangePlan(per_second=changes, seconds=seconds), show))
    _tell(report, json_file)


@app.command()
def instead(
    *,
    messages: Annotated[int, typer.Option(min=1_000, help="Readings for each way.")] = 10_000,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too.")] = None,
) -> None:
    """What one would do without ingest: a callback with one INSERT a message, a pipe into psql; and a kill -9."""
    with _shown() as show, surroundings(show) as at:
        report = asyncio.run(bench_instead(at, InsteadPlan(messages=messages), show))
    _tell(report, json_file)


@app.command("all")
def all_(
    *,
    spaces: Annotated[list[int] | None, typer.Option(min=1, help="A city's size; may be repeated.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures there too.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="And there with charts, to be printed.")] = None,
) -> None:
    """All that is timed, one after the other: ingest, change, instead, map, live, pricing; some ten minutes."""
    reports: list[Report] = []
    with _shown() as show, surroundings(show) as at:
        plan = Plan(sizes=spaces or SIZES, readings=20_000, rounds=3)
        measures: tuple[Callable[[], Report], ...] = (
            lambda: asyncio.run(bench_ingest(at, plan, show)),
            lambda: asyncio.run(bench_change(at, ChangePlan(), show)),
            lambda: asyncio.run(bench_instead(at, InsteadPlan(), show)),
            lambda: asyncio.run(bench_map(at, MapPlan(), show)),
            lambda: asyncio.run(bench_live(at, LivePlan(), show)),
            lambda: bench_pricing(PricingPlan(), show),
        )
        for measure in measures:
            reports.append(measure())
            _tell(reports[-1], None)
    if json_file is not None:
        json_file.write_bytes(b"[" + b",\n".join(report.as_json() for report in reports) + b"]\n")
    if html_file is not None:
        html_file.write_text(bench_html(reports))


@app.command("rough-day")
def rough_day(
    *,
    payments: Annotated[int, typer.Option(min=10, help="About so many are begun.")] = 5_000,
    seed: Annotated[int | None, typer.Option(min=0, help="Decides who does what; unset: any.")] = None,
    kill_every: Annotated[float, typer.Option(min=0.5, help="Seconds, on the average: more on a slow machine.")] = 4,
    seeds: Annotated[
        Path | None, typer.Option(help="Seeds that failed, lived through first; unset: in the state folder.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures of the last day there.")] = None,
) -> None:
    """Payments while everything goes wrong and processes are killed, then the books; exit status 1 if they are off."""
    kept = seeds or State.find().root / "rough-day-seeds.txt"
    wanted = secrets.randbelow(1_000_000) if seed is None else seed
    failed = False
    with _shown() as show, surroundings(show) as at:
        for each in dict.fromkeys([*kept_seeds(kept), wanted]):
            outcome = asyncio.run(_rough_day(at, _day(payments, each, kill_every), show))
            _tell(outcome.report, json_file)
            if outcome.verdict.broken:
                failed = True
                keep_seed(kept, each, outcome.verdict.broken[0])
    raise typer.Exit(1 if failed else 0)


def _day(payments: int, seed: int, kill_every: float) -> RoughDay:
    return RoughDay(payments=payments, seed=seed, kill_after=(kill_every / 2, kill_every * 3 / 2))


async def _rough_day(at: Surroundings, plan: RoughDay, show: Show) -> Outcome:
    folder = at.state.root / f"rough-day-{plan.seed}"
    folder.mkdir(parents=True)
    async with at.demo_city() as url:
        return await run_rough_day(url, folder, plan, show)


@app.command()
def hostile(
    *,
    requests: Annotated[int, typer.Option(min=100, help="To all routes that have to do with money.")] = 10_000,
    seed: Annotated[int | None, typer.Option(min=0, help="Decides what is asked; unset: any.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too.")] = None,
) -> None:
    """Forged notifications and nonsense at every money route, then the books; exit status 1 if anything gave way."""
    plan = HostileNight(requests=requests, seed=secrets.randbelow(1_000_000) if seed is None else seed)
    with _shown() as show, surroundings(show) as at:
        outcome = asyncio.run(_hostile(at, plan, show))
    _tell(outcome.report, json_file)
    raise typer.Exit(1 if outcome.verdict.broken or outcome.faults else 0)


async def _hostile(at: Surroundings, plan: HostileNight, show: Show) -> hostile_night.Outcome:
    folder = at.state.root / "hostile"
    folder.mkdir(parents=True)
    async with at.demo_city() as url:
        return await hostile_night.run_hostile_night(url, folder, plan, show)


def _tell(report: Report, json_file: Path | None) -> None:
    Console(width=None if sys.stdout.isatty() else PIPED_COLUMNS).print(report.as_table())
    if json_file is not None:
        json_file.write_bytes(report.as_json())


@contextmanager
def _shown() -> Iterator[Show]:
    with progress_bar() as progress:
        bar = progress.add_task("starting", total=None)
        yield lambda words, done=0, of=None: progress.update(bar, description=words, completed=done, total=of)

"""The command line of a simulation: options to a course, a broker, a truth file, and a run that ends cleanly."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Annotated

import structlog
import typer

from core.clock import began_ms
from core.errors import InvalidError, UnavailableError
from core.logs import configure_logging
from core.settings import Settings
from simulator.counters import Counters, read_counted_lots
from simulator.counting import CountSender
from simulator.courses import Course, course_of, faults_of, header_of, milliseconds_of, space_line
from simulator.crowds import lively
from simulator.messages import Messages
from simulator.orders import Orders, orders_file
from simulator.outbox import Gateways, Outbox, Singles
from simulator.publisher import Publisher, connect
from simulator.reports import figures, reporter
from simulator.scenarios import Scenario, list_scenarios, load_scenario
from simulator.sensors import SensedCity, read_city
from simulator.simulation import Simulation
from simulator.status import Status
from simulator.truth import TruthFile
from simulator.voices import Choir

log = structlog.get_logger()

CONNECT_SECONDS = 30.0
UPLINK_KEY = "PARKING_UPLINK_KEY"
"""A secret, so the environment alone says it."""


def simulate(
    *,
    city: Annotated[
        Path | None, typer.Option(help="The city file; unset: the demo city.", exists=True, dir_okay=False)
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="A day to play: the name of a shipped scenario, or a file.", metavar="NAME|FILE")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Name the shipped scenarios and end.")] = False,
    seed: Annotated[
        int | None, typer.Option(help="Another seed is another life of the same city; unset: the scenario's, or 1.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="Where what really happened is written; unset: truth.jsonl in the state folder.", dir_okay=False
        ),
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(
            help="How much of the past to send first, at once: 6h, 90m, 2d or 0; unset: the scenario's, or 6h."
        ),
    ] = None,
    repeat: Annotated[
        float | None,
        typer.Option(help="Share of messages that are sent twice; unset: the scenario's, or 0.01.", min=0, max=1),
    ] = None,
    late: Annotated[
        float | None,
        typer.Option(help="Share of messages that come late; unset: the scenario's, or 0.005.", min=0, max=1),
    ] = None,
    late_up_to: Annotated[
        str | None, typer.Option(help="The longest delay, on the run's clock; unset: the scenario's, or 90s.")
    ] = None,
    lost: Annotated[
        float | None, typer.Option(help="Share of messages that never come; unset: the scenario's, or 0.", min=0, max=1)
    ] = None,
    gateways: Annotated[
        int, typer.Option(help="Publish arrays through so many gateways; 0: sensors by themselves.", min=0)
    ] = 0,
    window: Annotated[int, typer.Option(help="Most unacknowledged messages.", min=1, max=20_000)] = 1_000,
    minutes: Annotated[float | None, typer.Option(help="Stop by itself after so many real minutes.", min=0)] = None,
    status_file: Annotated[
        str | None, typer.Option(help="Replaced once a second with the run's status as JSON; - writes lines to stdout.")
    ] = None,
    api_url: Annotated[
        str | None,
        typer.Option(
            help="Where lots that only count say their counts, with the key in PARKING_UPLINK_KEY; unset: they are "
            "silent.",
            envvar="PARKING_API_URL",
        ),
    ] = None,
    orders_port: Annotated[
        int | None,
        typer.Option(
            help="Take orders on this port of 127.0.0.1: POST /park and /leave with a space and a visit; unset: none.",
            min=0,
            max=65_535,
        ),
    ] = None,
    installation: Annotated[
        str,
        typer.Option(
            help="Written into the truth, so that another installation's is refused.", envvar="PARKING_INSTALLATION"
        ),
    ] = "",
) -> None:
    """Drive a city of sensors over MQTT and of counters over HTTP, and write down what really happens.

    Where the truth file exists already, that life goes on from where it ended; what was due meanwhile is sent first.
    Ctrl-C ends cleanly: what is in flight is acknowledged, and the truth is complete to that instant.
    """
    if list_:
        show_scenarios()
        return
    settings = Settings()
    configure_logging("simulator", json=settings.log_json)
    if settings.mqtt_url is None:
        raise InvalidError("PARKING_MQTT_URL is not set: there is no broker to publish to")
    played = load_scenario(scenario) if scenario else Scenario(name="", zh="", en="")
    seed = played.seed if seed is None else seed
    history_ms = played.history_ms if history is None else milliseconds_of(history)
    faults = faults_of(played.faults, repeat=repeat, late=late, late_up_to=late_up_to, lost=lost)
    document = city.read_bytes() if city else _demo_city()
    sensed = lively(read_city(document), played.arrivals)
    header = header_of(
        sensed,
        seed=seed,
        begins_ms=began_ms(settings.the_clock) - history_ms,
        faults=faults,
        settings=settings,
        installation=installation,
        played=played,
        history_ms=history_ms,
    )
    spaces = [space_line(one) for one in sensed.watched]
    path = truth or _default_truth(settings)
    begins_anew = not path.exists()
    report = reporter(status_file)
    try:
        with TruthFile(path, header, spaces) as file, _counting(document, seed, settings, api_url):
            course = course_of(sensed, file.header, faults, played, settings, history_ms=history_ms)
            with (
                nullcontext()
                if orders_port is None
                else Orders(orders_port, orders_file(path), sensed.watched, anew=begins_anew) as orders
            ):
                last = _run(
                    course,
                    file,
                    settings,
                    gateways=gateways,
                    window=window,
                    minutes=minutes,
                    report=report,
                    orders=orders,
                )
    except OSError as error:
        raise UnavailableError(
            f"{error.filename or path}: {error.strerror}. The truth ends at its last checkpoint; "
            "make room or name another file, and the same command goes on from there"
        ) from error
    log.info("simulation.ended", **figures(last))


def _run(
    course: Course,
    file: TruthFile,
    settings: Settings,
    *,
    gateways: int,
    window: int,
    minutes: float | None,
    report: Callable[[Status], None],
    orders: Orders | None,
) -> Status:
    stop = _StopOnSignal(minutes)
    url = settings.mqtt_url.get_secret_value() if settings.mqtt_url else ""
    publisher = Publisher(url, version=settings.mqtt_version, window=window, ca_file=settings.mqtt_ca_file)
    connect(publisher, CONNECT_SECONDS, until=stop)
    sensed = course.city
    choir = _choir(sensed, settings)
    simulation = Simulation(
        course,
        clock=settings.the_clock,
        choir=choir,
        outbox=_outbox(choir, sensed, gateways),
        publisher=publisher,
        truth=file,
        orders=orders,
    )
    log.info(
        "simulation.began",
        city=sensed.name,
        sensors=len(sensed.watched),
        silent=sensed.silent,
        scenario=file.header.scenario or None,
        begins_at=file.header.begins_at,
        resumed_at=file.checkpoint.complete_until if file.checkpoint else None,
        waits_seconds=simulation.seconds_ahead(),
        speed=settings.the_clock.speed,
        orders=orders.url if orders else None,
    )
    return simulation.run(until=stop, report=report)


def _counting(document: bytes, seed: int, settings: Settings, api_url: str | None) -> AbstractContextManager[object]:
    """The city's counters for as long as the block runs, if they can reach anybody."""
    lots, key = read_counted_lots(document), os.environ.get(UPLINK_KEY)
    missing = [name for name, value in (("--api-url", api_url), (UPLINK_KEY, key)) if not value]
    if not lots:
        return nullcontext()
    if not api_url or not key:
        log.info("counters.silent", lots=len(lots), missing=" and ".join(missing))
        return nullcontext()
    if not api_url.startswith(("http://", "https://")):
        raise InvalidError(f"--api-url is http://host:port or https://host, not {api_url!r}")
    clock = settings.the_clock
    counters = Counters(lots, seed=seed, begins_ms=clock.now_ms(), zone=settings.zone)
    return CountSender([lot.code for lot in lots], counters, clock=clock, api_url=api_url, key=key)


class _StopOnSignal:
    """True once the time is up or somebody asked; a second Ctrl-C is the ordinary, rude one."""

    def __init__(self, minutes: float | None) -> None:
        self._deadline = None if minutes is None else time.monotonic() + minutes * 60
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def __call__(self) -> bool:
        return self._asked or (self._deadline is not None and time.monotonic() >= self._deadline)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self._asked = True
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)


def _choir(sensed: SensedCity, settings: Settings) -> Choir:
    offset = settings.the_clock.now().astimezone(settings.zone).utcoffset() or timedelta()
    return Choir(sensed.watched, Messages(sensed.watched, zone_ms=offset // timedelta(milliseconds=1)))


def _outbox(choir: Choir, sensed: SensedCity, gateways: int) -> Outbox:
    count = len(sensed.watched)
    return Gateways(choir, sensors=count, site="simulated", count=min(gateways, count)) if gateways else Singles(choir)


def show_scenarios() -> None:
    """Name the shipped scenarios on stdout, each with what it is called."""
    width = max(len(one.name) for one in list_scenarios())
    for one in list_scenarios():
        typer.echo(f"{one.name:{width}}  {one.en} · {one.zh}")


def _default_truth(settings: Settings) -> Path:
    if settings.state_dir is None:
        raise InvalidError("name the truth file (--truth FILE), or the state folder (PARKING_STATE_DIR)")
    return settings.state_dir / "truth.jsonl"


def _demo_city() -> bytes:
    from simulator.cities import demo_city  # noqa: PLC0415 - drawing needs shapely, which a given file does not

    return demo_city()

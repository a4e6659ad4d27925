"""Where a run's status is shown: a file, lines on stdout, one living line in a terminal, or the log now and then."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from rich.console import Console

from simulator.status import Status, status_text, write_status

log = structlog.get_logger()

LOG_SECONDS = 30.0

Report = Callable[[Status], None]


def reporter(status_file: str | None) -> Report:
    """Show the status where it was asked for: ``-`` is stdout, None a terminal if there is one, else the log."""
    if status_file == "-":
        return _to_stdout
    if status_file:
        return _to_file(Path(status_file))
    return _in_terminal() if sys.stderr.isatty() else _in_log()


def figures(status: Status) -> dict[str, str | float | int | None]:
    """The few figures a person looks at."""
    return {
        "phase": status.phase,
        "complete_until": status.complete_until,
        "behind_seconds": status.behind_seconds,
        "published": status.published,
        "acknowledged": status.acknowledged,
        "occupied": status.occupied,
        "stays_ended": status.stays_ended,
    }


def _to_stdout(status: Status) -> None:
    sys.stdout.write(status_text(status) + "\n")
    sys.stdout.flush()


def _to_file(path: Path) -> Report:
    path.parent.mkdir(parents=True, exist_ok=True)
    in_log = _in_log()

    def report(status: Status) -> None:
        write_status(path, status)
        in_log(status)

    return report


def _in_log() -> Report:
    next_log = time.monotonic() + LOG_SECONDS

    def report(status: Status) -> None:
        nonlocal next_log
        if time.monotonic() >= next_log:
            next_log = time.monotonic() + LOG_SECONDS
            log.info("simulation.went_on", **figures(status))

    return report


def _in_terminal() -> Report:
    line = Console(stderr=True).status("connecting")
    line.start()

    def report(status: Status) -> None:
        behind = f", {status.behind_seconds / 3600:.1f} h to catch up" if status.phase == "history" else ""
        line.update(
            f"{status.at[:19]}Z {status.phase}{behind} · {status.rate_per_s:.0f} messages/s, {status.published} sent, "
            f"{status.in_flight} in flight · {status.occupied} of {status.sensors} occupied, "
            f"{status.stays_ended} stays ended" + ("" if status.connected else " · [red]no broker[/]")
        )
        if status.phase == "done":
            line.stop()

    return report

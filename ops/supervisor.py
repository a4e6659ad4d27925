"""Our own processes while an installation runs: started, watched, started again when they die, stopped in order."""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ops.services.processes import Running, find_recorded, launch, record
from ops.state import State

STOP_SECONDS: Final = 15.0
RESTART_SECONDS: Final = (0.3, 10.0)
"""First and longest wait before a process that keeps dying is started again, doubled between."""
STEADY_SECONDS: Final = 60.0
"""A process that lived for so long starts again at once."""


@dataclass(slots=True, kw_only=True)
class Process:
    """One of our processes: what it is started with, and how it has been doing."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    running: Running | None = None
    starts: int = 0
    started_at: float = 0.0
    start_again_at: float = 0.0


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Keeps the processes of one installation alive; as many as there are, in the order they were added."""

    state: State
    processes: dict[str, Process] = field(default_factory=dict)

    def add(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a Python module of ours: ``arguments`` is what follows ``python -m``.

        One of an earlier run that was killed with its supervisor is ended first.
        """
        left_over = find_recorded(self._record(name))
        if left_over is not None:
            left_over.stop(signal.SIGTERM, patience_seconds=STOP_SECONDS)
        self.processes[name] = Process(name=name, arguments=arguments, environment=environment)
        self._start(self.processes[name])

    def log(self, name: str) -> Path:
        """Where a process's output is."""
        return self.state.logs / f"{name}.log"

    def revive(self) -> list[str]:
        """Start again whatever has died, unless it has just been; returns the names of those started."""
        revived = []
        for process in self.processes.values():
            if process.running is not None and _is_alive(process.running):
                continue
            now = time.monotonic()
            if process.running is not None:
                process.running = None
                steady = now - process.started_at > STEADY_SECONDS
                process.starts = 1 if steady else process.starts
                wait_seconds = min(RESTART_SECONDS[0] * 2 ** (process.starts - 1), RESTART_SECONDS[1])
                process.start_again_at = now + wait_seconds
            if now >= process.start_again_at:
                self._start(process)
                revived.append(process.name)
        return revived

    def stop(self, *names: str) -> None:
        """End processes, all unless some are named, each with time to finish what it does."""
        for name in names or tuple(reversed(self.processes)):
            process = self.processes.pop(name, None)
            if process is not None and process.running is not None:
                process.running.stop(signal.SIGTERM, patience_seconds=STOP_SECONDS)
            self._record(name).unlink(missing_ok=True)

    def _start(self, process: Process) -> None:
        process.running = launch(
            [sys.executable, "-m", *process.arguments],
            user=None,
            folder=Path.cwd(),
            log=self.log(process.name),
            environ={**os.environ, **process.environment},
        )
        process.starts += 1
        process.started_at = time.monotonic()
        record(self._record(process.name), process.running)

    def _record(self, name: str) -> Path:
        return self.state.run / f"process-{name}.json"


def _is_alive(running: Running) -> bool:
    return not running.has_ended_within(0) and running.is_alive()

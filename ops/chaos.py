"""Sudden deaths on purpose: every so often one process of an installation gets a ``kill -9``, which by a seed."""

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from ops.running import Installation
from ops.services.processes import Running
from ops.services.running import find_service

EVERY_SECONDS: Final = 20.0
VICTIMS: Final = ("ingest", "api", "worker", "postgres", "mosquitto", "gateway")
"""Ours, the services, and the stranger who holds the money."""


@dataclass(slots=True, kw_only=True)
class Chaos:
    """Kills; whoever watches the installation brings back to life."""

    seed: int
    every_seconds: float = EVERY_SECONDS
    kills: Counter[str] = field(default_factory=Counter)
    _dice: random.Random = field(init=False)
    _pack: list[str] = field(default_factory=list)
    _next: float | None = None

    def __post_init__(self) -> None:
        """The same seed kills in the same order."""
        self._dice = random.Random(self.seed)  # noqa: S311 - a schedule, not a secret

    def turn(self, installation: Installation) -> str | None:
        """Kill somebody if the time has come; the name of the dead."""
        now = time.monotonic()
        self._next = self._next or now + self.every_seconds
        if now < self._next:
            return None
        name = self.draw()
        victim = _running(installation, name)
        if victim is None:
            return None  # not here, or just dead: another at the next turn
        os.kill(victim.pid, signal.SIGKILL)
        victim.has_ended_within(5)
        self._next = now + self.every_seconds
        self.kills[name] += 1
        return name

    def draw(self) -> str:
        """The next victim: everybody's turn comes before anybody's second."""
        if not self._pack:
            self._pack = self._dice.sample(VICTIMS, len(VICTIMS))
        return self._pack.pop()


def _running(installation: Installation, name: str) -> Running | None:
    ours = installation.supervisor.processes.get(name)
    running = ours.running if ours else find_service(installation.state, name)
    return running if running and running.is_alive() else None

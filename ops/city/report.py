"""One import at work: what it is given, what it did, and how far it has got."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from core.city import CityFile, Problem

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many rows are done and of how many."""


def no_progress(_doing: str, _done: int, _total: int) -> None:
    """For callers that show none."""


@dataclass(slots=True)
class Counts:
    """How many of one kind were written."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    retired: int = 0


@dataclass(slots=True)
class ImportReport:
    """What an import did, for people."""

    warnings: tuple[Problem, ...] = ()
    city: str | None = None
    """Its name, where the file has one."""
    contexts: int | None = None
    """How many lines and surfaces are drawn now; None when they were left as they were."""
    areas: Counts = field(default_factory=Counts)
    lots: Counts = field(default_factory=Counts)
    spaces: Counts = field(default_factory=Counts)
    sensors: Counts = field(default_factory=Counts)
    assignments: Counts = field(default_factory=Counts)
    """Sensors that began to watch a space, that stopped (retired), and that go on."""
    tariffs: list[str] = field(default_factory=list)
    """Shipped price notices that were published because a lot names them."""
    took_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """What every step of an import needs."""

    db: AsyncConnection
    city: CityFile
    now: datetime
    """The instant that new assignments and retirements count from."""
    zone: ZoneInfo
    """Of lots that are new."""
    progress: Progress
    report: ImportReport

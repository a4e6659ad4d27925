"""What a scenario says: a day, its people, and all that goes wrong in it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.clock import milliseconds
from simulator.faults import Faults

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


ORDINARY_AIR: Final = Faults(repeat=0.01, late=0.005)
"""What is wrong on a day of which nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """How many vehicles come, compared with an ordinary day."""

    factor: float = 1.0
    by_place: Mapping[str, float] = field(default_factory=dict)
    """Further factors by kind of place (``simulator.rhythms``)."""
    holiday: bool = False
    """Everybody lives as on a Sunday, every day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderTrouble:
    """A script of the payment provider's misbehaviour, in force for a part of the first day."""

    from_ms: int
    """From the midnight before the begin, on the run's clock."""
    until_ms: int
    script: Mapping[str, Any]
    """As ``PUT /control/script`` of the simulated gateway takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """A notice that takes the place of another at the midnight after the begin."""

    code: str
    """Whose next version it becomes."""
    notice: str
    """The notice's name among ``simulator/scenarios/notices``, and that of its slow pricer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One day worth playing."""

    name: str
    """The file's own, without its ending."""
    zh: str
    en: str
    day: str | None = None
    """``monday`` to ``sunday``, a date, or None for today."""
    begins_minute: int | None = None
    """Of the local day; None: now."""
    speed: float = 1.0
    minutes: float | None = None
    """Real minutes after which it has shown what it is about; None: it has no end."""
    history_ms: int = 6 * 3_600_000
    seed: int = 1
    arrivals: Arrivals = Arrivals()
    faults: Faults = ORDINARY_AIR
    paying: Mapping[str, float] = field(default_factory=dict)
    """Shares of the drivers' habits; empty: as on an ordinary day."""
    by_map: float | None = None
    """For each vehicle that comes by itself, so many more whose drivers choose a space by the map; None: as ever."""
    provider: Sequence[ProviderTrouble] = ()
    prices: Sequence[PriceChange] = ()
    digest: str = ""
    """Of the file's text: a truth goes on only with the scenario it began with."""

    @property
    def label(self) -> str:
        """What stands in the truth's header."""
        return f"{self.name} {self.digest}".strip()

    def begins_at(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Where the run's clock begins: that time on the next such day, today included; ``now`` if none is said."""
        local = now.astimezone(zone)
        if self.day is None and self.begins_minute is None:
            return now
        minute = local.hour * 60 + local.minute if self.begins_minute is None else self.begins_minute
        day = local.date()
        if self.day is not None and self.day not in DAYS:
            day = datetime.fromisoformat(self.day).date()
        elif self.day is not None:
            day += timedelta(days=(DAYS.index(self.day) - day.weekday()) % 7)
        return datetime.combine(day, time(minute // 60, minute % 60), zone)

    def midnight_before(self, begins_at: datetime, zone: ZoneInfo) -> datetime:
        """From which the times of the first day are counted."""
        return datetime.combine(begins_at.astimezone(zone).date(), time(), zone)

    def midnight_after(self, begins_at: datetime, zone: ZoneInfo) -> datetime:
        """When prices change."""
        return datetime.combine(begins_at.astimezone(zone).date() + timedelta(days=1), time(), zone)

    def prices_from(self, begins_at: datetime, zone: ZoneInfo) -> dict[str, tuple[int, str]]:
        """For each tariff that changes: from when on (milliseconds since 1970), and by which slow pricer."""
        at_ms = milliseconds(self.midnight_after(begins_at, zone))
        return {change.code: (at_ms, change.notice) for change in self.prices}

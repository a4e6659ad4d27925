"""Everything that can go wrong, with rates: one description, from which a seed decides the rest. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from core.errors import InvalidError


class Fault(StrEnum):
    """What a fault is called in a scenario and in the truth."""

    REPEATED = "repeated"
    """A message comes twice."""
    LATE = "late"
    """A message is overtaken by the sensor's next ones."""
    LOST = "lost"
    """A message never comes."""
    FLAPPING = "flapping"
    """An arrival is said several times over, with gaps of seconds."""
    STUCK = "stuck"
    """A sensor notices nothing; what it said last it says again."""
    DYING_BATTERY = "dying-battery"
    """Its voltage falls, then it is silent until somebody brings a new battery."""
    DRIFTING_CLOCK = "drifting-clock"
    """Its own clock runs away and is set right in the end."""
    RESET_COUNTER = "reset-counter"
    """It restarts for a moment and counts from the beginning."""
    GATEWAY_OUTAGE = "gateway-outage"
    """A lot's messages are kept by their gateway and come all at once."""
    POWER_CUT = "power-cut"
    """A lot's sensors are silent; then all of them start again."""
    RECONNECT_STORM = "reconnect-storm"
    """The broker loses everybody, and everybody comes back at once."""
    STRANGERS = "strangers"
    """Senders nobody knows, and those who mean harm."""


OF_LOTS: Final = (Fault.GATEWAY_OUTAGE, Fault.POWER_CUT)
"""Befall all sensors of a lot together."""
OF_SENSORS: Final = (
    Fault.FLAPPING,
    Fault.STUCK,
    Fault.DYING_BATTERY,
    Fault.DRIFTING_CLOCK,
    Fault.RESET_COUNTER,
)

DAY_MINUTES: Final = 1_440
SHORTEST_SPELL_MS: Final = 1_000
LONGEST_SPELL_MS: Final = 20 * 3_600_000
FURTHEST_DRIFT_MS: Final = 4 * 60_000
"""Below the five minutes ahead that are still believed; what is further ahead would be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A fault that takes hold of some, once a local day, and lets go again."""

    share: float
    """Of all sensors or lots, those that suffer it on a day."""
    lasts_ms: int = 3_600_000
    between: tuple[int, int] = (0, DAY_MINUTES)
    """Minutes of the local day within which it begins."""

    def __post_init__(self) -> None:
        """Refuse what is no share, no length or no part of a day."""
        if not 0 <= self.share <= 1:
            raise InvalidError("a share is from 0 to 1 (or 0% to 100%)")
        if not SHORTEST_SPELL_MS <= self.lasts_ms <= LONGEST_SPELL_MS:
            raise InvalidError("a spell lasts from a second to 20 hours")
        if not 0 <= self.between[0] < self.between[1] <= DAY_MINUTES:
            raise InvalidError("a spell begins between two times of one day, the earlier first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Shares of all messages, each at most 1 and together at most 1, and spells; a message meets one of the air's."""

    repeat: float = 0.0
    late: float = 0.0
    lost: float = 0.0
    late_up_to_ms: int = 90_000
    """The longest delay; the next messages of the sensor may overtake."""
    spells: Mapping[Fault, Spell] | None = None
    """Of lots and sensors; a fault that is absent never happens."""
    drift_up_to_ms: int = 120_000
    """How far a drifting clock is off at most, either way."""
    storms_a_day: float = 0.0
    """How often everybody loses the broker."""
    strangers_an_hour: float = 0.0
    """Messages nobody asked for."""

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        shares = (self.repeat, self.late, self.lost)
        if min(shares) < 0 or sum(shares) > 1:
            raise InvalidError("repeat, late and lost are shares of the messages: 0 or more, together at most 1")
        if self.late_up_to_ms < 1:
            raise InvalidError("a late message comes at least a millisecond late")
        if not 0 <= self.drift_up_to_ms <= FURTHEST_DRIFT_MS:
            raise InvalidError("a clock drifts by at most 4 minutes")
        if min(self.storms_a_day, self.strangers_an_hour) < 0:
            raise InvalidError("nothing happens less often than never")

    def spell(self, fault: Fault) -> Spell | None:
        """How a fault of lots or sensors goes; None where it never happens."""
        found = (self.spells or {}).get(fault)
        return found if found is not None and found.share > 0 else None

    @property
    def touches_sensors(self) -> bool:
        """Whether what sensors say can differ from what happened."""
        return any(self.spell(fault) for fault in (*OF_SENSORS, *OF_LOTS))

    def told(self) -> dict[str, Any]:
        """What is not plain air, JSON-ready, for the truth's header; empty where nothing else goes wrong."""
        return dict(self._told())

    def _told(self) -> Iterator[tuple[str, Any]]:
        for fault, spell in sorted((self.spells or {}).items()):
            yield fault.value, {"share": spell.share, "lasts_ms": spell.lasts_ms, "between": list(spell.between)}
        plain = {field.name: field.default for field in fields(self)}
        for name in ("storms_a_day", "strangers_an_hour"):
            if getattr(self, name) != plain[name]:
                yield name, getattr(self, name)
        if self.spell(Fault.DRIFTING_CLOCK):
            yield "drift_up_to_ms", self.drift_up_to_ms

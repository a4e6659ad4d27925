"""What the air does to a message: it comes twice, late, or never, by seeded chance. Pure."""

from dataclasses import dataclass

from core.errors import InvalidError
from simulator.dice import Dice, mixed
from simulator.world import Event

_REPEATED_WITHIN_MS = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Shares of all messages, each at most 1 and together at most 1: a message suffers one fault at a time."""

    repeat: float = 0.0
    late: float = 0.0
    lost: float = 0.0
    late_up_to_ms: int = 90_000
    """The longest delay; the next messages of the sensor may overtake."""

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        shares = (self.repeat, self.late, self.lost)
        if min(shares) < 0 or sum(shares) > 1:
            raise InvalidError("repeat, late and lost are shares of the messages: 0 or more, together at most 1")
        if self.late_up_to_ms < 1:
            raise InvalidError("a late message comes at least a millisecond late")


@dataclass(frozen=True, slots=True)
class Fate:
    """When the copies of one message are sent, on the virtual clock; the first copy first, none when it is lost."""

    send_ms: tuple[int, ...]


def fate_of(event: Event, faults: Faults, *, seed: int) -> Fate:
    """The same seed, sensor and message always meet the same fate, whatever happens to the others."""
    dice = Dice(mixed(seed, event.number, event.seq))
    chance = dice.uniform() - faults.lost
    if chance < 0:
        return Fate(())
    if chance < faults.late:
        return Fate((event.at_ms + 1 + int(dice.uniform() * faults.late_up_to_ms),))
    if chance < faults.late + faults.repeat:
        return Fate((event.at_ms, event.at_ms + int(dice.uniform() * _REPEATED_WITHIN_MS)))
    return Fate((event.at_ms,))

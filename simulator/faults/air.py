"""What the air does to a message: it comes twice, late, or never, by seeded chance. Pure."""

from dataclasses import dataclass

from simulator.dice import Dice, mixed
from simulator.faults.description import Faults
from simulator.world import Event

_REPEATED_WITHIN_MS = 30_000


@dataclass(frozen=True, slots=True)
class Fate:
    """When the copies of one message are sent, on the virtual clock; the first copy first, none when it is lost."""

    send_ms: tuple[int, ...]


def fate_of(event: Event, faults: Faults, *, seed: int) -> Fate:
    """The same seed, sensor and message always meet the same fate, whatever happens to the others."""
    return Fate(send_times(event.number, event.seq, event.at_ms, faults, seed=seed))


def send_times(number: int, seq: int, due_ms: int, faults: Faults, *, seed: int) -> tuple[int, ...]:
    """When the copies of a sensor's message are sent that is due at an instant."""
    dice = Dice(mixed(seed, number, seq))
    chance = dice.uniform() - faults.lost
    if chance < 0:
        return ()
    if chance < faults.late:
        return (due_ms + 1 + int(dice.uniform() * faults.late_up_to_ms),)
    if chance < faults.late + faults.repeat:
        return (due_ms, due_ms + int(dice.uniform() * _REPEATED_WITHIN_MS))
    return (due_ms,)

"""Who pays when, and how. Pure: seed, space and arrival decide.

The shares are invented; they are there so that every kind of payer occurs.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from simulator.dice import Dice, key_of

MINUTE_MS: Final = 60_000

T = TypeVar("T")


class Habit(StrEnum):
    """When a driver pays."""

    NEVER = "never"
    BEFORE_LEAVING = "before-leaving"
    AFTERWARDS = "afterwards"
    """On the way home: the space is free again, the session unpaid."""
    FROM_TWO_PHONES = "from-two-phones"
    """The companion in the car pays too, at the same moment."""


SHARES: Final = {
    Habit.BEFORE_LEAVING: 0.50,
    Habit.AFTERWARDS: 0.25,
    Habit.FROM_TWO_PHONES: 0.03,
    Habit.NEVER: 0.22,
}
CHANNELS: Final = (("wechat", 0.35), ("wechat_h5", 0.2), ("alipay", 0.2), ("alipay_wap", 0.25))
"""Each with its share."""
EARLIEST_MINUTES, LATEST_MINUTES = 3, 60
"""After arriving or leaving, on the city's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One driver's way with one stay."""

    habit: Habit
    wait_ms: int
    """From arriving or, for ``AFTERWARDS``, from leaving."""
    channels: tuple[str, ...]
    """One for each phone."""
    phones: tuple[int, ...]
    """Numbers that tell phones apart, below 2 to the power of 16."""


def driver_of(space: str, arrived_ms: int, *, seed: int) -> Driver:
    """The driver who came to this space at that time."""
    dice = Dice(key_of(seed, "driver", space, arrived_ms))
    habit = _drawn(tuple(SHARES.items()), dice.uniform())
    minutes = EARLIEST_MINUTES + dice.uniform() * (LATEST_MINUTES - EARLIEST_MINUTES)
    first = _drawn(CHANNELS, dice.uniform())
    channels = [first]
    if habit is Habit.FROM_TWO_PHONES:
        others = tuple((channel, share) for channel, share in CHANNELS if channel[:6] != first[:6])
        channels.append(_drawn(others, dice.uniform() * sum(share for _, share in others)))
    phones = tuple(int(dice.uniform() * 2**16) for _ in channels)
    return Driver(habit=habit, wait_ms=int(minutes * MINUTE_MS), channels=tuple(channels), phones=phones)


def _drawn(choices: tuple[tuple[T, float], ...], chance: float) -> T:
    for choice, share in choices:
        chance -= share
        if chance < 0:
            return choice
    return choices[-1][0]

"""Who pays when, and how. Pure: seed, space and arrival decide.

The shares are invented; they are there so that every kind of payer occurs.
"""

from collections.abc import Mapping
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
    AT_THE_KIOSK = "at-the-kiosk"
    """At a machine, by the number of the space; by phone where there is none."""
    PASS_HOLDER = "pass-holder"  # noqa: S105 - a pass to park, not a password
    """Has bought a pass for the plate, where passes are on sale, says whose vehicle it is and pays nothing more."""


SHARES: Final[Mapping[Habit, float]] = {
    Habit.BEFORE_LEAVING: 0.44,
    Habit.AFTERWARDS: 0.23,
    Habit.FROM_TWO_PHONES: 0.03,
    Habit.AT_THE_KIOSK: 0.06,
    Habit.PASS_HOLDER: 0.04,
    Habit.NEVER: 0.20,
}
ON_THE_SPOT: Final = (Habit.BEFORE_LEAVING, Habit.FROM_TWO_PHONES, Habit.AT_THE_KIOSK, Habit.PASS_HOLDER)
"""Do what they do while the vehicle stands there."""
CHANNELS: Final = (("wechat", 0.35), ("wechat_h5", 0.2), ("alipay", 0.2), ("alipay_wap", 0.25))
"""Each with its share."""
EARLIEST_MINUTES, LATEST_MINUTES = 3, 60
"""After arriving or leaving, on the city's clock."""
TYPES_A_PLATE: Final = 0.2
"""Of those who pay, who says whose vehicle it is before."""
PLATES: Final = 20_000
"""So many vehicles there are: some come back."""
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"


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
    plate: str
    """Of the vehicle; invented."""
    says_plate: bool
    """Whether the driver types it on the pay page."""


def driver_of(space: str, arrived_ms: int, *, seed: int, shares: Mapping[Habit, float] = SHARES) -> Driver:
    """The driver who came to this space at that time."""
    dice = Dice(key_of(seed, "driver", space, arrived_ms))
    habit = _drawn(tuple(shares.items()), dice.uniform())
    minutes = EARLIEST_MINUTES + dice.uniform() * (LATEST_MINUTES - EARLIEST_MINUTES)
    first = _drawn(CHANNELS, dice.uniform())
    channels = [first]
    if habit is Habit.FROM_TWO_PHONES:
        others = tuple((channel, share) for channel, share in CHANNELS if channel[:6] != first[:6])
        channels.append(_drawn(others, dice.uniform() * sum(share for _, share in others)))
    phones = tuple(int(dice.uniform() * 2**16) for _ in channels)
    return Driver(
        habit=habit,
        wait_ms=int(minutes * MINUTE_MS),
        channels=tuple(channels),
        phones=phones,
        plate=plate_of(int(dice.uniform() * PLATES), seed=seed),
        says_plate=habit is Habit.PASS_HOLDER or dice.uniform() < TYPES_A_PLATE,
    )


def plate_of(number: int, *, seed: int) -> str:
    """The plate of one of the county's vehicles: Zhejiang, as small cars have."""
    dice = Dice(key_of(seed, "plate", number))
    letter = _LETTERS[int(dice.uniform() * len(_LETTERS))]
    return f"浙D{letter}{int(dice.uniform() * 10_000):04}"


def shares_of(said: Mapping[str, float]) -> Mapping[Habit, float]:
    """The shares that a scenario says; an ordinary day's where it says none."""
    return {Habit(name): share for name, share in said.items()} or SHARES


def _drawn(choices: tuple[tuple[T, float], ...], chance: float) -> T:
    for choice, share in choices:
        chance -= share
        if chance < 0:
            return choice
    return choices[-1][0]

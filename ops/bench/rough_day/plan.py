"""What happens on a rough day, as far as dice decide it. Pure."""

from dataclasses import dataclass
from random import Random
from typing import Any, Final, Literal

CHANNELS: Final = ("wechat", "alipay")
PAYMENTS_A_DRIVER: Final = 0.95
"""On the average, by the habits below: so many stays make the wanted number of payments."""

SCRIPT: Final[tuple[dict[str, Any], ...]] = (
    {"on": "*.create", "do": "cut-after", "chance": 0.06},
    {"on": "*.create", "do": "down", "chance": 0.05},
    {"on": "*.create", "do": "stall-after", "seconds": 1, "chance": 0.02},
    {"on": "*.create", "do": "unsigned", "chance": 0.02},
    {"on": "*.query", "do": "error", "chance": 0.08},
    {"on": "*.query", "do": "corrupt", "chance": 0.03},
    {"on": "*.query", "do": "forged", "chance": 0.03},
    {"on": "*.close", "do": "cut-after", "chance": 0.1},
    {"on": "*.close", "do": "down", "chance": 0.05},
    {"on": "*.refund", "do": "cut-after", "chance": 0.15},
    {"on": "*.refund", "do": "error", "chance": 0.1},
    {"on": "*.notify.payment", "do": "drop", "chance": 0.12},
    {"on": "*.notify.payment", "do": "delay", "seconds": 2, "chance": 0.06},
    {"on": "*.notify.payment", "do": "repeat", "copies": 4, "chance": 0.15},
    {"on": "*.notify.payment", "do": "reorder", "chance": 0.06},
    {"on": "*.notify.payment", "do": "corrupt", "chance": 0.04},
    {"on": "*.notify.payment", "do": "forged", "chance": 0.04},
    {"on": "*.notify.payment", "do": "probe", "chance": 0.02},
    {"on": "*.notify.payment", "do": "unsigned", "chance": 0.02},
    {"on": "*.notify.payment", "do": "stale", "chance": 0.02},
    {"on": "*.notify.payment", "do": "wrong-amount", "chance": 0.04},
    {"on": "*.notify.payment", "do": "wrong-merchant", "chance": 0.02},
    {"on": "*.notify.payment", "do": "wrong-key", "chance": 0.02},
    {"on": "*.notify.refund", "do": "drop", "chance": 0.2},
    {"on": "*.notify.refund", "do": "repeat", "copies": 3, "chance": 0.1},
)
"""Of the rules that fit a message the first counts whose dice fall: the shares add up roughly."""

Fate = Literal["as-billed", "shorter", "longer", "none"]
"""What becomes of a stay behind its driver's back: its fee is corrected, or it turns out to be none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoughDay:
    """How much of it."""

    payments: int = 5_000
    """About so many are begun."""
    seed: int = 1
    at_once: int = 40
    """Drivers at their telephones."""
    kill_after: tuple[float, float] = (2.0, 6.0)
    """Seconds between two kills."""

    @property
    def stays(self) -> int:
        """How many of them make so many payments."""
        return max(1, round(self.payments / PAYMENTS_A_DRIVER))


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """One driver's day."""

    minutes: int
    """Of the stay."""
    channels: tuple[str, ...]
    """Tried one after the other; empty: never pays."""
    pays: tuple[bool, ...]
    """Of each, whether the money is sent once the code is there."""
    odd_fen: int
    """Another amount than was asked for, by some fault of the provider's; 0: the right one."""
    is_impatient: bool
    """Asks for each code twice at once."""
    fate: Fate
    given_back_fen: int
    """By an operator, of the first payment that arrives; 0: nothing."""


def habit_of(seed: int, number: int) -> Habit:
    """The same for the same seed and number."""
    dice = Random(f"{seed} {number}")  # noqa: S311 - the same day every time is the point
    channels = dice.choices(
        (CHANNELS[:1], CHANNELS[1:], CHANNELS, ("alipay", "wechat"), ()), weights=(38, 32, 14, 8, 8)
    )[0]
    return Habit(
        minutes=dice.choice((20, 40, 45, 61, 75, 110, 130, 240)),
        channels=channels,
        pays=tuple(dice.random() < 0.9 for _ in channels),  # noqa: PLR2004 - a share
        odd_fen=dice.choice((1, 100, 5_000)) if dice.random() < 0.03 else 0,  # noqa: PLR2004
        is_impatient=dice.random() < 0.15,  # noqa: PLR2004
        fate=dice.choices(("as-billed", "shorter", "longer", "none"), weights=(82, 8, 6, 4))[0],
        given_back_fen=dice.choice((1, 100, 300)) if dice.random() < 0.05 else 0,  # noqa: PLR2004
    )

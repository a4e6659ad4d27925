"""What the map shows at one instant: immutable, so that every answer made from it agrees with the others. Pure."""

from dataclasses import dataclass
from typing import Literal

from api.live_city.registry import Registry

Letter = Literal["f", "o", "u", "c"]
"""``f``ree, ``o``ccupied, ``u``nknown, ``c``losed."""
FREE, OCCUPIED, UNKNOWN, CLOSED = (ord(letter) for letter in "fouc")
LETTERS = b"fouc"
WORDS = {FREE: "free", OCCUPIED: "occupied", UNKNOWN: "unknown", CLOSED: "closed"}

Trend = Literal["filling", "emptying", "steady"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LotNow:
    """A lot's counts; they always add up to its capacity."""

    free: int
    occupied: int
    unknown: int
    closed: int
    open_now: bool
    heard_ms: int | None
    """When we last received anything from it."""
    trend: Trend | None
    hour_fen: int | None
    """What one hour from now would cost; None without a tariff."""

    @property
    def available(self) -> int:
        """Free while the lot is open, else 0."""
        return self.free if self.open_now else 0

    def counts(self) -> dict[str, int]:
        """The five numbers of the live stream."""
        return {
            "available": self.available,
            "free": self.free,
            "occupied": self.occupied,
            "unknown": self.unknown,
            "closed": self.closed,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """Every space's letter in the order of ``/spaces`` and every lot's counts, at ``at_ms``."""

    version: int
    at_ms: int
    registry: Registry
    letters: bytes
    lots: tuple[LotNow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What differs between two pictures of one registry."""

    spaces: dict[str, list[int]]
    """Places by their new letter, ascending; all four letters are there."""
    lots: list[int]
    """Indexes of lots whose counts differ."""

    def __bool__(self) -> bool:
        return bool(self.lots) or any(self.spaces.values())


def changes_between(before: Picture, after: Picture) -> Changes:
    """What a viewer of the picture before must be told; both are of the same registry."""
    spaces: dict[str, list[int]] = {chr(letter): [] for letter in LETTERS}
    if before.letters != after.letters:
        for n, (was, now) in enumerate(zip(before.letters, after.letters, strict=True)):
            if was != now:
                spaces[chr(now)].append(n)
    lots = [
        index
        for index, (was, now) in enumerate(zip(before.lots, after.lots, strict=True))
        if was.counts() != now.counts()
    ]
    return Changes(spaces=spaces, lots=lots)

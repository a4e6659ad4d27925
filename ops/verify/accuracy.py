"""How right the stored is where something went wrong: stays by the faults that touched what was said of them. Pure."""

from dataclasses import dataclass
from typing import Final

from ops.verify.truth import Stay, Touched

NONE = "none"
"""What stays are listed under of which everything was said rightly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultAccuracy:
    """Stays that one fault touched; a stay that several touched is listed under each."""

    fault: str
    stays: int
    equal: int
    """To the millisecond and, where they have ended and the notice is known, to the fen."""
    evident: int
    """Not equal, but stored as the readings say, which is all that could be known."""
    true_fen: int
    billed_fen: int

    @property
    def share(self) -> float:
        """Of them, those that are equal."""
        return self.equal / self.stays if self.stays else 1.0

    @property
    def wrong(self) -> int:
        """Neither as it was nor as the readings say."""
        return self.stays - self.equal - self.evident


_COUNTED: Final = ("stays", "equal", "evident", "true_fen", "billed_fen")


class Accuracies:
    """Counts stays under their faults, one after the other."""

    def __init__(self, touched: Touched) -> None:
        self._touched = touched
        self._spaces = {space for space, _ in touched}
        self._counted: dict[str, list[int]] = {}

    def add(self, stay: Stay, *, is_equal: bool, is_evident: bool, true_fen: int, billed_fen: int) -> None:
        """Count one stay with what it should have cost and what was billed; 0 and 0 where fees are not compared."""
        for fault in self._touched.get((stay.space, stay.entered_ms), (NONE,)):
            counted = self._counted.setdefault(fault, [0] * len(_COUNTED))
            for place, value in enumerate((1, int(is_equal), int(is_evident), true_fen, billed_fen)):
                counted[place] += value

    def explains(self, space: str, stay: Stay | None) -> bool:
        """Whether a fault touched this stay; or, for a session that is like no stay, any of its space."""
        return space in self._spaces if stay is None else (space, stay.entered_ms) in self._touched

    def told(self) -> tuple[FaultAccuracy, ...]:
        """By fault; nothing where no fault touched any stay."""
        if not self._touched:
            return ()
        return tuple(
            FaultAccuracy(fault=fault, **dict(zip(_COUNTED, counted, strict=True)))
            for fault, counted in sorted(self._counted.items(), key=lambda one: (one[0] == NONE, one[0]))
        )

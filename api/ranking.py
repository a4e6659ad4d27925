"""Which of the lots around a place serves a driver best: the way on foot, the room that is left, the fee. Pure.

A full lot is worth no walk and a shut one no drive, so lots come in classes first. Within a class what a lot costs is
counted in minutes: those on foot, the fee at what an hour of a driver is worth, and for the last few spaces the risk
that they are gone on arrival.
"""

from dataclasses import dataclass
from typing import Final, Literal

Prospect = Literal["free", "unknown", "full", "shut"]
"""What a driver may expect there: room, nothing known, no room, not open on arrival."""

ORDER: Final[tuple[Prospect, ...]] = ("free", "unknown", "full", "shut")
FEN_A_MINUTE: Final = 50
"""What a minute of walking is worth: thirty yuan an hour."""
RISK_MINUTES: Final = 6.0
"""What the risk of the very last space is worth; of the second last half of it, and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one lot offers to one driver."""

    code: str
    free: int
    known: int
    """Spaces of which we know whether they are free."""
    open_on_arrival: bool
    walk_minutes: float
    fee_fen: int | None
    """None where nobody told us a price: counted as what the dearest of the others costs."""

    @property
    def prospect(self) -> Prospect:
        """The class it comes in."""
        if not self.open_on_arrival:
            return "shut"
        if self.free > 0:
            return "free"
        return "full" if self.known else "unknown"

    def minutes(self, dearest_fen: int) -> float:
        """What choosing it costs, in minutes."""
        fee = dearest_fen if self.fee_fen is None else self.fee_fen
        risk = RISK_MINUTES / self.free if self.free else 0.0
        return self.walk_minutes + fee / FEN_A_MINUTE + risk


def ranked(offers: list[Offer]) -> list[Offer]:
    """The best first; equal ones by code, so that the order is the same for everybody."""
    dearest = max((offer.fee_fen or 0 for offer in offers), default=0)
    return sorted(offers, key=lambda one: (ORDER.index(one.prospect), one.minutes(dearest), one.code))

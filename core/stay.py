"""A stay: one vehicle's priced time in a lot. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NewType

from core.errors import InvalidError

VehicleClass = NewType("VehicleClass", str)
"""What a notice tells apart: one of ``VEHICLE_WORDS`` or a word of the notice's own."""

VEHICLE_WORDS: Final = (
    "small",
    "large",
    "motorcycle",
    "small-nev",
    "large-nev",
    "police",
    "military",
    "fire",
    "ambulance",
    "rescue",
    "sanitation",
    "utility_repair",
    "disabled_certified",
    "hearse",
    "cash_van",
)
"""The words every notice understands; one that has no price for a word treats it as its default class, and says so."""


class StayEndsBeforeItBeginsError(InvalidError):
    """A stay is half-open ``[entered_at, left_at)`` and cannot run backwards."""

    slug = "stay-ends-before-it-begins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Half-open ``[entered_at, left_at)``, aware instants, kept in UTC; one of no length costs nothing."""

    entered_at: datetime
    left_at: datetime

    def __post_init__(self) -> None:
        """Refuse naive instants and a stay that ends before it begins."""
        for name in ("entered_at", "left_at"):
            at = getattr(self, name)
            if at.tzinfo is None:
                raise InvalidError(f"{name} has no offset: an instant is needed, not a time on somebody's wall")
            if at.tzinfo is not UTC:
                object.__setattr__(self, name, at.astimezone(UTC))
        if self.left_at < self.entered_at:
            raise StayEndsBeforeItBeginsError(
                f"the stay ends at {self.left_at.isoformat()}, before it begins at {self.entered_at.isoformat()}",
                entered_at=self.entered_at.isoformat(),
                left_at=self.left_at.isoformat(),
            )

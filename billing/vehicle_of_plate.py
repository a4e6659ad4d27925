"""Which vehicle a plate's evidence means: the best evidence decides, its colour gives the class. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from core.plate import Plate, PlateKind
from core.stay import VehicleClass

Source = Literal["warden", "camera", "claim"]

TRUST: Final[Mapping[str, int]] = {"claim": 0, "camera": 1, "warden": 2}
CLASS_OF_COLOUR: Final[Mapping[str, VehicleClass]] = {
    "blue": VehicleClass("small"),
    "black": VehicleClass("small"),
    "yellow": VehicleClass("large"),
    "green": VehicleClass("small-nev"),
    "yellow-green": VehicleClass("large-nev"),
}
"""After the public standard: large new-energy vehicles have a yellow and green plate. White ones are official and of
any size, so they tell no class."""
_COLOUR_OF_FORM: Final[Mapping[PlateKind, str]] = {
    PlateKind.NEW_ENERGY_SMALL: "green",
    PlateKind.NEW_ENERGY_LARGE: "yellow-green",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Somebody or something says that a plate stood there."""

    plate_id: UUID
    source: str
    colour: str | None
    confidence_percent: int | None
    is_sure: bool
    """Whether it may identify a vehicle: a warden's word, or a camera's that read clearly."""
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """What is known of a session's vehicle."""

    plate_id: UUID | None = None
    """None: no evidence."""
    source: Source | None = None
    vehicle: VehicleClass | None = None
    """None: no colour was seen, or one that tells no class."""
    colour: str | None = None
    """Of the plate, as it was seen."""
    is_confirmed: bool = False
    """Whether anybody but the driver says so surely: only then do passes, exemptions and earlier stays count."""


UNKNOWN: Final = Vehicle()


def vehicle_by(evidence: Iterable[Evidence]) -> Vehicle:
    """The vehicle that the best evidence names.

    A warden outranks a camera and a camera the driver; then the surer, then the newer. A colour that only other
    evidence of the same plate tells is taken from there.
    """
    ranked = sorted(evidence, key=_rank, reverse=True)
    if not ranked:
        return UNKNOWN
    best = ranked[0]
    colours = [one.colour for one in ranked if one.plate_id == best.plate_id and one.colour]
    source: Source = "warden" if best.source == "warden" else "camera" if best.source == "camera" else "claim"
    vehicle = CLASS_OF_COLOUR.get(colours[0]) if colours else None
    return Vehicle(
        plate_id=best.plate_id,
        source=source,
        vehicle=vehicle,
        colour=colours[0] if colours else None,
        is_confirmed=best.is_sure,
    )


def colour_of_form(plate: Plate) -> str | None:
    """The colour that a plate's form implies: only new-energy plates have eight characters; None for others."""
    return _COLOUR_OF_FORM.get(plate.kind)


def _rank(one: Evidence) -> tuple[int, int, datetime]:
    return TRUST.get(one.source, -1), one.confidence_percent or 0, one.recorded_at

"""Which of a notice's classes a vehicle word means. Pure."""

from dataclasses import dataclass

from billing.tariff.model import Rate, Tariff
from billing.tariff.problems import did_you_mean
from core.errors import InvalidError
from core.stay import VEHICLE_WORDS, VehicleClass

NEW_ENERGY = "-nev"


class VehicleUnknownError(InvalidError):
    """Nobody calls a vehicle that. Carries ``vehicle``."""

    slug = "vehicle-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classed:
    """A vehicle as a notice sees it."""

    vehicle: VehicleClass
    rate: Rate | None
    """None: exempt."""
    assumed: bool
    """The default class stands in for what is not known, or for a vehicle the notice has no price for."""


def class_of(tariff: Tariff, vehicle: VehicleClass | None) -> Classed:
    """The class that prices a vehicle.

    A new-energy vehicle for which the notice has no price of its own pays as its size does; any other known word
    without a price pays as the default class, and nothing known does too.

    Raises:
        VehicleUnknownError: the word is neither the notice's nor one that every notice understands.
    """
    if vehicle is None:
        return Classed(vehicle=tariff.default_class, rate=tariff.rates[tariff.default_class], assumed=True)
    if vehicle in tariff.exempt:
        return Classed(vehicle=vehicle, rate=None, assumed=False)
    for word in (vehicle, VehicleClass(vehicle.removesuffix(NEW_ENERGY))):
        if word in tariff.rates:
            return Classed(vehicle=word, rate=tariff.rates[word], assumed=False)
    if vehicle in VEHICLE_WORDS:
        return Classed(vehicle=tariff.default_class, rate=tariff.rates[tariff.default_class], assumed=True)
    words = {*tariff.rates, *tariff.exempt, *VEHICLE_WORDS}
    raise VehicleUnknownError(f"there are no vehicles {vehicle!r}; {did_you_mean(vehicle, words)}", vehicle=vehicle)

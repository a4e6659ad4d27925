"""What goes wrong between a vehicle and us: in the air, in a sensor, in a street, on purpose. Pure."""

from simulator.faults.air import Fate, fate_of
from simulator.faults.description import Fault, Faults, Spell

__all__ = ["Fate", "Fault", "Faults", "Spell", "fate_of"]

"""Days worth playing, as short files: ``parking simulate --list``, ``parking simulate --scenario NAME|FILE``."""

from simulator.scenarios.loading import list_scenarios, load_scenario, notice_of
from simulator.scenarios.reading import ScenarioInvalidError
from simulator.scenarios.scenario import Arrivals, PriceChange, ProviderTrouble, Scenario

__all__ = [
    "Arrivals",
    "PriceChange",
    "ProviderTrouble",
    "Scenario",
    "ScenarioInvalidError",
    "list_scenarios",
    "load_scenario",
    "notice_of",
]

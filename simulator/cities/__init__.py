"""Cities to simulate: drawn from short descriptions, or laid out as a plain grid of any size.

The demo city is drawn whenever it is wanted (a third of a second) and not kept as a file: a megabyte of generated
coordinates in the repository could drift from the description that people read and change.
"""

import json
from pathlib import Path

from simulator.cities.draw import draw_city
from simulator.cities.grid import grid_city, grid_features, write_grid

__all__ = ["DEMO_CITY", "demo_city", "draw_city", "grid_city", "grid_features", "write_grid"]

DEMO_CITY = Path(__file__).parent / "xinchang.toml"


def demo_city() -> bytes:
    """The demo city's file: the same bytes at every call."""
    return json.dumps(draw_city(DEMO_CITY), ensure_ascii=False, separators=(",", ":")).encode()

"""Positions on the earth: GeoJSON geometries walked, bounded and moved between WGS-84 and GCJ-02. Pure.

Everything is stored as WGS-84. Chinese map providers draw in GCJ-02, an obfuscated datum some 500 m away; the formula
below is the one published and confirmed by many independent implementations (error against them: well below 1 m).
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

Position = tuple[float, float]
"""Longitude, latitude, degrees."""
Bounds = tuple[float, float, float, float]
"""West, south, east, north, degrees."""
Geometry = dict[str, Any]

KRASOVSKY_A: Final = 6_378_245.0
"""Semi-major axis of the ellipsoid the formula is written for, metres."""
KRASOVSKY_E2: Final = 0.006_693_421_622_965_943
"""Its first eccentricity, squared."""
FORMULA_ORIGIN: Final = (105.0, 35.0)
CHINA: Final[Bounds] = (72.004, 0.8293, 137.8347, 55.8271)
"""Outside of it GCJ-02 is WGS-84."""


def gcj02_of(position: Position) -> Position:
    """Where a Chinese map draws a WGS-84 position; outside China the position itself."""
    lon, lat = position
    if not within(CHINA, position):
        return position
    east, north = _offset(lon - FORMULA_ORIGIN[0], lat - FORMULA_ORIGIN[1])
    phi = math.radians(lat)
    curve = 1 - KRASOVSKY_E2 * math.sin(phi) ** 2
    metres_north = KRASOVSKY_A * (1 - KRASOVSKY_E2) / curve**1.5
    metres_east = KRASOVSKY_A / math.sqrt(curve) * math.cos(phi)
    return lon + math.degrees(east / metres_east), lat + math.degrees(north / metres_north)


def wgs84_of(position: Position) -> Position:
    """The WGS-84 position that a Chinese map draws here, to 1e-9 degrees, by fixed-point iteration."""
    guess = position
    for _ in range(10):
        there = gcj02_of(guess)
        guess = guess[0] - (there[0] - position[0]), guess[1] - (there[1] - position[1])
    return guess


def moved(geometry: Geometry, move: Callable[[Position], Position]) -> Geometry:
    """The same geometry with every position moved, rounded to a centimetre (7 decimals)."""
    if geometry["type"] == "GeometryCollection":
        return {**geometry, "geometries": [moved(part, move) for part in geometry["geometries"]]}
    return {**geometry, "coordinates": _moved(geometry["coordinates"], move)}


def positions_in(geometry: Geometry) -> Iterator[Position]:
    """Every position of a geometry, in order."""
    if geometry["type"] == "GeometryCollection":
        for part in geometry["geometries"]:
            yield from positions_in(part)
    else:
        yield from _positions(geometry["coordinates"])


def bounds_of(geometry: Geometry) -> Bounds | None:
    """The smallest box around a geometry; None when it has no position."""
    positions = list(positions_in(geometry))
    if not positions:
        return None
    lons, lats = zip(*positions, strict=True)
    return min(lons), min(lats), max(lons), max(lats)


def overlap(one: Bounds, other: Bounds) -> bool:
    """Whether two boxes share at least a point."""
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def within(bounds: Bounds, position: Position) -> bool:
    """Whether a position lies in a box or on its edge."""
    return bounds[0] <= position[0] <= bounds[2] and bounds[1] <= position[1] <= bounds[3]


def middle_of(bounds: Bounds) -> Position:
    """The middle of a box."""
    return (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2


def _offset(x: float, y: float) -> tuple[float, float]:
    """The published shift in metres, east and north, at ``x, y`` degrees from the formula's origin."""
    root = math.sqrt(abs(x))
    ripple = 20 * math.sin(6 * math.pi * x) + 20 * math.sin(2 * math.pi * x)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (ripple + 20 * math.sin(math.pi * x) + 40 * math.sin(math.pi * x / 3)) * 2 / 3
    east += (150 * math.sin(math.pi * x / 12) + 300 * math.sin(math.pi * x / 30)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (ripple + 20 * math.sin(math.pi * y) + 40 * math.sin(math.pi * y / 3)) * 2 / 3
    north += (160 * math.sin(math.pi * y / 12) + 320 * math.sin(math.pi * y / 30)) * 2 / 3
    return east, north


def _moved(coordinates: list[Any], move: Callable[[Position], Position]) -> list[Any]:
    if coordinates and isinstance(coordinates[0], int | float):
        lon, lat = move((coordinates[0], coordinates[1]))
        return [round(lon, 7), round(lat, 7), *coordinates[2:]]
    return [_moved(part, move) for part in coordinates]


def _positions(coordinates: list[Any]) -> Iterator[Position]:
    if coordinates and isinstance(coordinates[0], int | float):
        yield coordinates[0], coordinates[1]
    else:
        for part in coordinates:
            yield from _positions(part)

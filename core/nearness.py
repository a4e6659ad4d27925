"""How far something lies: straight metres within a county, and what a person walks for them. Pure."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from core.geo import Geometry, Position

METRES_A_DEGREE: Final = 111_195.0
"""Of latitude, on a sphere of the earth's mean radius."""
DETOUR: Final = 1.3
"""Streets make a way so much longer than the straight line: the usual figure for walking in towns."""
WALKED_A_MINUTE: Final = 75.0
"""Metres: 4.5 km/h."""


def metres_between(one: Position, other: Position) -> float:
    """Straight metres; within a county true to a thousandth."""
    east, north = _flat(one, other)
    return math.hypot(east, north)


def metres_to(geometry: Geometry, position: Position) -> float:
    """Straight metres to the nearest part of a GeoJSON geometry; 0 inside of a polygon, infinite to an empty one."""
    return min(_distances(geometry, position), default=math.inf)


def walked(metres: float) -> float:
    """Metres that a person walks for so many straight ones: an estimate, no street is looked at."""
    return metres * DETOUR


def walking_minutes(metres: float) -> float:
    """How long that takes on foot, for straight metres."""
    return walked(metres) / WALKED_A_MINUTE


def _distances(geometry: Geometry, position: Position) -> Iterator[float]:
    """To each part."""
    kind, parts = geometry["type"], geometry.get("coordinates", ())
    if kind == "GeometryCollection":
        yield from (metres_to(part, position) for part in geometry["geometries"])
    elif kind in {"Point", "MultiPoint"}:
        points = parts if kind == "MultiPoint" else [parts]
        yield from (metres_between(position, (lon, lat)) for lon, lat, *_ in points)
    elif kind in {"Polygon", "MultiPolygon"}:
        yield from (_to_polygon(rings, position) for rings in (parts if kind == "MultiPolygon" else [parts]))
    else:
        yield from (_to_line(line, position) for line in (parts if kind == "MultiLineString" else [parts]))


def _flat(origin: Position, position: Position) -> tuple[float, float]:
    """Metres east and north of an origin."""
    shrink = math.cos(math.radians((origin[1] + position[1]) / 2))
    return (position[0] - origin[0]) * shrink * METRES_A_DEGREE, (position[1] - origin[1]) * METRES_A_DEGREE


def _to_polygon(rings: Sequence[Sequence[Any]], position: Position) -> float:
    """Odd crossings of the rings by a ray to the east: inside, holes taken into account."""
    crossings = sum(_crosses(begin, end, position) for ring in rings for begin, end in pairwise(ring))
    if crossings % 2:
        return 0.0
    return min((_to_line(ring, position) for ring in rings), default=math.inf)


def _crosses(begin: Sequence[float], end: Sequence[float], position: Position) -> bool:
    lon, lat = position
    if (begin[1] > lat) == (end[1] > lat):
        return False
    return lon < begin[0] + (lat - begin[1]) / (end[1] - begin[1]) * (end[0] - begin[0])


def _to_line(line: Sequence[Sequence[float]], position: Position) -> float:
    """To the nearest point of a line."""
    return min((_to_step(begin, end, position) for begin, end in pairwise(line)), default=math.inf)


def _to_step(begin: Sequence[float], end: Sequence[float], position: Position) -> float:
    a_x, a_y = _flat(position, (begin[0], begin[1]))
    b_x, b_y = _flat(position, (end[0], end[1]))
    length = (b_x - a_x) ** 2 + (b_y - a_y) ** 2
    along = 0.0 if length == 0 else min(1.0, max(0.0, -(a_x * (b_x - a_x) + a_y * (b_y - a_y)) / length))
    return math.hypot(a_x + along * (b_x - a_x), a_y + along * (b_y - a_y))

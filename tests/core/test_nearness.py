"""Distances: against the great circle, and against a geometry library on a flat plane."""

import math
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape

from core.nearness import METRES_A_DEGREE, metres_between, metres_to, walked, walking_minutes

HERE = (120.9002, 29.5053)
near_here = st.tuples(st.floats(120.8, 121.0), st.floats(29.4, 29.6))


def great_circle(one: tuple[float, float], other: tuple[float, float]) -> float:
    (lon_a, lat_a), (lon_b, lat_b) = ((math.radians(lon), math.radians(lat)) for lon, lat in (one, other))
    half = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * math.degrees(math.asin(math.sqrt(half))) * METRES_A_DEGREE


@given(near_here, near_here)
def test_within_a_county_the_flat_distance_is_the_great_circle(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    assert metres_between(one, other) == pytest.approx(great_circle(one, other), rel=1e-3, abs=0.01)


RING = [[120.9, 29.5], [120.91, 29.5], [120.91, 29.51], [120.9, 29.51], [120.9, 29.5]]
HOLE = [[120.904, 29.504], [120.906, 29.504], [120.906, 29.506], [120.904, 29.506], [120.904, 29.504]]
SHAPES: list[dict[str, Any]] = [
    {"type": "Point", "coordinates": [120.9, 29.5, 12.0]},
    {"type": "LineString", "coordinates": RING[:3]},
    {"type": "Polygon", "coordinates": [RING]},
    {"type": "Polygon", "coordinates": [RING, HOLE]},
    {"type": "MultiPoint", "coordinates": RING[:3]},
    {"type": "MultiLineString", "coordinates": [RING[:2], HOLE[:3]]},
    {"type": "MultiPolygon", "coordinates": [[HOLE]]},
]


@pytest.mark.parametrize("geometry", SHAPES, ids=lambda geometry: str(geometry["type"]))
@given(place=st.tuples(st.floats(120.89, 120.92), st.floats(29.49, 29.52)))
def test_the_nearest_part_of_a_shape_is_what_counts(geometry: dict[str, Any], place: tuple[float, float]) -> None:
    flat = shapely.transform(
        shape(geometry),
        lambda degrees: (degrees - place) * [METRES_A_DEGREE * math.cos(math.radians(place[1])), METRES_A_DEGREE],
    )
    assert metres_to(geometry, place) == pytest.approx(flat.distance(shapely.Point(0, 0)), rel=2e-3, abs=0.5)


def test_a_collection_is_as_near_as_its_nearest_part() -> None:
    parts = {"type": "GeometryCollection", "geometries": SHAPES}
    assert metres_to(parts, HERE) == min(metres_to(part, HERE) for part in SHAPES)


def test_a_way_on_foot_is_longer_than_the_straight_line() -> None:
    assert walked(1_000) == 1_300
    assert walking_minutes(1_000) == pytest.approx(17.3, abs=0.1)

import prcoords
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.geo import bounds_of, gcj02_of, moved, overlap, positions_in, wgs84_of

anywhere_in_china = st.tuples(st.floats(74, 134), st.floats(4, 53))


@given(anywhere_in_china)
def test_the_shift_agrees_with_an_independent_implementation(position: tuple[float, float]) -> None:
    there = prcoords.wgs_gcj((position[1], position[0]))
    assert gcj02_of(position) == pytest.approx((there.lon, there.lat), abs=1e-9)


@given(anywhere_in_china)
def test_there_and_back_again(position: tuple[float, float]) -> None:
    assert wgs84_of(gcj02_of(position)) == pytest.approx(position, abs=1e-9)


def test_outside_china_nothing_is_shifted() -> None:
    for position in ((2.35, 48.86), (139.7, 35.7), (-0.1, 51.5)):
        assert gcj02_of(position) == position


def test_a_whole_geometry_is_moved_whatever_its_depth() -> None:
    ring = [[120.9, 29.5], [120.91, 29.5, 40.0], [120.9, 29.51], [120.9, 29.5]]
    for geometry in (
        {"type": "Point", "coordinates": ring[1]},
        {"type": "LineString", "coordinates": ring},
        {"type": "MultiPolygon", "coordinates": [[ring]]},
        {"type": "GeometryCollection", "geometries": [{"type": "Polygon", "coordinates": [ring]}]},
    ):
        there = moved(geometry, gcj02_of)
        pairs = list(zip(positions_in(geometry), positions_in(there), strict=True))
        assert pairs
        for before, after in pairs:
            assert after == pytest.approx(gcj02_of(before), abs=1e-7)
    assert moved({"type": "Point", "coordinates": ring[1]}, gcj02_of)["coordinates"][2] == 40.0


def test_boxes() -> None:
    line = {"type": "LineString", "coordinates": [[2, 1], [0, 5]]}
    assert bounds_of(line) == (0, 1, 2, 5)
    assert bounds_of({"type": "Polygon", "coordinates": []}) is None
    assert overlap((0, 0, 1, 1), (1, 1, 2, 2))
    assert not overlap((0, 0, 1, 1), (1.1, 0, 2, 2))

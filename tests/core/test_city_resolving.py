"""In which areas places lie."""

from core.city import Geometry, Level
from core.city.resolving import KnownArea, areas_of


def square(west: float, south: float, side: float) -> Geometry:
    east, north = west + side, south + side
    return Geometry("Polygon", (((west, south), (east, south), (east, north), (west, north), (west, south)),))


def area(id_: int, level: Level, geometry: Geometry, parent: int | None = None) -> KnownArea:
    return KnownArea(id=id_, level=level, parent_id=parent, geometry=geometry)


POINT = Geometry("Point", (0.5, 0.5))


def test_a_place_lies_in_one_area_of_each_level() -> None:
    areas = [
        area(1, Level.TOWNSHIP, square(0, 0, 10)),
        area(2, Level.GRID, square(0, 0, 1)),
        area(3, Level.GRID, square(5, 5, 1)),
    ]
    assert areas_of(areas, [POINT, Geometry("Point", (20, 20))]) == [frozenset({1, 2}), frozenset()]


def test_of_two_areas_of_one_level_the_smaller_holds_it() -> None:
    areas = [area(1, Level.STREET, square(0, 0, 1)), area(2, Level.STREET, square(0, 0, 5))]
    assert areas_of(areas, [POINT]) == [frozenset({1})]


def test_a_level_without_outline_here_comes_from_the_parent() -> None:
    areas = [area(1, Level.TOWNSHIP, square(5, 5, 1)), area(2, Level.GRID, square(0, 0, 1), parent=1)]
    assert areas_of(areas, [POINT]) == [frozenset({1, 2})]


def test_a_street_lies_where_its_middle_is() -> None:
    areas = [area(1, Level.GRID, square(0, 0, 1)), area(2, Level.GRID, square(1, 0, 1))]
    line = Geometry("LineString", ((0.9, 0.5), (1.5, 0.5), (1.9, 0.5)))
    assert areas_of(areas, [line]) == [frozenset({2})]


def test_without_areas_nothing_lies_anywhere() -> None:
    assert areas_of([], [POINT]) == [frozenset()]
    assert areas_of([area(1, Level.GRID, square(0, 0, 1))], []) == []

"""Where the features of a city file lie: crossing outlines, places outside the city or far from their lot. Pure.

All shapes of a kind are handled at once by shapely, so that a city of 230 000 spaces is checked in seconds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from core.city.geometry import Shapes, in_metres, shapes_of, swapped
from core.city.model import City, Geometry, Lot, Space
from core.city.problems import Problem, Slug

Note = Callable[[Problem], None]

FARTHEST_FROM_LOT_METRES = 1_000.0
_SMALLEST_SPACE_M2 = 0.5
_LARGEST_SPACE_M2 = 400.0
_OVERLAP = 0.2
"""Share of the smaller space from which two spaces count as on top of one another."""


def sound_shapes(geometries: Sequence[Geometry], wheres: Sequence[str], note: Note) -> tuple[Shapes, NDArray[np.bool_]]:
    """The shapes, and which of them are sound; notes the others."""
    shapes = shapes_of(geometries)
    sound = np.asarray(shapely.is_valid(shapes), dtype=np.bool_)
    for place in np.flatnonzero(~sound).tolist():
        why = f"its outline crosses or touches itself ({shapely.is_valid_reason(shapes[place])})"
        cure = "Draw the outline in order, each corner once."
        note(Problem(slug=Slug.SELF_CROSSING, where=wheres[place], why=why, cure=cure))
    return shapes, sound


@dataclass(frozen=True, slots=True)
class Bounds:
    """The city's outline, ready for many questions."""

    name: str
    shape: shapely.Geometry

    @classmethod
    def of(cls, city: City) -> "Bounds":
        """The bounds of a city whose outline is sound."""
        shape = shapes_of([city.bounds])[0]
        shapely.prepare(shape)
        return cls(city.name, shape)

    def check_inside(self, shapes: Shapes, wheres: Sequence[str], note: Note) -> None:
        """Note every shape that is not wholly inside."""
        for place in np.flatnonzero(~shapely.covers(self.shape, shapes)).tolist():
            self._note_outside(shapes[place : place + 1], wheres[place], note)

    def check_touching(self, shapes: Shapes, wheres: Sequence[str], note: Note) -> None:
        """Note every shape that lies wholly outside: outlines from different sources rarely agree to the metre."""
        for place in np.flatnonzero(~shapely.intersects(self.shape, shapes)).tolist():
            self._note_outside(shapes[place : place + 1], wheres[place], note)

    def check_entrances(self, lots: Sequence[tuple[Lot, str]], note: Note) -> None:
        """Note entrances that lie outside."""
        placed = [(entrance, where) for lot, where in lots for entrance in lot.entrances]
        if placed:
            points = np.asarray(shapely.points([entrance for entrance, _ in placed]), dtype=np.object_)
            self.check_inside(points, [f"{where}, an entrance" for _, where in placed], note)

    def _note_outside(self, one: Shapes, where: str, note: Note) -> None:
        if shapely.covers(self.shape, swapped(one))[0]:
            note(_swapped(where))
            return
        lon, lat = shapely.get_coordinates(shapely.point_on_surface(one))[0]
        why = f"[{lon:.6f}, {lat:.6f}] lies outside {self.name}, or a part of it does"
        cure = "Correct the coordinates (WGS-84, longitude first) or the city's outline."
        note(Problem(slug=Slug.OUTSIDE_CITY, where=where, why=why, cure=cure))


def check_near_lots(
    spaces: Sequence[tuple[Space, str]], shapes: Shapes, lots: Mapping[str, shapely.Geometry], note: Note
) -> None:
    """Note spaces further than 1 km from their lot, of lots that are known by code."""
    members: dict[str, list[int]] = {}
    for place, (space, _) in enumerate(spaces):
        members.setdefault(space.lot, []).append(place)
    for code in members.keys() & lots.keys():
        latitude = float(shapely.get_y(shapely.centroid(lots[code])))
        flat = in_metres(np.array([lots[code]], dtype=np.object_), latitude)[0]
        places = members[code]
        metres = shapely.distance(in_metres(shapes[places], latitude), flat)
        for place, distance in zip(places, metres, strict=True):
            if distance <= FARTHEST_FROM_LOT_METRES:
                continue
            where, one = spaces[place][1], shapes[place : place + 1]
            if shapely.distance(in_metres(swapped(one), latitude), flat)[0] <= FARTHEST_FROM_LOT_METRES:
                note(_swapped(where))
                continue
            why = f"it lies {distance / 1000:.1f} km from its lot {code}"
            note(Problem(slug=Slug.FAR_FROM_LOT, where=where, why=why, cure="Correct the coordinates or the lot."))


def check_sizes(shapes: Shapes, wheres: Sequence[str], note: Note) -> None:
    """Warn of outlines too small or too large for one vehicle, and of spaces on top of one another."""
    if not len(shapes):
        return
    flat = in_metres(shapes, float(np.mean(shapely.get_coordinates(shapes)[:, 1])))
    sizes = shapely.area(flat)
    drawn = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
    odd = drawn & ((sizes < _SMALLEST_SPACE_M2) | (sizes > _LARGEST_SPACE_M2))
    for place in np.flatnonzero(odd).tolist():
        why = f"it measures {sizes[place]:.1f} m²"
        note(Problem(slug=Slug.ODD_SIZE, where=wheres[place], why=why, cure="Is this the outline of one space?"))
    pairs = shapely.STRtree(flat).query(flat, predicate="intersects")
    one, other = pairs[:, pairs[0] < pairs[1]]
    shared = shapely.area(shapely.intersection(flat[one], flat[other]))
    smaller = np.minimum(sizes[one], sizes[other])
    points = ~drawn[one] & ~drawn[other]
    stacked = points | ((smaller > 0) & (shared > _OVERLAP * smaller))
    for pair in np.flatnonzero(stacked).tolist():
        why = f"it lies on top of {wheres[other[pair]]}"
        note(Problem(slug=Slug.OVERLAPPING_SPACES, where=wheres[one[pair]], why=why, cure="Move one of the two."))


def _swapped(where: str) -> Problem:
    why = "latitude and longitude are swapped: exchanged, it would be in its place"
    return Problem(slug=Slug.SWAPPED_COORDINATES, where=where, why=why, cure="GeoJSON writes the longitude first.")

"""Townships, grids and streets as areas. Where real borders are not openly known they are schematic. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry import MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from core.city import Level
from core.errors import InvalidError
from simulator.cities.description import AreasPart, GridPart, StripPart
from simulator.cities.plane import Plane
from simulator.cities.streets import Street


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnArea:
    """An area on the plane of metres."""

    code: str
    name: str
    level: Level
    parent: str | None
    outline: Polygon


def draw_areas(
    part: AreasPart, places: Mapping[str, Any] | None, city: BaseGeometry, streets: Sequence[Street], plane: Plane
) -> list[DrawnArea]:
    """All areas of a description; grids and streets belong to the township that holds their middle."""
    townships = list(_townships(places, city, part.townships_note, plane)) if places else []
    grids = [grid for one in part.grids for grid in _grids(one, townships, plane)]
    strips = [_strip(one, townships, streets) for one in part.streets]
    return [*townships, *strips, *grids]


def _townships(places: Mapping[str, Any], city: BaseGeometry, note: str, plane: Plane) -> Iterator[DrawnArea]:
    """Each named place with the land that is nearer to it than to any other."""
    features = places["features"]
    points = [Point(plane.point(*feature["geometry"]["coordinates"][:2])) for feature in features]
    cells = shapely.get_parts(shapely.voronoi_polygons(MultiPoint(points), extend_to=city))
    for number, (feature, point) in enumerate(zip(features, points, strict=True), 1):
        cell = next(cell for cell in cells if cell.contains(point))
        land = max(shapely.get_parts(cell.intersection(city)), key=lambda piece: float(piece.area))
        name = feature["properties"]["name_zh"][-1]
        yield DrawnArea(code=f"T{number:02}", name=f"{name}{note}", level=Level.TOWNSHIP, parent=None, outline=land)


def _grids(part: GridPart, townships: Sequence[DrawnArea], plane: Plane) -> Iterator[DrawnArea]:
    """Numbered pieces, first along the first side."""
    a, b, c, d = plane.points(part.corners)

    def at(across: float, down: float) -> tuple[float, float]:
        x, y = (
            (a[axis] * (1 - across) + b[axis] * across) * (1 - down)
            + (d[axis] * (1 - across) + c[axis] * across) * down
            for axis in (0, 1)
        )
        return x, y

    number = 0
    for row in range(part.rows):
        for column in range(part.columns):
            number += 1
            west, east = column / part.columns, (column + 1) / part.columns
            north, south = row / part.rows, (row + 1) / part.rows
            outline = Polygon([at(west, north), at(east, north), at(east, south), at(west, south)])
            yield DrawnArea(
                code=f"{part.code}{number:02}",
                name=part.name.replace("{n}", str(number)),
                level=Level.GRID,
                parent=_holder(outline, townships),
                outline=outline,
            )


def _strip(part: StripPart, townships: Sequence[DrawnArea], streets: Sequence[Street]) -> DrawnArea:
    stretches = [line for street in streets for name, line in street.named() if name == part.name]
    if not stretches:
        raise InvalidError(f"area {part.code}: there is no street named {part.name}")
    outline = unary_union(stretches).buffer(part.metres, cap_style="flat", join_style="mitre")
    return DrawnArea(
        code=part.code, name=part.name, level=Level.STREET, parent=_holder(outline, townships), outline=outline
    )


def _holder(outline: Polygon, townships: Sequence[DrawnArea]) -> str | None:
    middle = outline.representative_point()
    return next((township.code for township in townships if township.outline.contains(middle)), None)

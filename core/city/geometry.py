"""GeoJSON geometries: read, checked for shape, and turned into shapely's for the questions of place. Pure.

After RFC 7946: longitude first, a third coordinate is allowed (and dropped), the order of a ring's turns is no error.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from core.city.fields import shown
from core.city.model import Coordinates, Geometry, Position
from core.city.problems import Slug

Shapes = NDArray[np.object_]

EVERY_TYPE = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")

METRES_A_DEGREE = 111_195.0
"""Along a meridian, on the sphere; good to 0.5 % anywhere."""

_DEPTH = {"Point": 0, "LineString": 1, "MultiPoint": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}
_FEWEST_OF_LINE = 2
_FEWEST_OF_RING = 4
_LATITUDES = 90.0
_LONGITUDES = 180.0


class GeometryError(Exception):
    """A geometry is refused: which slug, why and what helps."""

    def __init__(self, slug: Slug, why: str, cure: str) -> None:
        super().__init__(why)
        self.slug = slug
        self.why = why
        self.cure = cure


def read_geometry(value: object, allowed: Collection[str]) -> Geometry:
    """The geometry, heights dropped.

    Raises:
        GeometryError: it is empty, of a type not allowed here, its coordinates are malformed or no place on earth,
            or a ring is not closed. Crossing rings are found later, all at once, by ``faults_of_shapes``.
    """
    if value is None:
        raise GeometryError(Slug.EMPTY_GEOMETRY, "it has no geometry", f"Give a {' or '.join(allowed)}.")
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        raise GeometryError(Slug.BAD_COORDINATES, "its geometry is no GeoJSON geometry", "See RFC 7946, section 3.1.")
    kind = value["type"]
    if kind not in allowed:
        raise GeometryError(
            Slug.WRONG_GEOMETRY,
            f"its geometry is a {shown(kind)}",
            f"Give a {' or '.join(allowed)}; one feature a part.",
        )
    nested = value.get("coordinates")
    if not nested:
        raise GeometryError(Slug.EMPTY_GEOMETRY, "its geometry has no coordinates", "Draw it, or remove the feature.")
    coordinates = _read(nested, _DEPTH[kind])
    _check_lengths(kind, coordinates)
    return Geometry(kind, coordinates)


def read_position(value: object) -> Position:
    """One ``[longitude, latitude]``; a height after them is dropped.

    Raises:
        GeometryError: it is no such pair, or no place on earth.
    """
    if not isinstance(value, list | tuple) or len(value) < 2:  # noqa: PLR2004 - a pair
        raise GeometryError(
            Slug.BAD_COORDINATES, f"{shown(value)} is no position", "A position is [longitude, latitude]."
        )
    lon, lat = value[0], value[1]
    if type(lon) is float and type(lat) is float and abs(lon) <= _LONGITUDES and abs(lat) <= _LATITUDES:
        return (lon, lat)
    return _read_odd_position(lon, lat)


def shapes_of(geometries: Sequence[Geometry]) -> Shapes:
    """Shapely's geometry of each, in order; all plain polygons are built at once."""
    shapes = np.empty(len(geometries), dtype=np.object_)
    rings: list[Any] = []
    places: list[int] = []
    for place, geometry in enumerate(geometries):
        if geometry.type == "Polygon" and len(geometry.coordinates) == 1:
            rings.append(geometry.coordinates[0])
            places.append(place)
        else:
            shapes[place] = shapely.geometry.shape(geometry.geojson())
    if rings:
        owners = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
        positions = np.array([position for ring in rings for position in ring], dtype=np.float64)
        shapes[places] = shapely.polygons(shapely.linearrings(positions, indices=owners))
    return shapes


def in_metres(shapes: Shapes, latitude: float) -> Shapes:
    """The shapes on a flat plane of metres, true near ``latitude``."""
    scale = np.array([METRES_A_DEGREE * max(math.cos(math.radians(latitude)), 1e-6), METRES_A_DEGREE])
    return shapely.transform(shapes, lambda positions: positions * scale)


def swapped(shapes: Shapes) -> Shapes:
    """The shapes with longitude and latitude exchanged."""
    return shapely.transform(shapes, lambda positions: positions[:, ::-1])


def _read(value: object, depth: int) -> Coordinates:
    if depth == 0:
        return read_position(value)
    if not isinstance(value, list | tuple):
        raise GeometryError(
            Slug.BAD_COORDINATES, f"{shown(value)} is no list of positions", "See RFC 7946, section 3.1."
        )
    if not value:
        raise GeometryError(Slug.EMPTY_GEOMETRY, "a part of its geometry is empty", "Draw it, or remove it.")
    if depth == 1:
        return tuple([read_position(item) for item in value])
    return tuple([_read(item, depth - 1) for item in value])


def _check_lengths(kind: str, coordinates: Coordinates) -> None:
    match kind:
        case "LineString":
            _check_line(coordinates)
        case "MultiLineString":
            for line in cast("tuple[Coordinates, ...]", coordinates):
                _check_line(line)
        case "Polygon":
            _check_polygon(coordinates)
        case "MultiPolygon":
            for polygon in cast("tuple[Coordinates, ...]", coordinates):
                _check_polygon(polygon)
        case _:
            pass


def _check_line(line: Coordinates) -> None:
    if len(line) < _FEWEST_OF_LINE or all(position == line[0] for position in line):
        raise GeometryError(Slug.BAD_COORDINATES, "a line has fewer than two positions", "Draw the whole line.")


def _check_polygon(polygon: Coordinates) -> None:
    for ring in cast("tuple[tuple[Position, ...], ...]", polygon):
        if ring[0] != ring[-1]:
            raise GeometryError(
                Slug.UNCLOSED_RING,
                f"a ring begins at {_at(ring[0])} and ends at {_at(ring[-1])}",
                "End the ring with its first position.",
            )
        if len(ring) < _FEWEST_OF_RING:
            raise GeometryError(
                Slug.BAD_COORDINATES,
                f"a ring has {len(ring)} positions",
                "A ring has at least four, the last equal to the first.",
            )


def _read_odd_position(lon: object, lat: object) -> Position:
    """Whole numbers are fine; whatever else is refused with what it probably is."""
    if isinstance(lon, bool) or isinstance(lat, bool):
        raise _no_numbers(lon, lat)
    if not isinstance(lon, int | float) or not isinstance(lat, int | float):
        raise _no_numbers(lon, lat)
    if abs(lon) <= _LONGITUDES and abs(lat) <= _LATITUDES:
        return (float(lon), float(lat))
    if abs(lon) <= _LATITUDES < abs(lat) <= _LONGITUDES:
        raise GeometryError(
            Slug.SWAPPED_COORDINATES,
            f"[{shown(lon)}, {shown(lat)}] has latitude and longitude swapped",
            "GeoJSON writes the longitude first.",
        )
    raise GeometryError(
        Slug.BAD_COORDINATES,
        f"[{shown(lon)}, {shown(lat)}] is no place on earth",
        "Write degrees of WGS-84, longitude first; metres of a projection must be converted.",
    )


def _no_numbers(lon: object, lat: object) -> GeometryError:
    return GeometryError(
        Slug.BAD_COORDINATES,
        f"[{shown(lon)}, {shown(lat)}] are not two numbers",
        "Write decimal degrees without quotes, longitude first.",
    )


def _at(position: Position) -> str:
    return f"[{position[0]:.10g}, {position[1]:.10g}]"

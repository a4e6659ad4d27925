"""A flat plane of metres around a point, so that a space of 2.5 m is 2.5 m wide on the ground. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Shape = TypeVar("Shape", bound=BaseGeometry)

_EQUATOR = 6_378_137.0
_ECCENTRICITY2 = 0.006_694_379_990_14
"""Of the WGS-84 ellipsoid: equatorial radius in metres, and the first eccentricity squared."""

DECIMALS = 7
"""Of degrees in a city file: about a centimetre."""


@dataclass(frozen=True, slots=True)
class Plane:
    """East and north of a point, in metres; true to 0.1 % within some 20 km of it."""

    lon: float
    lat: float

    def point(self, lon: float, lat: float) -> tuple[float, float]:
        """East and north of a position."""
        east, north = self._scale()
        return (lon - self.lon) * east, (lat - self.lat) * north

    def points(self, positions: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """East and north of each position."""
        return [self.point(lon, lat) for lon, lat in positions]

    def to_plane(self, shape: Shape) -> Shape:
        """A shape of degrees as one of metres."""
        origin, scale = np.array([self.lon, self.lat]), np.array(self._scale())
        return shapely.transform(shape, lambda positions: (positions - origin) * scale)

    def geojson(self, shape: BaseGeometry) -> dict[str, Any]:
        """A shape of metres as a GeoJSON geometry in degrees."""
        rounded: dict[str, Any] = shapely.geometry.mapping(shapely.transform(shape, self._to_degrees))
        return {"type": rounded["type"], "coordinates": rounded["coordinates"]}

    def degrees(self, east: float, north: float) -> tuple[float, float]:
        """The position of a point of metres."""
        lon, lat = self._to_degrees(np.array([[east, north]]))[0].tolist()
        return lon, lat

    def _to_degrees(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        degrees: NDArray[np.float64] = positions / np.array(self._scale()) + np.array([self.lon, self.lat])
        return degrees.round(DECIMALS)

    def _scale(self) -> tuple[float, float]:
        """Metres in a degree of longitude and in one of latitude, here."""
        latitude = math.radians(self.lat)
        bent = 1 - _ECCENTRICITY2 * math.sin(latitude) ** 2
        prime_vertical = _EQUATOR / math.sqrt(bent)
        meridian = _EQUATOR * (1 - _ECCENTRICITY2) / bent**1.5
        return math.radians(1) * prime_vertical * math.cos(latitude), math.radians(1) * meridian

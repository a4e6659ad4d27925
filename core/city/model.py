"""What a city is made of: its bounds, areas, lots, spaces and the lines drawn under its map. Pure.

These are the values of a city file (``docs/city-file.md``) after it was read and found right.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Position = tuple[float, float]
"""Longitude and latitude, WGS-84 degrees."""

Coordinates = Position | tuple["Coordinates", ...]
"""As GeoJSON nests them for the geometry's type."""


class LotKind(StrEnum):
    """Where a lot's spaces are."""

    ON_STREET = "on_street"
    OFF_STREET = "off_street"


class Source(StrEnum):
    """How a lot knows what is free."""

    SENSORS = "sensors"
    """One sensor a space."""
    COUNTER = "counter"
    """A barrier that counts; no spaces."""
    FEED = "feed"
    """Another system's figures; no spaces."""


class Category(StrEnum):
    """Whom a space is marked for."""

    STANDARD = "standard"
    ACCESSIBLE = "accessible"
    EV_CHARGING = "ev_charging"
    LARGE = "large"
    MOTORCYCLE = "motorcycle"


class Level(StrEnum):
    """The size of an area, from the largest."""

    TOWNSHIP = "township"
    STREET = "street"
    GRID = "grid"


class What(StrEnum):
    """What a context feature shows."""

    STREET = "street"
    SQUARE = "square"
    WATER = "water"
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Geometry:
    """One GeoJSON geometry, heights dropped."""

    type: str
    """``Point``, ``LineString``, ``Polygon``, ``MultiPoint``, ``MultiLineString`` or ``MultiPolygon``."""
    coordinates: Coordinates

    def geojson(self) -> dict[str, Any]:
        """The geometry as a JSON-ready object."""
        return {"type": self.type, "coordinates": self.coordinates}


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """The whole place; its polygon bounds everything in it."""

    name: str
    name_en: str | None
    bounds: Geometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A township, street or grid. ``parent`` is the code of the area around it."""

    code: str
    name: str
    level: Level
    parent: str | None
    geometry: Geometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A place with one operator and one price notice: a street section or a car park."""

    code: str
    name: str
    name_en: str | None
    lot_kind: LotKind
    source: Source
    capacity: int | None
    """Spaces of a counter or feed lot; None of a lot with sensors, which has as many as it lists."""
    tariff: str | None
    """Code of the price notice; None only where nothing is charged by us (counter and feed lots)."""
    operator: str | None
    opening_hours: str
    """In OpenStreetMap's syntax."""
    entrances: tuple[Position, ...]
    min_stay_seconds: int
    min_gap_seconds: int
    geometry: Geometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """One marked place in a lot and the sensor that watches it."""

    code: str
    lot: str
    category: Category
    sensor_id: str | None
    """None: nothing watches it yet; it is shown as unknown."""
    codec: str
    heartbeat_seconds: int
    installed_at: datetime | None
    """Since when this sensor watches this space, UTC; None: the import decides."""
    geometry: Geometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A street, square, water or green drawn under the map."""

    name: str | None
    what: What
    geometry: Geometry


@dataclass(frozen=True, slots=True, kw_only=True)
class CityFile:
    """A city file, read and found right. Order is that of the file."""

    city: City | None
    areas: tuple[Area, ...]
    lots: tuple[Lot, ...]
    spaces: tuple[Space, ...]
    contexts: tuple[Context, ...]
    attribution: str | None
    """Whom to credit for the data: the collection's own member ``attribution``."""

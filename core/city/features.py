"""From one GeoJSON feature to one area, lot, space or context; what is wrong with it alone is noted. Pure.

The tables of properties below are the format (``docs/city-file.md``).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from opening_hours import validate as opening_hours_valid

from core.city.fields import TEXT_LIMIT, Fields, shown
from core.city.geometry import EVERY_TYPE, GeometryError, read_geometry, read_position
from core.city.model import (
    Area,
    Category,
    City,
    Context,
    Geometry,
    Level,
    Lot,
    LotKind,
    Position,
    Source,
    Space,
    What,
)
from core.city.problems import Problem, Slug

PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "city": ("name", "name_en"),
    "area": ("code", "name", "level", "parent"),
    "lot": (
        *("code", "name", "name_en", "lot_kind", "source", "capacity", "tariff", "operator", "opening_hours"),
        *("entrances", "min_stay_seconds", "min_gap_seconds"),
    ),
    "space": ("code", "lot", "category", "sensor_id", "codec", "heartbeat_seconds", "installed_at", "envelope"),
    "context": ("name", "what"),
}
"""The properties of each kind beside ``kind`` itself."""

ALWAYS_OPEN = "24/7"
NATIVE = "native"
HEARTBEAT_SECONDS = 3_600
MIN_STAY_SECONDS = 20
MIN_GAP_SECONDS = 20

_LONGEST_HEARTBEAT = 7 * 86_400
_LONGEST_STAY = 86_400
_LARGEST_LOT = 100_000
_DEV_EUI = re.compile(r"[0-9A-Fa-f]{16}")

Note = Callable[[Problem], None]


def read_city(fields: Fields, geometry: object) -> City | None:
    """The city and its bounds, or None after noting why not."""
    name, name_en = fields.text("name"), fields.maybe_text("name_en")
    bounds = _geometry(fields, geometry, ("Polygon",))
    return City(name=name, name_en=name_en, bounds=bounds) if bounds and fields.clean else None


def read_area(fields: Fields, geometry: object) -> Area | None:
    """An area, or None after noting why not."""
    code, name = fields.code("code"), fields.text("name")
    level, parent = fields.word("level", Level), fields.maybe_code("parent")
    polygon = _geometry(fields, geometry, ("Polygon",))
    if not polygon or not fields.clean:
        return None
    return Area(code=code, name=name, level=level, parent=parent, geometry=polygon)


def read_lot(fields: Fields, geometry: object) -> Lot | None:
    """A lot, or None after noting why not."""
    code, name, name_en = fields.code("code"), fields.text("name"), fields.maybe_text("name_en")
    lot_kind, source = fields.word("lot_kind", LotKind), fields.word("source", Source, Source.SENSORS)
    capacity = fields.maybe_whole("capacity", 1, _LARGEST_LOT)
    tariff = fields.maybe_code("tariff")
    _check_counting(fields, source, capacity, tariff)
    operator = fields.maybe_text("operator")
    opening_hours = _opening_hours(fields)
    entrances = _entrances(fields)
    min_stay = fields.whole("min_stay_seconds", 0, _LONGEST_STAY, MIN_STAY_SECONDS)
    min_gap = fields.whole("min_gap_seconds", 0, _LONGEST_STAY, MIN_GAP_SECONDS)
    place = _geometry(fields, geometry, ("Polygon", "LineString", "Point"))
    if not place or not fields.clean:
        return None
    return Lot(
        code=code,
        name=name,
        name_en=name_en,
        lot_kind=lot_kind,
        source=source,
        capacity=None if source is Source.SENSORS else capacity,
        tariff=tariff,
        operator=operator,
        opening_hours=opening_hours,
        entrances=entrances,
        min_stay_seconds=min_stay,
        min_gap_seconds=min_gap,
        geometry=place,
    )


def read_space(fields: Fields, geometry: object) -> Space | None:
    """A space, or None after noting why not."""
    code, lot = fields.code("code"), fields.code("lot")
    category = fields.word("category", Category, Category.STANDARD)
    sensor_id, codec = fields.maybe_code("sensor_id"), fields.maybe_code("codec") or NATIVE
    _check_sensor(fields, sensor_id, codec)
    heartbeat = fields.whole("heartbeat_seconds", 1, _LONGEST_HEARTBEAT, HEARTBEAT_SECONDS)
    installed_at = fields.maybe_instant("installed_at")
    place = _geometry(fields, geometry, ("Polygon", "Point"))
    if place and place.type == "Polygon" and len(place.coordinates) > 1:
        fields.problem(Slug.HOLE_IN_SPACE, "a space cannot have a hole", "Draw the space's outline alone.")
    if not place or not fields.clean:
        return None
    return Space(
        code=code,
        lot=lot,
        category=category,
        sensor_id=sensor_id,
        codec=codec,
        heartbeat_seconds=heartbeat,
        installed_at=installed_at,
        geometry=place,
    )


def read_contexts(fields: Fields, geometry: object) -> list[Context]:
    """The lines and surfaces of one context feature: one of each part of a GeometryCollection, else one."""
    name, what = fields.maybe_text("name"), fields.word("what", What)
    parts: list[Any] = [geometry]
    if isinstance(geometry, Mapping) and geometry.get("type") == "GeometryCollection":
        members = geometry.get("geometries")
        parts = list(members) if isinstance(members, list | tuple) and members else [None]
    read = [_geometry(fields, part, EVERY_TYPE) for part in parts]
    return [Context(name=name, what=what, geometry=place) for place in read if place] if fields.clean else []


def _geometry(fields: Fields, value: object, allowed: tuple[str, ...]) -> Geometry | None:
    try:
        return read_geometry(value, allowed)
    except GeometryError as error:
        fields.problem(error.slug, error.why, error.cure)
        return None


def _check_counting(fields: Fields, source: Source, capacity: int | None, tariff: str | None) -> None:
    if not fields.clean:
        return
    if source is Source.SENSORS:
        if tariff is None:
            fields.missing("tariff", "Give the code of a price notice.")
        if capacity is not None:
            fields.problem(
                Slug.IGNORED_CAPACITY,
                f"capacity {capacity} is ignored: a lot with sensors has as many spaces as it lists",
                "Remove capacity, or set source to counter or feed.",
            )
    elif capacity is None:
        fields.problem(
            Slug.MISSING_CAPACITY, f"a {source} lot lists no spaces, so it must say how many it has", "Add capacity."
        )


def _check_sensor(fields: Fields, sensor_id: str | None, codec: str) -> None:
    if sensor_id and codec != NATIVE and _DEV_EUI.fullmatch(sensor_id) and sensor_id != sensor_id.lower():
        fields.problem(
            Slug.UPPER_CASE_DEV_EUI,
            f"sensor_id {sensor_id} is a DevEUI in upper case; network servers send lower case",
            f"Write {sensor_id.lower()}.",
        )


def _opening_hours(fields: Fields) -> str:
    hours = fields.maybe_text("opening_hours", limit=TEXT_LIMIT) or ALWAYS_OPEN
    if not opening_hours_valid(hours):
        fields.problem(
            Slug.BAD_OPENING_HOURS,
            f"opening_hours {shown(hours)} cannot be read",
            "Use OpenStreetMap's syntax, such as Mo-Fr 07:30-21:00; PH off.",
        )
    return hours


def _entrances(fields: Fields) -> tuple[Position, ...]:
    """Positions or Point geometries, also as one MultiPoint."""
    entrances: list[Position] = []
    for item in fields.items("entrances", within="coordinates"):
        try:
            if isinstance(item, Mapping):
                point = read_geometry(item, ("Point",)).coordinates
                entrances.append(read_position(point))
            else:
                entrances.append(read_position(item))
        except GeometryError as error:
            fields.problem(error.slug, f"an entrance: {error.why}", error.cure)
    return tuple(entrances)

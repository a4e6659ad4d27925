"""From a description to a city file: streets, blocks, car parks, kerbs, areas and the sensors in the ground."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from shapely.geometry import LineString, Polygon, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from core.errors import InvalidError
from simulator.cities.areas import DrawnArea, draw_areas
from simulator.cities.description import Description, KerbPart, SpacesPart, SurfacePart, read_description
from simulator.cities.layout import numbered
from simulator.cities.lots import (
    DrawnLot,
    Kerbs,
    check_clear,
    draw_car_park,
    draw_counter,
    lane_street,
    with_entrance,
)
from simulator.cities.plane import Plane
from simulator.cities.sensors import SensorIds
from simulator.cities.streets import Street, invented_streets, listed_streets

Feature = dict[str, Any]

_CAR_PARK_MARGIN = 6.0
"""Minor streets keep this far from car parks."""


def draw_city(path: Path) -> dict[str, Any]:
    """The city file of a description, as a JSON-ready FeatureCollection.

    Raises:
        InvalidError: the description or a file beside it is wrong, or what it asks for does not fit; says what.
    """
    description = read_description(path)
    plane = Plane(*description.city.centre)
    bounds = _read_json(path.parent / description.city.outline)["features"][0]["geometry"]
    streets = listed_streets(description.streets, plane)
    surfaces = [(part, _surface(part, plane)) for part in description.surfaces]
    lots, invented = _draw_lots(description, streets, [outline for _, outline in surfaces], plane)
    townships = description.areas.townships
    places = _read_json(path.parent / townships) if townships else None
    areas = draw_areas(description.areas, places, plane.to_plane(shape(bounds)), streets, plane)
    sensors = SensorIds()
    features = [
        _feature(bounds, kind="city", name=description.city.name, name_en=description.city.name_en),
        *(_area(area, plane) for area in areas),
        *(
            _feature(plane.geojson(outline), kind="context", what=part.what, name=part.name)
            for part, outline in surfaces
        ),
        *_street_features([*streets, *invented], plane),
    ]
    for lot in sorted(lots, key=lambda one: one.part.code):
        features.extend(_lot_features(lot, description, plane, sensors))
    return {"type": "FeatureCollection", "attribution": description.city.attribution, "features": features}


def _draw_lots(
    description: Description, streets: list[Street], surfaces: list[BaseGeometry], plane: Plane
) -> tuple[list[DrawnLot], list[Street]]:
    """Every lot, and the minor streets and lanes between them."""
    car_parks = [draw_car_park(part, plane) for part in description.car_parks]
    faults = list(check_clear(car_parks, streets, unary_union(surfaces)))
    if faults:
        raise InvalidError("; ".join(faults), faults=faults)
    taken = unary_union([*surfaces, *(lot.outline.buffer(_CAR_PARK_MARGIN) for lot in car_parks)])
    minors = invented_streets(description.town, streets, taken, plane)
    car_parks = [with_entrance(lot, [*streets, *minors]) for lot in car_parks]
    lanes = [lane for lot in car_parks if (lane := lane_street(lot))]
    kerbs = Kerbs([*streets, *minors], lanes, [*surfaces, *(lot.outline for lot in car_parks)], plane)
    lots = [*car_parks, *_draw_kerbs(description.kerbs, kerbs)]
    return [*lots, *(draw_counter(part, plane) for part in description.counters)], [*minors, *lanes]


def _draw_kerbs(parts: Sequence[KerbPart], kerbs: Kerbs) -> list[DrawnLot]:
    """All kerb lots in their order, or every one that does not fit."""
    drawn, faults = [], []
    for part in parts:
        try:
            drawn.append(kerbs.draw(part))
        except InvalidError as error:
            faults.append(error.message)
    if faults:
        raise InvalidError("; ".join(faults), faults=faults)
    return drawn


def _surface(part: SurfacePart, plane: Plane) -> BaseGeometry:
    if part.outline:
        return _rounded(Polygon(plane.points(part.outline)), part.what)
    if part.line:
        return _smooth(plane.points(part.line)).buffer(part.width / 2, cap_style="round").simplify(1.0)
    raise InvalidError(f"a surface ({part.what}) needs an outline, or a line and a width")


def _smooth(corners: list[tuple[float, float]], times: int = 3) -> LineString:
    """The line with its corners cut, again and again, until it flows (Chaikin's way); it keeps its ends."""
    for _ in range(times):
        cut = [
            (ax * near + bx * (1 - near), ay * near + by * (1 - near))
            for (ax, ay), (bx, by) in pairwise(corners)
            for near in (0.75, 0.25)
        ]
        corners = [corners[0], *cut, corners[-1]]
    return LineString(corners)


def _rounded(outline: Polygon, what: str) -> BaseGeometry:
    """Nature has no corners; squares do."""
    if what == "square":
        return outline
    radius = outline.area**0.5 / 5
    return outline.buffer(-radius).buffer(2 * radius).buffer(-radius).simplify(1.0)


def _street_features(streets: list[Street], plane: Plane) -> Iterator[Feature]:
    for street in streets:
        for name, line in street.named():
            yield _feature(plane.geojson(line), kind="context", what="street", name=name)


def _area(area: DrawnArea, plane: Plane) -> Feature:
    outline = plane.geojson(area.outline)
    return _feature(outline, kind="area", code=area.code, name=area.name, level=area.level.value, parent=area.parent)


def _lot_features(lot: DrawnLot, description: Description, plane: Plane, sensors: SensorIds) -> Iterator[Feature]:
    part, defaults = lot.part, description.defaults
    sensed = isinstance(part, SpacesPart)
    yield _feature(
        plane.geojson(lot.outline),
        kind="lot",
        code=part.code,
        name=part.name,
        name_en=part.name_en,
        lot_kind="on_street" if isinstance(part, KerbPart) else "off_street",
        source="sensors" if sensed else "counter",
        capacity=None if sensed else getattr(part, "capacity", None),
        tariff=part.tariff or defaults.tariff,
        operator=part.operator or defaults.operator,
        opening_hours=part.opening_hours or defaults.opening_hours,
        entrances=[plane.degrees(lot.entrance.x, lot.entrance.y)] if lot.entrance else None,
    )
    if not isinstance(part, SpacesPart):
        return
    for code, drawn in numbered(part.code, lot.spaces):
        yield _feature(
            plane.geojson(drawn.outline),
            kind="space",
            code=code,
            lot=part.code,
            category=drawn.category.value,
            sensor_id=sensors.next(part.sensors),
            codec=part.codec,
            envelope=part.envelope.value if part.envelope else None,
            heartbeat_seconds=part.heartbeat_seconds,
        )


def _feature(geometry: Mapping[str, Any], **properties: object) -> Feature:
    """A GeoJSON feature; properties that are None are left out."""
    kept = {name: value for name, value in properties.items() if value is not None}
    return {"type": "Feature", "properties": kept, "geometry": geometry}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidError(f"{path.name} cannot be read: {error}") from error
    return value

"""A small right city file to change in tests: one township, a kerb with three spaces, a counter, a river."""

from typing import Any

Feature = dict[str, Any]

LON, LAT = 120.9, 29.5
METRE = 0.000_009
"""About a metre in degrees, good enough to place things by."""


def rectangle(east: float, north: float, width: float, depth: float) -> dict[str, Any]:
    """A polygon ``width`` by ``depth`` metres with its corner some metres from the middle of the town."""
    west, south = LON + east * METRE, LAT + north * METRE
    right, top = west + width * METRE, south + depth * METRE
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [right, south], [right, top], [west, top], [west, south]]],
    }


def feature(geometry: dict[str, Any] | None, **properties: object) -> Feature:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def space(code: str, sensor: str | None, *, lot: str = "KL", at: int = 0, **more: object) -> Feature:
    """A space in the row of lot KL, ``at`` places from its beginning."""
    return feature(
        rectangle(6.0 * at, 0, 6, 2.2), kind="space", code=code, lot=lot, category="standard", sensor_id=sensor, **more
    )


def lot(code: str = "KL", **more: object) -> Feature:
    return feature(
        {"type": "LineString", "coordinates": [[LON, LAT], [LON + 60 * METRE, LAT]]},
        kind="lot",
        code=code,
        name="示范路段",
        name_en="Demo Kerb",
        lot_kind="on_street",
        tariff="xinchang-kerb",
        **more,
    )


def collection(*features: Feature) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def small_city() -> dict[str, Any]:
    """Order: city, areas T1 and G1, lots KL and CT, spaces KL-001 to KL-003, context."""
    return collection(
        feature(rectangle(-5_000, -5_000, 10_000, 10_000), kind="city", name="小城", name_en="Small Town"),
        feature(rectangle(-4_000, -4_000, 8_000, 8_000), kind="area", code="T1", name="镇", level="township"),
        feature(rectangle(-100, -100, 200, 200), kind="area", code="G1", name="网格", level="grid", parent="T1"),
        lot(),
        feature(
            {"type": "Point", "coordinates": [LON, LAT + 100 * METRE]},
            kind="lot",
            code="CT",
            name="车库",
            lot_kind="off_street",
            source="counter",
            capacity=90,
        ),
        space("KL-001", "s1", at=0),
        space("KL-002", "s2", at=1),
        space("KL-003", "s3", at=2),
        feature(
            {"type": "LineString", "coordinates": [[LON, LAT], [LON, LAT + METRE]]},
            kind="context",
            what="water",
            name="河",
        ),
    )

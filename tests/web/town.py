"""A town small enough to know by heart: a kerb, a car park, and one that only counts. Pure."""

import json
import math
from typing import Any, Final

CENTRE: Final = (120.9008, 29.5046)
METRE_LON: Final = 1 / (111_320 * math.cos(math.radians(CENTRE[1])))
METRE_LAT: Final = 1 / 110_900

Feature = dict[str, Any]


def town() -> bytes:
    """The city file."""
    features = [
        _feature("city", _box(0, 0, 1_800, 1_200), name="新昌县"),
        _feature("context", _line(-500, 0, 500, 0), name="文体路", what="street"),
        _feature("context", _line(0, -400, 0, 400), name="人民中路", what="street"),
        _feature("context", _box(-200, 160, 60, 40), name="新世纪广场", what="square"),
        _lot("WT", "文体路", "Wenti Road", "on_street", _line(-30, 0, 30, 0)),
        *(_space("WT", n, _box(-26 + n * 6.5, 5, 3, 1.1)) for n in range(8)),
        _lot("XS", "下司巷停车场", "Xiasixiang Car Park", "off_street", _box(150, -120, 20, 12)),
        *(_space("XS", n, _box(136 + n * 2.6, -120, 1.25, 2.65)) for n in range(12)),
        _lot("GS", "鼓山停车场", "Gushan Car Park", "off_street", _point(-300, -200), source="counter", capacity=998),
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def sensor_of(space: str) -> str:
    """The sensor that watches a space."""
    return f"web-{space.lower()}"


def _lot(code: str, name: str, name_en: str, kind: str, shape: Feature, **more: Any) -> Feature:
    facts = {"code": code, "name": name, "name_en": name_en, "lot_kind": kind, "tariff": "xinchang-kerb"}
    return _feature("lot", shape, **facts, operator="示范", opening_hours="24/7", **more)


def _space(lot: str, n: int, shape: Feature) -> Feature:
    code = f"{lot}-{n + 1:03d}"
    category = "accessible" if n == 0 else "ev_charging" if n == 1 else "standard"
    return _feature("space", shape, code=code, lot=lot, category=category, sensor_id=sensor_of(code))


def _feature(kind: str, shape: Feature, **facts: Any) -> Feature:
    return {"type": "Feature", "geometry": shape, "properties": {"kind": kind, **facts}}


def _at(east: float, north: float) -> list[float]:
    return [round(CENTRE[0] + east * METRE_LON, 7), round(CENTRE[1] + north * METRE_LAT, 7)]


def _point(east: float, north: float) -> Feature:
    return {"type": "Point", "coordinates": _at(east, north)}


def _line(east: float, north: float, to_east: float, to_north: float) -> Feature:
    return {"type": "LineString", "coordinates": [_at(east, north), _at(to_east, to_north)]}


def _box(east: float, north: float, half_wide: float, half_high: float) -> Feature:
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    return {"type": "Polygon", "coordinates": [[_at(east + x * half_wide, north + y * half_high) for x, y in corners]]}

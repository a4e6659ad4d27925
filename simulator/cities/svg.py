"""A city file as a picture, to be looked at while its description is written. Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

_STYLES = {
    "water": 'fill="#a9cfe4"',
    "green": 'fill="#cfe3bd"',
    "square": 'fill="#e9dfc9"',
    "street": 'fill="none" stroke="#ffffff" stroke-linecap="round"',
    "lot": 'fill="#dfe3e8" stroke="#8a97a6" stroke-width="0.6"',
    "grid": 'fill="none" stroke="#b58fc7" stroke-width="2" stroke-dasharray="14 8"',
}
_SPACES = {
    "standard": "#2f7d4f",
    "accessible": "#1d5fbf",
    "ev_charging": "#00a3a3",
    "large": "#8a5a00",
    "motorcycle": "#7a4fa0",
}
_FONT = 'font-family="sans-serif" font-size="15"'
_SEAM = 'stroke="#ffffff" stroke-width="0.25"'
_MARGIN_METRES = 250.0
_METRES_A_DEGREE = 111_000.0


def draw_svg(city: Mapping[str, Any], *, grids: bool = False) -> str:
    """An SVG of the part of a city where its spaces are, one unit a metre.

    Args:
        city: a FeatureCollection as ``draw_city`` gives it.
        grids: whether to draw the outlines of grids too.
    """
    features = city["features"]
    corners = [corner for one in features if one["properties"]["kind"] == "space" for corner in _positions(one)]
    west, south = (min(corner[axis] for corner in corners) for axis in (0, 1))
    east, north = (max(corner[axis] for corner in corners) for axis in (0, 1))
    scale = (_METRES_A_DEGREE * math.cos(math.radians((south + north) / 2)), _METRES_A_DEGREE)
    width, height = (east - west) * scale[0], (north - south) * scale[1]

    def path(feature: Mapping[str, Any]) -> str:
        rings = _rings(feature["geometry"])
        return " ".join(
            "M" + " ".join(f"{(lon - west) * scale[0]:.1f},{(north - lat) * scale[1]:.1f}" for lon, lat, *_ in ring)
            for ring in rings
        )

    box = (-_MARGIN_METRES, -_MARGIN_METRES, width + 2 * _MARGIN_METRES, height + 2 * _MARGIN_METRES)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{" ".join(f"{side:.0f}" for side in box)}" {_FONT}>',
        f'<rect x="{box[0]:.0f}" y="{box[1]:.0f}" width="{box[2]:.0f}" height="{box[3]:.0f}" fill="#f1eee8"/>',
        *(_element(feature, path(feature)) for feature in _in_order(features, grids=grids)),
        *_labels(features, west, north, scale),
        "</svg>",
    ]
    return "\n".join(line for line in lines if line)


def _in_order(features: Sequence[Mapping[str, Any]], *, grids: bool) -> Iterator[Mapping[str, Any]]:
    """From the ground up."""
    order = ["green", "water", "square", "street", "lot", "space", *(["grid"] if grids else [])]
    for layer in order:
        yield from (feature for feature in features if _layer(feature) == layer)


def _layer(feature: Mapping[str, Any]) -> str:
    properties = feature["properties"]
    kind: str = properties["kind"]
    if kind == "area":
        return "grid" if properties["level"] == "grid" else "area"
    return str(properties["what"]) if kind == "context" else kind


def _element(feature: Mapping[str, Any], path: str) -> str:
    layer, properties = _layer(feature), feature["properties"]
    title = escape(str(properties.get("name") or properties.get("code") or ""))
    if layer == "space":
        return f'<path d="{path}Z" fill="{_SPACES[properties["category"]]}" {_SEAM}><title>{title}</title></path>'
    if layer == "street":
        return f'<path d="{path}" {_STYLES[layer]} stroke-width="{13 if title else 8}"><title>{title}</title></path>'
    if layer == "lot" and feature["geometry"]["type"] != "Polygon":
        return ""
    return f'<path d="{path}Z" {_STYLES[layer]}><title>{title}</title></path>'


def _labels(
    features: Sequence[Mapping[str, Any]], west: float, north: float, scale: tuple[float, float]
) -> Iterator[str]:
    for feature in features:
        if feature["properties"]["kind"] == "lot":
            positions = _positions(feature)
            lon, lat = (sum(position[axis] for position in positions) / len(positions) for axis in (0, 1))
            x, y = (lon - west) * scale[0], (north - lat) * scale[1]
            yield (
                f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle" fill="#223" stroke="#fff" stroke-width="4" '
                f'paint-order="stroke">{escape(feature["properties"]["name"])}</text>'
            )


def _positions(feature: Mapping[str, Any]) -> list[Sequence[float]]:
    return [position for ring in _rings(feature["geometry"]) for position in ring]


def _rings(geometry: Mapping[str, Any]) -> list[Sequence[Sequence[float]]]:
    coordinates = geometry["coordinates"]
    match geometry["type"]:
        case "Point":
            return [[coordinates]]
        case "LineString":
            return [coordinates]
        case "MultiPolygon":
            return [ring for polygon in coordinates for ring in polygon]
        case _:
            return list(coordinates)

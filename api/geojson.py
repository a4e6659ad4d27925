"""GeoJSON (RFC 7946) as OpenAPI describes it."""

from typing import Any, Literal

from pydantic import Field

from api.shapes import Shape

SQUARE = [[[120.9003, 29.5043], [120.9004, 29.5043], [120.9004, 29.5044], [120.9003, 29.5044], [120.9003, 29.5043]]]


class Geometry(Shape):
    """A shape; positions are longitude, latitude in the datum that was asked for."""

    type: Literal["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"] = Field(
        examples=["Polygon"]
    )
    coordinates: list[Any] = Field(examples=[SQUARE])

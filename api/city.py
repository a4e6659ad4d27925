"""The city's frame: name, view, outline and what is drawn under the map."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from api.answering import ASK_AGAIN, JSON, respond
from api.deps import City, Crs
from api.geojson import Geometry
from api.problems import responses
from api.shapes import Shape

router = APIRouter(prefix="/api/v1", tags=["city"])


class ContextProperties(Shape):
    """A street, square, water or green."""

    name: str = Field(examples=["人民中路"])
    what: Literal["street", "square", "water", "green"]
    keys: list[str] = Field(examples=[["renminzhonglu", "rmzl"]])
    """What finds it beside its name: pinyin and initials."""


class ContextFeature(Shape):
    """Drawn under the map, so that it reads as a town."""

    type: Literal["Feature"]
    geometry: Geometry
    properties: ContextProperties


class ContextCollection(Shape):
    """All that is drawn under the map."""

    type: Literal["FeatureCollection"]
    features: list[ContextFeature]


class CityFrame(Shape):
    """The frame around the map."""

    name: str = Field(examples=["新昌县"])
    name_en: str | None = Field(examples=["Xinchang County"])
    centre: tuple[float, float] | None
    """Where a map begins: longitude, latitude; null while there is no lot."""
    zoom: int
    bounds: tuple[float, float, float, float] | None
    """West, south, east, north of the outline, else of the lots."""
    outline: Geometry | None
    context: ContextCollection
    attribution: str


@router.get("/city", response_model=CityFrame, responses=responses(422))
async def read_city(request: Request, city: City, crs: Crs = "wgs84") -> Response:
    """What surrounds the map. Changes by an import only: keep it, ask with its ETag."""
    return respond(request.headers, city.frame(gcj02=crs == "gcj02"), media_type=JSON, cache=ASK_AGAIN)

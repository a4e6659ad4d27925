"""Spaces: where each one is, and one letter a space for what it is now."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from api.answering import A_SECOND, ASK_AGAIN, GEOJSON, JSON, GeoJson, respond
from api.deps import City, Crs
from api.geojson import Geometry
from api.problems import responses
from api.shapes import Shape

router = APIRouter(prefix="/api/v1/spaces", tags=["spaces"])


class SpaceProperties(Shape):
    """What never changes about a space but by an import."""

    code: str = Field(examples=["KL-017"])
    """As printed on the space."""
    lot_id: str = Field(examples=["KL"])
    category: Literal["standard", "accessible", "ev_charging", "large", "motorcycle"]


class SpaceFeature(Shape):
    """A space on the map; ``id`` is a small stable integer."""

    type: Literal["Feature"]
    id: int
    geometry: Geometry
    properties: SpaceProperties


class SpaceCollection(Shape):
    """All spaces, in the order that states and changes refer to."""

    type: Literal["FeatureCollection"]
    features: list[SpaceFeature]


class States(Shape):
    """What every space is at one instant."""

    version: int
    """Rises with every change."""
    at: str = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T04:00:00.000Z"])
    spaces_etag: str = Field(examples=['"6f1ed002ab5595859014ebf0"'])
    """The ETag of ``/spaces`` whose order is meant; on another one read ``/spaces`` again."""
    states: str = Field(examples=["foufoc"], pattern="^[fouc]*$")
    """One letter a space in the order of ``/spaces``: ``f``ree, ``o``ccupied, ``u``nknown, ``c``losed."""


@router.get("", response_model=SpaceCollection, responses=responses(422), response_class=GeoJson)
async def list_spaces(request: Request, city: City, crs: Crs = "wgs84") -> Response:
    """All spaces: shape, printed code, lot and category. Changes by an import only: keep it, ask with its ETag."""
    return respond(request.headers, city.spaces(gcj02=crs == "gcj02"), media_type=GEOJSON, cache=ASK_AGAIN)


@router.get("/state", response_model=States)
async def read_states(request: Request, city: City) -> Response:
    """The live state of every space, in one letter each."""
    return respond(request.headers, city.states(), media_type=JSON, cache=A_SECOND)

"""Lots: where they are, what is free in them, what they cost in words, when they are open."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from api.answering import A_SECOND, GEOJSON, GeoJson, respond
from api.deps import Box, City, Crs, LotIndex, Now, spend
from api.geojson import Geometry
from api.limits import READS
from api.live_city.answers import Answer, drawn, encode, lot_properties
from api.live_city.prices import in_words
from api.live_city.registry import Opening
from api.problems import responses
from api.shapes import Shape
from api.spaces import SpaceProperties
from core.clock import rfc3339
from core.geo import gcj02_of

router = APIRouter(prefix="/api/v1/lots", tags=["lots"])


class Words(Shape):
    """The same in both languages."""

    zh: str = Field(examples=["30 分钟内免费，之后每小时 ¥3.00（07:30–21:00）"])
    en: str = Field(examples=["30 min free, then ¥3.00 an hour (07:30–21:00)"])


class LotProperties(Shape):
    """What the public learns of a lot. ``capacity = free + occupied + unknown + closed``."""

    id: str = Field(examples=["WT"])
    code: str = Field(examples=["WT"])
    name: str = Field(examples=["文体路"])
    name_en: str | None = Field(examples=["Wenti Road"])
    kind: Literal["on_street", "off_street"]
    source: Literal["sensors", "counter", "feed"]
    estimated: bool
    """Whether it only counts vehicles: its numbers are an estimate."""
    capacity: int
    available: int
    """Free while the lot is open, else 0."""
    free: int
    occupied: int
    unknown: int
    """Not heard from for three heartbeats of a sensor, a quarter of an hour of a counter, or never."""
    closed: int
    """Out of use."""
    open_now: bool
    trend: Literal["filling", "emptying", "steady"] | None
    """Over the last quarter of an hour; null when nothing is known."""
    price_summary: Words | None
    hour_fen: int | None
    """What one hour from now would cost."""
    heard_at: str | None = Field(json_schema_extra={"format": "date-time"})
    """When anything was last received from it."""
    keys: list[str] = Field(examples=[["wentilu", "wtl"]])
    """What finds it beside its names: pinyin and initials."""


class Sentences(Shape):
    """The same sentences in both languages."""

    zh: list[str]
    en: list[str]


class TariffOut(Shape):
    """A price notice in plain words."""

    code: str = Field(examples=["xinchang-kerb"])
    version: int
    name: Words
    summary: Sentences


class OpeningOut(Shape):
    """When a lot is open."""

    hours: str = Field(examples=["24/7"])
    """In OpenStreetMap's syntax."""
    zone: str = Field(examples=["Asia/Shanghai"])
    open_now: bool
    next_change_at: str | None = Field(json_schema_extra={"format": "date-time"})


class LotDetails(LotProperties):
    """A lot with all that a driver wants to know before going there."""

    operator: str | None
    opening: OpeningOut
    tariff: TariffOut | None
    entrances: list[tuple[float, float]]
    """Where a navigator should lead: longitude, latitude."""


class LotFeature(Shape):
    """A lot on the map; ``id`` is a small stable integer."""

    type: Literal["Feature"]
    id: int
    geometry: Geometry
    properties: LotProperties


class LotDetailsFeature(LotFeature):
    """One lot, in full."""

    properties: LotDetails


class LotCollection(Shape):
    """All lots, by code."""

    type: Literal["FeatureCollection"]
    features: list[LotFeature]


class SpaceNowProperties(SpaceProperties):
    """A space and what is known of it now."""

    state: Literal["free", "occupied", "unknown", "closed"]


class SpaceNowFeature(Shape):
    """A space of a lot."""

    type: Literal["Feature"]
    id: int
    geometry: Geometry
    properties: SpaceNowProperties


class SpaceNowCollection(Shape):
    """The spaces of one lot."""

    type: Literal["FeatureCollection"]
    features: list[SpaceNowFeature]


@router.get("", response_model=LotCollection, responses=responses(422), response_class=GeoJson)
async def list_lots(request: Request, city: City, bbox: Box, crs: Crs = "wgs84") -> Response:
    """All lots with their present counts; at most a second old."""
    if bbox is not None:
        spend(request, READS)  # a box is cut out for one caller, everything else is ready
    return respond(request.headers, city.lots(gcj02=crs == "gcj02", bbox=bbox), media_type=GEOJSON, cache=A_SECOND)


@router.get("/{lot_id}", response_model=LotDetailsFeature, responses=responses(404, 422), response_class=GeoJson)
async def read_lot(request: Request, city: City, index: LotIndex, now: Now, crs: Crs = "wgs84") -> Response:
    """One lot: its counts, its tariff in plain words, its opening times and entrances."""
    lot, lot_now = city.registry.lots[index], city.picture.lots[index]
    gcj02 = crs == "gcj02"
    next_change_at = Opening(lot).next_change(now)
    tariff = city.prices.tariffs.get(lot.tariff) if lot.tariff else None
    details = {
        **lot_properties(lot, lot_now, city.prices.texts),
        "operator": lot.operator,
        "opening": {
            "hours": lot.opening_hours,
            "zone": lot.zone.key,
            "open_now": lot_now.open_now,
            "next_change_at": rfc3339(next_change_at) if next_change_at else None,
        },
        "tariff": in_words(tariff) if tariff else None,
        "entrances": [gcj02_of(position) if gcj02 else position for position in lot.entrances],
    }
    feature = {"type": "Feature", "id": lot.id, "geometry": drawn(lot.geometry, gcj02=gcj02), "properties": details}
    return respond(request.headers, Answer(encode(feature)), media_type=GEOJSON, cache=A_SECOND)


@router.get(
    "/{lot_id}/spaces", response_model=SpaceNowCollection, responses=responses(404, 422), response_class=GeoJson
)
async def list_lot_spaces(request: Request, city: City, index: LotIndex, crs: Crs = "wgs84") -> Response:
    """The spaces of one lot, each with its present state."""
    return respond(request.headers, city.lot_spaces(index, gcj02=crs == "gcj02"), media_type=GEOJSON, cache=A_SECOND)

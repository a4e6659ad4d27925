"""Where to park around a place: lots ranked by the way on foot, the room left and the fee of the wished stay."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.answering import GEOJSON, GeoJson, respond
from api.deps import City, CountedRead, Crs, Db, Instant, Lang, Now, Words
from api.fees import Fee
from api.geojson import Geometry
from api.live_city.answers import Answer, drawn, encode, lot_properties
from api.live_city.picture import LotNow
from api.live_city.registry import LotEntry, Opening
from api.live_city.showing import Showing
from api.lots import LotProperties
from api.problems import responses
from api.ranking import Offer, Prospect, ranked
from api.shapes import Shape
from billing.calendar_table import fetch_calendar
from billing.fee import fee_object
from billing.lines import Quote
from billing.pricing import quote
from billing.tariffs_in_force import fetch_tariff_for
from core.clock import rfc3339
from core.errors import TariffNotFoundError
from core.geo import Position, gcj02_of, wgs84_of
from core.nearness import metres_between, metres_to, walked, walking_minutes
from core.stay import Stay

router = APIRouter(prefix="/api/v1/lots", tags=["lots"])

FARTHEST_METRES: Final = 50_000
LONGEST_MINUTES: Final = 400 * 24 * 60
"""As the longest stay that is quoted."""
NOT_KEPT: Final = "private, no-store"
"""Where somebody looks for a space is nobody else's business."""


class NearLotProperties(LotProperties):
    """A lot, the way from there on foot, and what the wished stay costs in it."""

    rank: int = Field(examples=[1])
    """1 is the best."""
    distance_m: int = Field(examples=[240])
    """Straight metres to the nearest entrance, else to the lot's edge."""
    walk_m: int = Field(examples=[312])
    """Metres on foot: an estimate from the straight line, no street is looked at."""
    walk_minutes: int = Field(examples=[5])
    open_on_arrival: bool
    prospect: Prospect
    """What to expect there, by what is known now: the class it is ranked in."""
    fee_fen: int | None
    """The total of ``fee``."""
    fee: Fee | None
    """Of the stay from ``arrive_at`` on; null where no price notice is known."""
    entrance: tuple[float, float] | None
    """Where a navigator should lead."""


class NearLotFeature(Shape):
    """One lot; ``id`` is a small stable integer."""

    type: Literal["Feature"]
    id: int
    geometry: Geometry
    properties: NearLotProperties


class NearLots(Shape):
    """Lots around a place, the best first."""

    type: Literal["FeatureCollection"]
    arrive_at: str = Field(json_schema_extra={"format": "date-time"})
    leave_at: str = Field(json_schema_extra={"format": "date-time"})
    radius_m: int
    features: list[NearLotFeature]


Longitude = Annotated[
    float,
    Query(
        ge=-180, le=180, description="Degrees, in the datum of `crs`.", openapi_examples={"the town": {"value": 120.9}}
    ),
]
Latitude = Annotated[
    float,
    Query(
        ge=-90, le=90, description="Degrees, in the datum of `crs`.", openapi_examples={"the town": {"value": 29.505}}
    ),
]
Radius = Annotated[int, Query(ge=1, le=FARTHEST_METRES, description="Straight metres around the place.")]
Minutes = Annotated[int, Query(ge=1, le=LONGEST_MINUTES, description="How long the wished stay is.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A lot that is near enough."""

    lot: LotEntry
    now: LotNow
    metres: float
    entrance: Position | None


@router.get(
    "/nearby",
    response_model=NearLots,
    responses=responses(422, 429),
    response_class=GeoJson,
    dependencies=[CountedRead],
)
async def list_lots_nearby(
    *,
    request: Request,
    city: City,
    db: Db,
    now: Now,
    lang: Words,
    lon: Longitude,
    lat: Latitude,
    radius_m: Radius = 1_000,
    stay_minutes: Minutes = 120,
    arrive_at: Annotated[Instant | None, Query(description="When the vehicle comes; now if not given.")] = None,
    crs: Crs = "wgs84",
) -> Response:
    """Lots around a place, the best first.

    Those with room come before those of which nothing is known, then the full ones, then those that are shut on
    arrival. Within a class the way on foot, the fee and the risk that the last spaces are gone are added up in minutes
    (50 fen count as one). The place is used for this answer and not kept.
    """
    gcj02 = crs == "gcj02"
    begins = arrive_at or now
    stay = Stay(entered_at=begins, left_at=begins + timedelta(minutes=stay_minutes))
    place = wgs84_of((lon, lat)) if gcj02 else (lon, lat)
    near = {one.lot.code: one for one in _around(city, place, radius_m)}
    fees = await _fees(db, {(one.lot.tariff, one.lot.zone) for one in near.values()}, stay, lang)
    order = ranked([_offer(one, fees, begins) for one in near.values()])
    body = {
        "type": "FeatureCollection",
        "arrive_at": rfc3339(stay.entered_at),
        "leave_at": rfc3339(stay.left_at),
        "radius_m": radius_m,
        "features": [
            _feature(city, near[offer.code], offer, fees, rank=rank, gcj02=gcj02) for rank, offer in enumerate(order, 1)
        ],
    }
    return respond(request.headers, Answer(encode(body)), media_type=GEOJSON, cache=NOT_KEPT)


FeesBy = dict[tuple[str | None, ZoneInfo], dict[str, Any] | None]


async def _fees(db: AsyncConnection, notices: set[tuple[str | None, ZoneInfo]], stay: Stay, lang: Lang) -> FeesBy:
    """The fee of the stay under every notice, each priced once; None where there is no notice."""
    fees: FeesBy = {}
    for code, zone in notices:
        try:
            tariff = (await fetch_tariff_for(db, code, stay))[1] if code else None
        except TariffNotFoundError:
            tariff = None
        calendar = await fetch_calendar(db, tariff=code)
        fees[code, zone] = _shown(quote(tariff, stay, zone=zone, calendar=calendar), lang) if tariff else None
    return fees


def _shown(quoted: Quote, lang: Lang) -> dict[str, Any]:
    """As the quote of a single lot shows it."""
    return Fee.model_validate(fee_object(quoted, lang)).model_dump(by_alias=True)


def _around(city: Showing, place: Position, radius_m: int) -> Iterator[Near]:
    """The lots within so many straight metres of a place."""
    for lot, lot_now in zip(city.registry.lots, city.picture.lots, strict=True):
        entrance = min(lot.entrances, key=lambda one: metres_between(one, place), default=None)
        metres = metres_between(entrance, place) if entrance else metres_to(msgspec.json.decode(lot.geometry), place)
        if metres <= radius_m:
            yield Near(lot=lot, now=lot_now, metres=metres, entrance=entrance)


def _offer(near: Near, fees: FeesBy, arrive_at: datetime) -> Offer:
    fee = fees[near.lot.tariff, near.lot.zone]
    return Offer(
        code=near.lot.code,
        free=near.now.free,
        known=near.now.free + near.now.occupied,
        open_on_arrival=Opening(near.lot).open_at(arrive_at),
        walk_minutes=walking_minutes(near.metres),
        fee_fen=fee["total_fen"] if fee else None,
    )


def _feature(city: Showing, near: Near, offer: Offer, fees: FeesBy, *, rank: int, gcj02: bool) -> dict[str, Any]:
    properties = {
        **lot_properties(near.lot, near.now, city.prices.texts),
        "rank": rank,
        "distance_m": round(near.metres),
        "walk_m": round(walked(near.metres)),
        "walk_minutes": round(offer.walk_minutes),
        "open_on_arrival": offer.open_on_arrival,
        "prospect": offer.prospect,
        "fee_fen": offer.fee_fen,
        "fee": fees[near.lot.tariff, near.lot.zone],
        "entrance": gcj02_of(near.entrance) if gcj02 and near.entrance else near.entrance,
    }
    return {
        "type": "Feature",
        "id": near.lot.id,
        "geometry": drawn(near.lot.geometry, gcj02=gcj02),
        "properties": properties,
    }

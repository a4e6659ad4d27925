"""In the street: which cars nobody has identified, and whether a plate may stand where it stands."""

from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field

from api.deps import City, Db, Now, TheParts, Words
from api.door import LoggedIn, role
from api.evidence_body import Colour, vault_in
from api.geojson import Geometry
from api.live_city.registry import Registry
from api.problems import responses
from api.shapes import Shape
from billing.evidence.may_stand import may_stand
from billing.evidence.patrol import list_unidentified
from core.audit import write_audit
from core.clock import rfc3339
from core.errors import InvalidError, LotNotFoundError
from core.geo import Position
from core.nearness import metres_to
from core.plate import parse_plate
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator", tags=["operator"])

Streetwise = Annotated[LoggedIn, role(Role.OPERATOR, Role.WARDEN)]
LotCode = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]+$")]
BEYOND_LOT_METRES: Final = 200
"""A space may lie so far from what is drawn of its lot."""


class PatrolOut(Shape):
    """A car that nobody has identified."""

    session_id: UUID
    space_code: str
    lot_id: str
    geometry: Geometry
    """Where the space is."""
    entered_at: str = Field(json_schema_extra={"format": "date-time"})
    minutes: int
    claimed: bool
    """Its driver typed a plate: nobody has seen it."""
    distance_m: int | None
    """From `near`."""


class MayStandIn(Shape):
    """A plate, and where it stands: a space, or a lot."""

    plate: str = Field(min_length=1, max_length=24, examples=["浙D·12345"])
    colour: Colour | None = Field(default=None, examples=["blue"])
    """Where free time goes by the vehicle; none: what the plate's form tells."""
    space: LotCode | None = Field(default=None, examples=["KL-017"])
    lot: LotCode | None = Field(default=None, examples=["KL"])


class MayStandOut(Shape):
    """Whether it may, until when, and by which right."""

    may: bool
    right: Literal["exempt", "pass", "paid", "free-hours", "free-minutes", "none"]
    until: str | None = Field(json_schema_extra={"format": "date-time"})
    """When that ends; null: it has no end, or there is no right."""
    why: str
    why_zh: str
    why_en: str
    lot_id: str
    space_code: str | None
    due_fen: int
    """What the stay owes now."""


@router.get("/patrol", responses=responses(401, 403, 404, 422))
async def read_patrol(
    *,
    _person: Streetwise,
    city: City,
    db: Db,
    now: Now,
    lot: Annotated[str | None, Query(max_length=64, description="Only in this lot: its code.")] = None,
    near: Annotated[
        str | None,
        Query(
            max_length=64,
            description="Only around this place: `lon,lat`, degrees, WGS-84.",
            openapi_examples={"the town": {"value": "120.9002,29.5053"}},
        ),
    ] = None,
    radius_m: Annotated[int, Query(ge=10, le=50_000, description="How far around `near`.")] = 500,
    limit: Annotated[int, Query(ge=1, le=500, description="Most to give.")] = 100,
) -> list[PatrolOut]:
    """Occupied spaces whose car neither a warden nor a camera identified, the longest first."""
    here = None if near is None else _position(near)
    lots = None if here is None else _lots_around(city.registry, here, radius_m)
    if lot is not None:
        if lot not in city.registry.lot_at:
            raise LotNotFoundError(f"no lot has the code {lot!r}", lot_id=lot)
        lots = [lot]
    found = await list_unidentified(db, lots=lots, near=here, radius_m=radius_m, limit=limit)
    return [
        PatrolOut(
            session_id=one.session_id,
            space_code=one.space_code,
            lot_id=one.lot_code,
            geometry=Geometry.model_validate(one.geometry),
            entered_at=rfc3339(one.entered_at),
            minutes=max(0, int((now - one.entered_at).total_seconds() // 60)),
            claimed=one.is_claimed,
            distance_m=one.distance_m,
        )
        for one in found
    ]


@router.post("/may-stand", responses=responses(401, 403, 404, 422, 503))
async def ask_may_stand(
    *, body: MayStandIn, parts: TheParts, person: Streetwise, lang: Words, db: Db, now: Now
) -> MayStandOut:
    """May this plate stand here now, until when, by which right? The audit keeps every question, the plate as a token.

    The first right that holds is told: out of use outranks all, then exempt, pass, paid, free hours, free minutes.
    """
    vault = vault_in(parts)
    plate = parse_plate(body.plate)
    answer = await may_stand(db, vault, plate, colour=body.colour, space=body.space, lot=body.lot, now=now)
    subject = f"plate:{vault.number}:{vault.newest.token('exact', plate.text).hex()}"
    after = {"lot": answer.lot_code, "space": answer.space_code, "right": answer.right}
    await write_audit(db, person.entry("may-stand.asked", subject, after=after))
    return MayStandOut(
        may=answer.may,
        right=answer.right,
        until=rfc3339(answer.until) if answer.until else None,
        why=answer.words(lang),
        why_zh=answer.words("zh"),
        why_en=answer.words("en"),
        lot_id=answer.lot_code,
        space_code=answer.space_code,
        due_fen=answer.due_fen,
    )


def _position(near: str) -> Position:
    try:
        lon, lat = (float(part) for part in near.split(","))
    except ValueError as error:
        raise InvalidError("near is lon,lat in degrees") from error
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):  # noqa: PLR2004 - degrees; refuses NaN too
        raise InvalidError("near is lon,lat in degrees")
    return lon, lat


def _lots_around(registry: Registry, here: Position, radius_m: int) -> list[str]:
    reach = radius_m + BEYOND_LOT_METRES
    return [lot.code for lot in registry.lots if metres_to(msgspec.json.decode(lot.geometry), here) <= reach]

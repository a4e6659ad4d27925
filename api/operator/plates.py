"""Plates with evidence: a warden says who stands there; what is known of a session, and where evidence disagrees."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy import select

from api.deps import Db, Now, TheParts
from api.door import AnyRole, LoggedIn, role
from api.evidence_body import SeenIn, body_of, keep_photo, read_seen, vault_in
from api.problems import responses
from api.shapes import Shape
from billing.evidence.patrol import (
    Evidences,
    ShownEvidence,
    evidence_of,
    find_photo,
    list_disagreeing,
    list_unplaced,
)
from billing.evidence.photos import PhotoNotFoundError, PhotosNotConfiguredError
from billing.evidence.placing import AHEAD
from billing.evidence.recording import Sighting, record_sighting
from billing.standing import SessionNotFoundError
from core.audit import write_audit
from core.clock import FOR_EVER, rfc3339
from core.errors import InvalidError
from core.plate import parse_plate
from core.roles import Role
from core.tables import ParkingSession

router = APIRouter(prefix="/api/v1/operator", tags=["operator"])

Streetwise = Annotated[LoggedIn, role(Role.OPERATOR, Role.WARDEN)]
A_SESSION = {"a session": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}
SessionUuid = Annotated[UUID, Path(description="As the patrol's list names it.", openapi_examples=A_SESSION)]
AHEAD_TOLERATED = timedelta(minutes=5)


class NotSeenThenError(InvalidError):
    """At that time another car, or none, stood there. Carries ``session_id``."""

    slug = "not-seen-then"


class PlateEvidenceOut(Shape):
    """One piece of evidence; the plate is masked."""

    id: UUID
    session_id: UUID | None
    """None: no stay is known there at that time."""
    space_code: str
    plate: str = Field(examples=["浙D***45"])
    source: str = Field(examples=["warden"])
    """`warden` outranks `camera`, and that `claim`, the driver's word."""
    colour: str | None
    confidence_percent: int | None
    observed_at: str = Field(json_schema_extra={"format": "date-time"})
    recorded_at: str = Field(json_schema_extra={"format": "date-time"})
    recorded_by: str | None = Field(examples=["operator:chen"])
    has_photo: bool

    @classmethod
    def of(cls, one: ShownEvidence) -> "PlateEvidenceOut":
        """The evidence in JSON's types."""
        return cls(
            id=one.id,
            session_id=one.session_id,
            space_code=one.space_code,
            plate=one.plate,
            source=one.source,
            colour=one.colour,
            confidence_percent=one.confidence_percent,
            observed_at=rfc3339(one.observed_at),
            recorded_at=rfc3339(one.recorded_at),
            recorded_by=one.recorded_by,
            has_photo=one.has_photo,
        )


class PlatesOut(Shape):
    """What is said of one session, the best first: that one counts."""

    session_id: UUID
    disagrees: bool
    """More than one plate is named."""
    evidence: list[PlateEvidenceOut]

    @classmethod
    def of(cls, session_id: UUID, evidences: Evidences) -> "PlatesOut":
        """The evidences in JSON's types."""
        shown = [PlateEvidenceOut.of(one) for one in evidences.evidence]
        return cls(session_id=session_id, disagrees=evidences.disagrees, evidence=shown)


class TakenOut(Shape):
    """That it was kept."""

    evidence_id: UUID
    session_id: UUID | None
    repeated: bool
    """The same was told before; nothing changed."""


@router.post(
    "/sessions/{session_id}/plate",
    status_code=201,
    openapi_extra=body_of(SeenIn),
    responses=responses(401, 403, 404, 413, 422, 503),
)
async def attach_plate(
    *, request: Request, session_id: SessionUuid, person: Streetwise, parts: TheParts, db: Db, now: Now
) -> TakenOut:
    """Say which plate stands there, as somebody who saw it: JSON, or a form with the photo as a file.

    It identifies the vehicle from now on: its class, passes and exemptions count, and a bill made before is corrected.
    Better than a camera, the newest warden's word counts. 422 when the plate was seen before or after the stay.
    """
    vault = vault_in(parts)
    seen, content = await read_seen(request, SeenIn)
    plate = parse_plate(seen.plate)
    observed_at = seen.observed_at or now
    space_id = await _space_of(db, session_id, observed_at, now)
    photo = await keep_photo(request, content)
    sighting = Sighting(
        source="warden",
        space_id=space_id,
        plate=plate,
        colour=seen.colour,
        confidence_percent=None,
        observed_at=observed_at,
        seen_by=f"operator:{person.login}",
        session_id=session_id,
    )
    recorded = await record_sighting(db, vault, sighting, photo=photo, at=now)
    if recorded.is_new:
        after = {"evidence": str(recorded.evidence_id), "colour": seen.colour, "photo": photo is not None}
        await write_audit(db, person.entry("plate.attached", f"session:{session_id}", after=after))
    return TakenOut(evidence_id=recorded.evidence_id, session_id=recorded.session_id, repeated=not recorded.is_new)


@router.get("/sessions/{session_id}/plates", responses=responses(401, 404, 422))
async def read_plates(session_id: SessionUuid, _person: AnyRole, parts: TheParts, db: Db) -> PlatesOut:
    """All evidence of a session, plates masked, the best first."""
    if (await db.execute(select(ParkingSession.id).where(ParkingSession.id == session_id))).first() is None:
        raise SessionNotFoundError("no session has this id", session_id=str(session_id))
    return PlatesOut.of(session_id, await evidence_of(db, parts.plates, session_id))


@router.get("/evidence/disagreeing", responses=responses(401, 422))
async def read_disagreeing(
    *,
    _person: AnyRole,
    parts: TheParts,
    db: Db,
    now: Now,
    days: Annotated[int, Query(ge=1, le=366, description="With evidence that came in so many days.")] = 7,
    limit: Annotated[int, Query(ge=1, le=200, description="Most to give.")] = 50,
) -> list[PlatesOut]:
    """Sessions for which more than one plate is named: a camera misread, or somebody claims a stranger's plate."""
    found = await list_disagreeing(db, parts.plates, since=now - timedelta(days=days), limit=limit)
    return [PlatesOut.of(session_id, evidences) for session_id, evidences in found]


@router.get("/evidence/unplaced", responses=responses(401, 422))
async def read_unplaced(
    *,
    _person: AnyRole,
    parts: TheParts,
    db: Db,
    limit: Annotated[int, Query(ge=1, le=200, description="Most to give.")] = 50,
) -> list[PlateEvidenceOut]:
    """Evidence for which there is no stay, the newest first: a car was seen where the sensor saw none."""
    return [PlateEvidenceOut.of(one) for one in await list_unplaced(db, parts.plates, limit=limit)]


@router.get(
    "/evidence/{evidence_id}/photo",
    responses={**responses(401, 404, 422, 503), 200: {"content": {"image/jpeg": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
async def read_photo(
    evidence_id: Annotated[UUID, Path(description="As the evidence is listed.", openapi_examples=A_SESSION)],
    person: AnyRole,
    parts: TheParts,
    db: Db,
) -> Response:
    """The photo of a piece of evidence. Who looked is kept in the audit."""
    name = await find_photo(db, evidence_id)
    if name is not None:
        if parts.photos is None:
            raise PhotosNotConfiguredError("photos are not kept here: PARKING_PHOTO_DIR is not set")
        picture = await asyncio.to_thread(parts.photos.read, vault_in(parts), name)
        if picture is not None:
            await write_audit(db, person.entry("photo.seen", f"evidence:{evidence_id}"))
            return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})
    raise PhotoNotFoundError("there is no photo of this, or it was erased", evidence_id=str(evidence_id))


async def _space_of(db: Db, session_id: UUID, observed_at: datetime, now: datetime) -> int:
    """The space of a session, if the plate can have been seen there during it."""
    wanted = select(ParkingSession.space_id, ParkingSession.entered_at, ParkingSession.left_at)
    row = (await db.execute(wanted.where(ParkingSession.id == session_id, ParkingSession.status != "void"))).first()
    if row is None:
        raise SessionNotFoundError("no session has this id", session_id=str(session_id))
    is_during = row.entered_at - AHEAD <= observed_at < (row.left_at or FOR_EVER)
    if not is_during or observed_at > now + AHEAD_TOLERATED:
        raise NotSeenThenError(
            "this stay is over, or had not begun: say with observed_at when during it the plate was seen",
            session_id=str(session_id),
        )
    space_id: int = row.space_id
    return space_id

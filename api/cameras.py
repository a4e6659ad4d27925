"""What cameras see: a plate on a space, at a time, with how sure they are."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import Field
from sqlalchemy import select

from api.deps import Db, Now, TheParts
from api.door import Device, device
from api.evidence_body import SeenIn, body_of, keep_photo, read_seen, vault_in
from api.operator.plates import TakenOut
from api.problems import responses
from billing.evidence.recording import Sighting, record_sighting
from core.errors import InvalidError, SpaceNotFoundError
from core.plate import parse_plate
from core.tables import Space

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])

AHEAD_TOLERATED: Final = timedelta(minutes=5)


class CameraSeenIn(SeenIn):
    """A plate that a camera read."""

    space: str = Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$", examples=["KL-017"])
    """The code of the space."""
    confidence: int = Field(ge=0, le=100, examples=[97])
    """How sure it is, in percent; under 90 it identifies nobody by itself."""


class FromTheFutureError(InvalidError):
    """The camera's clock is ahead of ours by more than five minutes."""

    slug = "from-the-future"


@router.post(
    "/events",
    status_code=202,
    openapi_extra=body_of(CameraSeenIn),
    responses=responses(401, 404, 413, 422, 429, 503),
)
async def take_camera_event(
    *, request: Request, camera: Annotated[Device, device("camera")], parts: TheParts, db: Db, now: Now
) -> TakenOut:
    """Take what a camera saw: JSON, or a form with the photo as a file. Told twice it counts once.

    The key comes from `parking kiosk add NAME --kind camera`. It belongs to the stay that is on the space at that time,
    also when that stay becomes known later, or late readings change it.
    """
    vault = vault_in(parts)
    seen, content = await read_seen(request, CameraSeenIn)
    plate = parse_plate(seen.plate)
    observed_at = seen.observed_at or now
    if observed_at > now + AHEAD_TOLERATED:
        raise FromTheFutureError("this camera's clock is more than five minutes ahead")
    space_id = (await db.scalars(select(Space.id).where(Space.code == seen.space))).one_or_none()
    if space_id is None:
        raise SpaceNotFoundError(f"no space has the code {seen.space!r}", space_code=seen.space)
    sighting = Sighting(
        source="camera",
        space_id=space_id,
        plate=plate,
        colour=seen.colour,
        confidence_percent=seen.confidence,
        observed_at=observed_at,
        seen_by=f"device:{camera.id}",
    )
    photo = await keep_photo(request, content)
    recorded = await record_sighting(db, vault, sighting, photo=photo, at=now)
    return TakenOut(evidence_id=recorded.evidence_id, session_id=recorded.session_id, repeated=not recorded.is_new)

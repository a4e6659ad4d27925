"""The session on a space, for whoever stands before it: how long, how much so far, when it rises, what is paid."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy import select

from api.deps import City, CountedRead, Db, Lang, Now, TheParts, Words, spend
from api.fees import SessionOut
from api.limits import CLAIMS, READS, TYPED_CODES, WRONG_CODES
from api.problems import responses
from api.shapes import Shape
from billing.evidence.claiming import claim_plate
from billing.fee import fee_object
from billing.payments.owing import Owing, owing_of
from billing.plates import PlatesNotConfiguredError
from billing.standing import SessionNotFoundError, Standing, fetch_standing, find_newest_standing
from core.clock import rfc3339
from core.errors import DeniedError, NoSessionError, SpaceNotFoundError
from core.plate import parse_plate
from core.tables import ParkingSession
from core.tokens import is_space_token

CODE: Final = {"a space of the demo city": {"value": "KL-017"}}
A_SESSION: Final = {"a session": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}
SessionUuid = Annotated[UUID, Path(description="As `/spaces/{code}/session` names it.", openapi_examples=A_SESSION)]

router = APIRouter(prefix="/api/v1", tags=["sessions"])

NOTHING_TO_PAY = {
    "total_fen": 0,
    "currency": "CNY",
    "lines": [],
    "tariff": None,
    "vehicle": None,
    "calendar_assumed": False,
    "next_change_at": None,
    "next_total_fen": None,
}
"""The fee in a lot without a price notice."""


class WrongCodeError(DeniedError):
    """The token was not printed for this space. Carries ``space_code``."""

    slug = "wrong-code"


class PlateIn(Shape):
    """A plate as its driver types it."""

    plate: str = Field(max_length=24, examples=["浙D·12345"])
    """Of mainland China; blanks, dots and lower case are forgiven."""


class ClaimOut(Shape):
    """That it was kept. What is known of the vehicle otherwise is not said."""

    session_id: str = Field(json_schema_extra={"format": "uuid"})
    kind: str = Field(examples=["civil"])
    """What the form of the plate tells: `civil`, `new-energy-small` or `new-energy-large`."""
    claimed_at: str = Field(json_schema_extra={"format": "date-time"})


@router.get("/spaces/{code}/session", responses=responses(403, 404, 422, 429), response_model=SessionOut)
async def read_session(
    *,
    request: Request,
    response: Response,
    parts: TheParts,
    city: City,
    db: Db,
    now: Now,
    lang: Words,
    code: Annotated[str, Path(max_length=64, description="As printed on the space.", openapi_examples=CODE)],
    k: Annotated[
        str | None, Query(max_length=64, description="The token beside it; without it only few requests are answered.")
    ] = None,
) -> dict[str, Any]:
    """The open session of a space, or the newest one with something to pay while no other has begun."""
    _admit(request, parts.settings.secret_key.get_secret_value(), code, k)
    place = city.registry.space_at.get(code)
    if place is None:
        raise SpaceNotFoundError(f"no space has the code {code!r}", space_code=code)
    response.headers["Cache-Control"] = "no-store"
    standing = await find_newest_standing(db, city.registry.spaces[place].id, now)
    if standing is not None:
        owing = await owing_of(db, standing)
        if standing.status == "open" or owing.due_fen > 0:
            return session_object(standing, owing, lang)
    raise NoSessionError(f"nothing is parked on {code}, and nothing is left to pay there", space_code=code)


@router.get(
    "/sessions/{session_id}",
    responses=responses(404, 422, 429),
    response_model=SessionOut,
    dependencies=[CountedRead],
)
async def read_session_by_id(
    session_id: SessionUuid, response: Response, db: Db, now: Now, lang: Words
) -> dict[str, Any]:
    """A session for whoever has its id: paid or not, until it is forgotten. An id cannot be guessed."""
    response.headers["Cache-Control"] = "no-store"
    standing = await fetch_standing(db, session_id, now)
    return session_object(standing, await owing_of(db, standing), lang)


@router.post("/sessions/{session_id}/plate", status_code=201, responses=responses(404, 422, 429, 503))
async def claim_session_plate(
    *, request: Request, parts: TheParts, session_id: SessionUuid, body: PlateIn, db: Db, now: Now
) -> ClaimOut:
    """The driver says whose session it is: kept encrypted, as a claim.

    It helps to find and to price the session; it proves nothing, and nothing is said of what is known otherwise.
    """
    spend(request, CLAIMS)
    if parts.plates is None:
        raise PlatesNotConfiguredError("plates are not taken here: PARKING_PLATE_KEY is not set")
    plate = parse_plate(body.plate)
    is_there = select(ParkingSession.id).where(ParkingSession.id == session_id, ParkingSession.status != "void")
    if (await db.execute(is_there)).first() is None:
        raise SessionNotFoundError("no session has this id", session_id=str(session_id))
    await claim_plate(db, parts.plates, session_id, plate, at=now)
    return ClaimOut(session_id=str(session_id), kind=plate.kind, claimed_at=rfc3339(now))


def _admit(request: Request, secret_key: str, code: str, k: str | None) -> None:
    """Whoever read the printed code is welcome; whoever types numbers may try a few."""
    if k is None:
        spend(request, TYPED_CODES)
        return
    if not is_space_token(secret_key, code, k):
        spend(request, WRONG_CODES)
        raise WrongCodeError(
            "this code was not printed for this space: scan it again, or type the number", space_code=code
        )
    spend(request, READS)


def session_object(standing: Standing, owing: Owing, lang: Lang) -> dict[str, Any]:
    """The session in JSON's types."""
    fee = dict(NOTHING_TO_PAY) if standing.fee is None else fee_object(standing.fee, lang)
    return {
        "id": str(standing.session_id),
        "space_code": standing.space_code,
        "lot_id": standing.lot_code,
        "status": standing.status,
        "entered_at": rfc3339(standing.entered_at),
        "left_at": rfc3339(standing.left_at) if standing.left_at else None,
        "minutes": standing.minutes,
        "counted_to": rfc3339(standing.counted_to),
        "unsure": standing.unsure,
        "fee": fee,
        "paid_fen": owing.paid_fen,
        "due_fen": owing.due_fen,
        "exit_by": rfc3339(owing.exit_by) if owing.exit_by else None,
    }

"""Finding the stay somebody at a kiosk wants to pay for; never a dead end, and never a stranger's place or time."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import structlog
from fastapi import APIRouter, Path, Request
from prometheus_client import Counter
from pydantic import ConfigDict, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from api.deps import City, Db, Lang, Now, TheParts, Words, spend
from api.door import now as real_now
from api.fees import SessionOut
from api.kiosk.door import TIME, Kiosk, timed
from api.limits import KIOSK_PLATES, KIOSK_SPACES, KIOSK_WRONG, Allowance
from api.live_city.showing import Showing
from api.problems import responses
from api.sessions import session_object
from api.shapes import Shape
from billing.kiosks.finding import (
    By,
    Match,
    NotConfirmedError,
    confirm_choice,
    find_by_plate,
    keep_find,
    normal_code,
    refuse_not_found_here,
)
from billing.payments.owing import owing_of
from billing.plates import PlatesNotConfiguredError
from billing.standing import fetch_standing, find_newest_standing
from core.errors import TooManyRequestsError
from core.tokens import is_space_token

log = structlog.get_logger()
router = APIRouter()

ELSE: Final = ["space", "code", "help"]
"""What somebody may try who was not found."""
A_CHOICE: Final = {"a choice": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}
A_SESSION: Final = {"a session": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}

finds = Counter("parking_kiosk_finds", "Searches at kiosks, by what became of them", ["device", "by", "outcome"])


class FindIn(Shape):
    """One of the three."""

    model_config = ConfigDict(extra="forbid")

    space: str | None = Field(default=None, min_length=1, max_length=64, examples=["KL-017"])
    """The number beside the vehicle."""
    plate: str | None = Field(default=None, min_length=1, max_length=24, examples=[None])
    """At least its last four characters."""
    code: str | None = Field(default=None, min_length=1, max_length=512, examples=[None])
    """The text of a scanned code."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len([one for one in (self.space, self.plate, self.code) if one is not None]) != 1:
            raise ValueError("one of space, plate and code")
        return self


class MatchOut(Shape):
    """A stay that may be meant: itself where enough is known, else a choice that needs one more thing."""

    session: SessionOut | None
    plate: str | None = Field(examples=["浙D·1**45"])
    """Masked."""
    choice: str | None
    """Opaque, good for three minutes and at this kiosk only."""


class FoundOut(Shape):
    """What was found."""

    server_time: str = TIME
    by: Literal["space", "plate", "code"]
    matches: list[MatchOut]
    more: bool
    """There are more than are shown: more of the plate has to be typed."""
    next: list[str] = Field(examples=[ELSE])
    """Where nothing was found: what to try."""


class ConfirmIn(Shape):
    """What only the driver knows: the space, or the whole plate."""

    model_config = ConfigDict(extra="forbid")

    space: str | None = Field(default=None, min_length=1, max_length=64, examples=["KL-017"])
    plate: str | None = Field(default=None, min_length=1, max_length=24, examples=[None])

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.space is None) == (self.plate is None):
            raise ValueError("one of space and plate")
        return self


class ShownOut(Shape):
    """A stay that this kiosk may show and take money for."""

    server_time: str = TIME
    session: SessionOut
    plate: str | None


@router.post("/find", responses=responses(401, 422, 429, 503), response_model=FoundOut)
async def find_stay(
    *, request: Request, kiosk: Kiosk, body: FindIn, parts: TheParts, city: City, db: Db, now: Now, lang: Words
) -> dict[str, Any]:
    """Find a stay by its space, by a scanned code, or by a plate's last characters.

    A part of a plate, or a plate that only its driver named, gives choices: masked plates without place or time.
    Look-alike characters (0 D Q, 8 B, 2 Z, 5 S) are forgiven. Nothing found is an answer too, with what to try.
    """
    by: By = "space" if body.space else "plate" if body.plate else "code"
    _spend(request, kiosk.id, by, KIOSK_PLATES if body.plate else KIOSK_SPACES)
    more = False
    if body.plate:
        if parts.plates is None:
            raise PlatesNotConfiguredError("plates are not taken here: PARKING_PLATE_KEY is not set")
        matches, more = await find_by_plate(db, parts.plates, body.plate, now=now)
    else:
        code = normal_code(body.space) if body.space else _printed(parts.settings.secret_key.get_secret_value(), body)
        matches = await _on_space(db, city, code, now)
    outcome = "nothing" if not matches else "found" if matches[0].is_known else "choice"
    finds.labels(str(kiosk.id), by, outcome).inc()
    shown = [await _shown(db, match, device=kiosk.id, by=by, now=now, lang=lang) for match in matches]
    if not matches:
        await keep_find(db, kiosk.id, by, None, is_known=False, at=real_now())
    return timed({"by": by, "matches": shown, "more": more, "next": [] if matches else ELSE})


@router.post("/choices/{choice}", responses=responses(401, 403, 404, 422, 429), response_model=ShownOut)
async def confirm_stay(
    *,
    request: Request,
    kiosk: Kiosk,
    choice: Annotated[UUID, Path(description="As `find` answered it.", openapi_examples=A_CHOICE)],
    body: ConfirmIn,
    parts: TheParts,
    now: Now,
    lang: Words,
) -> dict[str, Any]:
    """Add what only the driver knows. Wrong: 403 `not-confirmed`, three times at most; then it is looked for anew."""
    async with parts.database.transaction() as db:  # a wrong answer is counted, and then refused
        session_id, tries_left = await confirm_choice(
            db, parts.plates, kiosk.id, choice, space=body.space, plate=body.plate, at=real_now()
        )
    if session_id is None:
        finds.labels(str(kiosk.id), "choice", "wrong").inc()
        log.warning("kiosk.guessed_wrong", device=kiosk.id, tries_left=tries_left)
        _spend(request, kiosk.id, "choice", KIOSK_WRONG)
        raise NotConfirmedError("that is not this vehicle's", tries_left=tries_left)
    async with parts.database.transaction() as db:
        return timed({"session": await shown_session(db, session_id, now, lang), "plate": None})


@router.get("/sessions/{session_id}", responses=responses(401, 404, 422, 429), response_model=ShownOut)
async def read_found_stay(
    kiosk: Kiosk,
    session_id: Annotated[UUID, Path(description="Found here within half an hour.", openapi_examples=A_SESSION)],
    db: Db,
    now: Now,
    lang: Words,
) -> dict[str, Any]:
    """A stay that this kiosk has found, as it stands now."""
    await refuse_not_found_here(db, kiosk.id, session_id, at=real_now())
    return timed({"session": await shown_session(db, session_id, now, lang), "plate": None})


async def shown_session(db: AsyncConnection, session_id: UUID, now: datetime, lang: Lang) -> dict[str, Any]:
    """A stay with its fee."""
    standing = await fetch_standing(db, session_id, now)
    return session_object(standing, await owing_of(db, standing), lang)


async def _on_space(db: AsyncConnection, city: Showing, code: str | None, now: datetime) -> list[Match]:
    place = city.registry.space_at.get(code) if code else None
    standing = await find_newest_standing(db, city.registry.spaces[place].id, now) if place is not None else None
    if standing is None:
        return []
    if standing.status != "open" and (await owing_of(db, standing)).due_fen == 0:
        return []
    return [Match(session_id=standing.session_id, plate=None, is_known=True)]


async def _shown(
    db: AsyncConnection, match: Match, *, device: int, by: By, now: datetime, lang: Lang
) -> dict[str, Any]:
    find_id = await keep_find(db, device, by, match.session_id, is_known=match.is_known, at=real_now())
    if not match.is_known:
        return {"session": None, "plate": match.plate, "choice": str(find_id)}
    return {"session": await shown_session(db, match.session_id, now, lang), "plate": match.plate, "choice": None}


def _printed(secret_key: str, body: FindIn) -> str | None:
    """The space of a scanned code; None where the code is none of ours."""
    try:
        address = urlsplit((body.code or "").strip())
    except ValueError:
        return None
    _, _, code = address.path.rpartition("/s/")
    token = parse_qs(address.query).get("k", [""])[0]
    code = unquote(code)
    return code if "/" not in code and is_space_token(secret_key, code, token) else None


def _spend(request: Request, device: int, by: str, allowance: Allowance) -> None:
    """Count the try; one too many is seen by the operator."""
    try:
        spend(request, allowance, f"device:{device}")
    except TooManyRequestsError:
        finds.labels(str(device), by, "limited").inc()
        log.warning("kiosk.limited", device=device, by=by)
        raise

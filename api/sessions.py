"""The session on a space, for whoever stands before it: how long, how much so far, when it rises."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.deps import City, Db, Lang, Now, TheParts, Words, spend
from api.fees import SessionOut
from api.limits import READS, TYPED_CODES, WRONG_CODES
from api.live_city.registry import LotEntry, SpaceEntry
from api.problems import responses
from billing.fee import fee_object
from billing.lines import bill_from_json
from billing.pricing import price_stay, quote
from billing.tariffs_in_force import fetch_tariff_for
from core.clock import rfc3339
from core.errors import DeniedError, NoSessionError, SpaceNotFoundError, TariffNotFoundError
from core.stay import Stay
from core.tables import Bill, ParkingSession, SpaceState
from core.tokens import is_space_token

CODE: Final = {"a space of the demo city": {"value": "KL-017"}}

router = APIRouter(prefix="/api/v1/spaces", tags=["sessions"])

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A session as it stands at one instant."""

    row: Row[Any]
    counted_to: datetime
    """Where the fee stops counting: now, the departure, or where the evidence ends."""
    unsure: bool

    @property
    def runs(self) -> bool:
        """Whether the fee goes on rising."""
        return self.row.status == "open" and not self.unsure


@router.get("/{code}/session", responses=responses(403, 404, 422, 429), response_model=SessionOut)
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
    space = city.registry.spaces[place]
    lot = city.registry.lots[space.lot]
    response.headers["Cache-Control"] = "no-store"
    shown = await find_shown(db, space, lot, now)
    if shown is not None:
        fee = await fee_of(db, shown, lot, lang)
        if shown.row.status == "open" or fee["total_fen"] > 0:
            return session_object(shown, space.code, lot.code, fee)
    raise NoSessionError(f"nothing is parked on {code}, and nothing is left to pay there", space_code=code)


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


async def find_shown(db: AsyncConnection, space: SpaceEntry, lot: LotEntry, now: datetime) -> Shown | None:
    """The newest session of a space that may be shown.

    One that is younger than the lot's shortest stay is not announced, as it may turn out to be none; until then the
    one before it is the newest.
    """
    rows = (await db.execute(_newest_of(space.id))).all()
    announced = now - timedelta(seconds=lot.min_stay_seconds)
    newest = next((row for row in rows if row.status != "open" or row.entered_at <= announced), None)
    return _at(newest, space, now) if newest else None


async def fee_of(db: AsyncConnection, shown: Shown, lot: LotEntry, lang: Lang) -> dict[str, Any]:
    """What the session costs as far as it is counted: by its bill, else by the notice in force when it began."""
    row = shown.row
    if row.bill is not None and "bill" in row.bill:
        return fee_object(bill_from_json(row.bill["bill"]), lang)
    if lot.tariff is None:
        return dict(NOTHING_TO_PAY)
    stay = Stay(entered_at=row.entered_at, left_at=shown.counted_to)
    try:
        _, tariff = await fetch_tariff_for(db, lot.tariff, stay)
    except TariffNotFoundError:
        return dict(NOTHING_TO_PAY)
    fee = quote(tariff, stay, zone=lot.zone) if shown.runs else price_stay(tariff, stay, zone=lot.zone)
    return fee_object(fee, lang)


def session_object(shown: Shown, space_code: str, lot_id: str, fee: dict[str, Any]) -> dict[str, Any]:
    """The session in JSON's types."""
    row = shown.row
    return {
        "id": str(row.id),
        "space_code": space_code,
        "lot_id": lot_id,
        "status": row.status,
        "entered_at": rfc3339(row.entered_at),
        "left_at": rfc3339(row.left_at) if row.left_at else None,
        "minutes": (shown.counted_to - row.entered_at) // timedelta(minutes=1),
        "unsure": shown.unsure,
        "fee": fee,
        "paid_fen": 0,
        "due_fen": fee["total_fen"],
        "exit_by": None,
    }


def _newest_of(space_id: int) -> Any:
    return (
        select(
            ParkingSession.id,
            ParkingSession.status,
            ParkingSession.entered_at,
            ParkingSession.left_at,
            ParkingSession.unsure,
            SpaceState.last_heard_at,
            SpaceState.last_occupied_at,
            Bill.fee.label("bill"),
        )
        .outerjoin(Bill, _OF_ITS_REVISION)
        .outerjoin(SpaceState, SpaceState.space_id == ParkingSession.space_id)
        .where(ParkingSession.space_id == space_id, ParkingSession.status != "void")
        .order_by(ParkingSession.entered_at.desc())
        .limit(2)
    )


_OF_ITS_REVISION = (Bill.session_id == ParkingSession.id) & (Bill.session_revision == ParkingSession.revision)
"""A session has one bill for each of its revisions; that of the newest is the current one."""


def _at(row: Row[Any], space: SpaceEntry, now: datetime) -> Shown:
    if row.status != "open":
        return Shown(row=row, counted_to=row.left_at, unsure=row.unsure)
    if _silent(row, space, now):
        return Shown(row=row, counted_to=max(row.entered_at, row.last_occupied_at or row.entered_at), unsure=True)
    return Shown(row=row, counted_to=max(row.entered_at, now), unsure=False)


def _silent(row: Row[Any], space: SpaceEntry, now: datetime) -> bool:
    if space.limit_ms is None or row.last_heard_at is None:
        return True
    return bool(now - row.last_heard_at > timedelta(milliseconds=space.limit_ms))

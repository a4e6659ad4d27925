"""The collection report: what was parked, known, billed and collected, per lot and day."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.deps import Db, Now, TheParts
from api.door import LoggedIn, role
from api.problems import responses
from api.shapes import Shape
from billing.arrears.collecting import collection_of
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator/collection", tags=["operator"])


class CollectedOut(Shape):
    """One lot's day; `billed_fen` is the sum of the five kinds of money after it."""

    day: str = Field(json_schema_extra={"format": "date"}, examples=["2026-11-22"])
    lot_id: str = Field(examples=["KL"])
    ended: int
    """Stays that ended that day."""
    identified: int
    """Of them those whose vehicle a warden or a camera saw."""
    billed: int
    billed_fen: int
    collected_fen: int
    given_up_fen: int
    """Discounts, exit windows, waivers, write-offs."""
    stay_fen: int
    """Owed, within the grace or waiting for a person."""
    arrears_fen: int
    unidentified_fen: int


@router.get("", responses=responses(401, 403, 422))
async def read_collection(  # noqa: PLR0917 - the framework names them
    db: Db,
    now: Now,
    parts: TheParts,
    _person: Annotated[LoggedIn, role(Role.FINANCE, Role.OPERATOR)],
    since: Annotated[date | None, Query(alias="from", description="A week before `to`, if not given.")] = None,
    until: Annotated[date | None, Query(alias="to", description="Not included; tomorrow, if not given.")] = None,
    lot: Annotated[str | None, Query(max_length=64, description="Only this one.")] = None,
) -> list[CollectedOut]:
    """Each lot's days in their order, on its own wall; days without departures are left out."""
    last = until or now.astimezone(parts.settings.zone).date() + timedelta(days=1)
    first = since or last - timedelta(days=7)
    rows = await collection_of(db, since=first, until=last, zone=parts.settings.zone, lot=lot)
    return [
        CollectedOut(
            day=one.day.isoformat(),
            lot_id=one.lot_code,
            **{name: value for name, value in asdict(one).items() if name not in {"day", "lot_code"}},
        )
        for one in rows
    ]

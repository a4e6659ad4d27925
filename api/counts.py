"""Counts of lots that only count vehicles: a barrier or another system says how many are there."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from api.deps import Db, Instant, Now, TheParts
from api.door import device
from api.problems import responses
from api.shapes import Shape
from core.clock import rfc3339
from core.errors import ConflictError, InvalidError, LotNotFoundError
from core.tables import Lot, LotCount

router = APIRouter(prefix="/api/v1/lots", tags=["lots"])

NONSENSE_FROM: Final = 2
"""A counter drifts, but more than so many times what a lot holds is no drift."""

EXAMPLE = {"a car park with a barrier": {"value": "GS"}}
LotCode = Annotated[str, Path(max_length=64, description="A lot's code.", openapi_examples=EXAMPLE)]


class NotCountedError(ConflictError):
    """The lot has sensors: what is free there is not counted. Carries ``lot_id``."""

    slug = "lot-not-counted"


class CountFromTheFutureError(InvalidError):
    """The count is ahead of our clock. Carries ``now``."""

    slug = "count-from-the-future"


class ImpossibleCountError(InvalidError):
    """More than a drifting counter can explain. Carries ``capacity``."""

    slug = "impossible-count"


class CountIn(Shape):
    """How many vehicles are in a lot."""

    occupied: int = Field(ge=0, strict=True, examples=[612])
    """More than the lot holds is taken as full: counters drift. More than twice as many is refused."""
    at: Instant = Field(examples=["2025-11-22T09:30:00+08:00"])
    """When it was counted: not more than five minutes ahead of us."""


class CountOut(Shape):
    """What is now the newest count of the lot."""

    lot_id: str
    occupied: int
    at: str = Field(json_schema_extra={"format": "date-time"})
    capacity: int
    stored: bool
    """False: one at least as new was known already, and nothing has changed."""
    clamped: bool
    """Whether more was counted than the lot holds, and it was taken as full."""


@router.post("/{lot_id}/count", responses=responses(401, 404, 409, 422, 429), dependencies=[device("uplink")])
async def store_count(lot_id: LotCode, body: CountIn, db: Db, now: Now, parts: TheParts) -> CountOut:
    """Say how many vehicles are in a lot whose `source` is `counter` or `feed`; it shows on the map within a second.

    Repeat it every minute or so: a quarter of an hour after its newest count, a lot is unknown.
    """
    lot = await _fetch_counted(db, lot_id)
    if body.at > now + timedelta(seconds=parts.settings.future_tolerance_seconds):
        raise CountFromTheFutureError(f"at is ahead of us: here it is {rfc3339(now)}", now=rfc3339(now))
    if body.occupied > NONSENSE_FROM * lot.capacity:
        raise ImpossibleCountError(
            f"{body.occupied} vehicles in a lot that holds {lot.capacity}: set the counter right", capacity=lot.capacity
        )
    occupied = min(body.occupied, lot.capacity)
    stored = await _store(db, lot.id, occupied, at=body.at, now=now)
    newest = await _fetch_newest(db, lot.id)
    return CountOut(
        lot_id=lot_id,
        occupied=newest.occupied,
        at=rfc3339(newest.observed_at),
        capacity=lot.capacity,
        stored=stored,
        clamped=occupied < body.occupied,
    )


async def _fetch_counted(db: Db, code: str) -> Any:
    lot = select(Lot.id, Lot.source, Lot.capacity).where(Lot.code == code, Lot.retired_at.is_(None))
    row = (await db.execute(lot)).first()
    if row is None:
        raise LotNotFoundError(f"no lot has the code {code!r}", lot_id=code)
    if row.source == "sensors":
        raise NotCountedError(f"lot {code} has sensors: what is free there is not counted", lot_id=code)
    return row


async def _store(db: Db, lot_id: int, occupied: int, *, at: datetime, now: datetime) -> bool:
    """Keep the count if it is newer than the one that is kept, whoever else writes meanwhile; whether it was."""
    values = {"occupied": occupied, "observed_at": at, "last_heard_at": now}
    newer = insert(LotCount).values(lot_id=lot_id, **values)
    newer = newer.on_conflict_do_update(
        index_elements=["lot_id"], set_=values, where=LotCount.observed_at < newer.excluded.observed_at
    )
    stored = (await db.execute(newer.returning(LotCount.lot_id))).first() is not None
    if stored:
        await db.execute(select(func.pg_notify("parking_state", "")))  # PostgreSQL sends it when we commit
    return stored


async def _fetch_newest(db: Db, lot_id: int) -> Any:
    newest = select(LotCount.occupied, LotCount.observed_at).where(LotCount.lot_id == lot_id)
    return (await db.execute(newest)).one()

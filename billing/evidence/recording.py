"""Evidence is written down, finds its stay, and has the stay priced again where another vehicle is known from it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.evidence.following import place
from billing.plates import PlateVault, store_plate
from billing.vehicle_of_plate import colour_of_form
from core.plate import Plate
from core.tables import PlateEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A plate that a warden or a camera saw."""

    source: Literal["warden", "camera"]
    space_id: int
    plate: Plate
    colour: str | None
    """As it was seen; where it was not, what the plate's form tells."""
    confidence_percent: int | None
    observed_at: datetime
    seen_by: str
    """``operator:<login>`` or ``device:<id>``."""
    session_id: UUID | None = None
    """The session it was said to belong to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of a sighting."""

    evidence_id: UUID
    session_id: UUID | None
    """None: no stay is known there at that time yet."""
    is_new: bool
    """False: it had been told before, and changed nothing."""


async def record_sighting(
    db: AsyncConnection, vault: PlateVault, sighting: Sighting, *, photo: str | None, at: datetime
) -> Recorded:
    """Keep what was seen; the same told twice is one."""
    plate_id = await store_plate(db, vault, sighting.plate, at=at)
    row = insert(PlateEvidence).values(
        session_id=sighting.session_id,
        space_id=sighting.space_id,
        plate_id=plate_id,
        source=sighting.source,
        colour=sighting.colour or colour_of_form(sighting.plate),
        confidence_percent=sighting.confidence_percent,
        observed_at=sighting.observed_at,
        recorded_at=at,
        recorded_by=sighting.seen_by,
        photo=photo,
    )
    made = (await db.scalars(row.on_conflict_do_nothing().returning(PlateEvidence.id))).one_or_none()
    if made is None:
        known = select(PlateEvidence.id, PlateEvidence.session_id).where(
            PlateEvidence.space_id == sighting.space_id,
            PlateEvidence.plate_id == plate_id,
            PlateEvidence.observed_at == sighting.observed_at,
            PlateEvidence.recorded_by == sighting.seen_by,
            PlateEvidence.source == sighting.source,
        )
        told = (await db.execute(known)).one()
        return Recorded(evidence_id=told.id, session_id=told.session_id, is_new=False)
    session_id = await place(db, made, is_new=True, at=at)
    return Recorded(evidence_id=made, session_id=session_id, is_new=True)

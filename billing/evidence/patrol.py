"""What wardens walk for and operators look at: unidentified cars, evidence that disagrees or has no stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.plates import PlateVault, masked
from billing.vehicle_of_plate import Evidence, vehicle_by
from core.geo import Geometry
from core.nearness import metres_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Unidentified:
    """A car of which nobody but perhaps its driver has said who it is."""

    session_id: UUID
    space_code: str
    lot_code: str
    entered_at: datetime
    is_claimed: bool
    """A plate is named that is not sure: its driver typed it, or a camera read it with doubt."""
    geometry: Geometry
    distance_m: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEvidence:
    """One piece of evidence as a person may see it: the plate is masked."""

    id: UUID
    session_id: UUID | None
    space_code: str
    plate: str
    plate_id: UUID
    source: str
    colour: str | None
    confidence_percent: int | None
    is_sure: bool
    observed_at: datetime
    recorded_at: datetime
    recorded_by: str | None
    has_photo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidences:
    """All evidence of one session, the best first."""

    evidence: tuple[ShownEvidence, ...]
    disagrees: bool
    """It names more than one plate."""


async def list_unidentified(
    db: AsyncConnection,
    *,
    lots: Sequence[str] | None,
    near: tuple[float, float] | None,
    radius_m: float,
    limit: int,
) -> list[Unidentified]:
    """Occupied spaces whose car nobody identified, the longest first.

    Args:
        db: the transaction.
        lots: only in these; None: everywhere.
        near: longitude and latitude of whoever walks; None: wherever.
        radius_m: how far from there.
        limit: most to give.
    """
    values = {"lots": None if lots is None else list(lots), "limit": None if near else limit}
    found = []
    for row in (await db.execute(_UNIDENTIFIED, values)).mappings():
        metres = None if near is None else metres_to(row["geometry"], near)
        if metres is None or metres <= radius_m:
            found.append(Unidentified(**row, distance_m=None if metres is None else round(metres)))
        if len(found) == limit:
            break
    return found


async def evidence_of(db: AsyncConnection, vault: PlateVault | None, session_id: UUID) -> Evidences:
    """The evidence of a session."""
    rows = (await db.execute(_OF_SESSION, {"id": session_id})).all()
    shown = [_shown(row, vault) for row in rows]
    return _ranked(shown)


async def list_disagreeing(
    db: AsyncConnection, vault: PlateVault | None, *, since: datetime, limit: int
) -> list[tuple[UUID, Evidences]]:
    """Sessions whose evidence names more than one plate, the newest evidence first."""
    ids = (await db.scalars(_DISAGREEING, {"since": since, "limit": limit})).all()
    return [(session_id, await evidence_of(db, vault, session_id)) for session_id in ids]


async def list_unplaced(db: AsyncConnection, vault: PlateVault | None, *, limit: int) -> list[ShownEvidence]:
    """Evidence for which there is no stay, the newest first: a camera saw a car where the sensor saw none."""
    return [_shown(row, vault) for row in await db.execute(_UNPLACED, {"limit": limit})]


async def find_photo(db: AsyncConnection, evidence_id: UUID) -> str | None:
    """The name of the photo of a piece of evidence; None where there is none, or it was erased."""
    photo: str | None = (await db.scalars(_PHOTO, {"id": evidence_id})).one_or_none()
    return photo


def _ranked(shown: list[ShownEvidence]) -> Evidences:
    plates = {one.plate_id for one in shown}
    best = vehicle_by(
        Evidence(
            plate_id=one.plate_id,
            source=one.source,
            colour=one.colour,
            confidence_percent=one.confidence_percent,
            is_sure=one.is_sure,
            recorded_at=one.recorded_at,
        )
        for one in shown
    )
    first = sorted(shown, key=lambda one: (one.plate_id != best.plate_id, one.source != best.source))
    return Evidences(evidence=tuple(first), disagrees=len(plates) > 1)


def _shown(row: Any, vault: PlateVault | None) -> ShownEvidence:
    return ShownEvidence(
        id=row.id,
        session_id=row.session_id,
        space_code=row.space_code,
        plate=masked(vault, row.ciphertext, row.key_number),
        plate_id=row.plate_id,
        source=row.source,
        colour=row.colour,
        confidence_percent=row.confidence_percent,
        is_sure=row.is_sure,
        observed_at=row.observed_at,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        has_photo=row.photo is not None,
    )


_UNIDENTIFIED: Final = text(
    """
    SELECT session.id AS session_id, space.code AS space_code, lot.code AS lot_code, session.entered_at,
           EXISTS (SELECT FROM plate_evidence WHERE session_id = session.id) AS is_claimed, space.geometry
    FROM parking_session AS session
    JOIN space ON space.id = session.space_id
    JOIN lot ON lot.id = space.lot_id
    WHERE session.status = 'open' AND space.closed_since IS NULL
      AND (CAST(:lots AS text[]) IS NULL OR lot.code = ANY (:lots))
      AND NOT EXISTS (SELECT FROM plate_evidence WHERE session_id = session.id AND is_sure)
    ORDER BY session.entered_at, session.id
    LIMIT :limit
    """
)
_SHOWN: Final = """
    SELECT evidence.id, evidence.session_id, space.code AS space_code, evidence.plate_id, evidence.source,
           evidence.colour, evidence.confidence_percent, evidence.is_sure, evidence.observed_at, evidence.recorded_at,
           evidence.recorded_by, evidence.photo, plate.ciphertext, plate.key_number
    FROM plate_evidence AS evidence
    JOIN plate ON plate.id = evidence.plate_id
    LEFT JOIN parking_session AS session ON session.id = evidence.session_id
    JOIN space ON space.id = coalesce(evidence.space_id, session.space_id)
"""
_OF_SESSION: Final = text(f"{_SHOWN} WHERE evidence.session_id = :id ORDER BY evidence.recorded_at DESC")
_UNPLACED: Final = text(
    f"{_SHOWN} WHERE evidence.session_id IS NULL ORDER BY evidence.observed_at DESC, evidence.id LIMIT :limit"
)
_DISAGREEING: Final = text(
    """
    SELECT session_id FROM plate_evidence
    WHERE session_id IN (SELECT session_id FROM plate_evidence WHERE recorded_at >= :since)
    GROUP BY session_id HAVING count(DISTINCT plate_id) > 1
    ORDER BY max(recorded_at) DESC, session_id LIMIT :limit
    """
)
_PHOTO: Final = text("SELECT photo FROM plate_evidence WHERE id = :id")

"""Evidence follows the stay (S4): told before its stay was known, or on one that late readings took the ground from."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.evidence.placing import AHEAD, Placed, session_for
from billing.who import price_again_later, vehicle_of
from core.tables import PlateEvidence
from core.tables.sessions import TO_BILL

WAITS: Final = timedelta(days=30)
"""So long evidence without a stay is looked at again; later than that a person may still see it."""


async def follow_stays(db: AsyncConnection, *, at: datetime, limit: int) -> int:
    """Give evidence that may belong elsewhere now its place; how much was moved.

    Looked at is what waits for a stay, what lies on void ones, and what was seen outside the stay it lies on where that
    one is about to be billed: every stay that changes is.
    """
    rows = await db.execute(_TO_LOOK_AT, {"since": at - WAITS, "limit": limit})
    moved = 0
    for row in rows.all():
        moved += await place(db, row.id, is_new=False, at=at) != row.session_id
    return moved


async def place(db: AsyncConnection, evidence_id: UUID, *, is_new: bool, at: datetime) -> UUID | None:
    """Give one piece of evidence the session it belongs to, and have what changes by that priced again.

    Args:
        db: the transaction.
        evidence_id: which.
        is_new: it was just written: its session is priced again even where it stays there.
        at: now.
    Returns: the session; None while there is none.
    """
    row = (await db.execute(_EVIDENCE, {"id": evidence_id})).one()
    found = session_for(
        await _stays(db, row), observed_at=row.observed_at, is_claim=row.source == "claim", current=row.session_id
    )
    if found is None and (row.seen_at is None or row.source == "claim"):
        found = row.session_id
    if found != row.session_id:
        await db.execute(update(PlateEvidence).where(PlateEvidence.id == evidence_id).values(session_id=found))
        if row.session_id is not None:
            await price_again_later(db, row.session_id, at=at)
    elif not is_new:
        return found
    if found is not None and (await vehicle_of(db, found)).plate_id == row.plate_id:
        await price_again_later(db, found, at=at)
    return found


async def _stays(db: AsyncConnection, row: Row[Any]) -> list[Placed]:
    values = {
        "space_id": row.space_id,
        "current": row.session_id,
        "since": min(row.observed_at, row.entered_at or row.observed_at),
        "until": max(row.observed_at + AHEAD, row.left_at or row.observed_at),
    }
    return [Placed(**one) for one in (await db.execute(_STAYS, values)).mappings()]


_EVIDENCE: Final = text(
    """
    SELECT evidence.session_id, evidence.plate_id, evidence.source, evidence.observed_at,
           evidence.space_id AS seen_at, coalesce(evidence.space_id, session.space_id) AS space_id,
           session.entered_at, session.left_at
    FROM plate_evidence AS evidence LEFT JOIN parking_session AS session ON session.id = evidence.session_id
    WHERE evidence.id = :id FOR UPDATE OF evidence
    """
)
_STAYS: Final = text(
    """
    SELECT id AS session_id, entered_at, left_at, status = 'void' AS is_void
    FROM parking_session
    WHERE space_id = :space_id AND entered_at <= :until AND coalesce(left_at, 'infinity') >= :since
      AND (status <> 'void' OR id = CAST(:current AS uuid))
    ORDER BY entered_at
    """
)
_TO_LOOK_AT: Final = text(
    f"""
    SELECT id, session_id FROM plate_evidence WHERE session_id IS NULL AND observed_at >= :since
    UNION ALL
    SELECT evidence.id, evidence.session_id
    FROM parking_session JOIN plate_evidence AS evidence ON evidence.session_id = parking_session.id
    WHERE status = 'void' AND revised_at >= :since
    UNION ALL
    SELECT evidence.id, evidence.session_id
    FROM parking_session JOIN plate_evidence AS evidence ON evidence.session_id = parking_session.id
    WHERE {TO_BILL} AND evidence.source <> 'claim'
      AND NOT (evidence.observed_at >= entered_at AND evidence.observed_at < coalesce(left_at, 'infinity'))
    LIMIT :limit
    """  # noqa: S608 - our own words
)

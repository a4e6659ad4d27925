"""A driver's word: evidence of the lowest trust."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.plates import PlateVault, store_plate
from core.plate import Plate
from core.tables import PlateEvidence


async def claim_plate(db: AsyncConnection, vault: PlateVault, session_id: UUID, plate: Plate, *, at: datetime) -> None:
    """Keep a driver's word that this plate stands there, once for each plate.

    Better evidence is neither compared nor told: whoever guesses plates here learns nothing.
    """
    plate_id = await store_plate(db, vault, plate, at=at)
    same = (
        select(func.count())
        .select_from(PlateEvidence)
        .where(
            PlateEvidence.session_id == session_id, PlateEvidence.plate_id == plate_id, PlateEvidence.source == "claim"
        )
    )
    if (await db.execute(same)).scalar_one():
        return
    await db.execute(
        insert(PlateEvidence).values(
            session_id=session_id, plate_id=plate_id, source="claim", observed_at=at, recorded_at=at
        )
    )

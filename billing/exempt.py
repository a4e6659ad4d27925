"""Vehicles that pay nothing: a plate, where, for how long, and why. Only tokens of the plate are stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.plates import PlateVault, masked, store_plate
from core.errors import ConflictError, InvalidError, LotNotFoundError, NotFoundError
from core.plate import Plate
from core.tables import ExemptVehicle, Lot, PlateRow


class ExemptionNotFoundError(NotFoundError):
    """No exemption has this number. Carries ``exemption``."""

    slug = "exemption-not-found"


class ExemptionEndedError(ConflictError):
    """It holds no longer. Carries ``exemption``."""

    slug = "exemption-ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A vehicle that is not charged; the plate is masked."""

    id: int
    plate: str
    lots: tuple[str, ...]
    """Codes; empty: everywhere."""
    valid_from: datetime
    valid_to: datetime | None
    reason: str
    added_by: str
    ended_by: str | None
    ended_at: datetime | None


async def add_exemption(
    db: AsyncConnection,
    vault: PlateVault,
    plate: Plate,
    *,
    lots: Sequence[str],
    valid_from: datetime,
    valid_to: datetime | None,
    reason: str,
    actor: str,
    at: datetime,
) -> Exemption:
    """Charge a plate no longer, in some lots or (none named) all; counts for bills made from now on.

    Raises:
        InvalidError: it ends before it begins.
        LotNotFoundError: there is no such lot.
    """
    if valid_to is not None and valid_to <= valid_from:
        raise InvalidError("an exemption ends after it begins")
    await check_lots(db, lots)
    plate_id = await store_plate(db, vault, plate, at=at)
    values = {
        "plate_id": plate_id,
        "lots": list(lots),
        "valid_from": valid_from,
        "valid_to": valid_to,
        "reason": reason,
        "added_by": actor,
        "added_at": at,
    }
    number = (await db.execute(insert(ExemptVehicle).values(values).returning(ExemptVehicle.id))).scalar_one()
    (made,) = await _select(db, vault, number)
    return made


async def end_exemption(
    db: AsyncConnection, vault: PlateVault | None, number: int, *, actor: str, at: datetime
) -> Exemption:
    """Charge the vehicle again from now on; stays before keep it.

    Raises:
        ExemptionNotFoundError: there is none.
        ExemptionEndedError: it had been ended before.
    """
    found = await _select(db, vault, number)
    if not found:
        raise ExemptionNotFoundError(f"there is no exemption {number}", exemption=number)
    if found[0].ended_at is not None:
        raise ExemptionEndedError(f"exemption {number} was ended by {found[0].ended_by}", exemption=number)
    await db.execute(update(ExemptVehicle).where(ExemptVehicle.id == number).values(ended_by=actor, ended_at=at))
    (ended,) = await _select(db, vault, number)
    return ended


async def list_exemptions(db: AsyncConnection, vault: PlateVault | None) -> list[Exemption]:
    """Every exemption, the newest first; without the key plates are shown as stars."""
    return await _select(db, vault)


async def check_lots(db: AsyncConnection, lots: Sequence[str]) -> None:
    """Refuse codes that no lot has.

    Raises:
        LotNotFoundError: carries the first of them.
    """
    known = set((await db.scalars(select(Lot.code).where(Lot.code.in_(lots)))).all())
    for code in lots:
        if code not in known:
            raise LotNotFoundError(f"no lot has the code {code!r}", lot_id=code)


async def _select(db: AsyncConnection, vault: PlateVault | None, number: int | None = None) -> list[Exemption]:
    query = (
        select(
            ExemptVehicle.id,
            ExemptVehicle.lots,
            ExemptVehicle.valid_from,
            ExemptVehicle.valid_to,
            ExemptVehicle.reason,
            ExemptVehicle.added_by,
            ExemptVehicle.ended_by,
            ExemptVehicle.ended_at,
            PlateRow.ciphertext,
            PlateRow.key_number,
        )
        .join(PlateRow, PlateRow.id == ExemptVehicle.plate_id)
        .order_by(ExemptVehicle.id.desc())
    )
    if number is not None:
        query = query.where(ExemptVehicle.id == number)
    return [
        Exemption(
            id=row.id,
            plate=masked(vault, row.ciphertext, row.key_number),
            lots=tuple(row.lots),
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            reason=row.reason,
            added_by=row.added_by,
            ended_by=row.ended_by,
            ended_at=row.ended_at,
        )
        for row in await db.execute(query)
    ]

"""The row of a plate: found under any key of the ring, made under the newest."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.plates.lookalikes import skeleton
from billing.plates.vault import PlateVault
from core.errors import UnavailableError
from core.plate import Plate
from core.tables import PlateRow


class PlatesNotConfiguredError(UnavailableError):
    """No key for plates is set, so none is taken: it could not be kept safely."""

    slug = "plates-not-configured"


async def find_plate_id(db: AsyncConnection, vault: PlateVault, plate: Plate) -> UUID | None:
    """The row of exactly this plate; None where it was never seen, or is forgotten."""
    return (await db.scalars(_row_of(vault, plate))).one_or_none()


async def store_plate(db: AsyncConnection, vault: PlateVault, plate: Plate, *, at: datetime) -> UUID:
    """The row of a plate, made when it is seen for the first time; it is not erased before this transaction ends."""
    known = await _held(db, vault, plate)
    if known is not None:
        return known
    row = insert(PlateRow).values(**sealed_row(vault, plate), first_seen_at=at)
    await db.execute(row.on_conflict_do_nothing(index_elements=["key_number", "exact_token"]))
    made = await _held(db, vault, plate)
    assert made is not None  # noqa: S101 - it was inserted just now, or by another whose commit this waited for
    return made


def sealed_row(vault: PlateVault, plate: Plate) -> dict[str, object]:
    """What a row keeps of a plate under the newest key: its ciphertext, and the tokens by which it is found."""
    key, (ciphertext, key_number) = vault.newest, vault.seal(plate)
    return {
        "ciphertext": ciphertext,
        "key_number": key_number,
        "exact_token": key.token("exact", plate.text),
        "last4_token": key.token("last4", plate.text[-4:]),
        "last5_token": key.token("last5", plate.text[-5:]),
        "skeleton_token": key.token("skeleton", skeleton(plate)),
    }


async def _held(db: AsyncConnection, vault: PlateVault, plate: Plate) -> UUID | None:
    return (await db.scalars(_row_of(vault, plate).with_for_update(read=True, key_share=True))).one_or_none()


def _row_of(vault: PlateVault, plate: Plate) -> Select[tuple[UUID]]:
    known = select(PlateRow.id).where(PlateRow.exact_token.in_(vault.tokens("exact", plate.text)))
    return known.order_by(PlateRow.key_number.desc()).limit(1)

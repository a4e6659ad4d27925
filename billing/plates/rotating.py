"""Moving plates to the newest key: sealed and found by it, some at a time, beside a running system.

A row is moved in one statement, so whoever reads it has it whole under one key or the other. A process that does not
know the newest key yet may store a plate a second time under an older one; such a pair becomes one row here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.plates.storing import sealed_row
from billing.plates.vault import PlateVault
from core.tables import PassPlate, PlateRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What one transaction did."""

    rows: int
    merged: int
    """Of them, plates that were stored twice and are one row now."""


async def count_by_key(db: AsyncConnection) -> Mapping[int, int]:
    """How many plates that can still be read each key seals."""
    counted = select(PlateRow.key_number, func.count().label("plates")).where(PlateRow.erased_at.is_(None))
    query = counted.group_by(PlateRow.key_number)
    return {row.key_number: row.plates for row in await db.execute(query)}


async def move_some(db: AsyncConnection, vault: PlateVault, *, limit: int) -> Moved:
    """Move at most ``limit`` plates that older keys of the ring seal; those that others hold are left for later."""
    older = [key.number for key in vault.keys[1:]]
    query = (
        select(PlateRow.id, PlateRow.ciphertext, PlateRow.key_number)
        .where(PlateRow.key_number.in_(older), PlateRow.erased_at.is_(None))
        .order_by(PlateRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await db.execute(query)).all()
    merged = sum([await _move(db, vault, row) for row in rows])
    return Moved(rows=len(rows), merged=merged)


async def _move(db: AsyncConnection, vault: PlateVault, row: Row[tuple[UUID, bytes, int]]) -> bool:
    """Move one plate; whether it was stored under the newest key as well."""
    values = sealed_row(vault, vault.open(row.ciphertext, row.key_number))
    same = select(PlateRow.id).where(PlateRow.key_number == vault.number, PlateRow.exact_token == values["exact_token"])
    twin = (await db.scalars(same.with_for_update())).one_or_none()
    if twin is None:
        await db.execute(update(PlateRow).where(PlateRow.id == row.id).values(values))
        return False
    await _merge(db, row.id, twin)
    return True


async def _merge(db: AsyncConnection, gone: UUID, kept: UUID) -> None:
    """Let everything that names one row name the other, whichever tables there are."""
    has_both = select(PassPlate.pass_id).where(PassPlate.plate_id == kept)
    await db.execute(delete(PassPlate).where(PassPlate.plate_id == gone, PassPlate.pass_id.in_(has_both)))
    await db.execute(_SEEN_TWICE, {"kept": kept, "gone": gone})
    for table, column in (await db.execute(_REFERENCES)).all():
        change = text(f"UPDATE {table} SET {column} = :kept WHERE {column} = :gone")  # noqa: S608 - names from the catalogue
        await db.execute(change, {"kept": kept, "gone": gone})
    await db.execute(delete(PlateRow).where(PlateRow.id == gone))


_SEEN_TWICE: Final = text(
    """
    DELETE FROM plate_evidence AS one USING plate_evidence AS other
    WHERE one.plate_id = :gone AND other.plate_id = :kept AND one.source <> 'claim' AND other.source <> 'claim'
      AND (one.space_id, one.observed_at, one.recorded_by) = (other.space_id, other.observed_at, other.recorded_by)
    """
)
"""One message, stored once by a process that knows the newest key and once by one that does not."""
_REFERENCES: Final = text(
    """
    SELECT part.conrelid::regclass::text, quote_ident(attribute.attname)
    FROM pg_constraint AS part
    JOIN pg_attribute AS attribute ON attribute.attrelid = part.conrelid AND attribute.attnum = part.conkey[1]
    WHERE part.contype = 'f' AND part.confrelid = 'plate'::regclass
    ORDER BY 1
    """
)
"""Every column that names a plate."""

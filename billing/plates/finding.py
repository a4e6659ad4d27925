"""Plates found by a part of them: the whole plate, or its last characters, look-alike ones forgiven."""

import unicodedata
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.plates.lookalikes import NEVER_ON_A_PLATE, made_equal, readings_of, skeleton
from billing.plates.vault import PlateVault
from core.errors import InvalidError
from core.plate import SEPARATORS, Plate, parse_plate
from core.tables import PlateRow

SHORTEST: Final = 4
"""Fewer characters than these find too many vehicles."""
LOOKED_AT: Final = 500
"""Most rows opened for one search."""


class FragmentTooShortError(InvalidError):
    """Too little of a plate to look for. Carries ``shortest``."""

    slug = "fragment-too-short"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPlate:
    """A plate that was looked for."""

    plate_id: UUID
    plate: Plate
    """Its ``str`` is masked; ``.text`` is for comparing, never for showing."""
    is_exact: bool
    """As it was typed, not only alike."""
    is_whole: bool
    """Somebody typed all of it, not only its end."""


async def find_plates(
    db: AsyncConnection, vault: PlateVault, fragment: str, *, limit: int, among: Select[tuple[UUID]] | None = None
) -> list[FoundPlate]:
    """The plates that are, or end with, what somebody typed: the exact ones first, then those that look alike.

    Args:
        db: the transaction.
        vault: of the installation.
        fragment: a whole plate, or at least its last four characters; blanks, dots, lower case, O for 0 and I for 1 are
            forgiven.
        limit: most plates to give.
        among: a query of plate ids, where only some plates are meant.

    Raises:
        FragmentTooShortError: it has less than four characters.
    """
    typed = normal_fragment(fragment)
    if len(typed) < SHORTEST:
        raise FragmentTooShortError(f"type at least the last {SHORTEST} characters of the plate", shortest=SHORTEST)
    whole = _whole(typed)
    query: Select[Any] = (
        select(PlateRow.id, PlateRow.ciphertext, PlateRow.key_number)
        .where(_looks_like(vault, typed, whole))
        .order_by(PlateRow.first_seen_at.desc(), PlateRow.id)
        .limit(LOOKED_AT)
    )
    if among is not None:
        query = query.where(PlateRow.id.in_(among))
    found = [
        FoundPlate(
            plate_id=row.id,
            plate=plate,
            is_exact=plate.text.endswith(typed),
            is_whole=whole is not None,
        )
        for row in await db.execute(query)
        if vault.has(row.key_number)
        and made_equal((plate := vault.open(row.ciphertext, row.key_number)).text).endswith(made_equal(typed))
    ]
    return sorted(found, key=lambda one: not one.is_exact)[:limit]


def normal_fragment(text: str) -> str:
    """What was typed, as plates are written: upper case, no separators, no letters O and I."""
    normal = SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()
    return normal.translate(NEVER_ON_A_PLATE)


def _whole(typed: str) -> Plate | None:
    try:
        return parse_plate(typed)
    except InvalidError:
        return None


def _looks_like(vault: PlateVault, typed: str, whole: Plate | None) -> ColumnElement[bool]:
    """The rows whose tokens may be meant; of more than five characters the rest is compared when they are opened."""
    if whole is not None:
        exact = PlateRow.exact_token.in_(vault.tokens("exact", whole.text))
        return or_(exact, PlateRow.skeleton_token.in_(vault.tokens("skeleton", skeleton(whole))))
    if len(typed) == SHORTEST:
        return PlateRow.last4_token.in_(vault.tokens("last4", *readings_of(typed)))
    return PlateRow.last5_token.in_(vault.tokens("last5", *readings_of(typed[-5:])))

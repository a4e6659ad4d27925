"""Which version of a price notice is in force at an instant, loaded once: published versions never change."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.tariff import Tariff, load_tariff
from core.errors import TariffNotFoundError
from core.stay import Stay
from core.tables import Tariff as TariffRow
from core.tables import TariffVersion

KEPT_VERSIONS: Final = 512
Key = tuple[str, int]

_loaded: dict[Key, Tariff] = {}
"""By database and the version's own id, oldest first; a version is immutable, so nothing here can go stale."""


class Validity(NamedTuple):
    """When one version is in force."""

    version_id: int
    valid_from: datetime
    valid_to: datetime | None


async def fetch_validities(db: AsyncConnection, code: str) -> list[Validity]:
    """When each version of a notice is in force, the highest first: what is in force at any instant follows from it."""
    query = (
        select(TariffVersion.id, TariffVersion.valid_from, TariffVersion.valid_to)
        .join(TariffRow, TariffRow.id == TariffVersion.tariff_id)
        .where(TariffRow.code == code)
        .order_by(TariffVersion.version.desc())
    )
    return [Validity(*row) for row in await db.execute(query)]


async def fetch_tariff(
    db: AsyncConnection, code: str, at: datetime, validities: Sequence[Validity] | None = None
) -> tuple[int, Tariff]:
    """The version in force at ``at``, with its id: the highest whose validity contains that instant.

    Args:
        db: the transaction.
        code: the notice's.
        at: an instant.
        validities: of the notice, where they are known already.

    Raises:
        TariffNotFoundError: no such notice, or none of its versions is in force then.
    """
    for one in await fetch_validities(db, code) if validities is None else validities:
        if one.valid_from <= at and (one.valid_to is None or at < one.valid_to):
            return one.version_id, await fetch_version(db, one.version_id)
    raise TariffNotFoundError(f"no version of the price notice {code!r} is in force at that time", tariff=code)


async def fetch_tariff_for(
    db: AsyncConnection, code: str, stay: Stay, validities: Sequence[Validity] | None = None
) -> tuple[int, Tariff]:
    """The version that prices all of a stay: the one in force at its arrival, or at its departure if that one says so.

    Raises:
        TariffNotFoundError: no such notice, or none of its versions is in force when the stay begins.
    """
    version_id, tariff = await fetch_tariff(db, code, stay.entered_at, validities)
    if tariff.document.when_price_changes == "version_at_departure":
        with suppress(TariffNotFoundError):
            return await fetch_tariff(db, code, stay.left_at, validities)
    return version_id, tariff


async def fetch_version(db: AsyncConnection, version_id: int) -> Tariff:
    """A published version by its own id, such as a bill names."""
    return _loaded.get(_key(db, version_id)) or await _load(db, version_id)


async def _load(db: AsyncConnection, version_id: int) -> Tariff:
    document = (await db.execute(select(TariffVersion.document).where(TariffVersion.id == version_id))).scalar_one()
    tariff = load_tariff(json.dumps(document).encode())
    while len(_loaded) >= KEPT_VERSIONS:
        del _loaded[next(iter(_loaded))]
    _loaded[_key(db, version_id)] = tariff
    return tariff


def _key(db: AsyncConnection, version_id: int) -> Key:
    return str(db.engine.url), version_id

"""Which version of a price notice is in force at an instant, loaded once: published versions never change."""

import json
from contextlib import suppress
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select
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


async def fetch_tariff(db: AsyncConnection, code: str, at: datetime) -> tuple[int, Tariff]:
    """The version in force at ``at``, with its id: the highest whose validity contains that instant.

    Raises:
        TariffNotFoundError: no such notice, or none of its versions is in force then.
    """
    version = (
        select(TariffVersion.id)
        .join(TariffRow, TariffRow.id == TariffVersion.tariff_id)
        .where(TariffRow.code == code, TariffVersion.valid_from <= at)
        .where(or_(TariffVersion.valid_to.is_(None), TariffVersion.valid_to > at))
        .order_by(TariffVersion.version.desc())
        .limit(1)
    )
    version_id = (await db.execute(version)).scalar_one_or_none()
    if version_id is None:
        raise TariffNotFoundError(f"no version of the price notice {code!r} is in force at that time", tariff=code)
    return version_id, await fetch_version(db, version_id)


async def fetch_tariff_for(db: AsyncConnection, code: str, stay: Stay) -> tuple[int, Tariff]:
    """The version that prices all of a stay: the one in force at its arrival, or at its departure if that one says so.

    Raises:
        TariffNotFoundError: no such notice, or none of its versions is in force when the stay begins.
    """
    version_id, tariff = await fetch_tariff(db, code, stay.entered_at)
    if tariff.document.when_price_changes == "version_at_departure":
        with suppress(TariffNotFoundError):
            return await fetch_tariff(db, code, stay.left_at)
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

"""Publishing a price notice: a document becomes the next immutable version of its tariff."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.tariff import Tariff, load_tariff
from core.errors import ConflictError
from core.tables import Tariff as TariffRow
from core.tables import TariffVersion

FROM_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Where a notice that names no first day begins: before the first stay this system could know."""


class VersionPublishedError(ConflictError):
    """This version of the notice is published with other contents. Carries ``tariff`` and ``version``."""

    slug = "tariff-version-published"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A version in the database; ``is_new`` unless the very same was there already."""

    version_id: int
    tariff: Tariff
    is_new: bool


async def publish(db: AsyncConnection, document: bytes) -> Published:
    """Store a tariff document as its version; safe to repeat.

    Raises:
        InvalidError: the document cannot be a tariff; carries every problem.
        VersionPublishedError: that version exists and says something else; a change is a new version.
    """
    tariff = load_tariff(document)
    stored: dict[str, Any] = json.loads(document)
    await db.execute(upsert(TariffRow).values(code=tariff.code).on_conflict_do_nothing())
    tariff_id = (
        await db.execute(select(TariffRow.id).where(TariffRow.code == tariff.code).with_for_update())
    ).scalar_one()
    there = (
        await db.execute(
            select(TariffVersion.id, TariffVersion.document).where(
                TariffVersion.tariff_id == tariff_id, TariffVersion.version == tariff.version
            )
        )
    ).one_or_none()
    if there is not None:
        if there.document != stored:
            raise VersionPublishedError(
                f"version {tariff.version} of {tariff.code} is published with other contents; "
                f"published versions never change: give the new contents version {tariff.version + 1}",
                tariff=tariff.code,
                version=tariff.version,
            )
        return Published(version_id=there.id, tariff=tariff, is_new=False)
    row = insert(TariffVersion).values(
        tariff_id=tariff_id,
        version=tariff.version,
        valid_from=_begin(tariff.valid_from, tariff) or FROM_EVER,
        valid_to=_begin(tariff.valid_until, tariff),
        document=stored,
    )
    version_id = (await db.execute(row.returning(TariffVersion.id))).scalar_one()
    return Published(version_id=version_id, tariff=tariff, is_new=True)


def _begin(day: date | None, tariff: Tariff) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), tariff.zone)

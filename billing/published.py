"""Published notices: which there are, which lots go by them, and how a document becomes the next version."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.publishing import publish
from billing.tariff import Tariff
from billing.tariff.check import check
from billing.tariff.document import TariffDocument
from billing.tariff.read import TariffInvalidError, read_document
from core.errors import TariffNotFoundError
from core.tables import Lot, TariffVersion
from core.tables import Tariff as TariffRow

_ONE_AT_A_TIME = 7_205_759_404
"""Key of the advisory lock that a second publication waits for: the next number is given once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedVersion:
    """One version as it is stored."""

    id: int
    version: int
    valid_from: datetime
    valid_to: datetime | None
    published_at: datetime
    document: dict[str, Any]

    def read(self) -> TariffDocument:
        """The document in its form."""
        return read_document(json.dumps(self.document).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A notice in the list of all."""

    code: str
    newest: PublishedVersion
    versions: int
    lots: tuple[str, ...]
    """Codes of the lots that name it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a document."""

    tariff: Tariff
    version_id: int
    is_new: bool
    """Unless this very notice was published already: then nothing was done."""
    asked_version: int
    """The number in the document; where that was taken the next free one was given."""
    before: int | None
    """The newest version before; none for the first."""

    @property
    def prices_the_past(self) -> bool:
        """Whether it follows another version and names no first day: then it holds for stays of any time."""
        return self.is_new and self.before is not None and self.tariff.valid_from is None


async def publish_next(db: AsyncConnection, source: bytes) -> Imported:
    """Publish a document as the next version of its notice; safe to repeat.

    The number in the document is kept where it is above every published one; else the next free one is given. A
    document that says what the newest version says, or what the version of its own number says, changes nothing.

    Raises:
        TariffInvalidError: it must not be published; carries every problem with the stay that shows it.
    """
    document = read_document(source)
    if problems := await asyncio.to_thread(check, document):  # a tenth of a second of a process that serves others
        raise TariffInvalidError(problems)
    await db.execute(select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
    versions = await _versions(db, document.code)
    newest = versions[-1].version if versions else 0
    there = next((one for one in reversed(versions) if _is_there(one, document, newest)), None)
    stored: dict[str, Any] = there.document if there else json.loads(source)
    if there is None and document.version <= newest:
        stored["version"] = newest + 1
    done = await publish(db, json.dumps(stored, ensure_ascii=False).encode())
    if done.is_new:
        await db.execute(select(func.pg_notify("parking_registry", "")))  # the map shows prices; sent at the commit
    return Imported(
        tariff=done.tariff,
        version_id=done.version_id,
        is_new=done.is_new,
        asked_version=document.version,
        before=newest or None,
    )


async def list_notices(db: AsyncConnection) -> list[Listed]:
    """Every published notice, by code."""
    lots: dict[str, list[str]] = {}
    named = select(Lot.tariff, Lot.code).where(Lot.tariff.is_not(None), Lot.retired_at.is_(None)).order_by(Lot.code)
    for tariff, lot in await db.execute(named):
        lots.setdefault(tariff, []).append(lot)
    codes = (await db.scalars(select(TariffRow.code).order_by(TariffRow.code))).all()
    found: list[Listed] = []
    for code in codes:
        if versions := await _versions(db, code):
            of = tuple(lots.get(code, ()))
            found.append(Listed(code=code, newest=versions[-1], versions=len(versions), lots=of))
    return found


async def fetch_versions(db: AsyncConnection, code: str) -> list[PublishedVersion]:
    """Every version of a notice, oldest first.

    Raises:
        TariffNotFoundError: none is published under this code.
    """
    if versions := await _versions(db, code):
        return versions
    raise TariffNotFoundError(f"no notice is published under the code {code!r}", tariff=code)


async def _versions(db: AsyncConnection, code: str) -> list[PublishedVersion]:
    columns = (
        TariffVersion.id,
        TariffVersion.version,
        TariffVersion.valid_from,
        TariffVersion.valid_to,
        TariffVersion.published_at,
        TariffVersion.document,
    )
    of = select(*columns).join(TariffRow, TariffRow.id == TariffVersion.tariff_id).where(TariffRow.code == code)
    return [PublishedVersion(**row) for row in (await db.execute(of.order_by(TariffVersion.version))).mappings()]


def _is_there(one: PublishedVersion, document: TariffDocument, newest: int) -> bool:
    """Whether a version says what a document says, and is the one that the document means."""
    if one.version not in {newest, document.version}:
        return False
    return one.read().model_copy(update={"version": document.version}) == document

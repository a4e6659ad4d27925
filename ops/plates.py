"""The worker's part in privacy: plates and photos that nobody needs any more are erased."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from billing.evidence.forgetting import forget_photos, unknown_photos
from billing.evidence.photos import PhotoFolder
from billing.plates.erasing import erase_plates
from core.clock import Clock
from core.db import Database
from core.settings import Settings

log = structlog.get_logger()

AT_ONCE: Final = 500
UNCLAIMED_FOR: Final = timedelta(days=1)
"""A photo is written before its evidence is committed; after so long no evidence will come."""


async def forget_plates(database: Database, clock: Clock) -> None:
    """The job: erase plates and photos that are older than their settings say, and photos that belong to nothing."""
    settings = Settings()
    at = clock.now()
    plates = await _erase_plates(database, settings.keep_plates_days, at)
    folder = None if settings.the_photo_dir is None else PhotoFolder(settings.the_photo_dir)
    photos = 0 if folder is None else await _erase_photos(database, folder, settings.keep_photos_days, at)
    if plates or photos:
        log.info("plates.erased", plates=plates, photos=photos)


async def _erase_plates(database: Database, keep_days: int, at: datetime) -> int:
    erased = 0
    while keep_days:
        async with database.transaction() as db:
            now = await erase_plates(db, unseen_since=at - timedelta(days=keep_days), at=at, limit=AT_ONCE)
        erased += now
        if now < AT_ONCE:
            break
    return erased


async def _erase_photos(database: Database, folder: PhotoFolder, keep_days: int, at: datetime) -> int:
    erased = 0
    while keep_days:
        async with database.transaction() as db:
            names = await forget_photos(db, taken_before=at - timedelta(days=keep_days), at=at, limit=AT_ONCE)
        erased += await _remove(folder, names)  # once that is committed; what a death leaves is found below
        if len(names) < AT_ONCE:
            break
    old = await asyncio.to_thread(lambda: list(folder.names(written_before=datetime.now(UTC) - UNCLAIMED_FOR)))
    for some in _in_batches(old):
        async with database.transaction() as db:
            erased += await _remove(folder, await unknown_photos(db, some))
    return erased


def _in_batches(names: list[str]) -> list[list[str]]:
    return [names[begin : begin + AT_ONCE] for begin in range(0, len(names), AT_ONCE)]


async def _remove(folder: PhotoFolder, names: list[str]) -> int:
    for name in names:
        await asyncio.to_thread(folder.erase, name)
    return len(names)

"""Where an installation's photos of plates lie, and whether they are all there: they are files, not rows."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.evidence.photos import PhotoFolder
from core.settings import Settings
from ops.state import State


def photo_folder() -> PhotoFolder:
    """The folder that is set, or that of the state folder; it may be there not yet."""
    return PhotoFolder(Settings().the_photo_dir or State.find().root / "photos")


async def missing_photos(db: AsyncConnection, folder: PhotoFolder) -> int:
    """How many photos evidence names that are not in the folder."""
    names = await db.scalars(text("SELECT photo FROM plate_evidence WHERE photo IS NOT NULL"))
    return sum(not folder.has(name) for name in names)

"""``parking plate``: the keys that seal plates and their photos; everything moved to the newest, beside what runs."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.evidence.photos import PhotoFolder
from billing.plates import PlateVault
from billing.plates.rotating import count_by_key, move_some
from core.audit import AuditEntry, write_audit
from core.db import Database
from core.errors import ConflictError
from ops.asking import in_database
from ops.installation import database_url
from ops.photos import photo_folder
from ops.plate_key import add_key, drop_key, plate_vault, refuse_before_restart
from ops.progress import progress_bar

app = typer.Typer(no_args_is_help=True, help="The keys that seal plates, and moving everything to a newer one.")

AT_ONCE: Final = 200
PAUSE_SECONDS: Final = 0.2
PATIENCE: Final = 50
"""So many times in a row a plate may be held by somebody else."""

_out = Console()


class KeyInUseError(ConflictError):
    """Something is still sealed with it. Carries ``key_number``."""

    slug = "key-in-use"


@app.callback()
def plate() -> None:
    """The keys that seal plates, and moving everything to a newer one."""


@app.command()
def keys() -> None:
    """The keys of the ring, the newest first, and how much each of them seals; never the keys themselves."""
    vault = plate_vault()
    plates, photos = asyncio.run(in_database(count_by_key)), _photos_by_key(photo_folder())
    grid = Table("key", "", "plates", "photos")
    for number in sorted({key.number for key in vault.keys} | set(plates) | set(photos), reverse=True):
        is_there = "seals" if number == vault.number else "opens" if vault.has(number) else "missing"
        grid.add_row(str(number), is_there, str(plates.get(number, 0)), str(photos.get(number, 0)))
    _out.print(grid)


@app.command("add-key")
def add_key_to_ring() -> None:
    """Make a newer key, which seals from the next start on. Keys in a setting are added there by hand."""
    number = add_key()
    _audit("plate-key.added", number)
    _out.print(f"key {number} is in the ring. Now start what runs again, then `parking plate rotate-key`")


@app.command("rotate-key")
def rotate_key() -> None:
    """Seal every plate and photo with the newest key. Safe beside what runs; once stopped, it goes on where it was."""
    refuse_before_restart()
    vault, folder = plate_vault(), photo_folder()
    plates, merged, photos = asyncio.run(_rotate(database_url(), vault, folder))
    _audit("plate-key.rotated", vault.number)
    _out.print(f"key {vault.number} seals all: {plates} plates moved ({merged} were stored twice), {photos} photos")


@app.command("drop-key")
def drop_key_from_ring(
    number: Annotated[int, typer.Argument(help="An older key that seals nothing any more, as `keys` shows.")],
) -> None:
    """Take an older key out of the ring, once nothing needs it. Backups made before need it still."""
    sealed = asyncio.run(in_database(count_by_key)).get(number, 0) + _photos_by_key(photo_folder()).get(number, 0)
    if sealed:
        raise KeyInUseError(f"key {number} still seals {sealed}: `parking plate rotate-key` first", key_number=number)
    drop_key(number)
    _audit("plate-key.dropped", number)
    _out.print(f"key {number} is gone from the ring")


async def _rotate(url: str, vault: PlateVault, folder: PhotoFolder) -> tuple[int, int, int]:
    database = Database(url, pool_size=1, application="parking-rotate-key")
    try:
        with progress_bar(gone_afterwards=False) as progress:
            plates, merged = await _move_plates(database, vault, progress)
            return plates, merged, _move_photos(vault, folder, progress)
    finally:
        await database.close()


async def _move_plates(database: Database, vault: PlateVault, progress: Progress) -> tuple[int, int]:
    left = await _left(database, vault)
    task = progress.add_task("plates", total=left)
    plates = merged = waited = 0
    while left:
        async with database.transaction() as db:
            moved = await move_some(db, vault, limit=AT_ONCE)
        plates, merged = plates + moved.rows, merged + moved.merged
        progress.advance(task, moved.rows)
        if moved.rows:
            waited = 0
            continue
        left = await _left(database, vault)
        waited += 1
        if left and waited == PATIENCE:
            raise ConflictError(f"{left} plates are held by somebody else; run this again")
        await asyncio.sleep(PAUSE_SECONDS if left else 0)
    return plates, merged


async def _left(database: Database, vault: PlateVault) -> int:
    async with database.transaction() as db:
        counted = await count_by_key(db)
    return sum(plates for number, plates in counted.items() if number != vault.number and vault.has(number))


def _move_photos(vault: PlateVault, folder: PhotoFolder, progress: Progress) -> int:
    names = list(folder.names())
    return sum(folder.reseal(vault, name) for name in progress.track(names, description="photos"))


def _photos_by_key(folder: PhotoFolder) -> Mapping[int, int]:
    numbers = (folder.key_number(name) for name in folder.names())
    return Counter(number for number in numbers if number is not None)


def _audit(action: str, number: int) -> None:
    async def write(db: AsyncConnection) -> None:
        entry = AuditEntry(at=datetime.now(UTC), actor="command", action=action, subject=f"plate-key:{number}")
        await write_audit(db, entry)

    asyncio.run(in_database(write))

"""``parking backup`` and ``parking restore``: all rows of an installation in one file; photos are apart."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar

from billing.ledger.checking import Finding
from core.db import Database
from ops import database
from ops.backup import Archive, Keys, dump, look_at, prepare, restore
from ops.installation import find_endpoints, installation_clock, without_password
from ops.ledger import BILLS_A_NIGHT, prove
from ops.photos import missing_photos, photo_folder
from ops.services import start
from ops.state import State

app = typer.Typer(add_completion=False)

_out = Console(soft_wrap=True, highlight=False)
_err = Console(stderr=True, soft_wrap=True, highlight=False)


@app.command(name="backup")
def backup(file: Annotated[Path, typer.Argument(help="Where to; must not exist yet.")]) -> None:
    """Write everything the database knows into one file, as it is at this instant; nothing has to stop for it.

    The keys of the installation (PARKING_SECRET_KEY, PARKING_PLATE_KEY) are not in it: keep them elsewhere. Nor are
    photos of plates, which are files: copy their folder as it is.
    """
    with _database_url() as url, _progress("written") as progress:
        manifest = asyncio.run(dump(url, file, at=datetime.now(UTC), keys=_keys(), progress=progress))
    size = file.stat().st_size
    _out.print(f"{file}: {manifest.rows:,} rows of {len(manifest.tables)} tables, {size / 1_000:,.0f} kB")
    _out.print(f"schema {manifest.revision}, {manifest.server}; journal: {manifest.journal['entries']:,} entries")
    folder = photo_folder()
    if photos := sum(1 for _ in folder.names()):
        _err.print(f"[yellow]not in it, as they are files: photos of plates ({photos:,})[/]; copy {folder.root}, too")


@app.command(name="restore")
def restore_file(
    file: Annotated[Path, typer.Argument(help="A file that `parking backup` wrote.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Lose what the database holds now.")] = False,
) -> None:
    """Read a backup back into an empty database: all of it or nothing. Ingest, worker and api must not run.

    It is brought to the schema of the backup first and to this version's afterwards; rows and the journal's sums are
    compared with what the backup says of itself before anything is committed.
    """
    with Archive.opened(file) as archive, _database_url() as url:
        manifest = archive.manifest
        _out.print(
            f"{file}: {manifest.rows:,} rows, schema {manifest.revision}, made {manifest.made_at:%Y-%m-%d %H:%M} UTC"
        )
        prepare(url, manifest, asyncio.run(look_at(url)), force=force)
        with _progress("restored") as progress:
            asyncio.run(restore(url, archive, progress=progress))
        database.upgrade(url)
        revision = asyncio.run(database.current_revision(url))
        _out.print(f"{without_password(url)}: every row and every fen is there; schema {revision}")
        broken, missing = asyncio.run(_look_through(url))
    for name in manifest.keys.differing(_keys()):
        _err.print(
            f"[yellow]{name} is another than when the backup was made[/]: "
            + ("plates cannot be read" if "PLATE" in name else "printed codes and receipts' tokens are no longer valid")
        )
    if missing:
        _err.print(f"[yellow]photos of plates that are missing: {missing:,}[/]; copy them into {photo_folder().root}")
    for finding in broken:
        _err.print(f"[bold red]{finding.number}[/] {finding.holds}: {finding.count} offences")
    _out.print(f"[bold red]{len(broken)} invariants of the books are broken[/]" if broken else "the books are proved")
    if broken:
        raise typer.Exit(1)


async def _look_through(url: str) -> tuple[list[Finding], int]:
    """What ``parking ledger check`` would find, computing the newest bills again, and how many photos are not here."""
    database = Database(url, pool_size=1, application="parking-restore")
    try:
        findings = await prove(database, installation_clock(), bills=BILLS_A_NIGHT)
        async with database.transaction() as db:
            return [one for one in findings if not one.is_kept], await missing_photos(db, photo_folder())
    finally:
        await database.close()


@contextmanager
def _database_url() -> Iterator[str]:
    """The database that is set, that of the running installation, or the embedded one started for this."""
    state = State.find()
    named = os.environ.get("PARKING_DATABASE_URL")
    running = None if named else find_endpoints(state)
    if named or running:
        yield named or (running.database_url if running else "")
        return
    with start(state, lambda doing: _err.print(f"[dim]{doing}[/]")) as services:
        yield services.endpoints.database_url


def _keys() -> Keys:
    """Of the settings, or of the state folder where it has some."""
    folder = State.find().root / "secrets"
    stored = {"PARKING_SECRET_KEY": folder / "secret-key", "PARKING_PLATE_KEY": folder / "plate-key"}
    kept = {name: path.read_text().strip() for name, path in stored.items() if path.is_file()}
    return Keys.of(kept | {name: value for name in stored if (value := os.environ.get(name))})


@contextmanager
def _progress(done: str) -> Iterator["_Telling"]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ProgressBar(*columns, console=_err, transient=True) as bar:
        yield _Telling(bar, done)


class _Telling:
    """A bar of tables."""

    def __init__(self, bar: ProgressBar, done: str) -> None:
        self._bar = bar
        self._done = done
        self._task = bar.add_task("", total=None)

    def __call__(self, table: str, done: int, of: int) -> None:
        self._bar.update(self._task, description=table or self._done, completed=done, total=of)

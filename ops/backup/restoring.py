"""Reading a backup back: the schema it fits, its rows in one transaction, the proof, then the newest schema."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import asyncpg
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from core.db import plain_url
from ops import database
from ops.backup.archive import Archive, BackupRefusedError, Manifest, TableFacts
from ops.backup.catalogue import journal_of, list_tables, quoted, revision_of
from ops.backup.dumping import Progress

APPLICATION: Final = "parking-restore"
OURS: Final = ("parking-ingest", "parking-worker", "parking-leader", "parking-api")
"""Names of the processes that must not run meanwhile."""
SEEDED: Final = frozenset({"refold_floor"})
"""Tables in which a database that was only migrated has rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A database that is to be restored into."""

    revision: str | None
    filled: tuple[str, ...]
    """Tables with rows."""
    running: tuple[str, ...]
    """Processes of ours that work on it."""


async def look_at(url: str) -> Target:
    """What is in the target, and who works on it."""
    db = await _connect(url)
    try:
        tables = await list_tables(db)
        filled = [
            table.name
            for table in tables
            if table.name not in SEEDED and await db.fetchval(f'SELECT EXISTS (SELECT FROM "{table.name}")')  # noqa: S608 - names of the catalogue
        ]
        running = await db.fetch(
            "SELECT DISTINCT application_name AS name FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = ANY($1) ORDER BY 1",
            list(OURS),
        )
        return Target(
            revision=await revision_of(db),
            filled=tuple(filled),
            running=tuple(row["name"] for row in running),
        )
    finally:
        await db.close()


def prepare(url: str, manifest: Manifest, target: Target, *, force: bool) -> None:
    """Bring an empty target to the backup's own schema; with ``force`` what was in it is lost.

    Raises:
        BackupRefusedError: processes work on it, it is not empty, or the backup is of a newer version.
    """
    if target.running:
        raise BackupRefusedError(
            f"{' and '.join(target.running)} work on this database: stop them first (Ctrl-C of `parking up`)"
        )
    if target.filled and not force:
        some = ", ".join(target.filled[:5]) + (" ..." if len(target.filled) > 5 else "")  # noqa: PLR2004 - enough to see
        raise BackupRefusedError(f"this database is not empty ({some}): --force replaces all of it")
    if not is_known(manifest.revision):
        raise BackupRefusedError(
            f"this backup has schema {manifest.revision}, which this version does not know: restore it with the "
            "version that made it, or a newer one"
        )
    if target.revision is not None and (target.filled or target.revision != manifest.revision):
        database.downgrade(url)
    database.upgrade(url, manifest.revision)


async def restore(url: str, archive: Archive, *, progress: Progress) -> None:
    """Put the rows into the prepared target: all of them or none.

    Raises:
        BackupRefusedError: a table or a column is not where the backup says, or the rows are not those written.
    """
    db = await _connect(url)
    try:
        async with db.transaction():
            await db.execute("SET CONSTRAINTS ALL DEFERRED")
            await _fill(db, archive, progress)
            await _prove(db, archive.manifest)
    finally:
        await db.close()


def is_known(revision: str) -> bool:
    """Whether this code has the revision."""
    try:
        return ScriptDirectory.from_config(database.alembic_config("")).get_revision(revision) is not None
    except CommandError:
        return False


async def _fill(db: asyncpg.Connection, archive: Archive, progress: Progress) -> None:
    there = {table.name: table for table in await list_tables(db)}
    wanted = archive.manifest.tables
    unknown = [
        table.name for table in wanted if table.name not in there or set(table.columns) - set(there[table.name].columns)
    ]
    if unknown:
        raise BackupRefusedError(f"the backup has tables or columns that its schema has not: {', '.join(unknown)}")
    await db.execute(f"TRUNCATE {quoted(there)}")
    for index, table in enumerate(wanted):
        progress(table.name, index, len(wanted))
        await _table(db, archive, table)
    progress("", len(wanted), len(wanted))


async def _table(db: asyncpg.Connection, archive: Archive, table: TableFacts) -> None:
    triggers = await db.fetchval(
        "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal"
        " AND tgname NOT LIKE 'ts_%')",
        f'"{table.name}"',
    )
    if triggers:  # they were obeyed when the rows were written first; references are still checked
        await db.execute(f'ALTER TABLE "{table.name}" DISABLE TRIGGER USER')

    async def pieces() -> AsyncIterator[bytes]:
        for piece in archive.pieces(table):
            yield piece

    done = await db.copy_to_table(table.name, source=pieces(), columns=table.columns)
    if triggers:
        await db.execute(f'ALTER TABLE "{table.name}" ENABLE TRIGGER USER')
    if int(done.split()[-1]) != table.rows:
        raise BackupRefusedError(f"{table.name} has {done.split()[-1]} rows instead of {table.rows}")
    for column, following in table.sequences.items():
        await db.execute(
            "SELECT setval(pg_get_serial_sequence($1, $2), $3, false)", f'"{table.name}"', column, following
        )
    if "written_xid" in table.columns:  # numbers of transactions mean something on their own server only
        await db.execute(f'UPDATE "{table.name}" SET written_xid = pg_current_xact_id()::text::bigint')  # noqa: S608 - as above


async def _prove(db: asyncpg.Connection, manifest: Manifest) -> None:
    """Every row is there, and so is every fen."""
    for table in manifest.tables:
        rows = await db.fetchval(f'SELECT count(*) FROM "{table.name}"')  # noqa: S608 - names of the catalogue
        if rows != table.rows:
            raise BackupRefusedError(f"{table.name} has {rows} rows instead of {table.rows}")
    if await journal_of(db) != manifest.journal:
        raise BackupRefusedError("the journal's sums are not those of the backup")


async def _connect(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(plain_url(url), server_settings={"application_name": APPLICATION, "timezone": "UTC"})

"""Writing a backup: every table as it was at one instant, while everything goes on."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg

from core.db import plain_url
from ops.backup.archive import FORMAT, Archive, BackupRefusedError, Keys, Manifest, TableFacts, Writing
from ops.backup.catalogue import Table, journal_of, list_tables, quoted, revision_of

APPLICATION: Final = "parking-backup"

Progress = Callable[[str, int, int], None]
"""Told the table, how many are done, and how many there are."""


async def dump(url: str, path: Path, *, at: datetime, keys: Keys, progress: Progress) -> Manifest:
    """Write the database into a file that must not exist yet.

    Everything is read in one snapshot, so that what is in it fits together; nobody has to stop for it.

    Raises:
        BackupRefusedError: the file cannot be written, or the database was never migrated.
    """
    db = await asyncpg.connect(plain_url(url), server_settings={"application_name": APPLICATION, "timezone": "UTC"})
    try:
        with Archive.writing(path) as writing:
            async with db.transaction(isolation="repeatable_read", readonly=True):
                manifest = await _dump(db, writing, at=at, keys=keys, progress=progress)
            writing.finish(manifest)
    finally:
        await db.close()
    return manifest


async def _dump(db: asyncpg.Connection, writing: Writing, *, at: datetime, keys: Keys, progress: Progress) -> Manifest:
    revision = await revision_of(db)
    if revision is None:
        raise BackupRefusedError("there is nothing to back up: this database was never migrated")
    tables = await list_tables(db)
    facts = []
    for index, table in enumerate(tables):
        progress(table.name, index, len(tables))
        facts.append(await _table(db, writing, table))
    progress("", len(tables), len(tables))
    return Manifest(
        format=FORMAT,
        made_at=at,
        revision=revision,
        server=await _server(db),
        tables=tuple(facts),
        journal=await journal_of(db),
        keys=keys,
    )


async def _table(db: asyncpg.Connection, writing: Writing, table: Table) -> TableFacts:
    columns = quoted(table.columns)
    with writing.table(table.name) as (write, digest):

        async def take(piece: bytes) -> None:
            write(piece)

        # a plain COPY of a hypertable would leave its chunks out
        done = await db.copy_from_query(f'SELECT {columns} FROM "{table.name}"', output=take)  # noqa: S608 - names of the catalogue
    return TableFacts(
        name=table.name,
        columns=table.columns,
        rows=int(done.split()[-1]),
        sha256=digest(),
        sequences=await _sequences(db, table),
    )


async def _sequences(db: asyncpg.Connection, table: Table) -> Mapping[str, int]:
    found = {}
    for column in table.numbered:
        sequence = await db.fetchval("SELECT pg_get_serial_sequence($1, $2)", f'"{table.name}"', column)
        row = await db.fetchrow(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608 - a name of the catalogue
        found[column] = row["last_value"] + (1 if row["is_called"] else 0)
    return found


async def _server(db: asyncpg.Connection) -> str:
    timescaledb = await db.fetchval("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
    postgres = await db.fetchval("SHOW server_version")
    return f"PostgreSQL {postgres}, TimescaleDB {timescaledb}"

"""How Alembic reaches the database: the connection it is handed, or ``PARKING_DATABASE_URL``."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from core.db import async_url
from core.tables import Base

ADVISORY_LOCK = 0x9A4B1E
"""Two installations of one database migrating at once take turns."""


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Only our own schema is compared: TimescaleDB keeps its chunks and catalogue in others."""
    return kind != "schema" or name is None


def migrate(connection: Connection) -> None:
    """Run the wanted revisions, each in its own transaction, on this connection."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=include_name,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_migrate(url: str) -> None:
    """Open one connection for the whole run, hold the lock, migrate."""
    engine = create_async_engine(async_url(url), poolclass=pool.NullPool)
    async with engine.connect() as db:
        await db.exec_driver_sql(f"SELECT pg_advisory_lock({ADVISORY_LOCK})")
        await db.commit()
        await db.run_sync(migrate)
        await db.exec_driver_sql(f"SELECT pg_advisory_unlock({ADVISORY_LOCK})")
        await db.commit()
    await engine.dispose()


handed_over = context.config.attributes.get("connection")
if isinstance(handed_over, Connection):
    migrate(handed_over)
else:
    asyncio.run(connect_and_migrate(context.config.attributes.get("url") or os.environ["PARKING_DATABASE_URL"]))

"""One transaction against the running installation's database, for short commands."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import Database
from ops.installation import database_url

Answer = TypeVar("Answer")


async def in_database(work: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
    """Do ``work`` in one transaction and give back what it gives."""
    database = Database(database_url(), pool_size=1, application="parking-command")
    try:
        async with database.transaction() as db:
            return await work(db)
    finally:
        await database.close()

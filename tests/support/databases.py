"""A database for each test, copied from one that was migrated once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from billing import notices
from billing.publishing import publish
from core.db import Database
from ops import database

TEMPLATE = "parking_template"
_numbers = count(1)


def create_template(server: str) -> str:
    """A migrated database with the county's kerb tariff, for others to be copied from; returns its name."""
    url = asyncio.run(database.create_database(server, TEMPLATE))
    database.upgrade(url)
    asyncio.run(_publish_kerb(url))
    return TEMPLATE


async def _publish_kerb(url: str) -> None:
    store = Database(url)
    async with store.transaction() as db:
        await publish(db, notices.read("xinchang-kerb"))
    await store.close()


@asynccontextmanager
async def copied_database(server: str, template: str) -> AsyncIterator[str]:
    """A fresh copy; its URL. Dropped afterwards."""
    name = f"parking_test_{next(_numbers)}"
    yield await database.create_database(server, name, template=template)
    await database.drop_database(server, name)

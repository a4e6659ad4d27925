"""A database for each test, copied from one that was migrated once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from urllib.parse import urlsplit

import asyncpg

from billing import notices
from billing.publishing import publish
from core.db import Database
from ops import database
from tests.support.waiting import until

TEMPLATE = "parking_template"
_numbers = count(1)


def url_of(server: str, name: str) -> str:
    """The same server, another database."""
    return urlsplit(server)._replace(path=f"/{name}").geturl()


async def create_database(server: str, name: str, *, template: str | None = None) -> str:
    """A new database on the server, empty but for the extensions, or copied; returns its URL."""
    db = await asyncpg.connect(server)
    try:
        await db.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
    finally:
        await db.close()
    return url_of(server, name)


async def drop_database(server: str, name: str) -> None:
    """Drop it with whoever is still connected.

    What the server itself may just be doing in it (vacuuming, TimescaleDB's own jobs) is the superuser's, not ours to
    end, and over in a moment.
    """
    db = await asyncpg.connect(server)

    async def dropped() -> bool:
        with suppress(asyncpg.InsufficientPrivilegeError):
            await db.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            return True
        return False

    try:
        await until(dropped)
    finally:
        await db.close()


def create_template(server: str) -> str:
    """A migrated database with the county's kerb tariff, for others to be copied from; returns its name."""
    url = asyncio.run(create_database(server, TEMPLATE))
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
    yield await create_database(server, name, template=template)
    await drop_database(server, name)

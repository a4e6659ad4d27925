"""The database engine and the one way to open a transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from core.errors import InvalidError

NOTICED_DEAD: Final = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}
"""Server settings of a connection that holds a lock: one whose machine died without a word loses it in about 11 s."""


class Database:
    """One process's way to TimescaleDB: a small pool, and transactions that edges open and rules never commit."""

    def __init__(self, url: str, *, pool_size: int = 5, application: str = "parking") -> None:
        """Connect lazily to ``postgresql://...``; ``application`` is the name seen in ``pg_stat_activity``."""
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            hide_parameters=True,  # an error's text is logged, and what was bound may be somebody's plate
            connect_args={"server_settings": {"application_name": application, "timezone": "UTC"}},
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One batch, one request, one job: committed at the end, rolled back on any exception."""
        async with self.engine.begin() as db:
            yield db

    async def close(self) -> None:
        """Give every pooled connection back."""
        await self.engine.dispose()


def async_url(url: str) -> str:
    """The URL as SQLAlchemy's asyncpg driver wants it.

    Raises:
        InvalidError: not a ``postgresql://`` URL.
    """
    return urlunsplit(urlsplit(plain_url(url))._replace(scheme="postgresql+asyncpg"))


def plain_url(url: str) -> str:
    """The URL as asyncpg itself and ``psql`` want it: scheme ``postgresql``.

    Raises:
        InvalidError: not a ``postgresql://`` URL.
    """
    parts = urlsplit(url)
    if parts.scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        raise InvalidError("PARKING_DATABASE_URL is not a postgresql:// URL", scheme=parts.scheme)
    return urlunsplit(parts._replace(scheme="postgresql"))

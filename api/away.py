"""What a database that is away, restarting or cut off looks like from here."""

from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

AWAY: Final = (OSError, TimeoutError, PoolTimeoutError, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError)


def is_away(error: BaseException) -> bool:
    """Whether an error of ``AWAY`` means that; a statement that fails on a good connection is a bug."""
    return not isinstance(error, DBAPIError) or error.connection_invalidated or isinstance(error.orig, OSError)

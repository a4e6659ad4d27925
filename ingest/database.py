"""The hot path's own connection: asyncpg, with instants as whole milliseconds instead of datetime objects."""

from typing import Final

import asyncpg

from core.db import plain_url

_EPOCH_2000_US = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000."""
_INFINITY_US = (1 << 63) - 1

DATA_ERRORS: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError, OverflowError)
"""What one row can do to its transaction. What asyncpg itself cannot encode is a ``ValueError``."""


async def connect(url: str, *, application: str = "parking-ingest") -> asyncpg.Connection:
    """Open a connection whose ``timestamptz`` values are milliseconds since 1970, both ways."""
    db = await asyncpg.connect(
        plain_url(url), timeout=10, server_settings={"application_name": application, "timezone": "UTC", "jit": "off"}
    )
    await db.set_type_codec(
        "timestamptz", schema="pg_catalog", format="tuple", encoder=_encode_instant, decoder=_decode_instant
    )
    return db


def _encode_instant(ms: int) -> tuple[int]:
    return (ms * 1_000 - _EPOCH_2000_US,)


def _decode_instant(value: tuple[int]) -> int | None:
    return None if abs(value[0]) >= _INFINITY_US else (value[0] + _EPOCH_2000_US) // 1_000

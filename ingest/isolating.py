"""A batch of which the database refuses some row: halved until that row is alone and refused, its neighbours stored."""

from collections.abc import Callable, Sequence

import asyncpg

from core.occupancy import Reason
from ingest.database import DATA_ERRORS
from ingest.inbox import Message
from ingest.preparing import Prepared
from ingest.writer import Writer, Written


async def write_isolating(
    writer: Writer,
    db: asyncpg.Connection,
    batch: Sequence[Message],
    report: Callable[[Written], None],
    *,
    prepared: Prepared | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> None:
    """Write a batch; when some row of it cannot be stored, halve it until that row is alone and refused.

    Args as ``Writer.write``; ``report`` is told what became of each part.

    Raises:
        OvertakenError: as ``Writer.write``.
    """
    try:
        report(await writer.write(db, batch, prepared, meanwhile=meanwhile))
    except DATA_ERRORS:
        await _write_halves(writer, db, batch, report)


async def _write_halves(
    writer: Writer, db: asyncpg.Connection, batch: Sequence[Message], report: Callable[[Written], None]
) -> None:
    middle = len(batch) // 2
    for half in (batch[:middle], batch[middle:]) if middle else (batch,):
        try:
            report(await writer.write(db, half))
        except DATA_ERRORS as error:
            if len(half) > 1:
                await _write_halves(writer, db, half, report)
                continue
            await writer.refuse(db, half[0], error)
            report(Written(1, 0, 0, {Reason.REJECTED_BY_DATABASE: 1}, 0, 0, 0))

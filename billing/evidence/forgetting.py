"""Photos that are old enough are erased; what is owed for keeps its proof."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def forget_photos(db: AsyncConnection, *, taken_before: datetime, at: datetime, limit: int) -> list[str]:
    """Forget at most ``limit`` photos that came before an instant; the names of the files to be removed then.

    A photo stays while something is owed for its session. Those of erased plates go as well, whatever their age.
    """
    values = {"before": taken_before, "at": at, "limit": limit}
    return [row.photo for row in await db.execute(_FORGET, values)]


async def unknown_photos(db: AsyncConnection, names: list[str]) -> list[str]:
    """Those of the files that no evidence names: their evidence was never committed, or they were forgotten."""
    known = set(await db.scalars(_KNOWN, {"names": names}))
    return [name for name in names if name not in known]


_FORGET: Final = text(
    """
    WITH old AS (
        SELECT evidence.id, evidence.photo
        FROM plate_evidence AS evidence JOIN plate ON plate.id = evidence.plate_id
        WHERE evidence.photo IS NOT NULL AND (evidence.recorded_at < :before OR plate.erased_at IS NOT NULL)
          AND NOT EXISTS (SELECT FROM journal_line AS line
                          WHERE line.session_id = evidence.session_id AND line.account LIKE 'receivable:%'
                          GROUP BY line.account HAVING sum(line.debit_fen - line.credit_fen) > 0)
        LIMIT :limit FOR UPDATE OF evidence SKIP LOCKED
    )
    UPDATE plate_evidence AS evidence SET photo = NULL, photo_erased_at = :at FROM old
    WHERE evidence.id = old.id RETURNING old.photo
    """
)
_KNOWN: Final = text("SELECT photo FROM plate_evidence WHERE photo = ANY (:names)")

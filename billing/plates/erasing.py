"""Erasing plates that nobody needs any more: the row stays, what it said is gone.

Needed is a plate of a vehicle that is exempt or has a pass, that stands there now, or that something is owed for; and
any that was seen, or was needed, not so long ago.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def erase_plates(db: AsyncConnection, *, unseen_since: datetime, at: datetime, limit: int) -> int:
    """Erase at most ``limit`` plates that were neither seen nor needed since an instant; how many were erased."""
    values = {"since": unseen_since, "at": at, "limit": limit}
    held = [row.id for row in await db.execute(_HOLD, values)]
    # looked at again once they are held: whoever stored one of them meanwhile has committed by now
    erased = await db.execute(_ERASE, {**values, "held": held})
    return erased.rowcount


_UNNEEDED: Final = """
    plate.erased_at IS NULL AND plate.first_seen_at < :since
    AND NOT EXISTS (SELECT FROM exempt_vehicle AS exempt WHERE exempt.plate_id = plate.id
                    AND coalesce(least(exempt.valid_to, exempt.ended_at), 'infinity') >= :since)
    AND NOT EXISTS (SELECT FROM pass_plate JOIN parking_pass AS pass ON pass.id = pass_plate.pass_id
                    WHERE pass_plate.plate_id = plate.id AND least(pass.valid_to, pass.ended_at) >= :since)
    AND NOT EXISTS (SELECT FROM pass_order WHERE pass_order.plate_id = plate.id AND pass_order.status = 'open')
    AND NOT EXISTS (SELECT FROM plate_evidence AS evidence
                    LEFT JOIN parking_session AS session ON session.id = evidence.session_id
                    WHERE evidence.plate_id = plate.id
                    AND (evidence.recorded_at >= :since OR session.status = 'open' OR session.left_at >= :since
                         OR EXISTS (SELECT FROM journal_line AS line WHERE line.session_id = session.id
                                    AND line.account LIKE 'receivable:%'
                                    GROUP BY line.account HAVING sum(line.debit_fen - line.credit_fen) > 0)))
"""
_HOLD: Final = text(
    f"SELECT plate.id FROM plate WHERE {_UNNEEDED} ORDER BY plate.id LIMIT :limit FOR UPDATE OF plate SKIP LOCKED"  # noqa: S608 - our own words
)
_ERASE: Final = text(
    f"""
    UPDATE plate
    SET ciphertext = '', erased_at = :at, exact_token = uuid_send(gen_random_uuid()),
        last4_token = uuid_send(gen_random_uuid()), last5_token = uuid_send(gen_random_uuid()),
        skeleton_token = uuid_send(gen_random_uuid())
    WHERE plate.id = ANY (:held) AND {_UNNEEDED}
    """  # noqa: S608 - our own words
)

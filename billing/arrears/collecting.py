"""How much of what was parked is known, billed and collected: per lot and day of departure, on the lot's own wall."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import InvalidError

MOST_DAYS: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """One lot's day; all money in fen, ``billed = collected + given_up + stay + arrears + unidentified``."""

    day: date
    lot_code: str
    ended: int
    """Stays that ended that day."""
    identified: int
    """Of them those whose vehicle a warden or a camera saw."""
    billed: int
    """Of them those that have a bill as they are."""
    billed_fen: int
    """As the books have it: a stay that was paid and waits for its bill is charged what was paid."""
    collected_fen: int
    """Paid, less what went back."""
    given_up_fen: int
    """Discounts, exit windows, waivers, write-offs."""
    stay_fen: int
    """Owed, within the grace or waiting for a person."""
    arrears_fen: int
    unidentified_fen: int


async def collection_of(
    db: AsyncConnection, *, since: date, until: date, zone: ZoneInfo, lot: str | None = None
) -> list[Collected]:
    """The days from ``since`` to before ``until``, in their order, then by lot; days without departures are left out.

    Raises:
        InvalidError: that is no span, or too long.
    """
    if not timedelta() < until - since <= timedelta(days=MOST_DAYS):
        raise InvalidError(f"a span of one to {MOST_DAYS} days: the last day is the one before its end")
    values = {
        "since": datetime.combine(since, time(), zone) - timedelta(days=1),
        "until": datetime.combine(until, time(), zone) + timedelta(days=1),
        "first": since,
        "end": until,
        "lot": lot,
    }
    return [Collected(**row) for row in (await db.execute(_DAYS, values)).mappings()]


_DAYS: Final = text(
    """
    WITH stay AS (
        SELECT session.id, lot.code AS lot_code, (session.left_at AT TIME ZONE lot.zone)::date AS day,
               session.billed_revision IS NOT DISTINCT FROM session.revision AND bill.id IS NOT NULL AS is_billed,
               EXISTS (SELECT FROM plate_evidence WHERE session_id = session.id AND is_sure) AS is_seen
        FROM parking_session AS session
            JOIN space ON space.id = session.space_id JOIN lot ON lot.id = space.lot_id
            LEFT JOIN current_bill AS bill ON bill.session_id = session.id
        WHERE session.status = 'ended' AND session.left_at >= :since AND session.left_at < :until
            AND (CAST(:lot AS text) IS NULL OR lot.code = :lot)
    )
    SELECT day, lot_code, count(*) AS ended, count(*) FILTER (WHERE is_seen) AS identified,
           count(*) FILTER (WHERE is_billed) AS billed, coalesce(sum(charged), 0)::bigint AS billed_fen,
           coalesce(sum(charged - given_up - owed - arrears - unidentified), 0)::bigint AS collected_fen,
           coalesce(sum(given_up), 0)::bigint AS given_up_fen, coalesce(sum(owed), 0)::bigint AS stay_fen,
           coalesce(sum(arrears), 0)::bigint AS arrears_fen,
           coalesce(sum(unidentified), 0)::bigint AS unidentified_fen
    FROM stay CROSS JOIN LATERAL (
        SELECT coalesce(sum(credit_fen - debit_fen) FILTER (WHERE account LIKE 'revenue:%'), 0) AS charged,
               coalesce(sum(debit_fen - credit_fen)
                   FILTER (WHERE account LIKE 'discount:%' OR account = 'writeoff'), 0) AS given_up,
               coalesce(sum(debit_fen - credit_fen) FILTER (WHERE account = 'receivable:stay'), 0) AS owed,
               coalesce(sum(debit_fen - credit_fen) FILTER (WHERE account = 'receivable:arrears'), 0) AS arrears,
               coalesce(sum(debit_fen - credit_fen)
                   FILTER (WHERE account = 'receivable:unidentified'), 0) AS unidentified
        FROM journal_line WHERE session_id = stay.id AND currency = 'CNY'
    ) AS money
    WHERE day >= :first AND day < :end
    GROUP BY day, lot_code ORDER BY day, lot_code
    """
)

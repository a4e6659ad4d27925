"""How a lot was used over time, from its quarters of an hour; what was not heard is told apart from what was free."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import InvalidError

QUARTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """The use of a lot during one bucket of time; a lot's seconds are those of all its spaces together."""

    begins_at: datetime
    occupied_seconds: float
    free_seconds: float
    unknown_seconds: float
    """Of what has passed: no sensor was heard."""
    begun: int
    ended: int


async def lot_history(
    db: AsyncConnection, lot_id: int, *, since: datetime, until: datetime, bucket: timedelta, zone: ZoneInfo
) -> Sequence[Use]:
    """Every bucket of ``[since, until)``, oldest first, silent ones too.

    Args:
        db: in a transaction.
        lot_id: of the lot.
        since: the first bucket is the one it lies in.
        until: usually the present; of the last bucket only what lies before it counts.
        bucket: a whole number of quarters of an hour.
        zone: the lot's zone, in whose days and hours buckets begin.

    Raises:
        InvalidError: the bucket is no whole number of quarters, or there is nothing between the instants.
    """
    if bucket < QUARTER or bucket % QUARTER:
        raise InvalidError("a bucket is a whole number of quarters of an hour", bucket_seconds=bucket.total_seconds())
    if since >= until:
        raise InvalidError("there is no time between the two instants")
    rows = await db.execute(
        text(_BUCKETS), {"lot": lot_id, "since": since, "until": until, "bucket": bucket, "zone": zone.key}
    )
    return [
        Use(
            begins_at=row.begins_at,
            occupied_seconds=row.occupied_ms / 1_000,
            free_seconds=(row.heard_ms - row.occupied_ms) / 1_000,
            unknown_seconds=max(0.0, row.spaces * row.passed_seconds - row.heard_ms / 1_000),
            begun=row.begun,
            ended=row.ended,
        )
        for row in rows
    ]


_BUCKETS = """
SELECT bucket.begins_at, spaces.number AS spaces,
       extract(epoch FROM least(bucket.begins_at + CAST(:bucket AS interval), CAST(:until AS timestamptz))
                          - bucket.begins_at)::float8 AS passed_seconds,
       coalesce(sum(quarter.occupied_ms), 0)::bigint AS occupied_ms,
       coalesce(sum(quarter.heard_ms), 0)::bigint AS heard_ms,
       coalesce(sum(quarter.begun), 0)::int AS begun, coalesce(sum(quarter.ended), 0)::int AS ended
FROM generate_series(time_bucket(CAST(:bucket AS interval), CAST(:since AS timestamptz), :zone),
                     CAST(:until AS timestamptz) - interval '1 microsecond', CAST(:bucket AS interval), :zone)
     AS bucket (begins_at)
CROSS JOIN (SELECT count(*) AS number FROM space WHERE lot_id = :lot AND retired_at IS NULL) AS spaces
LEFT JOIN lot_quarter AS quarter ON quarter.lot_id = :lot AND quarter.quarter_at >= bucket.begins_at
    AND quarter.quarter_at < bucket.begins_at + CAST(:bucket AS interval)
    AND quarter.quarter_at >= CAST(:since AS timestamptz) - CAST(:bucket AS interval)
    AND quarter.quarter_at < CAST(:until AS timestamptz)
GROUP BY bucket.begins_at, spaces.number
ORDER BY bucket.begins_at
"""

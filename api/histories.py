"""The history of a lot as the public sees it: means over buckets of time, silence flagged and never taken for room.

No single space, arrival or departure is told: the finest bucket is a quarter of an hour of a whole lot, and figures
are rounded to a tenth of a space.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.answering import JSON, respond
from api.deps import CountedRead, Db, Instant, Now, TheLot
from api.history import QUARTER, Use, lot_history
from api.live_city.answers import Answer, encode
from api.live_city.registry import LotEntry
from api.problems import responses
from api.shapes import Shape
from core.clock import rfc3339
from core.errors import InvalidError

router = APIRouter(prefix="/api/v1/lots", tags=["lots"])

MOST_BUCKETS: Final = 3_000
"""A month of quarters, four months of hours."""
LONGEST_BUCKET: Final = timedelta(days=31)
SILENT_SHARE: Final = 0.01
"""A bucket of which more than this was not heard is flagged."""
COUNTED_AFTER: Final = timedelta(minutes=6)
"""What was heard is counted every five minutes: the newest of it is missing, which is no silence."""
A_MINUTE: Final = "public, max-age=60"

_BUCKET = re.compile(r"(?:PT?)?(\d{1,5})(m|min|h|d|M|H|D)?|quarter|hour|day|week")
_WORDS: Final = {"quarter": QUARTER, "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1)}


class BadBucketError(InvalidError):
    """No length of time that a history is cut into."""

    slug = "bad-bucket"


class HistoryTooLongError(InvalidError):
    """More buckets than one answer holds. Carries ``most_buckets``."""

    slug = "history-too-long"


class BucketOut(Shape):
    """The use of a lot from one instant to another: mean numbers of spaces, which add up to the capacity."""

    from_: str = Field(alias="from", json_schema_extra={"format": "date-time"}, examples=["2026-11-22T01:00:00.000Z"])
    to: str = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T02:00:00.000Z"])
    occupied: float = Field(examples=[31.4])
    free: float = Field(examples=[18.6])
    unknown: float = Field(examples=[2.0])
    """Nobody was heard: neither free nor occupied."""
    occupancy: float | None = Field(examples=[0.628])
    """Occupied of what was heard, 0 to 1; null when nothing was."""
    silent: bool
    """Whether sensors were silent in it: its numbers tell only of the others."""
    complete: bool
    """False: it is still going on, or its end is not counted yet."""


class HistoryOut(Shape):
    """A lot over time, oldest first."""

    lot_id: str = Field(examples=["KL"])
    zone: str = Field(examples=["Asia/Shanghai"])
    """In whose days and hours the buckets begin."""
    capacity: int
    """Of today."""
    bucket_minutes: int = Field(examples=[60])
    buckets: list[BucketOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The history that is asked for."""

    since: datetime
    until: datetime
    bucket: timedelta


def _example(time: str) -> dict[str, Any]:
    return {f"{time} in China": {"value": f"2026-11-22T{time}:00+08:00"}}


@router.get(
    "/{lot_id}/history", response_model=HistoryOut, responses=responses(404, 422, 429), dependencies=[CountedRead]
)
async def read_history(
    *,
    request: Request,
    lot: TheLot,
    db: Db,
    now: Now,
    since: Annotated[
        Instant | None,
        Query(alias="from", description="A day before `to` if not given.", openapi_examples=_example("08:00")),
    ] = None,
    until: Annotated[
        Instant | None, Query(alias="to", description="Now if not given.", openapi_examples=_example("20:00"))
    ] = None,
    bucket: Annotated[
        str,
        Query(
            max_length=16,
            description="`quarter`, `hour`, `day`, `week`, or whole quarters such as `30m`, `2h`, `PT15M`, `1d`; "
            "a bare number counts minutes.",
            openapi_examples={"an hour": {"value": "1h"}},
        ),
    ] = "hour",
) -> Response:
    """How full a lot was. What was not heard is unknown, flagged as `silent`, and never counted as free.

    Lots that only count vehicles keep no history: all of theirs is silent.
    """
    wish = _wish(since, until, bucket, now)
    uses = (
        await lot_history(db, lot.id, since=wish.since, until=wish.until, bucket=wish.bucket, zone=lot.zone)
        if wish.since < wish.until
        else []
    )
    body = {
        "lot_id": lot.code,
        "zone": lot.zone.key,
        "capacity": lot.capacity,
        "bucket_minutes": wish.bucket // timedelta(minutes=1),
        "buckets": list(_buckets(uses, wish, lot, now)),
    }
    return respond(request.headers, Answer(encode(body)), media_type=JSON, cache=A_MINUTE)


def bucket_of(text: str) -> timedelta:
    """A bucket's length from its name, a number with a unit, or a bare number of minutes.

    Raises:
        BadBucketError: it is none, or no whole number of quarters up to a month.
    """
    found = _BUCKET.fullmatch(text.strip())
    if found is None:
        raise BadBucketError("bucket is a length such as 15m, 1h or 1d")
    number, unit = found.groups()
    length = _WORDS[found[0]] if number is None else int(number) * _UNITS.get((unit or "m").lower(), _MINUTE)
    if not QUARTER <= length <= LONGEST_BUCKET or length % QUARTER:
        raise BadBucketError("a bucket is a whole number of quarters of an hour, at most 31 days")
    return length


_MINUTE: Final = timedelta(minutes=1)


def _wish(since: datetime | None, until: datetime | None, bucket: str, now: datetime) -> Wish:
    length = bucket_of(bucket)
    ends = until or now
    begins = since or min(ends, now) - timedelta(days=1)
    if begins >= ends:
        raise InvalidError("there is no time between the two instants: from must lie before to")
    ends = min(ends, now)  # the future has no history
    if ends - begins > MOST_BUCKETS * length:
        raise HistoryTooLongError(
            f"one answer holds {MOST_BUCKETS} buckets; ask for less time or longer buckets", most_buckets=MOST_BUCKETS
        )
    return Wish(since=begins, until=ends, bucket=length)


def _buckets(uses: Sequence[Use], wish: Wish, lot: LotEntry, now: datetime) -> Iterator[dict[str, Any]]:
    for use in uses:
        ends_at = use.begins_at + wish.bucket
        passed = (min(ends_at, wish.until) - use.begins_at).total_seconds()
        complete = ends_at <= min(now - COUNTED_AFTER, wish.until)
        yield _told(use, lot.capacity, passed, ends_at=ends_at, complete=complete)


def _told(use: Use, capacity: int, passed: float, *, ends_at: datetime, complete: bool) -> dict[str, Any]:
    heard = use.occupied_seconds + use.free_seconds
    unheard = max(0.0, capacity * passed - heard)
    late = 0.0 if complete else capacity * min(passed, COUNTED_AFTER.total_seconds())
    occupied, free = (round(seconds / passed, 1) for seconds in (use.occupied_seconds, use.free_seconds))
    return {
        "from": rfc3339(use.begins_at),
        "to": rfc3339(ends_at),
        "occupied": occupied,
        "free": free,
        "unknown": round(max(0.0, capacity - occupied - free), 1),
        "occupancy": round(use.occupied_seconds / heard, 3) if heard else None,
        "silent": heard == 0 or unheard > SILENT_SHARE * capacity * passed + late,
        "complete": complete,
    }

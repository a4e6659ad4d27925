"""What a route may ask for by naming a type: the database, the present, the city, who is calling."""

import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Depends, Header, Path, Query, Request
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from sqlalchemy.ext.asyncio import AsyncConnection

from api.language import language_of
from api.limits import READS, Allowance
from api.live_city.registry import LotEntry
from api.live_city.showing import Showing
from api.parts import Parts
from core.errors import InvalidError, LotNotFoundError, UnavailableError
from core.geo import Bounds

Lang = Literal["zh", "en"]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+ -]\d\d:\d\d)")
_BLANK_FOR_PLUS = re.compile(r" (\d\d:\d\d)$")


class CityNotReadError(UnavailableError):
    """This process has just begun, or has never reached its database. Carries ``retry_after_seconds``."""

    slug = "city-not-read"


class BadBoxError(InvalidError):
    """No part of a map is described by this."""

    slug = "bad-box"


EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def parts_of(request: Request) -> Parts:
    """The process's parts."""
    return Parts.of(request.app)


# Every dependency is a coroutine, also those that never wait: the framework sends the others through a thread.


async def _parts(request: Request) -> Parts:
    return parts_of(request)


async def _open(parts: "TheParts") -> AsyncIterator[AsyncConnection]:
    async with parts.database.transaction() as db:
        yield db


async def _now(parts: "TheParts") -> datetime:
    return parts.clock.now()


async def _showing(parts: "TheParts") -> Showing:
    if not parts.showing.is_loaded:
        raise CityNotReadError("the city is being read; try again in a second", retry_after_seconds=1)
    return parts.showing


def caller_of(request: Request) -> str:
    """Whom the rate limiter counts."""
    peer = request.client.host if request.client else "unknown"
    return parts_of(request).proxies.caller(peer, request.headers.get("x-forwarded-for", ""))


def spend(request: Request, allowance: Allowance, caller: str | None = None) -> None:
    """Count this call against an allowance, of the caller's address unless another caller is named.

    Raises:
        TooManyRequestsError: it is used up.
    """
    parts_of(request).limiter.take(allowance, caller or caller_of(request), time.monotonic())


async def _spend_a_read(request: Request) -> None:
    spend(request, READS)


def _instant(value: object) -> object:
    """RFC 3339, the blank that an unescaped ``+`` becomes in a query forgiven."""
    try:
        if isinstance(value, str) and _INSTANT.fullmatch(value):
            return datetime.fromisoformat(_BLANK_FOR_PLUS.sub(r"+\1", value).upper().replace(" ", "T"))
    except ValueError:
        pass  # a thirteenth month, an offset of a hundred hours
    raise ValueError("an instant such as 2026-11-22T09:30:00+08:00 or 2026-11-22T01:30:00Z, with its offset")


def _sensible(at: datetime) -> datetime:
    if not EARLIEST <= at < LATEST:
        raise ValueError(f"an instant from {EARLIEST:%Y} to before {LATEST:%Y}")
    return at.astimezone(UTC)


async def _box(
    bbox: Annotated[
        str | None,
        Query(
            description="Only what touches this box: `west,south,east,north`, degrees, WGS-84.",
            openapi_examples={"the town": {"value": "120.85,29.48,120.93,29.53"}},
        ),
    ] = None,
) -> Bounds | None:
    if bbox is None:
        return None
    try:
        west, south, east, north = (float(part) for part in bbox.split(","))
    except ValueError as error:
        raise BadBoxError("bbox is four numbers: west,south,east,north, in degrees") from error
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004 - degrees; refuses NaN too
        raise BadBoxError("bbox is west,south,east,north with west <= east and south <= north, in degrees")
    return west, south, east, north


async def _lang(
    accept_language: Annotated[
        str | None, Header(description="The words of the answer: `zh` (default) or `en`.")
    ] = None,
) -> Lang:
    return language_of(accept_language)


async def _lot_index(
    showing: "City",
    lot_id: Annotated[
        str,
        Path(description="A lot's code.", max_length=64, openapi_examples={"a street": {"value": "WT"}}),
    ],
) -> int:
    index = showing.registry.lot_at.get(lot_id)
    if index is None:
        raise LotNotFoundError(f"no lot has the code {lot_id!r}", lot_id=lot_id)
    return index


async def _lot(showing: "City", index: "LotIndex") -> LotEntry:
    return showing.registry.lots[index]


TheParts = Annotated[Parts, Depends(_parts)]
Db = Annotated[AsyncConnection, Depends(_open, scope="function")]
"""One transaction for the request, committed before it is answered."""
Now = Annotated[datetime, Depends(_now)]
"""The present on the installation's clock, UTC."""
City = Annotated[Showing, Depends(_showing)]
"""The city as it is shown right now."""
Words = Annotated[Lang, Depends(_lang)]
"""The language the caller reads."""
LotIndex = Annotated[int, Depends(_lot_index)]
"""The index of the lot that the path names."""
TheLot = Annotated[LotEntry, Depends(_lot)]
"""The lot that the path names."""
CountedRead = Depends(_spend_a_read)

Crs = Annotated[
    Literal["wgs84", "gcj02"],
    Query(description="Datum of every position: `wgs84`, or `gcj02` as Chinese map providers draw."),
]
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    AfterValidator(_sensible),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Box = Annotated[Bounds | None, Depends(_box)]
"""The part of the map that the caller looks at."""

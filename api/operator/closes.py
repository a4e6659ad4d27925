"""How a day was closed: three books beside each other, each difference with its cause; as a table, too."""

from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from api.deps import Db, Words
from api.door import LoggedIn, role
from api.problems import responses
from api.shapes import Shape
from billing.closing import Closed, fetch_close, list_closes
from billing.closing.wording import cause_text, close_csv, outcome_text
from billing.phrases import Lang
from core.clock import rfc3339
from core.errors import NotFoundError
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator/closes", tags=["operator"])

EXAMPLE: Final = {"a day": {"value": "2026-11-22"}}
Day = Annotated[date, Path(description="Of the providers' calendar.", openapi_examples=EXAMPLE)]
Finance = Annotated[LoggedIn, role(Role.FINANCE)]


class NotClosedError(NotFoundError):
    """This day was not closed yet. Carries ``day``."""

    slug = "day-not-closed"


class CsvResponse(Response):
    """What OpenAPI calls the media type of a table."""

    media_type = "text/csv"


class SumsOut(Shape):
    """What one book says of the day."""

    paid: int
    refunded: int
    fee: int = 0
    """What the provider keeps; of its bill only."""


class BooksOut(Shape):
    """The three books, in fen."""

    bill: SumsOut
    orders: SumsOut
    journal: SumsOut


class DifferenceOut(Shape):
    """Something on which they do not agree."""

    cause: Literal["booked-late", "other-day", "held", "missing-there", "missing-here", "amount", "not-in-journal"]
    text: str
    is_explained: bool
    """False: it needs a person."""
    kind: Literal["payment", "refund"]
    key: str
    """The provider's transaction number of a payment, our number of a refund."""
    order_no: str
    bill_fen: int | None
    order_fen: int | None
    journal_fen: int | None
    at: str = Field(json_schema_extra={"format": "date-time"})
    bill_day: str | None = Field(json_schema_extra={"format": "date"})
    """Whose bill has it, where that is another day's."""


class CloseOut(Shape):
    """One provider's day by its newest close."""

    provider: str
    day: str = Field(json_schema_extra={"format": "date"})
    outcome: Literal["balanced", "explained", "open"]
    text: str
    sums: BooksOut
    differences: list[DifferenceOut]
    closed_at: str = Field(json_schema_extra={"format": "date-time"})
    closed_by: str


@router.get("", responses=responses(401, 403, 422), response_model=list[CloseOut])
async def list_all_closes(
    db: Db,
    _person: Finance,
    lang: Words,
    limit: Annotated[int, Query(ge=1, le=366, description="At most so many: one for each provider and day.")] = 62,
) -> list[dict[str, Any]]:
    """How the last days stand, the newest first."""
    return [_object(one, lang) for one in await list_closes(db, limit=limit)]


@router.get("/{day}.csv", responses=responses(401, 403, 404, 422), response_class=CsvResponse)
async def read_close_as_table(db: Db, _person: Finance, lang: Words, day: Day) -> Response:
    """The close as a table: sums, then each difference."""
    named = {"Content-Disposition": f'attachment; filename="close-{day.isoformat()}.csv"', "Cache-Control": "no-store"}
    return CsvResponse(close_csv(await _fetch(db, day), lang), headers=named)


@router.get("/{day}", responses=responses(401, 403, 404, 422), response_model=list[CloseOut])
async def read_close(db: Db, _person: Finance, lang: Words, day: Day) -> list[dict[str, Any]]:
    """How each provider's day stands: journal, orders and the provider's bill, and every difference with its cause."""
    return [_object(one, lang) for one in await _fetch(db, day)]


async def _fetch(db: Db, day: date) -> list[Closed]:
    closes = await fetch_close(db, day)
    if not closes:
        raise NotClosedError(f"{day} was not closed yet; it is, on the morning after", day=day.isoformat())
    return closes


def _object(closed: Closed, lang: Lang) -> dict[str, Any]:
    return {
        "provider": closed.provider,
        "day": closed.day.isoformat(),
        "outcome": closed.outcome,
        "text": outcome_text(closed, lang),
        "sums": closed.sums,
        "differences": [
            {
                **one.to_json(),
                "text": cause_text(one.cause, lang),
                "is_explained": one.is_explained,
                "at": rfc3339(one.at),
            }
            for one in closed.differences
        ],
        "closed_at": rfc3339(closed.closed_at),
        "closed_by": closed.closed_by,
    }

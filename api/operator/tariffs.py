"""Price notices: read, checked, tried out and published by people with a login."""

import json
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api.deps import Db, Instant, Words
from api.door import AnyRole, LoggedIn, role
from api.fees import Fee
from api.problems import responses
from api.shapes import Shape
from billing import notices
from billing.fee import fee_object
from billing.phrases import Lang, minutes_text
from billing.pricing import quote
from billing.published import PublishedVersion, fetch_versions, list_notices, publish_next
from billing.publishing import FROM_EVER
from billing.tariff import Tariff, load_tariff
from billing.tariff.check import check
from billing.tariff.problems import Problem
from billing.tariff.read import TariffInvalidError, read_document
from billing.tariff.table import section_title, table
from billing.tariff.words import vehicle_text
from core.audit import write_audit
from core.clock import rfc3339
from core.errors import InvalidError
from core.roles import Role
from core.stay import Stay, VehicleClass

router = APIRouter(prefix="/api/v1/operator/tariffs", tags=["operator"])

LONGEST: Final = timedelta(days=400)
MOST_HISTORY: Final = 100
EXAMPLE: Final[dict[str, Any]] = json.loads(notices.read("xinchang-kerb"))

Code = Annotated[
    str,
    Path(max_length=64, description="A notice's code.", openapi_examples={"the kerb": {"value": "xinchang-kerb"}}),
]
Publisher = Annotated[LoggedIn, role(Role.FINANCE)]


class DraftIn(Shape):
    """A notice's document, published or not."""

    document: dict[str, Any] = Field(examples=[EXAMPLE])
    """As `billing/schema/tariff.schema.json` describes it."""


class StayIn(Shape):
    """A stay."""

    entry: Instant = Field(examples=["2026-03-10T09:00:00+08:00"])
    exit: Instant = Field(examples=["2026-03-10T10:15:00+08:00"])


class DraftStayIn(StayIn):
    """A stay to be priced by a document."""

    document: dict[str, Any] = Field(examples=[EXAMPLE])
    vehicle: str | None = Field(None, max_length=64, examples=["small"])
    history: list[StayIn] = Field(default=[], max_length=MOST_HISTORY, examples=[[]])
    """Earlier stays of the same vehicle."""


class ListedOut(Shape):
    """A notice in the list of all."""

    code: str = Field(examples=["xinchang-kerb"])
    name: dict[str, str]
    """In Chinese (`zh`) and English (`en`)."""
    version: int
    """The newest."""
    versions: int
    """How many there are."""
    valid_from: str | None = Field(json_schema_extra={"format": "date-time"})
    valid_to: str | None = Field(json_schema_extra={"format": "date-time"})
    lots: list[str]
    """Codes of the lots that name it."""


class VersionOut(Shape):
    """One published version; it never changes."""

    version: int
    valid_from: str | None = Field(json_schema_extra={"format": "date-time"})
    valid_to: str | None = Field(json_schema_extra={"format": "date-time"})
    published_at: str = Field(json_schema_extra={"format": "date-time"})
    summary: list[str]
    """The rules in words."""
    document: dict[str, Any]


class CheckOut(Shape):
    """Whether a document may be published."""

    problems: list[str]
    """Everything against it, each with the stay that shows it; none: it may."""


class PublishedOut(Shape):
    """What became of a document."""

    code: str
    version: int
    asked_version: int
    """The number in the document; where it was taken, the next free one was given."""
    is_new: bool
    """Unless these very contents were published already."""
    prices_the_past: bool
    """It names no first day, so whatever is billed or corrected from now on is priced by it."""


class ExampleOut(Shape):
    """What one length of stay costs each class."""

    minutes: int
    length: str = Field(examples=["1 h 15 min"])
    fees_fen: list[int]
    """In the order of `vehicles`."""


class SectionOut(Shape):
    """Examples of one kind of day and one arrival."""

    title: str
    on: str = Field(json_schema_extra={"format": "date"})
    arrival_minute: int
    """Minutes after midnight on the wall."""
    examples: list[ExampleOut]


class BoardOut(Shape):
    """The worked examples of a notice board."""

    code: str
    version: int
    currency: str
    summary: list[str]
    vehicles: list[str]
    vehicle_names: list[str]
    sections: list[SectionOut]


@router.get("", responses=responses(401, 403))
async def list_tariffs(db: Db, _person: AnyRole) -> list[ListedOut]:
    """Every published notice with its newest version, by code."""
    return [
        ListedOut(
            code=listed.code,
            name=listed.newest.document["name"],
            version=listed.newest.version,
            versions=listed.versions,
            lots=list(listed.lots),
            **_validity(listed.newest),
        )
        for listed in await list_notices(db)
    ]


@router.get("/{code}", responses=responses(401, 403, 404, 422))
async def read_tariff(db: Db, _person: AnyRole, lang: Words, code: Code) -> list[VersionOut]:
    """Every version of a notice, oldest first, with its document and its rules in words."""
    return [
        VersionOut(
            version=one.version,
            published_at=rfc3339(one.published_at),
            summary=load_tariff(json.dumps(one.document).encode()).summary(lang),
            document=one.document,
            **_validity(one),
        )
        for one in await fetch_versions(db, code)
    ]


@router.post("/check", responses=responses(401, 403, 422))
async def check_tariff(_person: AnyRole, body: DraftIn) -> CheckOut:
    """Everything that is wrong with a document, with the stays that show it. Nothing is stored."""
    return CheckOut(problems=await run_in_threadpool(_problems_in, body.document))


@router.post("/table", responses=responses(401, 403, 422))
async def show_tariff_table(_person: AnyRole, lang: Words, body: DraftIn) -> BoardOut:
    """The worked examples that a notice board would show of this document. Nothing is stored."""
    return await run_in_threadpool(_board, load_tariff(_bytes(body.document)), lang)


@router.post("/price", responses=responses(401, 403, 422), response_model=Fee)
async def price_by_draft(_person: AnyRole, lang: Words, body: DraftStayIn) -> dict[str, Any]:
    """What a stay would cost by this document, line by line. Nothing is stored."""
    tariff = load_tariff(_bytes(body.document))
    asked: list[StayIn] = [body, *body.history]
    stays = [Stay(entered_at=one.entry, left_at=one.exit) for one in asked]
    if any(one.left_at - one.entered_at > LONGEST for one in stays):
        raise InvalidError(f"a stay of more than {LONGEST.days} days is not priced here", longest_days=LONGEST.days)
    vehicle = VehicleClass(body.vehicle) if body.vehicle else None

    def priced() -> dict[str, Any]:
        fee = quote(tariff, stays[0], zone=tariff.zone, vehicle=vehicle, history=stays[1:])
        return fee_object(fee, lang)

    return await run_in_threadpool(priced)


@router.post("", status_code=201, responses={200: {"model": PublishedOut}, **responses(401, 403, 422)})
async def publish_tariff(db: Db, person: Publisher, body: DraftIn, response: Response) -> PublishedOut:
    """Publish a document as the next version of its notice; 200 where these contents are published already."""
    done = await publish_next(db, _bytes(body.document))
    code = done.tariff.code
    if done.is_new:
        before = None if done.before is None else {"version": done.before}
        after = {"version": done.tariff.version}
        await write_audit(db, person.entry("tariff.published", f"tariff:{code}", before=before, after=after))
    else:
        response.status_code = 200
    return PublishedOut(
        code=code,
        version=done.tariff.version,
        asked_version=done.asked_version,
        is_new=done.is_new,
        prices_the_past=done.prices_the_past,
    )


def _validity(one: PublishedVersion) -> dict[str, str | None]:
    return {
        "valid_from": None if one.valid_from == FROM_EVER else rfc3339(one.valid_from),
        "valid_to": rfc3339(one.valid_to) if one.valid_to else None,
    }


def _bytes(document: dict[str, Any]) -> bytes:
    try:
        return json.dumps(document).encode()
    except RecursionError as error:
        raise TariffInvalidError([Problem(at="", what="this document is nested too deeply")]) from error


def _problems_in(document: dict[str, Any]) -> list[str]:
    try:
        return [str(problem) for problem in check(read_document(_bytes(document)))]
    except TariffInvalidError as error:
        return [str(problem) for problem in error.problems]


def _board(tariff: Tariff, lang: Lang) -> BoardOut:
    board = table(tariff)
    return BoardOut(
        code=tariff.code,
        version=tariff.version,
        currency=tariff.currency,
        summary=tariff.summary(lang),
        vehicles=list(board.vehicles),
        vehicle_names=[vehicle_text(tariff.document, vehicle, lang) for vehicle in board.vehicles],
        sections=[
            SectionOut(
                title=section_title(board, section, lang),
                on=section.on.isoformat(),
                arrival_minute=section.arrival,
                examples=[
                    ExampleOut(
                        minutes=example.minutes, length=minutes_text(example.minutes, lang), fees_fen=list(example.fees)
                    )
                    for example in section.examples
                ],
            )
            for section in board.sections
        ],
    )

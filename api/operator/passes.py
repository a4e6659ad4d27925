"""Passes: listed with masked plates, added, ended."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from api.deps import Db, Instant, Now, TheParts
from api.door import AnyRole, LoggedIn, role
from api.problems import responses
from api.shapes import Shape
from billing.pass_sales.giving_back import give_back
from billing.passes import Pass, PassKind, PassTerms, Rest, add_pass, end_pass, list_passes
from billing.plates import PlatesNotConfiguredError
from billing.tariff.document import Window
from core.audit import write_audit
from core.clock import rfc3339
from core.plate import parse_plate
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator/passes", tags=["operator"])

Office = Annotated[LoggedIn, role(Role.FINANCE, Role.OPERATOR)]
LotCode = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]+$")]
Plates = Annotated[list[Annotated[str, Field(min_length=1, max_length=32)]], Field(min_length=1, max_length=20)]
SMALLEST, LARGEST = 1, 2**31 - 1
PassNumber = Annotated[
    int, Path(ge=SMALLEST, le=LARGEST, description="The pass's.", openapi_examples={"the first": {"value": 1}})
]
Finance = Annotated[LoggedIn, role(Role.FINANCE)]


class PassIn(Shape):
    """A pass to be sold: for one vehicle at a time."""

    plates: Plates = Field(examples=[["浙D·12345"]])
    kind: PassKind = Field(examples=["monthly"])
    lots: list[LotCode] = Field(default=[], max_length=100, examples=[["KL"]])
    """Only there; none: everywhere."""
    windows: list[Window] = Field(default=[], max_length=20, examples=[[]])
    """When an off-peak pass is valid, as in a notice's bands; a monthly one has none."""
    rest: Rest = Field(default="fresh_tiers", examples=["fresh_tiers"])
    """What prices a stay's time after it: tiers from their beginning, or the clock from where it stood."""
    valid_from: Instant = Field(examples=["2026-11-01T00:00:00+08:00"])
    valid_to: Instant = Field(examples=["2026-12-01T00:00:00+08:00"])
    price_fen: int = Field(ge=0, le=100_000_000, examples=[10_000])


class PassOut(Shape):
    """A pass, ended or not; plates are masked."""

    id: int
    plates: list[str]
    kind: PassKind
    lots: list[str]
    windows: list[Window]
    rest: Rest
    valid_from: str = Field(json_schema_extra={"format": "date-time"})
    valid_to: str = Field(json_schema_extra={"format": "date-time"})
    price_fen: int
    added_by: str
    ended_by: str | None
    ended_at: str | None = Field(json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, one: Pass) -> "PassOut":
        """The pass in JSON's types."""
        terms = one.terms
        return cls(
            id=one.id,
            plates=list(one.plates),
            kind=terms.kind,
            lots=list(terms.lots),
            windows=list(terms.windows),
            rest=terms.rest,
            valid_from=rfc3339(terms.valid_from),
            valid_to=rfc3339(terms.valid_to),
            price_fen=terms.price_fen,
            added_by=one.added_by,
            ended_by=one.ended_by,
            ended_at=rfc3339(one.ended_at) if one.ended_at else None,
        )


class GiveBackIn(Shape):
    """Why."""

    reason: str = Field(min_length=3, max_length=200, pattern=r"^[^\x00]*$", examples=["the vehicle was sold"])


class GivenBackOut(Shape):
    """What became of a pass that was given back."""

    pass_number: int
    days: int = Field(examples=[30])
    days_used: int = Field(examples=[10])
    amount_fen: int = Field(examples=[8_000])
    """What goes back: the price's share of the days that are left, of all days before the first."""
    refund_id: str | None
    """Null: no day was left."""
    refund_status: str | None = Field(examples=["requested"])


@router.get("", responses=responses(401))
async def read_passes(parts: TheParts, db: Db, _person: AnyRole) -> list[PassOut]:
    """Every pass, the newest first, plates masked."""
    return [PassOut.of(one) for one in await list_passes(db, parts.plates)]


@router.post("", status_code=201, responses=responses(401, 403, 404, 422, 503))
async def give_pass(body: PassIn, parts: TheParts, person: Office, db: Db, now: Now) -> PassOut:
    """Give plates a pass; counts for bills made from now on, where a warden or a camera saw the plate."""
    if parts.plates is None:
        raise PlatesNotConfiguredError("plates are not taken here: PARKING_PLATE_KEY is not set")
    terms = PassTerms(
        kind=body.kind,
        lots=tuple(body.lots),
        windows=tuple(body.windows),
        rest=body.rest,
        valid_from=body.valid_from,
        valid_to=body.valid_to,
        price_fen=body.price_fen,
    )
    plates = [parse_plate(plate) for plate in body.plates]
    shown = PassOut.of(await add_pass(db, parts.plates, plates, terms, actor=person.login, at=now))
    after = shown.model_dump(include={"kind", "lots", "valid_from", "valid_to", "price_fen"})
    await write_audit(db, person.entry("pass.added", f"pass:{shown.id}", after=after))
    return shown


@router.post("/{number}/refund", responses=responses(401, 403, 404, 409, 422))
async def refund_pass(
    *, number: PassNumber, body: GiveBackIn, parts: TheParts, person: Finance, db: Db, now: Now
) -> GivenBackOut:
    """End a pass that was bought online and give back the days that nobody used; today is used once it has begun.

    Above the limit for refunds a second person has to agree, as for any other: the pass ends at once all the same.
    """
    back = await give_back(
        db,
        number,
        reason=body.reason,
        by=f"operator:{person.login}",
        limit_fen=parts.settings.refund_limit_fen,
        at=now,
    )
    after = {"days_used": back.days_used, "amount_fen": back.amount_fen, "reason": body.reason}
    await write_audit(db, person.entry("pass.refunded", f"pass:{number}", after=after))
    return GivenBackOut(
        pass_number=back.pass_number,
        days=back.days,
        days_used=back.days_used,
        amount_fen=back.amount_fen,
        refund_id=str(back.refund.id) if back.refund else None,
        refund_status=back.refund.status if back.refund else None,
    )


@router.post("/{number}/end", responses=responses(401, 403, 404, 409, 422))
async def end_given_pass(
    number: PassNumber,
    parts: TheParts,
    person: Office,
    db: Db,
    now: Now,
) -> PassOut:
    """End a pass now; stays before keep it."""
    ended = await end_pass(db, parts.plates, number, actor=person.login, at=now)
    await write_audit(db, person.entry("pass.ended", f"pass:{number}"))
    return PassOut.of(ended)

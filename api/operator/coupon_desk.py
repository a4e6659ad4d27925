"""Coupons and who gives them: issued, listed, taken off a stay, withdrawn; merchants with their budgets and keys."""

from datetime import timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from api.deps import Db, Instant, Now
from api.door import AnyRole, LoggedIn, role
from api.operator.passes import LARGEST, SMALLEST, LotCode
from api.problems import responses
from api.shapes import Shape
from billing.coupons import Coupon, CouponKind
from billing.giving import Issued, attach_coupon, detach_coupon, issue_coupon, list_coupons, withdraw_coupon
from billing.issuers import Issuer, IssuerTerms, add_issuer, end_issuer, list_issuers
from core.audit import write_audit
from core.clock import rfc3339
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator", tags=["operator"])

Finance = Annotated[LoggedIn, role(Role.FINANCE)]
Office = Annotated[LoggedIn, role(Role.FINANCE, Role.OPERATOR)]
A_CODE = {"one": {"value": "9f2c41d07ab35e66"}}
CouponCode = Annotated[str, Path(pattern="^[0-9a-f]{8,32}$", description="The coupon's.", openapi_examples=A_CODE)]
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00:]+$", examples=["茶馆"])]


class CouponIssueIn(Shape):
    """A coupon to be made: one of the four kinds."""

    kind: CouponKind = Field(examples=["minutes"])
    value: int = Field(default=0, ge=0, le=100_000_000, examples=[60])
    """Minutes, percent off, or fen; of `free_until` nothing."""
    until: Instant | None = Field(default=None, examples=[None])
    """Of `free_until`: nothing is charged before it."""
    bearer: Name
    """Who pays for it; shown on the bill. A merchant of this name owes us what it takes off."""
    lots: list[LotCode] = Field(default=[], max_length=100, examples=[["KL"]])
    days: int = Field(default=30, ge=1, le=3_660, examples=[30])
    """How long it may be used."""
    only_before_bill: bool = Field(default=False, examples=[False])


class CouponRowOut(Shape):
    """A coupon, on a stay or on none."""

    code: str
    kind: CouponKind
    value: int
    until: str | None = Field(json_schema_extra={"format": "date-time"})
    bearer: str
    valid_to: str = Field(json_schema_extra={"format": "date-time"})
    session_id: UUID | None
    worth_fen: int
    """What it came to by its stay's bill."""
    withdrawn_by: str | None

    @classmethod
    def of(cls, one: Issued) -> Self:
        """The coupon in JSON's types."""
        return cls(
            code=one.code,
            kind=one.coupon.kind,
            value=one.coupon.value,
            until=rfc3339(one.coupon.until) if one.coupon.until else None,
            bearer=one.coupon.bearer,
            valid_to=rfc3339(one.valid_to),
            session_id=one.session_id,
            worth_fen=one.worth_fen,
            withdrawn_by=one.withdrawn_by,
        )


class AttachIn(Shape):
    """Which stay."""

    session_id: UUID = Field(examples=["0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"])


class IssuerIn(Shape):
    """Somebody who bears coupons."""

    name: Name
    is_merchant: bool = Field(examples=[True])
    """It owes us what its coupons take off; else the operator bears them."""
    budget_fen: int | None = Field(default=None, ge=0, le=10_000_000_000, examples=[100_000])
    """Null: without limit."""
    gives_kind: Literal["minutes", "percent", "amount"] | None = Field(default=None, examples=["minutes"])
    gives_value: int | None = Field(default=None, ge=1, le=100_000_000, examples=[60])
    """What one validation gives; null: it gets no key."""
    lots: list[LotCode] = Field(default=[], max_length=100, examples=[["KL"]])


class IssuerOut(IssuerIn):
    """Somebody who bears coupons, and what they have come to."""

    id: int
    used_fen: int
    validations: int
    added_by: str
    ended_by: str | None

    @classmethod
    def of(cls, one: Issuer) -> Self:
        """The issuer in JSON's types."""
        kind, value = one.terms.gives or (None, None)
        return cls(
            id=one.id,
            name=one.terms.name,
            is_merchant=one.terms.is_merchant,
            budget_fen=one.terms.budget_fen,
            gives_kind=kind,
            gives_value=value,
            lots=list(one.terms.lots),
            used_fen=one.used_fen,
            validations=one.validations,
            added_by=one.added_by,
            ended_by=one.ended_by,
        )


class IssuerMadeOut(Shape):
    """The new issuer, and its key."""

    issuer: IssuerOut
    key: str | None
    """Shown this once; null where it validates nothing."""


@router.get("/coupons", responses=responses(401, 422))
async def read_coupons(
    db: Db, _person: AnyRole, limit: Annotated[int, Query(ge=1, le=1_000, description="At most so many.")] = 200
) -> list[CouponRowOut]:
    """Coupons, the newest first."""
    return [CouponRowOut.of(one) for one in await list_coupons(db, limit=limit)]


@router.post("/coupons", status_code=201, responses=responses(401, 403, 404, 422))
async def make_coupon(body: CouponIssueIn, person: Finance, db: Db, now: Now) -> CouponRowOut:
    """Make a coupon; its code opens it for whoever has it."""
    coupon = Coupon(kind=body.kind, value=body.value, until=body.until, bearer=body.bearer)
    valid_to = now + timedelta(days=body.days)
    code = await issue_coupon(
        db,
        coupon,
        lots=body.lots,
        valid_to=valid_to,
        after_payment=not body.only_before_bill,
        actor=person.login,
        at=now,
    )
    after = {"kind": body.kind, "value": body.value, "bearer": body.bearer}
    await write_audit(db, person.entry("coupon.issued", f"coupon:{code}", after=after))
    made = Issued(code=code, coupon=coupon, valid_to=valid_to, session_id=None, worth_fen=0, withdrawn_by=None)
    return CouponRowOut.of(made)


@router.post("/coupons/{code}/attach", status_code=204, responses=responses(401, 403, 404, 409, 422))
async def give_coupon(code: CouponCode, body: AttachIn, person: Office, db: Db, now: Now) -> None:
    """Give a coupon to a stay; a billed one is billed once more, and what was paid too much goes back."""
    await attach_coupon(db, code, body.session_id, actor=person.login, at=now)
    after = {"session": str(body.session_id)}
    await write_audit(db, person.entry("coupon.attached", f"coupon:{code}", after=after))


@router.post("/coupons/{code}/detach", status_code=204, responses=responses(401, 403, 404, 409, 422))
async def take_coupon_off(code: CouponCode, person: Office, db: Db, now: Now) -> None:
    """Take a coupon off its stay, unless the stay was paid with it."""
    await detach_coupon(db, code, at=now)
    await write_audit(db, person.entry("coupon.detached", f"coupon:{code}"))


@router.post("/coupons/{code}/withdraw", status_code=204, responses=responses(401, 403, 404, 409, 422))
async def withdraw(code: CouponCode, person: Finance, db: Db, now: Now) -> None:
    """Let nobody use a coupon any more."""
    await withdraw_coupon(db, code, actor=person.login, at=now)
    await write_audit(db, person.entry("coupon.withdrawn", f"coupon:{code}"))


@router.get("/coupon-issuers", responses=responses(401))
async def read_issuers(db: Db, _person: AnyRole) -> list[IssuerOut]:
    """Who gives or gave coupons, their budgets and what was used of them."""
    return [IssuerOut.of(one) for one in await list_issuers(db)]


@router.post("/coupon-issuers", status_code=201, responses=responses(401, 403, 404, 409, 422))
async def let_issue(body: IssuerIn, person: Finance, db: Db, now: Now) -> IssuerMadeOut:
    """Let a merchant or a campaign give coupons; a key that validates stays is shown this once."""
    terms = IssuerTerms.of(
        name=body.name,
        is_merchant=body.is_merchant,
        budget_fen=body.budget_fen,
        gives_kind=body.gives_kind,
        gives_value=body.gives_value,
        lots=body.lots,
    )
    made, key = await add_issuer(db, terms, actor=person.login, at=now)
    after = body.model_dump(exclude={"name"})
    await write_audit(db, person.entry("issuer.added", f"issuer:{made.id}", after=after))
    return IssuerMadeOut(issuer=IssuerOut.of(made), key=key)


@router.post("/coupon-issuers/{number}/end", responses=responses(401, 403, 404, 422))
async def end_issuing(
    number: Annotated[
        int, Path(ge=SMALLEST, le=LARGEST, description="The issuer's.", openapi_examples={"one": {"value": 1}})
    ],
    person: Finance,
    db: Db,
    now: Now,
) -> IssuerOut:
    """End an issuer: its key validates no more, its coupons that are on no stay are withdrawn."""
    ended = IssuerOut.of(await end_issuer(db, number, actor=person.login, at=now))
    await write_audit(db, person.entry("issuer.ended", f"issuer:{number}"))
    return ended

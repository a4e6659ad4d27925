"""Coupons on a stay: a driver types a code, a merchant pays its part by its own key."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field

from api.deps import Db, Now, TheParts, caller_of, spend
from api.limits import BAD_KEYS, COUPON_CODES, VALIDATIONS
from api.problems import responses
from api.sessions import SessionUuid
from api.shapes import Shape
from billing.coupons import Coupon, CouponKind
from billing.giving import attach_coupon, fetch_coupon
from billing.issuers import find_issuer_by_key, validate_space
from core.audit import AuditEntry, write_audit
from core.clock import rfc3339
from core.errors import UnauthenticatedError

router = APIRouter(prefix="/api/v1", tags=["payments"])

_key = HTTPBearer(auto_error=False, description="A merchant's key, from `parking coupon issuer add`.")


class CouponIn(Shape):
    """What is printed on the coupon."""

    code: str = Field(min_length=8, max_length=32, pattern=r"^[0-9a-fA-F -]+$", examples=["9f2c41d07ab35e66"])
    """Upper case, blanks and dashes are forgiven."""


class CouponOut(Shape):
    """What is on the stay now; the fee says what it came to."""

    kind: CouponKind = Field(examples=["minutes"])
    value: int = Field(examples=[60])
    """Minutes, percent off, or fen."""
    until: str | None = Field(json_schema_extra={"format": "date-time"})
    """Of `free_until`."""
    bearer: str = Field(examples=["茶馆"])

    @classmethod
    def of(cls, coupon: Coupon) -> "CouponOut":
        """The coupon in JSON's types."""
        until = rfc3339(coupon.until) if coupon.until else None
        return cls(kind=coupon.kind, value=coupon.value, until=until, bearer=coupon.bearer)


class ValidationIn(Shape):
    """For whom the merchant pays its part."""

    space: str = Field(max_length=64, pattern=r"^[^\x00]+$", examples=["KL-017"])
    """The number on the space where the customer stands."""


class ValidationOut(Shape):
    """What the stay on that space has now."""

    space: str = Field(examples=["KL-017"])
    kind: Literal["minutes", "percent", "amount"] = Field(examples=["minutes"])
    value: int = Field(examples=[60])


@router.post("/sessions/{session_id}/coupons", status_code=201, responses=responses(404, 409, 422, 429))
async def use_coupon(*, request: Request, session_id: SessionUuid, body: CouponIn, db: Db, now: Now) -> CouponOut:
    """Put a coupon on a stay; again on the same one changes nothing.

    A stay that is billed is billed once more, and what was paid too much goes back, unless the coupon is only for
    stays that are not. A code of no coupon and a stay that is none are told apart from nothing else.
    """
    spend(request, COUPON_CODES)
    code = body.code.replace(" ", "").replace("-", "").lower()
    await attach_coupon(db, code, session_id, actor="driver", at=now)
    entry = AuditEntry(
        at=now,
        actor="driver",
        action="coupon.attached",
        subject=f"coupon:{code}",
        request_id=request.state.request_id,
        after={"session": str(session_id)},
    )
    await write_audit(db, entry)
    return CouponOut.of(await fetch_coupon(db, code))


@router.post("/merchant/validations", status_code=201, responses=responses(401, 404, 409, 422, 429))
async def validate_stay(
    *,
    request: Request,
    parts: TheParts,
    body: ValidationIn,
    now: Now,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_key)] = None,
) -> ValidationOut:
    """A merchant pays its part for whoever stands on a space now: once for each stay, as long as its budget lasts.

    What one validation gives was agreed when the key was made. Nothing is said of the vehicle, of when it came or of
    what it owes.
    """
    if bearer is None:
        raise UnauthenticatedError("a merchant's key is needed: Authorization: Bearer ...")
    async with parts.database.transaction() as db:
        issuer = await find_issuer_by_key(db, bearer.credentials)
    if issuer is None:
        spend(request, BAD_KEYS, caller_of(request))
        raise UnauthenticatedError("this key is unknown, or its merchant validates no more")
    spend(request, VALIDATIONS, f"merchant:{issuer.id}")
    async with parts.database.transaction() as db:
        given = await validate_space(db, issuer, body.space, at=now)
        entry = AuditEntry(
            at=now,
            actor=f"merchant:{issuer.id}",
            action="stay.validated",
            subject=f"space:{body.space}",
            request_id=request.state.request_id,
            after={"kind": given.kind, "value": given.value},
        )
        await write_audit(db, entry)
    return ValidationOut.model_validate({"space": body.space, "kind": given.kind, "value": given.value})

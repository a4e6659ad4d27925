"""Giving money back and giving it up, by people: with a reason, an author, and a second person above a sum."""

from dataclasses import asdict
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.deps import Db, Now, TheParts
from api.door import LoggedIn, role
from api.idempotency import RepeatKey
from api.operator.deciding import decide_once
from api.problems import responses
from api.shapes import Shape
from billing.by_hand import RefundView, ask_refund, decide, list_refunds, pay_out, try_again, waive
from core.audit import write_audit
from core.clock import rfc3339
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator", tags=["operator"])

AN_ID: Final = {"one": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}
LARGEST_FEN: Final = 100_000_000

Finance = Annotated[LoggedIn, role(Role.FINANCE)]
PaymentUuid = Annotated[UUID, Path(description="The payment's id.", openapi_examples=AN_ID)]
RefundUuid = Annotated[UUID, Path(description="The refund's id.", openapi_examples=AN_ID)]
SessionUuid = Annotated[UUID, Path(description="The session's id.", openapi_examples=AN_ID)]
RefundStatus = Literal["held", "rejected", "requested", "accepted", "succeeded", "failed", "abnormal"]
Reason = Field(min_length=3, max_length=200, pattern=r"^[^\x00]*$", examples=["charged while the street was closed"])


class RefundIn(Shape):
    """How much of a payment is to go back, and why."""

    amount_fen: int = Field(ge=1, le=LARGEST_FEN, strict=True, examples=[100])
    reason: str = Reason


class ReasonIn(Shape):
    """Why."""

    reason: str = Reason


class WaiverIn(Shape):
    """What is asked for no more, and why."""

    amount_fen: int | None = Field(default=None, ge=1, le=LARGEST_FEN, strict=True, examples=[100])
    """Null: all that is due."""
    reason: str = Reason


class RefundOut(Shape):
    """A refund."""

    id: UUID
    payment_id: UUID
    session_id: UUID | None
    refund_no: str
    """Our number of it at the provider."""
    amount_fen: int
    received_fen: int
    """By the payment, in all."""
    provider: str
    cause: Literal["overpaid", "correction", "operator"]
    reason: str
    requested_by: str = Field(examples=["operator:li"])
    approved_by: str | None
    """Who decided, where it was held."""
    status: RefundStatus
    why: str | None
    """The provider's code, where it could not give it back."""
    is_paid_out: bool
    """By hand, after the provider could not give it back."""
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    changed_at: str = Field(json_schema_extra={"format": "date-time"})


class WaivedOut(Shape):
    """What was given up."""

    session_id: UUID
    waived_fen: int


@router.get("/refunds", responses=responses(401, 403, 422), response_model=list[RefundOut])
async def list_all_refunds(
    db: Db,
    _person: Finance,
    status: Annotated[RefundStatus | None, Query(description="Only these; `held` waits for a second person.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="At most so many.")] = 100,
) -> list[dict[str, Any]]:
    """Refunds, newest first."""
    return [_object(one) for one in await list_refunds(db, status=status, limit=limit)]


@router.get("/payments/{payment_id}/refunds", responses=responses(401, 403, 422), response_model=list[RefundOut])
async def list_refunds_of_payment(db: Db, _person: Finance, payment_id: PaymentUuid) -> list[dict[str, Any]]:
    """The refunds of one payment, newest first."""
    return [_object(one) for one in await list_refunds(db, payment_id=payment_id)]


@router.post(
    "/payments/{payment_id}/refunds",
    status_code=201,
    responses=responses(401, 403, 404, 409, 422),
    response_model=RefundOut,
)
async def refund_payment(
    *, request: Request, parts: TheParts, person: Finance, now: Now, payment_id: PaymentUuid, body: RefundIn,
    key: RepeatKey,
) -> Response:  # fmt: skip
    """Give some or all of a payment back; needs an `Idempotency-Key`, so that a double click is one refund.

    Above the installation's limit (`PARKING_REFUND_LIMIT_FEN`, together with what people gave back of this payment
    before) it is `held` until another person approves it. Never more than what came.
    """

    async def run(db: AsyncConnection) -> dict[str, Any]:
        limit_fen = parts.settings.refund_limit_fen
        by = f"operator:{person.login}"
        view = await ask_refund(db, payment_id, body.amount_fen, reason=body.reason, by=by, limit_fen=limit_fen, at=now)
        after = {"payment_id": str(payment_id), "amount_fen": view.amount_fen, "status": view.status}
        await _audit(db, person, "refund.requested", view, {**after, "reason": body.reason})
        return _object(view)

    return await decide_once(request, parts, f"refund:{person.login}:{payment_id}", key=key, body=body, run=run)


@router.post("/refunds/{refund_id}/approve", responses=responses(401, 403, 404, 409, 422), response_model=RefundOut)
async def approve_refund(db: Db, person: Finance, now: Now, refund_id: RefundUuid, body: ReasonIn) -> dict[str, Any]:
    """A second person lets a held refund go; never the one who asked for it."""
    return await _decided(db, person, refund_id, body, approve=True, now=now)


@router.post("/refunds/{refund_id}/reject", responses=responses(401, 403, 404, 409, 422), response_model=RefundOut)
async def reject_held_refund(
    db: Db, person: Finance, now: Now, refund_id: RefundUuid, body: ReasonIn
) -> dict[str, Any]:
    """A second person refuses a held refund: nothing has moved, nothing will."""
    return await _decided(db, person, refund_id, body, approve=False, now=now)


@router.post("/refunds/{refund_id}/again", responses=responses(401, 403, 404, 409, 422), response_model=RefundOut)
async def try_refund_again(db: Db, person: Finance, now: Now, refund_id: RefundUuid, body: ReasonIn) -> dict[str, Any]:
    """Ask the provider once more, under the same number, for a refund that failed: it cannot go back twice."""
    view = await try_again(db, refund_id, by=f"operator:{person.login}", at=now)
    await _audit(db, person, "refund.tried_again", view, {"amount_fen": view.amount_fen, "reason": body.reason})
    return _object(view)


@router.post("/refunds/{refund_id}/paid-out", responses=responses(401, 403, 404, 409, 422), response_model=RefundOut)
async def pay_refund_out(db: Db, person: Finance, now: Now, refund_id: RefundUuid, body: ReasonIn) -> dict[str, Any]:
    """Say that what the provider could not give back was paid from the bank, by hand."""
    view = await pay_out(db, refund_id, by=f"operator:{person.login}", at=now)
    await _audit(db, person, "refund.paid_out", view, {"amount_fen": view.amount_fen, "reason": body.reason})
    return _object(view)


@router.post(
    "/sessions/{session_id}/waiver",
    status_code=201,
    responses=responses(401, 403, 404, 409, 422),
    response_model=WaivedOut,
)
async def waive_what_is_due(
    *, request: Request, parts: TheParts, person: Finance, now: Now, session_id: SessionUuid, body: WaiverIn,
    key: RepeatKey,
) -> Response:  # fmt: skip
    """Ask no more for what an ended stay owes, or for part of it; needs an `Idempotency-Key`."""

    async def run(db: AsyncConnection) -> dict[str, Any]:
        waived = await waive(db, session_id, body.amount_fen, by=f"operator:{person.login}", at=now)
        after = {"waived_fen": waived, "reason": body.reason}
        await write_audit(db, person.entry("session.waived", f"session:{session_id}", after=after))
        return {"session_id": str(session_id), "waived_fen": waived}

    return await decide_once(request, parts, f"waiver:{person.login}:{session_id}", key=key, body=body, run=run)


async def _decided(
    db: AsyncConnection, person: LoggedIn, refund_id: UUID, body: ReasonIn, *, approve: bool, now: Any
) -> dict[str, Any]:
    view = await decide(db, refund_id, approve=approve, by=f"operator:{person.login}", at=now)
    action = "refund.approved" if approve else "refund.rejected"
    await _audit(db, person, action, view, {"amount_fen": view.amount_fen, "reason": body.reason})
    return _object(view)


async def _audit(db: AsyncConnection, person: LoggedIn, action: str, view: RefundView, after: dict[str, Any]) -> None:
    await write_audit(db, person.entry(action, f"refund:{view.id}", after=after))


def _object(view: RefundView) -> dict[str, Any]:
    return {
        **asdict(view),
        "id": str(view.id),
        "payment_id": str(view.payment_id),
        "session_id": str(view.session_id) if view.session_id else None,
        "created_at": rfc3339(view.created_at),
        "changed_at": rfc3339(view.changed_at),
    }

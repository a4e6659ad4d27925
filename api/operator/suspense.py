"""Money that answers to nothing: what waits, and how people let it go, with a second person above a sum."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.deps import Db, Now, TheParts
from api.door import LoggedIn, role
from api.idempotency import RepeatKey
from api.operator.deciding import decide_once
from api.problems import responses
from api.shapes import Shape
from billing.ledger.suspense import Decision, decide_held, decide_suspense, list_held, list_suspense
from core.audit import write_audit
from core.clock import rfc3339
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator/suspense", tags=["operator"])

LARGEST_ID: Final = 2**63 - 1

Finance = Annotated[LoggedIn, role(Role.FINANCE)]
EntryId = Annotated[
    int,
    Path(ge=1, le=LARGEST_ID, description="The entry by which it came.", openapi_examples={"one": {"value": 17}}),
]
DecisionId = Annotated[
    UUID,
    Path(
        description="The decision's id.",
        openapi_examples={"one": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}},
    ),
]
Reason = Field(min_length=3, max_length=200, pattern=r"^[^\x00]*$", examples=["the payer showed the bank's slip"])


class SuspenseOut(Shape):
    """Money that waits."""

    entry_id: int
    posted_at: str = Field(json_schema_extra={"format": "date-time"})
    provider: str
    transaction_id: str
    payment_id: UUID | None
    """Null: it came for no order of ours."""
    session_id: UUID | None
    amount_fen: int
    """What is left of it, in the smallest unit of its currency."""
    currency: str = Field(examples=["CNY"])


class DecisionIn(Shape):
    """What is to become of it, and why."""

    outcome: Literal["stay", "paid-out"] = Field(examples=["stay"])
    """`stay`: it counts, and pays what its stay owes. `paid-out`: it was given back from the bank, by hand."""
    reason: str = Reason


class ReasonIn(Shape):
    """Why."""

    reason: str = Reason


class DecisionOut(Shape):
    """A decision."""

    id: UUID
    entry_id: int
    outcome: Literal["stay", "paid-out"]
    amount_fen: int
    reason: str
    requested_by: str = Field(examples=["operator:li"])
    decided_by: str | None
    """The second person, where it was held."""
    status: Literal["held", "rejected", "done"]
    created_at: str = Field(json_schema_extra={"format": "date-time"})


@router.get("", responses=responses(401, 403), response_model=list[SuspenseOut])
async def list_money_in_suspense(db: Db, _person: Finance) -> list[dict[str, Any]]:
    """Money that answers to nothing yet, what waits longest first.

    It is of another amount or currency than was asked for, or came for no order of ours. What its provider can give
    back is refunded like any payment.
    """
    return [asdict(one) | {"posted_at": _text(one.posted_at)} for one in await list_suspense(db)]


@router.get("/held", responses=responses(401, 403), response_model=list[DecisionOut])
async def list_held_decisions(db: Db, _person: Finance) -> list[dict[str, Any]]:
    """Decisions that wait for a second person, oldest first."""
    return [_object(one) for one in await list_held(db)]


@router.post("/{entry_id}", status_code=201, responses=responses(401, 403, 404, 409, 422), response_model=DecisionOut)
async def decide_money_in_suspense(
    *, request: Request, parts: TheParts, person: Finance, now: Now, entry_id: EntryId, body: DecisionIn,
    key: RepeatKey,
) -> Response:  # fmt: skip
    """Let it pay its stay, or say that it was given back from the bank; needs an `Idempotency-Key`.

    Above the installation's limit (`PARKING_REFUND_LIMIT_FEN`) it is `held` until another person approves it.
    """

    async def run(db: AsyncConnection) -> dict[str, Any]:
        limit_fen = parts.settings.refund_limit_fen
        by = f"operator:{person.login}"
        decision = await decide_suspense(
            db, entry_id, body.outcome, reason=body.reason, by=by, limit_fen=limit_fen, at=now
        )
        await _audit(db, person, "suspense.decided", decision, body.reason)
        return _object(decision)

    return await decide_once(request, parts, f"suspense:{person.login}:{entry_id}", key=key, body=body, run=run)


@router.post(
    "/decisions/{decision_id}/approve", responses=responses(401, 403, 404, 409, 422), response_model=DecisionOut
)
async def approve_held_decision(
    db: Db, person: Finance, now: Now, decision_id: DecisionId, body: ReasonIn
) -> dict[str, Any]:
    """A second person agrees to a held decision; never the one who asked for it."""
    return await _second(db, person, decision_id, body, approve=True, now=now)


@router.post(
    "/decisions/{decision_id}/reject", responses=responses(401, 403, 404, 409, 422), response_model=DecisionOut
)
async def reject_held_decision(
    db: Db, person: Finance, now: Now, decision_id: DecisionId, body: ReasonIn
) -> dict[str, Any]:
    """A second person refuses a held decision: nothing has moved, nothing will."""
    return await _second(db, person, decision_id, body, approve=False, now=now)


async def _second(
    db: AsyncConnection, person: LoggedIn, decision_id: UUID, body: ReasonIn, *, approve: bool, now: datetime
) -> dict[str, Any]:
    decision = await decide_held(db, decision_id, approve=approve, by=f"operator:{person.login}", at=now)
    await _audit(db, person, "suspense.approved" if approve else "suspense.rejected", decision, body.reason)
    return _object(decision)


async def _audit(db: AsyncConnection, person: LoggedIn, action: str, decision: Decision, reason: str) -> None:
    after = {
        "decision": str(decision.id),
        "outcome": decision.outcome,
        "amount_fen": decision.amount_fen,
        "status": decision.status,
        "reason": reason,
    }
    await write_audit(db, person.entry(action, f"entry:{decision.entry_id}", after=after))


def _object(decision: Decision) -> dict[str, Any]:
    return asdict(decision) | {"id": str(decision.id), "created_at": _text(decision.created_at)}


def _text(at: datetime) -> str:
    return rfc3339(at)

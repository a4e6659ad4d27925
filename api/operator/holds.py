"""Bills that wait for a person: listed, and let go with a reason."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from api.deps import Db, Now
from api.door import AnyRole, LoggedIn, role
from api.problems import responses
from api.shapes import Shape
from billing.holds import Held, Reason, list_held, release_bill
from core.audit import write_audit
from core.clock import rfc3339
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator/held-bills", tags=["operator"])

EXAMPLE = {"a session": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}


class HeldOut(Shape):
    """A bill on thin evidence: it may be paid, but becomes no arrears before somebody has released it."""

    session_id: str = Field(json_schema_extra={"format": "uuid"})
    space_code: str
    lot_id: str
    entered_at: str = Field(json_schema_extra={"format": "date-time"})
    left_at: str | None = Field(json_schema_extra={"format": "date-time"})
    total_fen: int
    reasons: list[Reason]
    held_at: str = Field(json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, held: Held) -> "HeldOut":
        """The bill in JSON's types."""
        return cls(
            session_id=str(held.session_id),
            space_code=held.space_code,
            lot_id=held.lot_code,
            entered_at=rfc3339(held.entered_at),
            left_at=rfc3339(held.left_at) if held.left_at else None,
            total_fen=held.total_fen,
            reasons=list(held.reasons),
            held_at=rfc3339(held.held_at),
        )


class ReleaseIn(Shape):
    """What the evidence shows."""

    reason: str = Field(min_length=3, max_length=200, pattern=r"^[^\x00]*$", examples=["the photo shows it"])


@router.get("", responses=responses(401, 422))
async def read_held_bills(
    db: Db, _person: AnyRole, limit: Annotated[int, Query(ge=1, le=500, description="At most so many.")] = 100
) -> list[HeldOut]:
    """Current bills that wait for a person, those held longest first."""
    return [HeldOut.of(one) for one in await list_held(db, limit=limit)]


@router.post("/{session_id}/release", responses=responses(401, 403, 404, 409, 422))
async def release_held_bill(
    session_id: Annotated[UUID, Path(description="Of the session.", openapi_examples=EXAMPLE)],
    body: ReleaseIn,
    person: Annotated[LoggedIn, role(Role.FINANCE, Role.OPERATOR)],
    db: Db,
    now: Now,
) -> HeldOut:
    """Let a session's bill go its way; what was seen stays in the audit."""
    held = await release_bill(db, session_id, reason=body.reason, actor=person.login, at=now)
    before = {"reasons": list(held.reasons), "total_fen": held.total_fen}
    entry = person.entry("bill.released", f"session:{session_id}", before=before, after={"reason": body.reason})
    await write_audit(db, entry)
    return HeldOut.of(held)

"""Arrears as the operator sees them: listed, answered when disputed, given up with a reason and an author."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from api.deps import Db, Now, TheParts
from api.door import LoggedIn, role
from api.problems import responses
from api.shapes import Shape
from billing.arrears.settling import ShownDebt, Which, answer_dispute, fetch_open, list_open
from billing.by_hand import waive
from core.audit import write_audit
from core.clock import rfc3339
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator/arrears", tags=["operator"])

EXAMPLE = {"a debt": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}
ArrearUuid = Annotated[UUID, Path(description="Of the debt.", openapi_examples=EXAMPLE)]
Collector = Annotated[LoggedIn, role(Role.FINANCE, Role.OPERATOR)]


class ShownDebtOut(Shape):
    """A debt that is not settled."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    session_id: str = Field(json_schema_extra={"format": "uuid"})
    plate: str | None = Field(examples=["浙D·1**45"])
    """Masked; null: nobody knows who it was."""
    colour: str | None = Field(examples=["blue"])
    lot_id: str
    space_code: str
    entered_at: str = Field(json_schema_extra={"format": "date-time"})
    left_at: str = Field(json_schema_extra={"format": "date-time"})
    made_at: str = Field(json_schema_extra={"format": "date-time"})
    amount_fen: int
    disputed_at: str | None = Field(json_schema_extra={"format": "date-time"})
    dispute: str | None
    answered_by: str | None
    answer: str | None

    @classmethod
    def of(cls, one: ShownDebt) -> "ShownDebtOut":
        """The debt in JSON's types."""
        return cls(
            id=str(one.id),
            session_id=str(one.session_id),
            plate=one.plate,
            colour=one.colour,
            lot_id=one.lot_code,
            space_code=one.space_code,
            entered_at=rfc3339(one.entered_at),
            left_at=rfc3339(one.left_at),
            made_at=rfc3339(one.made_at),
            amount_fen=one.amount_fen,
            disputed_at=rfc3339(one.disputed_at) if one.disputed_at else None,
            dispute=one.dispute,
            answered_by=one.answered_by,
            answer=one.answer,
        )


class AnswerIn(Shape):
    """Why the debt stands."""

    answer: str = Field(min_length=3, max_length=500, pattern=r"^[^\x00]*$", examples=["the photo shows the vehicle"])


class WaiveDebtIn(Shape):
    """Why it is given up."""

    reason: str = Field(min_length=3, max_length=200, pattern=r"^[^\x00]*$", examples=["sold in March"])


@router.get("", responses=responses(401, 403, 422))
async def read_arrears(
    db: Db,
    parts: TheParts,
    _person: Collector,
    which: Annotated[Which, Query(description="Of vehicles that were seen, of nobody known, or disputed.")] = "arrears",
    limit: Annotated[int, Query(ge=1, le=1_000, description="At most so many.")] = 200,
) -> list[ShownDebtOut]:
    """Debts that are not settled, oldest first. Whoever sends reminders leaves out those that are disputed."""
    return [ShownDebtOut.of(one) for one in await list_open(db, parts.plates, which=which, limit=limit)]


@router.post("/{arrear_id}/answer", responses=responses(401, 403, 404, 409, 422))
async def answer_debt_dispute(
    *, arrear_id: ArrearUuid, body: AnswerIn, person: Collector, parts: TheParts, db: Db, now: Now
) -> ShownDebtOut:
    """Answer a dispute: the debt stands. One that does not stand is waived."""
    await answer_dispute(db, arrear_id, body.answer, by=person.login, at=now)
    shown = await fetch_open(db, parts.plates, arrear_id)
    await write_audit(db, person.entry("arrear.answered", f"session:{shown.session_id}", after={"answer": body.answer}))
    return ShownDebtOut.of(shown)


@router.post("/{arrear_id}/waive", responses=responses(401, 403, 404, 409, 422))
async def waive_debt(
    *, arrear_id: ArrearUuid, body: WaiveDebtIn, person: Collector, parts: TheParts, db: Db, now: Now
) -> ShownDebtOut:
    """Give up a debt, all that is left of it, with a reason; the author stays in the audit and in the journal."""
    shown = await fetch_open(db, parts.plates, arrear_id)
    fen = await waive(db, shown.session_id, None, by=f"operator:{person.login}", at=now)
    after = {"amount_fen": fen, "reason": body.reason}
    await write_audit(db, person.entry("arrear.waived", f"session:{shown.session_id}", after=after))
    return ShownDebtOut.of(shown)

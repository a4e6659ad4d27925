"""What a plate owes: asked for with the plate alone, paid without a word of place or time, or disputed."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.deps import Db, Now, TheParts, caller_of, spend
from api.idempotency import Repeatable, RepeatKey, answer_once, fingerprint_of
from api.limits import ARREARS, DISPUTES, PAYMENTS
from api.parts import Parts
from api.payment_shapes import PaymentIn, PaymentOut, payment_object
from api.problems import responses
from api.shapes import Shape
from billing.arrears.asking import dispute, fetch_session_of, list_debts
from billing.payments.opening import open_payment
from billing.plates import PlatesNotConfiguredError
from core.audit import AuditEntry, write_audit
from core.plate import parse_plate

AN_ARREAR: Final = {"a debt": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}
ArrearUuid = Annotated[UUID, Path(description="As `query` answered it.", openapi_examples=AN_ARREAR)]
Colour = Literal["blue", "yellow", "green", "yellow-green", "white", "black"]

router = APIRouter(prefix="/api/v1/arrears", tags=["arrears"])


class DebtsIn(Shape):
    """Whose debts are asked for."""

    model_config = ConfigDict(extra="forbid")

    plate: str = Field(max_length=24, examples=["浙D12345"])
    """The whole plate."""
    colour: Colour | None = Field(default=None, examples=["blue"])
    """Of the plate: two vehicles may have one number on plates of two colours."""


class DebtOut(Shape):
    """One debt; it does not tell where or when."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    amount_fen: int = Field(examples=[600])
    disputed: bool
    """Somebody denies it and nobody has answered yet; it may still be paid."""


class DebtsOut(Shape):
    """What a vehicle owes, oldest first."""

    currency: str = Field(examples=["CNY"])
    total_fen: int = Field(examples=[600])
    debts: list[DebtOut]


class DisputeIn(Shape):
    """Why it is not owed."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=3, max_length=500, pattern=r"^[^\x00]*$", examples=["I sold this car in March"])


class DisputeOut(Shape):
    """A person will look at it; until then nobody is reminded."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    status: Literal["disputed"]


@router.post("/query", responses=responses(422, 429, 503), response_model=DebtsOut)
async def query_debts(request: Request, response: Response, body: DebtsIn, parts: TheParts, db: Db) -> dict[str, Any]:
    """What a plate owes, oldest first: amounts alone. A plate nobody knows owes nothing, in the same words."""
    spend(request, ARREARS)
    response.headers["Cache-Control"] = "no-store"
    return await debts_of(parts, db, body)


@router.post(
    "/{arrear_id}/payments",
    status_code=201,
    response_model=PaymentOut,
    responses=responses(404, 409, 422, 429, 503),
)
async def begin_debt_payment(
    *, request: Request, parts: TheParts, arrear_id: ArrearUuid, body: PaymentIn, key: RepeatKey
) -> Response:
    """Begin to pay a debt; needs an `Idempotency-Key`. As for a session, but the answer names none."""
    spend(request, PAYMENTS)
    body.refuse_if_incomplete()
    asked = Repeatable(
        request=request,
        database=parts.database,
        scope=f"arrear:{arrear_id}",
        key=key,
        fingerprint=fingerprint_of(body.model_dump()),
    )

    async def run() -> tuple[int, dict[str, Any]]:
        return 201, await pay_debt(request, parts, arrear_id, body, device_key_id=None)

    return await answer_once(asked, run)


@router.post("/{arrear_id}/dispute", status_code=202, responses=responses(404, 409, 422, 429))
async def dispute_debt(request: Request, arrear_id: ArrearUuid, body: DisputeIn, db: Db, now: Now) -> DisputeOut:
    """Say that a debt is not owed: a person looks at it, and nobody is reminded meanwhile."""
    spend(request, DISPUTES)
    await keep_dispute(db, arrear_id, body.reason, actor="driver", at=now)
    return DisputeOut(id=str(arrear_id), status="disputed")


async def debts_of(parts: Parts, db: AsyncConnection, body: DebtsIn) -> dict[str, Any]:
    """The answer to whoever asks what a plate owes."""
    if parts.plates is None:
        raise PlatesNotConfiguredError("plates are not taken here: PARKING_PLATE_KEY is not set")
    debts = await list_debts(db, parts.plates, parse_plate(body.plate), colour=body.colour)
    return {
        "currency": "CNY",
        "total_fen": sum(debt.amount_fen for debt in debts if not debt.is_disputed),
        "debts": [{"id": str(debt.id), "amount_fen": debt.amount_fen, "disputed": debt.is_disputed} for debt in debts],
    }


async def pay_debt(
    request: Request, parts: Parts, arrear_id: UUID, body: PaymentIn, *, device_key_id: int | None
) -> dict[str, Any]:
    """A payment of a debt in JSON's types."""
    async with parts.database.transaction() as db:
        session_id = await fetch_session_of(db, arrear_id)
    view = await open_payment(
        parts.till,
        session_id,
        body.the_channel,
        payer_id=body.payer_id,
        payer_ip=caller_of(request),
        return_url=f"{parts.public_url.rstrip('/')}{body.return_path}" if body.return_path else None,
        device_key_id=device_key_id,
        close_others=body.close_others,
        arrear_id=arrear_id,
    )
    return payment_object(view)


async def keep_dispute(db: AsyncConnection, arrear_id: UUID, reason: str, *, actor: str, at: Any) -> None:
    """Keep it, and who said it."""
    await dispute(db, arrear_id, reason, at=at)
    entry = AuditEntry(
        at=at, actor=actor, action="arrear.disputed", subject=f"arrear:{arrear_id}", after={"reason": reason}
    )
    await write_audit(db, entry)

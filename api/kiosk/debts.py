"""What a plate owes, at a kiosk: the same three routes, in the kiosk's own name and limits."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.debts import ArrearUuid, DebtsIn, DebtsOut, DisputeIn, DisputeOut, debts_of, keep_dispute, pay_debt
from api.deps import Db, Now, TheParts, spend
from api.idempotency import Repeatable, RepeatKey, answer_once, fingerprint_of
from api.kiosk.door import TIME, Kiosk, timed
from api.kiosk.paying import KioskPaymentIn, KioskPaymentOut
from api.limits import ARREARS, DISPUTES
from api.payment_shapes import PaymentIn
from api.problems import responses

router = APIRouter(prefix="/arrears")


class KioskDebtsOut(DebtsOut):
    """What a vehicle owes, oldest first."""

    server_time: str = TIME


class KioskDisputeOut(DisputeOut):
    """A person will look at it."""

    server_time: str = TIME


@router.post("/query", responses=responses(401, 422, 429, 503), response_model=KioskDebtsOut)
async def query_debts_at_kiosk(
    request: Request, kiosk: Kiosk, body: DebtsIn, parts: TheParts, db: Db
) -> dict[str, Any]:
    """What a plate owes: amounts alone, oldest first."""
    spend(request, ARREARS, f"device:{kiosk.id}")
    return timed(await debts_of(parts, db, body))


@router.post(
    "/{arrear_id}/payments",
    status_code=201,
    response_model=KioskPaymentOut,
    responses=responses(401, 404, 409, 422, 429, 503),
)
async def begin_debt_payment_at_kiosk(
    *, request: Request, kiosk: Kiosk, parts: TheParts, arrear_id: ArrearUuid, body: KioskPaymentIn, key: RepeatKey
) -> Response:
    """Begin to pay a debt by scanning a code."""
    asked = Repeatable(
        request=request,
        database=parts.database,
        scope=f"kiosk-arrear:{kiosk.id}:{arrear_id}",
        key=key,
        fingerprint=fingerprint_of(body.model_dump()),
    )

    async def run() -> tuple[int, dict[str, Any]]:
        wish = PaymentIn(channel=body.channel, close_others=True)
        payment = await pay_debt(request, parts, arrear_id, wish, device_key_id=kiosk.id)
        return 201, timed({"payment": payment})

    return await answer_once(asked, run)


@router.post(
    "/{arrear_id}/dispute",
    status_code=202,
    responses=responses(401, 404, 409, 422, 429),
    response_model=KioskDisputeOut,
)
async def dispute_debt_at_kiosk(
    *, request: Request, kiosk: Kiosk, arrear_id: ArrearUuid, body: DisputeIn, db: Db, now: Now
) -> dict[str, Any]:
    """Say that a debt is not owed: a person looks at it, and nobody is reminded meanwhile."""
    spend(request, DISPUTES, f"device:{kiosk.id}")
    await keep_dispute(db, arrear_id, body.reason, actor=f"device:{kiosk.id}", at=now)
    return timed({"id": str(arrear_id), "status": "disputed"})

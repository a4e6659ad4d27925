"""Paying for a session: an attempt, its state, and its state as it changes."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.responses import Response, StreamingResponse

from api.deps import CountedRead, Db, TheParts, caller_of, spend
from api.idempotency import Repeatable, RepeatKey, answer_once, fingerprint_of
from api.limits import PAYMENTS
from api.live import EVENT_STREAM
from api.payment_shapes import PaymentIn, PaymentOut, payment_object
from api.problems import responses
from billing.payments.opening import open_payment
from billing.payments.views import fetch_view

A_SESSION: Final = {"a session": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}
A_PAYMENT: Final = {"a payment": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}
EXAMPLE: Final = """event: payment
data: {"id":"0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10","status":"paid","amount_fen":600,"received_fen":600}

"""

AN_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"event": {"const": "payment"}, "data": {"type": "string"}},
    "required": ["event", "data"],
}
"""Of each event; its data is the payment as JSON."""

SessionUuid = Annotated[UUID, Path(description="As `/spaces/{code}/session` names it.", openapi_examples=A_SESSION)]
PaymentUuid = Annotated[UUID, Path(description="As it was answered.", openapi_examples=A_PAYMENT)]

router = APIRouter(prefix="/api/v1", tags=["payments"])


@router.post(
    "/sessions/{session_id}/payments",
    status_code=201,
    response_model=PaymentOut,
    responses=responses(404, 409, 422, 429, 503),
)
async def begin_payment(
    *, request: Request, parts: TheParts, session_id: SessionUuid, body: PaymentIn, key: RepeatKey
) -> Response:
    """Begin to pay what a session owes now; needs an `Idempotency-Key`.

    The amount is the session's own: a body that names one is refused. An attempt that still fits is answered
    again rather than doubled; one whose fee has risen is closed first, and if it was paid after all, it counts as part
    payment. Nothing due: 409 `nothing-due`. A provider that does not answer leaves the payment `unknown`: it is
    followed, and the code comes with `/payments/{id}/events` as soon as there is one.
    """
    spend(request, PAYMENTS)
    asked = Repeatable(
        request=request,
        database=parts.database,
        scope=f"pay:{session_id}",
        key=key,
        fingerprint=fingerprint_of(body.model_dump()),
    )

    async def run() -> tuple[int, dict[str, Any]]:
        body.refuse_if_incomplete()
        view = await open_payment(
            parts.till,
            session_id,
            body.the_channel,
            payer_id=body.payer_id,
            payer_ip=caller_of(request),
            return_url=f"{parts.public_url.rstrip('/')}{body.return_path}" if body.return_path else None,
            close_others=body.close_others,
        )
        return 201, payment_object(view)

    return await answer_once(asked, run)


@router.get(
    "/payments/{payment_id}",
    response_model=PaymentOut,
    responses=responses(404, 422, 429),
    dependencies=[CountedRead],
)
async def read_payment(payment_id: PaymentUuid, db: Db, response: Response) -> dict[str, Any]:
    """What became of a payment. `unknown` is no failure: it may still be paid, and nobody should pay again yet."""
    response.headers["Cache-Control"] = "no-store"
    return payment_object(await fetch_view(db, payment_id))


@router.get(
    "/payments/{payment_id}/events",
    response_class=StreamingResponse,
    responses={
        200: {"content": {EVENT_STREAM: {"schema": AN_EVENT, "example": EXAMPLE}}},
        **responses(404, 422, 429, 503),
    },
    dependencies=[CountedRead],
)
async def follow_payment(payment_id: PaymentUuid, parts: TheParts) -> StreamingResponse:
    """Server-sent events: `payment` with the body of `/payments/{id}`, now and at each change, within a second of it.

    The stream ends after a final state (`paid`, `closed`, `failed`, `refunded`); a payment that is paid late or
    refunded afterwards is read with `/payments/{id}`. Comments show that the connection lives.
    """
    parts.waiting.refuse_if_full()
    async with parts.database.transaction() as db:
        await fetch_view(db, payment_id)
    return StreamingResponse(
        parts.waiting.watch(parts.database, payment_id),
        media_type=EVENT_STREAM,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )

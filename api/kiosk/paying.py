"""Paying at a kiosk: a code on its screen, watched until it is paid, and the receipt."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import ConfigDict, Field
from sqlalchemy import select
from starlette.responses import Response

from api.deps import Db, Now, TheParts, caller_of
from api.door import now as real_now
from api.idempotency import Repeatable, RepeatKey, answer_once, fingerprint_of
from api.kiosk.door import TIME, Kiosk, timed
from api.payment_shapes import PLAIN_CHANNELS, PaymentOut, payment_object
from api.problems import responses
from api.shapes import Shape
from billing.kiosks.finding import refuse_not_found_here
from billing.payments.opening import open_payment
from billing.payments.views import PaymentNotFoundError, fetch_view
from billing.receipts import fetch_receipt, issue_for_free_stay, issue_for_payment, sign_token
from core.clock import rfc3339
from core.tables import Payment

A_SESSION: Final = {"a session": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}
A_PAYMENT: Final = {"a payment": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}
FoundHere = Annotated[UUID, Path(description="Found here within half an hour.", openapi_examples=A_SESSION)]

router = APIRouter()


class KioskPaymentIn(Shape):
    """Whose code is to be scanned; a body that names an amount is refused."""

    model_config = ConfigDict(extra="forbid")

    channel: Literal["wechat", "alipay"] = Field(examples=["wechat"])


class KioskPaymentOut(Shape):
    """A payment begun here."""

    server_time: str = TIME
    payment: PaymentOut


class KioskReceiptOut(Shape):
    """What a kiosk prints, or shows as a code."""

    server_time: str = TIME
    number: str = Field(examples=["20261123-7K3QF9XW2M"])
    url: str
    """Where its page is."""
    exit_by: str | None = Field(json_schema_extra={"format": "date-time"})
    token: str
    """Signed proof of about 150 characters, checked without a network with the key of `/api/v1/receipt-key`."""


@router.post(
    "/sessions/{session_id}/payments",
    status_code=201,
    response_model=KioskPaymentOut,
    responses=responses(401, 404, 409, 422, 429, 503),
)
async def begin_kiosk_payment(
    *, request: Request, kiosk: Kiosk, parts: TheParts, session_id: FoundHere, body: KioskPaymentIn, key: RepeatKey
) -> Response:
    """Begin to pay for a stay found here; the code comes as `/api/v1/payments/{id}/code.svg`."""
    asked = Repeatable(
        request=request,
        database=parts.database,
        scope=f"kiosk-pay:{kiosk.id}:{session_id}",
        key=key,
        fingerprint=fingerprint_of(body.model_dump()),
    )

    async def run() -> tuple[int, dict[str, Any]]:
        async with parts.database.transaction() as db:
            await refuse_not_found_here(db, kiosk.id, session_id, at=real_now())
        view = await open_payment(
            parts.till,
            session_id,
            PLAIN_CHANNELS[body.channel],
            payer_id=None,
            payer_ip=caller_of(request),
            return_url=None,
            device_key_id=kiosk.id,
            close_others=True,
        )
        return 201, timed({"payment": payment_object(view)})

    return await answer_once(asked, run)


@router.get("/payments/{payment_id}", responses=responses(401, 404, 422, 429), response_model=KioskPaymentOut)
async def read_kiosk_payment(
    kiosk: Kiosk,
    payment_id: Annotated[UUID, Path(description="Begun here.", openapi_examples=A_PAYMENT)],
    db: Db,
) -> dict[str, Any]:
    """What became of a payment that was begun at this kiosk."""
    mine = select(Payment.id).where(Payment.id == payment_id, Payment.device_key_id == kiosk.id)
    if (await db.execute(mine)).first() is None:
        raise PaymentNotFoundError("no payment of this kiosk has this id", payment_id=str(payment_id))
    return timed({"payment": payment_object(await fetch_view(db, payment_id))})


@router.post(
    "/sessions/{session_id}/receipt", responses=responses(401, 404, 409, 422, 429), response_model=KioskReceiptOut
)
async def make_kiosk_receipt(kiosk: Kiosk, session_id: FoundHere, parts: TheParts, db: Db, now: Now) -> dict[str, Any]:
    """The receipt of the newest payment for a stay found here, or of a stay that cost nothing."""
    await refuse_not_found_here(db, kiosk.id, session_id, at=real_now())
    paid = select(Payment.id).where(
        Payment.session_id == session_id, Payment.status == "paid", Payment.purpose == "stay"
    )
    payment_id = (await db.execute(paid.order_by(Payment.paid_at.desc()).limit(1))).scalar_one_or_none()
    if payment_id is None:
        number = await issue_for_free_stay(db, session_id, at=now)
    else:
        number = await issue_for_payment(db, payment_id, at=now)
    receipt = await fetch_receipt(db, number)
    exit_by = receipt.content.exit_by
    return timed(
        {
            "number": number,
            "url": f"{parts.public_url}/r/{number}",
            "exit_by": rfc3339(exit_by) if exit_by else None,
            "token": sign_token(parts.settings.secret_key.get_secret_value(), receipt),
        }
    )

"""Passes on sale: what there is, an order for a plate, paying for it. No answer depends on what is known of a plate."""

from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from api.deps import CountedRead, Db, Lang, Now, TheParts, Words, caller_of, spend
from api.idempotency import Repeatable, RepeatKey, answer_once, fingerprint_of
from api.limits import ORDERS, PAYMENTS
from api.payment_shapes import PaymentIn, PaymentOut, payment_object
from api.problems import responses
from api.shapes import Shape
from billing.pass_sales.offers import Offer, list_offers
from billing.pass_sales.orders import PassOrderView, fetch_order, make_order
from billing.pass_sales.paying import open_pass_payment
from billing.payments.till import real_now
from billing.plates import PlatesNotConfiguredError
from billing.tariff.words import windows_text
from core.clock import rfc3339
from core.plate import parse_plate

router = APIRouter(prefix="/api/v1/passes", tags=["passes"])

AN_ORDER: Final = {"an order": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}
OrderUuid = Annotated[UUID, Path(description="As it was answered.", openapi_examples=AN_ORDER)]


class OfferOut(Shape):
    """A pass on sale."""

    code: str = Field(examples=["kl-month"])
    name: str = Field(examples=["鼓山路月卡"])
    name_en: str = Field(examples=["Gushan Road, a month"])
    lots: list[str] = Field(examples=[["KL"]])
    """Only there; none: everywhere."""
    days: int = Field(examples=[30])
    windows: str = Field(examples=["任何时间"])
    """When it stands for a stay, in words."""
    price_fen: int = Field(examples=[12_000])

    @classmethod
    def of(cls, offer: Offer, lang: Lang) -> "OfferOut":
        """The offer in JSON's types."""
        terms = offer.terms
        return cls(
            code=terms.code,
            name=terms.name,
            name_en=terms.name_en,
            lots=list(terms.lots),
            days=terms.days,
            windows=windows_text(terms.windows, lang),
            price_fen=terms.price_fen,
        )


class OffersOut(Shape):
    """Everything on sale, the cheapest first."""

    offers: list[OfferOut]


class OrderIn(Shape):
    """Which pass, for which plate, from which day on."""

    offer: str = Field(max_length=48, pattern=r"^[a-z0-9_-]+$", examples=["kl-month"])
    plate: str = Field(max_length=24, examples=["浙D·12345"])
    """Of mainland China; blanks, dots and lower case are forgiven."""
    begins_on: date = Field(examples=["2026-12-01"])
    """Today or a day of the next two months, where the lots are."""


class OrderOut(Shape):
    """An order; whoever has its id may pay it."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    offer: str = Field(examples=["kl-month"])
    plate: str = Field(examples=["浙D·1**45"])
    """Masked."""
    begins_on: date = Field(examples=["2026-12-01"])
    ends_on: date = Field(examples=["2026-12-30"])
    """The last day."""
    price_fen: int = Field(examples=[12_000])
    status: str = Field(examples=["open"])
    """`open`, `paid` or `closed`."""
    expires_at: str = Field(json_schema_extra={"format": "date-time"})
    """Open until then; money that comes later goes back by itself."""
    refunded_fen: int = Field(examples=[0])
    """Given back, or on its way."""

    @classmethod
    def of(cls, order: PassOrderView) -> "OrderOut":
        """The order in JSON's types."""
        return cls(
            id=str(order.id),
            offer=order.offer.terms.code,
            plate=order.plate,
            begins_on=order.begins_on,
            ends_on=order.ends_on,
            price_fen=order.offer.terms.price_fen,
            status="closed" if order.status == "refunded" else order.status,
            expires_at=rfc3339(order.expires_at),
            refunded_fen=order.refunded_fen,
        )


@router.get("/offers", responses=responses(429), dependencies=[CountedRead])
async def read_offers(db: Db, lang: Words) -> OffersOut:
    """Passes that anybody may buy; `windows` in the language asked for."""
    return OffersOut(offers=[OfferOut.of(offer, lang) for offer in await list_offers(db)])


@router.post("/orders", status_code=201, responses=responses(404, 422, 429, 503))
async def order_pass(*, request: Request, parts: TheParts, body: OrderIn, db: Db, now: Now) -> OrderOut:
    """Order a pass for a plate, yours or another's: open for an hour, then to be ordered anew.

    The answer is the same whatever the plate: nobody learns whether it was ever seen or had a pass.
    """
    spend(request, ORDERS)
    if parts.plates is None:
        raise PlatesNotConfiguredError("plates are not taken here: PARKING_PLATE_KEY is not set")
    plate = parse_plate(body.plate)
    return OrderOut.of(await make_order(db, parts.plates, body.offer, plate, body.begins_on, now=now, at=real_now()))


@router.get("/orders/{order_id}", responses=responses(404, 422, 429), dependencies=[CountedRead])
async def read_order(order_id: OrderUuid, parts: TheParts, db: Db, response: Response) -> OrderOut:
    """What became of an order."""
    response.headers["Cache-Control"] = "no-store"
    return OrderOut.of(await fetch_order(db, parts.plates, order_id, at=real_now()))


@router.post(
    "/orders/{order_id}/payments",
    status_code=201,
    response_model=PaymentOut,
    responses=responses(404, 409, 422, 429, 503),
)
async def begin_pass_payment(
    *, request: Request, parts: TheParts, order_id: OrderUuid, body: PaymentIn, key: RepeatKey
) -> Response:
    """Begin to pay for an order; needs an `Idempotency-Key`. The price is the offer's.

    An attempt that still fits is answered again; others are closed first, so that no second code is about. Watched as
    any payment is: `/payments/{id}` and its events.
    """
    spend(request, PAYMENTS)
    asked = Repeatable(
        request=request,
        database=parts.database,
        scope=f"pay-pass:{order_id}",
        key=key,
        fingerprint=fingerprint_of(body.model_dump()),
    )

    async def run() -> tuple[int, dict[str, Any]]:
        body.refuse_if_incomplete()
        view = await open_pass_payment(
            parts.till,
            order_id,
            body.the_channel,
            payer_id=body.payer_id,
            payer_ip=caller_of(request),
            return_url=f"{parts.public_url.rstrip('/')}{body.return_path}" if body.return_path else None,
        )
        return 201, payment_object(view)

    return await answer_once(asked, run)

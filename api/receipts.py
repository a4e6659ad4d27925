"""Receipts: by number for whoever has it, by payment or session for the page that just saw it paid."""

import asyncio
from functools import lru_cache
from html import escape
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

import web
from api.deps import CountedRead, Db, Lang, Now, TheParts, Words, spend
from api.fees import Fee, Moment
from api.limits import PAPERS
from api.parts import Parts
from api.problems import responses
from api.shapes import Shape
from billing.receipts import (
    Receipt,
    fetch_receipt,
    issue_for_free_stay,
    issue_for_payment,
    public_key_of,
    receipt_object,
    sign_token,
)
from billing.receipts.fonts import font_of
from billing.receipts.page import receipt_body
from billing.receipts.pdf import receipt_pdf
from billing.receipts.qr import qr_svg
from billing.receipts.wording import TITLE
from web.site import HERE, PAGE_HEADERS

router = APIRouter(tags=["receipts"])

EXAMPLE: Final = {"a receipt": {"value": "20261123-7K3QF9XW2M"}}
AN_ID: Final = {"one": {"value": "0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10"}}
PRIVATE: Final = {"Cache-Control": "private, no-cache"}
Number = Annotated[str, Path(max_length=40, description="As printed on it.", openapi_examples=EXAMPLE)]


async def _chosen(
    accepted: Words,
    lang: Annotated[Lang | None, Query(description="`zh` or `en`; unset: as `Accept-Language` says.")] = None,
) -> Lang:
    return lang or accepted


ChosenWords = Annotated[Lang, Depends(_chosen)]
"""The language that an address names, for what is read as a page or on paper."""


class PdfResponse(Response):
    """What OpenAPI calls the media type of paper."""

    media_type = "application/pdf"


class ReceiptPaid(Shape):
    """The payment that the receipt is for."""

    provider: str = Field(examples=["wechat"])
    channel: str = Field(examples=["wechat_native"])
    order_no: str
    """Our number of it, as the payer's app shows it."""
    transaction_id: str
    """The provider's number of it."""
    paid_at: str = Moment


class ReceiptRefundOut(Shape):
    """Money of it that goes back."""

    refund_no: str
    amount_fen: int
    done: bool
    """False: it is on its way."""
    at: str = Moment


class NoticeOut(Shape):
    """The price notice by which it was charged."""

    name: str
    number: str | None


class ReceiptOut(Shape):
    """A receipt. Nothing in it tells whose vehicle it was."""

    number: str = Field(examples=["20261123-7K3QF9XW2M"])
    issued_at: str = Moment
    lot_id: str = Field(examples=["KL"])
    lot_name: str
    operator: str | None
    space_code: str = Field(examples=["KL-017"])
    entered_at: str = Moment
    left_at: str | None = Field(json_schema_extra={"format": "date-time"})
    counted_to: str = Moment
    """Until when the fee was counted."""
    fee: Fee | None
    """Null where nothing is charged."""
    notice: NoticeOut | None
    total_fen: int
    allowed_fen: int
    """Discounts and allowances."""
    paid_before_fen: int
    """By other payments for the same stay."""
    paid_fen: int
    """By this payment; 0 for a stay that cost nothing."""
    paid: ReceiptPaid | None
    refunds: list[ReceiptRefundOut]
    kept_fen: int
    """What is left of the payment after what goes back."""
    exit_by: str | None = Field(json_schema_extra={"format": "date-time"})
    """Leaving until then costs nothing more."""
    token: str
    """Signed proof, checked without a network with the key of `/api/v1/receipt-key`."""
    url: str
    """Where people read it."""
    pdf_url: str


class ReceiptKeyOut(Shape):
    """What a device needs to check tokens of receipts."""

    algorithm: str = Field(examples=["Ed25519"])
    public_key: str
    """32 bytes in hexadecimal."""


@router.get(
    "/api/v1/receipts/{number}.pdf",
    responses=responses(404, 422, 429, 503),
    response_class=PdfResponse,
)
async def read_receipt_on_paper(
    request: Request, number: Number, parts: TheParts, db: Db, lang: ChosenWords
) -> Response:
    """The receipt as a PDF to print or keep; rate-limited, as each is work."""
    spend(request, PAPERS)
    receipt = await fetch_receipt(db, number)
    font = font_of(parts.settings.font_file)
    pdf = await asyncio.to_thread(receipt_pdf, receipt, lang, url=_url(parts, receipt), font=font)
    named = {"Content-Disposition": f'inline; filename="{receipt.number}.pdf"'}
    return PdfResponse(pdf, headers=PRIVATE | named)


@router.get(
    "/api/v1/receipts/{number}/code.svg",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}, **responses(404, 422, 429)},
    dependencies=[CountedRead],
)
async def draw_receipt_code(number: Number, parts: TheParts, db: Db) -> Response:
    """A code that leads a phone to the receipt's page, for a kiosk's screen and its paper."""
    receipt = await fetch_receipt(db, number)
    drawn = qr_svg(_url(parts, receipt), css_class="qr")
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


@router.get(
    "/api/v1/receipts/{number}",
    responses=responses(404, 422, 429),
    response_model=ReceiptOut,
    dependencies=[CountedRead],
)
async def read_receipt(request: Request, number: Number, parts: TheParts, db: Db, lang: Words) -> Any:
    """The receipt, with what went back of the payment since; a browser is led to its page."""
    receipt = await fetch_receipt(db, number)
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"/r/{receipt.number}", status_code=303)
    return _object(parts, receipt, lang)


@router.get(
    "/api/v1/payments/{payment_id}/receipt",
    responses=responses(404, 409, 422, 429),
    response_model=ReceiptOut,
    dependencies=[CountedRead],
)
async def read_receipt_of_payment(
    payment_id: Annotated[UUID, Path(description="The payment's id.", openapi_examples=AN_ID)],
    parts: TheParts,
    db: Db,
    now: Now,
    lang: Words,
) -> dict[str, Any]:
    """The receipt of a paid payment; the first call makes it, every other gets the same."""
    return await _issued(parts, db, await issue_for_payment(db, payment_id, at=now), lang)


@router.get(
    "/api/v1/sessions/{session_id}/receipt",
    responses=responses(404, 409, 422, 429),
    response_model=ReceiptOut,
    dependencies=[CountedRead],
)
async def read_receipt_of_free_stay(
    session_id: Annotated[UUID, Path(description="The session's id.", openapi_examples=AN_ID)],
    parts: TheParts,
    db: Db,
    now: Now,
    lang: Words,
) -> dict[str, Any]:
    """The receipt of an ended stay that cost nothing: a zero receipt, settled without a provider."""
    return await _issued(parts, db, await issue_for_free_stay(db, session_id, at=now), lang)


@router.get("/api/v1/receipt-key")
async def read_receipt_key(parts: TheParts) -> ReceiptKeyOut:
    """The public key by which kiosks and wardens' devices check receipts' tokens without a network."""
    key = public_key_of(parts.settings.secret_key.get_secret_value())
    return ReceiptKeyOut(algorithm="Ed25519", public_key=key.hex())


@router.get("/r/{number}", include_in_schema=False, dependencies=[CountedRead])
async def read_receipt_page(
    number: Number,
    parts: TheParts,
    db: Db,
    lang: ChosenWords,
) -> Response:
    """The receipt as a page, at an address short enough to be scanned."""
    receipt = await fetch_receipt(db, number)
    body = receipt_body(
        receipt,
        lang,
        url=_url(parts, receipt),
        pdf_url=f"/api/v1/receipts/{receipt.number}.pdf?lang={lang}",
        token=_token(parts, receipt),
    )
    title = f"{TITLE[0] if lang == 'zh' else TITLE[1]} {receipt.number}"
    page = (
        _template()
        .replace("{{lang}}", "zh-CN" if lang == "zh" else "en")
        .replace("{{title}}", escape(title))
        .replace("{{body}}", body)
    )
    return Response(page, media_type="text/html", headers=PAGE_HEADERS | PRIVATE | {"Vary": "Accept-Language"})


async def _issued(parts: Parts, db: AsyncConnection, number: str, lang: Lang) -> dict[str, Any]:
    return _object(parts, await fetch_receipt(db, number), lang)


def _object(parts: Parts, receipt: Receipt, lang: Lang) -> dict[str, Any]:
    return receipt_object(receipt, lang, url=_url(parts, receipt), token=_token(parts, receipt))


def _url(parts: Parts, receipt: Receipt) -> str:
    return f"{parts.public_url}/r/{receipt.number}"


def _token(parts: Parts, receipt: Receipt) -> str:
    return sign_token(parts.settings.secret_key.get_secret_value(), receipt)


@lru_cache(maxsize=1)
def _template() -> str:
    return web.Site.read(HERE / "static", HERE / "pages").render("receipt.html").decode()

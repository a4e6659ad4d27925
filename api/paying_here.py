"""What the page behind a printed code needs besides: how one can pay here, a code to scan, who pays inside WeChat."""

from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query
from starlette.responses import RedirectResponse, Response

from api.deps import CountedRead, Db, TheParts
from api.parts import Parts
from api.payments import PaymentUuid
from api.problems import responses
from api.shapes import Shape
from billing.payments.states import PublicStatus
from billing.payments.till import ChannelNotOfferedError
from billing.payments.views import fetch_view
from billing.providers.port import Channel
from billing.providers.wechat.provider import WechatPay
from billing.receipts.qr import qr_svg
from core.errors import ConflictError

router = APIRouter(tags=["payments"])

SVG = "image/svg+xml"
NO_CODE: Final = '<svg xmlns="http://www.w3.org/2000/svg" class="qr" viewBox="0 0 1 1"/>'
"""As large as any code, and nothing on it."""

WechatLogin = Annotated[str | None, Query(alias="code", max_length=128)]
"""What WeChat sends a browser back with."""


class NothingToScanError(ConflictError):
    """This payment has no code to scan: it is paid in a browser. Carries ``channel``."""

    slug = "nothing-to-scan"


class ChannelsOut(Shape):
    """How one can pay here."""

    channels: list[Channel]
    """Empty where no payment provider is configured."""


@router.get("/api/v1/payment-channels", responses=responses(429), dependencies=[CountedRead])
async def list_payment_channels(parts: TheParts, response: Response) -> ChannelsOut:
    """The channels that `POST /sessions/{id}/payments` takes in this installation."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return ChannelsOut(channels=list(parts.till.channels))


@router.get(
    "/api/v1/payments/{payment_id}/code.svg",
    response_class=Response,
    responses={200: {"content": {SVG: {"schema": {"type": "string"}}}}, **responses(404, 409, 422, 429)},
    dependencies=[CountedRead],
)
async def draw_payment_code(payment_id: PaymentUuid, db: Db) -> Response:
    """The payment's code as a picture, for a screen that somebody scans with a phone.

    Of a payment that can no longer be paid it is an empty one: a page may ask for it in the very moment it is paid.
    """
    view = await fetch_view(db, payment_id)
    is_open = view.status in {PublicStatus.PENDING, PublicStatus.UNKNOWN}
    if is_open and view.code_url is None:
        raise NothingToScanError("this payment has no code to scan", channel=view.channel)
    drawn = qr_svg(view.code_url, css_class="qr") if view.code_url else NO_CODE
    return Response(drawn, media_type=SVG, headers={"Cache-Control": "no-store"})


@router.get("/kiosk/phone.svg", include_in_schema=False, dependencies=[CountedRead])
async def draw_where_phones_pay(parts: TheParts) -> Response:
    """A code that leads a phone to `/pay`, for kiosks: they keep it for the hours without a connection."""
    drawn = qr_svg(f"{parts.public_url.rstrip('/')}/pay", css_class="qr")
    return Response(drawn, media_type=SVG, headers={"Cache-Control": "no-cache"})


@router.get("/s/{code}/wechat", include_in_schema=False, dependencies=[CountedRead])
async def recognise_in_wechat(
    parts: TheParts,
    code: Annotated[str, Path(max_length=64)],
    k: Annotated[str, Query(max_length=64)] = "",
    login: WechatLogin = None,
) -> RedirectResponse:
    """WeChat's silent login for the page of a space."""
    return await _recognised(parts, f"/s/{code}", f"?{urlencode({'k': k})}" if k else "", login)


@router.get("/{page}/wechat", include_in_schema=False, dependencies=[CountedRead])
async def recognise_in_wechat_elsewhere(
    parts: TheParts, page: Literal["arrears", "passes"], login: WechatLogin = None
) -> RedirectResponse:
    """WeChat's silent login for the pages of debts and of passes."""
    return await _recognised(parts, f"/{page}", "", login)


async def _recognised(parts: Parts, path: str, query: str, login: str | None) -> RedirectResponse:
    """There and back: the page goes on with the payer's openid behind its ``#``."""
    provider = parts.till.provider_of(Channel.WECHAT_JSAPI)
    if not isinstance(provider, WechatPay):
        raise ChannelNotOfferedError("this installation does not take payments inside WeChat", channel="wechat_jsapi")
    page = f"{parts.public_url.rstrip('/')}{path}"
    if login is None:
        return RedirectResponse(provider.recognition.authorize_url(f"{page}/wechat{query}", "pay"), 302)
    openid = await provider.recognition.openid(login)
    return RedirectResponse(f"{page}{query}#payer={openid}", 302)

"""How an official account learns who pays inside WeChat, and how its script in the browser starts a payment."""

import secrets
import time
from collections import OrderedDict
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator.gateway.answering import Answer, answered
from simulator.gateway.keys import WECHAT_MERCHANT
from simulator.gateway.parts import Gateway
from simulator.gateway.rsa import is_signed
from simulator.gateway.wechat.documents import openid_of

CODE_SECONDS: Final = 300.0
MOST_CODES: Final = 10_000
PAYER: Final = "simulated_payer"
"""The cookie by which the same browser is the same person."""

_codes: OrderedDict[str, tuple[str, float]] = OrderedDict()


async def authorize(request: Request) -> Response:
    """The silent login: the browser goes back with a code, good once and for five minutes."""
    query = request.query_params
    back = urlsplit(query.get("redirect_uri", ""))
    wrong = (
        query.get("appid") != Gateway.of(request).keys.app_id
        or query.get("response_type") != "code"
        or query.get("scope") not in ("snsapi_base", "snsapi_userinfo")
        or back.scheme not in ("http", "https")
    )
    if wrong:
        return PlainTextResponse("redirect_uri or appid is wrong (10003)", 400)
    payer, code = request.cookies.get(PAYER) or secrets.token_hex(8), secrets.token_hex(16)
    _codes[code] = (openid_of(payer), time.monotonic() + CODE_SECONDS)
    while len(_codes) > MOST_CODES:
        _codes.popitem(last=False)
    more = urlencode({"code": code, "state": query.get("state", "")})
    there = back._replace(query=f"{back.query}&{more}" if back.query else more).geturl()
    answer = RedirectResponse(there, 302)
    answer.set_cookie(PAYER, payer, httponly=True, samesite="lax")
    return answer


async def access_token(request: Request) -> Response:
    """The code becomes the payer's openid; not signed, as the real one is not."""
    gateway, query = Gateway.of(request), request.query_params

    def act() -> Answer:
        keys = gateway.keys
        if (query.get("appid"), query.get("secret")) != (keys.app_id, keys.app_secret):
            return _said({"errcode": 40125, "errmsg": "invalid appsecret"})
        openid, until = _codes.pop(query.get("code", ""), ("", 0.0))
        if not openid or until < time.monotonic():
            return _said({"errcode": 40029, "errmsg": "invalid code"})
        return _said(
            {"access_token": secrets.token_hex(32), "expires_in": 7200, "refresh_token": secrets.token_hex(32)}
            | {"openid": openid, "scope": "snsapi_base"}
        )

    return await answered(gateway, "wechat.oauth", "", act)


async def bridge(request: Request) -> Response:
    """What WeChat does when the page's script asks it to pay: check the merchant's signature, then ask the payer."""
    gateway, query = Gateway.of(request), request.query_params
    package = query.get("package", "")
    message = f"{query.get('appId')}\n{query.get('timeStamp')}\n{query.get('nonceStr')}\n{package}\n".encode()
    key = gateway.keys.private[WECHAT_MERCHANT].public_key()
    if query.get("appId") != gateway.keys.app_id or not is_signed(key, message, query.get("paySign", "")):
        return JSONResponse({"err_msg": "get_brand_wcpay_request:fail", "why": "paySign"}, 400)
    trade = gateway.book.find_by("token", package.removeprefix("prepay_id="), gateway.clock.now())
    if trade is None:
        return JSONResponse({"err_msg": "get_brand_wcpay_request:fail", "why": "prepay_id"}, 404)
    back = {"redirect_url": query["return_url"]} if query.get("return_url") else {}
    return RedirectResponse(f"{gateway.url}/pay/{trade.order_no}?{urlencode({'provider': 'wechat', **back})}", 302)


def _said(document: dict[str, object]) -> Answer:
    body = JSONResponse(document).body
    return Answer(status=200, body=bytes(body), media_type="text/plain")


ROUTES: Final = [
    Route("/connect/oauth2/authorize", authorize, methods=["GET"]),
    Route("/sns/oauth2/access_token", access_token, methods=["GET"]),
    Route("/wechat/bridge", bridge, methods=["GET"]),
]

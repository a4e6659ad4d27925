"""What somebody sees in a browser where a program is told of a problem: one page in words, with a way on."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

import web
from api.language import language_of
from billing.phrases import Lang, said
from web.site import HERE, PAGE_HEADERS

HEADERS: Final = PAGE_HEADERS | {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language"}

DATA: Final = ("/api/", "/health/", "/metrics")
MAP: Final = ("停车地图", "Parking map")
PAY: Final = ("缴停车费", "Pay for parking")
NOTHING: Final = (
    ("这里没有这一页", "There is no such page"),
    ("地址可能抄错了，或者已经失效。", "The address may be mistyped, or no longer in use."),
)
TOO_OFTEN: Final = (("查询太频繁", "Too many requests"), ("请一分钟后再试。", "Please try again in a minute."))
NOT_NOW: Final = (("暂时打不开", "It cannot be shown right now"), ("请稍后再试。", "Please try again in a moment."))
WORDS: Final = {404: NOTHING, 429: TOO_OFTEN}


def lost_page(scope: Scope, status: int, headers: Mapping[str, str]) -> Response | None:
    """The page that says it; nothing for whoever asked for data, or did more than ask."""
    asked = Headers(scope=scope)
    looks = scope["method"] in {"GET", "HEAD"} and not scope["path"].startswith(DATA)
    if not looks or "text/html" not in asked.get("accept", ""):
        return None
    page = _page(WORDS.get(status, NOT_NOW), language_of(asked.get("accept-language")))
    return Response(page, status_code=status, media_type="text/html", headers={**HEADERS, **headers})


@lru_cache(maxsize=8)
def _page(said_of_it: tuple[tuple[str, str], tuple[str, str]], lang: Lang) -> bytes:
    title, text = said_of_it
    words = {"lang": "zh-CN" if lang == "zh" else "en", "title": said(title, lang), "text": said(text, lang)}
    words |= {"map": said(MAP, lang), "pay": said(PAY, lang)}
    return web.Site.read(HERE / "static", HERE / "pages").render("lost.html", words)

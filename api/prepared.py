"""What is asked most is answered before anything else: the bytes are ready, looking them up is all there is to do.

The same addresses exist as routes, which describe them and take their parameters; this is only the short way. Such a
request costs less than the log line it would write, so these are counted, and logged together every ten seconds.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answering import A_SECOND, ASK_AGAIN, GEOJSON, JSON, has_it, headers_of
from api.live_city.answers import Answer
from api.live_city.showing import Showing
from api.measures import Measures

log = structlog.get_logger()

LOG_EVERY_SECONDS: Final = 10.0
Ready = tuple[Callable[[], Answer], str, str]
"""What makes the answer, its media type, how long it may be kept."""
Headers = tuple[tuple[bytes, bytes], ...]


class Prepared:
    """Answers plain GETs of the prepared addresses, passes everything else on."""

    def __init__(self, app: ASGIApp, *, showing: Showing, measures: Measures, headers: Headers) -> None:
        """Stand before ``app``; every answer also carries ``headers``."""
        self._app = app
        self._showing = showing
        self._measures = measures
        self._headers = headers
        self._ready: Final[dict[str, Ready]] = {
            "/api/v1/spaces/state": (showing.states, JSON, A_SECOND),
            "/api/v1/lots": (showing.lots, GEOJSON, A_SECOND),
            "/api/v1/spaces": (showing.spaces, GEOJSON, ASK_AGAIN),
            "/api/v1/city": (showing.frame, JSON, ASK_AGAIN),
        }
        self._answered: Counter[tuple[str, int]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once, or let the application do it."""
        ready = self._ready.get(scope["path"]) if scope["type"] == "http" else None
        if ready is None or scope["query_string"] or scope["method"] != "GET" or not self._showing.is_loaded:
            await self._app(scope, receive, send)
            return
        make, media_type, cache = ready
        if_none_match, gzip = _asked(scope)
        try:
            answer = make()
        except Exception:  # noqa: BLE001 - the route fails in the same way, with a problem and a log line
            await self._app(scope, receive, send)
            return
        start, body = self._message(answer, media_type, cache, has=has_it(if_none_match, answer.etag), gzip=gzip)
        await send(start)
        await send({"type": "http.response.body", "body": body})
        self._measures.answered(scope["path"], "GET", start["status"], None)
        self._note(scope["path"], start["status"])

    def _message(self, answer: Answer, media_type: str, cache: str, *, has: bool, gzip: bool) -> tuple[Message, bytes]:
        """The first message of the response and its body; headers are made once per answer."""
        form = (has, gzip)
        sealed = answer.sealed.get(form)
        if sealed is None:
            body, headers = headers_of(answer, media_type=media_type, cache=cache, has=has, gzip=gzip)
            if not has:
                headers["Content-Length"] = str(len(body))
            raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            sealed = answer.sealed[form] = [*raw, *self._headers], body
        headers_sent, body = sealed
        return {"type": "http.response.start", "status": 304 if has else 200, "headers": headers_sent}, body

    def _note(self, path: str, status: int) -> None:
        if not self._answered:
            asyncio.get_running_loop().call_later(LOG_EVERY_SECONDS, self._tell)
        self._answered[path, status] += 1

    def _tell(self) -> None:
        for (path, status), times in self._answered.items():
            log.info("requests.answered", path=path, status=status, times=times, seconds=LOG_EVERY_SECONDS)
        self._answered.clear()


def _asked(scope: Scope) -> tuple[str | None, bool]:
    """What the caller has, and whether he takes a compressed answer."""
    if_none_match, gzip = None, False
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            if_none_match = value.decode("latin-1")
        elif name == b"accept-encoding":
            gzip = b"gzip" in value
    return if_none_match, gzip

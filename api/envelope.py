"""Around every request: its id, its limits, its headers, its log line, and an end for what nobody foresaw."""

import asyncio
import time
from secrets import token_hex
from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.measures import Measures
from api.problems import problem

log = structlog.get_logger()

ANSWER_WITHIN_SECONDS: Final = 30.0
"""A request that is not a stream is given up after this."""
LARGEST_BODY: Final = 64 * 1024
LARGEST_BODIES: Final[dict[tuple[str, str], int]] = {
    ("/api/v1/uplinks/", ""): 256 * 1024,
    ("/api/v1/notify/", ""): 256 * 1024,
    ("/api/v1/cameras/", ""): 9 * 1024 * 1024,
    ("/api/v1/operator/sessions/", "/plate"): 9 * 1024 * 1024,
}
"""By the beginning and the end of the path, where something larger is expected: photos have up to 6 MiB."""
SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NOTHING_MAY_LOAD: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
"""For answers that are no page; a page brings its own policy."""
HTTPS_ONLY: Final = (b"strict-transport-security", b"max-age=31536000")


class TooLargeError(HTTPException):
    """A body is larger than its limit, or grew beyond it while it was read."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"a body here has at most {limit} bytes")


class Envelope:
    """The outermost layer of ours; pure ASGI, because it is paid for by every request."""

    def __init__(self, app: ASGIApp, *, measures: Measures, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        """Wrap ``app``; every answer carries ``headers``."""
        self._app = app
        self._measures = measures
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Request(self._headers, send)
        scope.setdefault("state", {})["request_id"] = request.id
        structlog.contextvars.bind_contextvars(request_id=request.id)
        try:
            limit = largest_body(scope["path"])
            if _announced(scope) > limit:
                raise TooLargeError(limit)  # noqa: TRY301 - answered as one that grows too large
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS) as deadline:
                request.deadline = deadline
                await self._app(scope, _bounded(receive, limit), request.send)
        except TooLargeError as error:
            await request.refuse(scope, receive, error.status_code, error.detail)
        except TimeoutError:
            log.warning("request.timed_out", path=scope["path"])
            await request.refuse(scope, receive, 503, "this took too long; try again shortly")
        except Exception:
            log.exception("request.failed", path=scope["path"])
            await request.refuse(scope, receive, 500, "something here is broken; the request id helps to find it")
        finally:
            self._account(scope, request)
            structlog.contextvars.unbind_contextvars("request_id")

    def _account(self, scope: Scope, request: "_Request") -> None:
        seconds = time.perf_counter() - request.began
        route = getattr(scope.get("route"), "path", "none")
        self._measures.answered(route, scope["method"], request.status, None if request.streams else seconds)
        log.info(
            "request.answered",
            method=scope["method"],
            path=scope["path"],
            status=request.status,
            ms=round(seconds * 1_000, 1),
        )


class _Request:
    """One request while it is answered."""

    __slots__ = ("_headers", "_send", "began", "deadline", "id", "status", "streams")

    def __init__(self, headers: tuple[tuple[bytes, bytes], ...], send: Send) -> None:
        self.id = token_hex(8)
        self.began = time.perf_counter()
        self.status = 0
        self.streams = False
        self.deadline: asyncio.Timeout | None = None
        self._headers = headers
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass a message on; the first one gets our headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = message["headers"] = [*message["headers"], *self._headers, (b"x-request-id", self.id.encode())]
            names = {name for name, _ in headers}
            if NOTHING_MAY_LOAD[0] not in names:
                headers.append(NOTHING_MAY_LOAD)
            if any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers):
                self.streams = True
                if self.deadline is not None:
                    self.deadline.reschedule(None)
        await self._send(message)

    async def refuse(self, scope: Scope, receive: Receive, status: int, detail: str) -> None:
        """End the request with a problem, unless its answer has already begun."""
        if self.status:
            return
        await problem(scope, status, detail, headers={"Connection": "close"})(scope, receive, self.send)


def security_headers(*, https: bool) -> tuple[tuple[bytes, bytes], ...]:
    """What every answer carries; ``https`` when the public reaches us that way only."""
    return (*SECURITY_HEADERS, HTTPS_ONLY) if https else SECURITY_HEADERS


def largest_body(path: str) -> int:
    """How many bytes a request to this path may have."""
    for (start, end), size in LARGEST_BODIES.items():
        if path.startswith(start) and path.endswith(end):
            return size
    return LARGEST_BODY


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _bounded(receive: Receive, limit: int) -> Receive:
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise TooLargeError(limit)
        return message

    return bounded

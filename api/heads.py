"""``HEAD`` wherever ``GET`` is answered: the same status and headers, and no body."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

STREAMS: Final = ("/v1/live", "/events")
"""How the addresses end whose answers have no end; they are for ``GET`` alone."""


class Heads:
    """The layer nearest to the routes, so that all around it still see which method was asked."""

    def __init__(self, app: ASGIApp) -> None:
        """Ask ``app`` as if by ``GET``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].endswith(STREAMS):
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        try:
            await self._app(asked, receive, without_body)
        finally:
            scope.update(asked, method="HEAD")  # with the route that was found, for who counts

"""``python -m ops.bench.constant SIZE...``: what FastAPI can do at best, served exactly as the api is.

``/{size}`` returns so many constant bytes; ``/stream`` sends a frame of the first size every second to whoever listens.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse

from api.__main__ import raise_open_files
from api.serving import KEEP_ALIVE_SECONDS, WAITING_CONNECTIONS


def create_app(sizes: list[int]) -> FastAPI:
    """The application."""
    app = FastAPI(openapi_url=None)
    for size in sizes:
        _add(app, f"/{size}", b"x" * size)
    ticks = Ticks(sizes[0])

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(ticks.watch(), media_type="text/event-stream")

    return app


def _add(app: FastAPI, path: str, body: bytes) -> None:
    @app.get(path)
    async def constant() -> Response:
        return Response(body, media_type="application/json")


class Ticks:
    """One frame a second, the same bytes to everybody."""

    def __init__(self, size: int) -> None:
        """Frames of about this size."""
        self._padding = b"x" * size
        self._frame = b""
        self._next = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def watch(self) -> AsyncIterator[bytes]:
        """Frames for one viewer."""
        self._task = self._task or asyncio.create_task(self._tick())
        yield b'event: snapshot\ndata: {"version":0}\n\n'
        while True:
            await self._next.wait()
            yield self._frame

    async def _tick(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(1)
            number += 1
            at_ms = time.time_ns() // 1_000_000
            self._frame = b'event: changes\ndata: {"version":%d,"at_ms":%d,"padding":"%s"}\n\n' % (
                number,
                at_ms,
                self._padding,
            )
            self._next, before = asyncio.Event(), self._next
            before.set()


def main() -> None:
    """Serve until told to stop."""
    raise_open_files()
    uvicorn.run(
        create_app([int(size) for size in sys.argv[1:]]),
        port=int(os.environ["PARKING_PORT"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
        backlog=WAITING_CONNECTIONS,
    )


if __name__ == "__main__":
    main()

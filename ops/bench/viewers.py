"""``python -m ops.bench.viewers URL VIEWERS``: many viewers of a live stream in one process.

Says ``ready`` on a line when every one of them has had its first frame; on a line of input it stops and tells, as JSON,
of every version by how many viewers it was received, when first and when last, and what it said.
"""

import asyncio
import json
import re
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

import uvloop

from api.__main__ import raise_open_files

VERSION: Final = re.compile(rb'"version": ?(\d+)')
CONNECTING: Final = 200
"""At once: the whole city does not open its phones in the same millisecond."""
CONNECTED_WITHIN_SECONDS: Final = 120


@dataclass(slots=True)
class Frame:
    """One version of the picture, as it came."""

    viewers: int
    first_ms: float
    last_ms: float
    body: Any


class Viewer(asyncio.Protocol):
    """One connection that only listens."""

    def __init__(self, request: bytes, seen: dict[int, Frame], begun: "list[int]") -> None:
        """Note what comes in ``seen``, and the first frame in ``begun``."""
        self._request = request
        self._seen = seen
        self._begun = begun
        self._have = b""
        self._is_new = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note every whole frame."""
        self._have += data
        while (end := self._have.find(b"\n\n")) >= 0:
            frame, self._have = self._have[:end], self._have[end + 2 :]
            if self._is_new and b"event: " in frame:
                self._is_new = False
                self._begun.append(1)
            elif b"event: " in frame:
                self._note(frame)

    def _note(self, frame: bytes) -> None:
        found = VERSION.search(frame)
        if found is None:
            return
        version, now_ms = int(found[1]), time.time() * 1_000
        known = self._seen.get(version)
        if known is None:
            body = json.loads(frame[frame.index(b"data: ") + 6 :])
            self._seen[version] = Frame(1, now_ms, now_ms, body | {"event": _event(frame)})
        else:
            known.viewers += 1
            known.last_ms = now_ms


def _event(frame: bytes) -> str:
    return frame.partition(b"event: ")[2].partition(b"\n")[0].decode()


async def watch(url: str, viewers: int) -> dict[int, Frame]:
    """Open them all, listen until told to stop."""
    raise_open_files()
    parts = urlsplit(url)
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    seen: dict[int, Frame] = {}
    begun: list[int] = []
    loop = asyncio.get_running_loop()
    made: list[Viewer] = []
    while len(made) < viewers:
        some = min(CONNECTING, viewers - len(made))
        opening = [
            loop.create_connection(lambda: Viewer(request, seen, begun), parts.hostname or "", parts.port or 80)
            for _ in range(some)
        ]
        made += [viewer for _, viewer in await asyncio.gather(*opening)]
    async with asyncio.timeout(CONNECTED_WITHIN_SECONDS):
        while len(begun) < viewers:  # noqa: ASYNC110 - each of thousands of callbacks would set the event
            await asyncio.sleep(0.1)
    seen.clear()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.readline)
    for viewer in made:
        viewer.transport.abort()
    return seen


if __name__ == "__main__":
    told = uvloop.run(watch(sys.argv[1], int(sys.argv[2])))
    sys.stdout.write(json.dumps({version: asdict(frame) for version, frame in told.items()}))

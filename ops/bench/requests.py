"""``python -m ops.bench.requests URL CONNECTIONS SECONDS [HEADER...]``: as many GETs as some connections can carry.

It knows just enough of HTTP to be much cheaper than what it measures: all answers have the length of the first.
"""

import asyncio
import json
import re
import sys
import time
from typing import Final, cast
from urllib.parse import urlsplit

import uvloop

LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Asker(asyncio.Protocol):
    """One connection: asks again as soon as it is answered."""

    def __init__(self, request: bytes) -> None:
        """Send these bytes, again and again."""
        self.answers = 0
        self.status = b""
        self.failed = False
        self._request = request
        self._length = 0
        self._have = b""
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count the answer when it is whole."""
        if not self._length:
            self._have += data
            head = self._have.find(b"\r\n\r\n")
            if head < 0:
                return
            found = LENGTH.search(self._have, 0, head)
            self.status = self._have[9:12]
            self._length = head + 4 + (int(found[1]) if found else 0)
            self._left = self._length - len(self._have)
        else:
            self._left -= len(data)
        if self._left <= 0:
            self.answers += 1
            self._left = self._length
            self._transport.write(self._request)

    def connection_lost(self, _: Exception | None) -> None:
        """Say so: the server has ended it."""
        self.failed = True

    def stop(self) -> None:
        """No more."""
        self._transport.abort()


async def ask(url: str, connections: int, seconds: float, headers: list[str]) -> dict[str, float | str]:
    """Requests a second over so many connections."""
    parts = urlsplit(url)
    lines = [f"GET {parts.path}{'?' if parts.query else ''}{parts.query} HTTP/1.1", f"Host: {parts.netloc}", *headers]
    request = "\r\n".join([*lines, "", ""]).encode()
    loop = asyncio.get_running_loop()
    askers = [
        (await loop.create_connection(lambda: Asker(request), parts.hostname or "", parts.port or 80))[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(min(0.5, seconds / 4))  # until everything is warm
    began, before = time.perf_counter(), sum(asker.answers for asker in askers)
    await asyncio.sleep(seconds)
    answers, passed = sum(asker.answers for asker in askers) - before, time.perf_counter() - began
    failed = sum(asker.failed for asker in askers)
    for asker in askers:
        asker.stop()
    return {
        "per_second": answers / passed,
        "answers": answers,
        "seconds": passed,
        "status": askers[0].status.decode(),
        "failed": failed,
    }


if __name__ == "__main__":
    _, where, how_many, how_long, *more = sys.argv
    sys.stdout.write(json.dumps(uvloop.run(ask(where, int(how_many), float(how_long), more))))

"""The live stream: every frame encoded once, the same bytes to every viewer, no memory held for a slow one.

A viewer is only a place in a ring of recent frames. Whoever falls behind further than ``SLOW`` gets a snapshot instead
of the frames he missed; the socket's own small buffer is all that ever waits for him.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Final

from api.live_city.answers import encode, shown
from api.live_city.picture import Changes, Picture

RING: Final = 300
"""Frames that a returning viewer may resume from: five minutes of a busy city."""
SLOW: Final = 5
"""Frames that may wait for a viewer who is connected."""
HEARTBEAT: Final = b": still here\n\n"


class Stream:
    """Frames of one api process, numbered without a gap by the picture's version; ids ``{process start}-{version}``."""

    def __init__(self, started_ms: int, snapshot: Callable[[], tuple[int, bytes]]) -> None:
        """Stream for a process started at ``started_ms``; ``snapshot`` gives the present version and its body."""
        self.viewers = 0
        self.resyncs = 0
        """Snapshots sent to viewers who had fallen behind."""
        self._started_ms = started_ms
        self._snapshot = snapshot
        self._ring: deque[bytes] = deque(maxlen=RING)
        self._newest = 0
        self._news = asyncio.Event()
        self._open = True

    def begin(self, version: int) -> None:
        """A new order of spaces: older frames mean nothing any more, every viewer gets a snapshot."""
        self._ring.clear()
        self._newest = version
        self._wake()

    def publish(self, picture: Picture, changes: Changes) -> None:
        """Send what has changed to everybody, encoded here and nowhere else."""
        lots = {picture.registry.lots[index].code: picture.lots[index].counts() for index in changes.lots}
        body = {
            "version": picture.version,
            "at": shown(picture.at_ms),
            "changes": changes.spaces,
            "lots": lots,
        }
        self._ring.append(self._frame("changes", picture.version, encode(body)))
        self._newest = picture.version
        self._wake()

    def beat(self) -> None:
        """Nothing has changed for a while: show that the connection lives."""
        self._wake()

    def close(self) -> None:
        """Let every viewer go, so that the process can end."""
        self._open = False
        self._wake()

    async def watch(self, last_event_id: str | None) -> AsyncGenerator[bytes]:
        """Frames for one viewer, beginning with a snapshot or with what was missed since ``last_event_id``."""
        self.viewers += 1
        try:
            seen = self._resume(last_event_id)
            allowed = RING
            while self._open:
                news = self._news
                if seen is not None and seen == self._newest:
                    yield HEARTBEAT
                else:
                    seen, frames = self._since(seen, allowed)
                    yield frames
                allowed = SLOW
                await news.wait()
        finally:
            self.viewers -= 1

    def _since(self, seen: int | None, allowed: int) -> tuple[int, bytes]:
        """The version a viewer will know and the bytes that bring him there."""
        missed = self._newest - seen if seen is not None else 0
        if 0 < missed <= min(allowed, len(self._ring)):
            return self._newest, b"".join(self._ring[place] for place in range(-missed, 0))
        self.resyncs += seen is not None
        version, body = self._snapshot()
        return version, self._frame("snapshot", version, body)

    def _resume(self, last_event_id: str | None) -> int | None:
        """The version a returning viewer has seen; None when this process never sent it or it is too long ago."""
        started, _, version = (last_event_id or "").partition("-")
        if started != str(self._started_ms) or not re.fullmatch(r"[0-9]{1,15}", version):
            return None
        return int(version) if self._newest - len(self._ring) <= int(version) <= self._newest else None

    def _frame(self, event: str, version: int, body: bytes) -> bytes:
        return b"id: %d-%d\nevent: %s\ndata: %s\n\n" % (self._started_ms, version, event.encode(), body)

    def _wake(self) -> None:
        self._news, before = asyncio.Event(), self._news
        before.set()

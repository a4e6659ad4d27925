"""A cable between two programs that can be cut, clamped and made slow."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CHUNK = 65_536


@dataclass(slots=True)
class Cable:
    """Passes on whatever comes on its port, while it is whole."""

    host: str
    port: int
    """Where the far end is."""
    near_port: int = 0
    connections: int = 0
    """How many were made through it so far."""
    delay_seconds: float = 0.0
    _flows: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def url(self, url: str) -> str:
        """The same address, through this cable."""
        parts = urlsplit(url)
        user = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{user}@127.0.0.1:{self.near_port}").geturl()

    def cut(self) -> None:
        """Reset every connection; new ones may be made."""
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    def clamp(self) -> None:
        """Let nothing through any more, without a word to either end."""
        self._flows.clear()

    def release(self) -> None:
        """Let it through again."""
        self._flows.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))
        for end in (writer, far_writer):
            self._open.discard(end)
            end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            await self._flows.wait()
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def laid(url: str) -> AsyncIterator[Cable]:
    """A whole cable to where ``url`` points."""
    parts = urlsplit(url)
    cable = Cable(parts.hostname or "", parts.port or 0)
    cable.release()
    server = await asyncio.start_server(cable.serve, "127.0.0.1", 0)
    cable.near_port = server.sockets[0].getsockname()[1]
    try:
        yield cable
    finally:
        cable.release()
        server.close()
        cable.cut()

"""A cable between the browser and the server, to be pulled out: both ends keep running and know nothing of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

BITE = 65_536


@dataclass(slots=True, kw_only=True)
class Cable:
    """Forwards TCP connections to one address for as long as it is plugged in."""

    host: str
    port: int
    url: str = ""
    plugged: bool = True
    ends: set[asyncio.StreamWriter] = field(default_factory=set)

    def pull(self) -> None:
        """Cut every connection, and every new one at once."""
        self.plugged = False
        for end in self.ends:
            end.transport.abort()

    def plug(self) -> None:
        """Let new connections through again."""
        self.plugged = True

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it."""
        if not self.plugged:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        pair = {writer, far_writer}
        self.ends |= pair
        try:
            await asyncio.gather(_carry(reader, far_writer), _carry(far_reader, writer))
        finally:
            self.ends -= pair
            for end in pair:
                end.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while bite := await reader.read(BITE):
            writer.write(bite)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def plugged_in(url: str) -> AsyncIterator[Cable]:
    """A cable to the server at ``url``; ``cable.url`` is its near end."""
    parts = urlsplit(url)
    cable = Cable(host=parts.hostname or "127.0.0.1", port=parts.port or 80)
    server = await asyncio.start_server(cable.join, "127.0.0.1", 0)
    cable.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield cable
    finally:
        cable.pull()
        server.close()

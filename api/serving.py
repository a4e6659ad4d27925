"""How the application is served: uvicorn's settings, and streams that end when the process is told to."""

from socket import socket
from typing import Final

import uvicorn
from starlette.applications import Starlette

from api.parts import Parts

LET_GO_SECONDS: Final = 10
"""How long running requests may take to end after the order to stop."""
KEEP_ALIVE_SECONDS: Final = 20
WAITING_CONNECTIONS: Final = 4_096
"""A whole city may open the map in one second."""


class Server(uvicorn.Server):
    """uvicorn, letting the viewers of the stream go before it waits for connections to end."""

    def __init__(self, app: Starlette, *, host: str, port: int) -> None:
        """Serve ``app`` there; port 0 is any free one."""
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="on",
                access_log=False,
                log_level="warning",
                server_header=False,
                proxy_headers=False,  # forwarded addresses are believed only from the proxies in the settings
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=LET_GO_SECONDS,
                backlog=WAITING_CONNECTIONS,
            )
        )
        parts = Parts.of(app)
        self._streams = (parts.showing.stream, parts.waiting)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Stop: streams end, no new connections, running requests are finished."""
        for stream in self._streams:
            stream.close()
        await super().shutdown(sockets)

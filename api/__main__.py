"""``python -m api``: the api on uvicorn, on loopback unless told otherwise."""

import resource
import sys
from socket import socket
from typing import Final

import structlog
import uvicorn

from api.app import create_app
from api.live_city.stream import Stream
from api.parts import Parts
from core.errors import ParkingError
from core.logs import configure_logging
from core.settings import Settings

log = structlog.get_logger()

OPEN_FILES: Final = 65_536
"""Each viewer of the live stream is one; the usual limit of 1 024 would be the number of viewers."""
LET_GO_SECONDS: Final = 10
"""How long running requests may take to end after the order to stop."""
KEEP_ALIVE_SECONDS: Final = 20


class Server(uvicorn.Server):
    """uvicorn, letting the viewers of the stream go before it waits for connections to end."""

    def __init__(self, config: uvicorn.Config, stream: Stream) -> None:
        super().__init__(config)
        self._stream = stream

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Stop: streams end, no new connections, running requests are finished."""
        self._stream.close()
        await super().shutdown(sockets)


def main() -> None:
    """Serve until told to stop."""
    settings = Settings()
    configure_logging("api", json=settings.log_json)
    try:
        app = create_app(settings)
    except ParkingError as error:
        sys.exit(error.message)
    raise_open_files()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
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
        backlog=4_096,
    )
    log.info("api.started", url=f"http://{settings.host}:{settings.port}", open_files=open_files())
    parts: Parts = app.state.parts
    Server(config, parts.showing.stream).run()
    log.info("api.stopped")


def raise_open_files() -> None:
    """Allow as many open files as the machine lets us, up to what we can use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def open_files() -> int:
    """How many files this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


if __name__ == "__main__":
    main()

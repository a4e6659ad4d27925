"""``python -m api``: the api as a process, on loopback unless told otherwise."""

import resource
import sys
from typing import Final

import structlog

from api.app import create_app
from api.serving import Server
from core.errors import ParkingError
from core.logs import configure_logging
from core.settings import Settings

log = structlog.get_logger()

OPEN_FILES: Final = 65_536
"""Each viewer of the live stream is one; the usual limit of 1 024 would be the number of viewers."""


def main() -> None:
    """Serve until told to stop."""
    settings = Settings()
    configure_logging("api", json=settings.log_json)
    try:
        app = create_app(settings)
    except ParkingError as error:
        sys.exit(error.message)
    log.info("api.started", url=f"http://{settings.host}:{settings.port}", open_files=raise_open_files())
    Server(app, host=settings.host, port=settings.port).run()
    log.info("api.stopped")


def raise_open_files() -> int:
    """Allow as many open files as the machine lets us, up to what we can use; returns how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


if __name__ == "__main__":
    main()

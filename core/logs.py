"""Logging, set up once per process: structlog events, JSON in production, readable text in a terminal."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from core.plate import mask_plates_in


def configure_logging(process: str, *, json: bool) -> None:
    """Send every event of this process to stderr, one a line, with the process's name and no plate in it."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_plates,
    ]
    renderer: list[Processor] = (
        [structlog.processors.ExceptionRenderer(_FRAMES_ONLY), structlog.processors.JSONRenderer()]
        if json
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )  # plain: a coloured one reads whole files for each frame, seconds in which a server answers nobody
        ]
    )
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")


_FRAMES_ONLY = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
"""The local variables of a failed call may hold a plate or a password."""


def _without_plates(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: mask_plates_in(value) if isinstance(value, str) else value for key, value in event.items()}

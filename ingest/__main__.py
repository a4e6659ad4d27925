"""Wiring of the ingest process: settings, subscriber, inbox, writer; until SIGTERM or SIGINT."""

import asyncio
import gc
import signal
from typing import Final

import structlog
import uvloop
from prometheus_client import start_http_server

from core.errors import InvalidError
from core.logs import configure_logging
from core.settings import Settings
from core.wire import SUBSCRIPTIONS
from ingest.inbox import Inbox
from ingest.pipeline import Pipeline
from ingest.subscriber import Subscriber
from ingest.writer import Writer

log = structlog.get_logger()

COLLECT_AFTER: Final = (50_000, 20, 50)
"""Garbage is looked for this rarely: a batch builds thousands of values and no cycles, and the folds of a large city
would be walked again and again."""


async def ingest(settings: Settings) -> None:
    """Run until told to stop; what was received by then is still written (and comes again unless acknowledged)."""
    if settings.database_url is None or settings.mqtt_url is None:
        raise InvalidError("ingest needs PARKING_DATABASE_URL and PARKING_MQTT_URL; `parking up` sets both")
    clock = settings.the_clock
    inbox = Inbox(batch_size=settings.batch_size, flush_after_ms=settings.flush_after_ms, limit=settings.inbox_limit)
    subscriber = Subscriber(
        settings.mqtt_url.get_secret_value(),
        client_id=settings.mqtt_client_id,
        topics=SUBSCRIPTIONS,
        inbox=inbox,
        clock=clock,
        version=settings.mqtt_version,
        ca_file=settings.mqtt_ca_file,
    )
    writer = Writer(clock, future_tolerance_seconds=settings.future_tolerance_seconds)
    pipeline = Pipeline(settings.database_url.get_secret_value(), writer, ack=subscriber.acknowledge, clock=clock)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log.info("ingest.started", batch_size=settings.batch_size, flush_after_ms=settings.flush_after_ms)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(subscriber.run())
        writing = tasks.create_task(pipeline.drain(inbox))
        await _first(stop, reading, writing)
        subscriber.stop()
        inbox.close()
    log.info("ingest.stopped")


async def _first(stop: asyncio.Event, *tasks: asyncio.Task[None]) -> None:
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()


def main() -> None:
    """Start the process."""
    settings = Settings()
    gc.set_threshold(*COLLECT_AFTER)
    configure_logging("ingest", json=settings.log_json)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.host)
    uvloop.run(ingest(settings))


if __name__ == "__main__":
    main()

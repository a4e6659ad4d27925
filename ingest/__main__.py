"""Wiring of the ingest process: settings, subscriber, inbox, writer; until SIGTERM or SIGINT."""

import asyncio
import gc
import signal
import time
from functools import partial
from typing import Final

import structlog
import uvloop
from prometheus_client import start_http_server

from core.errors import InvalidError
from core.logs import configure_logging
from core.settings import Settings
from core.wire import SUBSCRIPTIONS
from ingest.inbox import Inbox
from ingest.leadership import Leadership
from ingest.pipeline import Pipeline
from ingest.subscriber import Subscriber
from ingest.watchdog import Facts, LoopGuard, watch
from ingest.writer import Writer

log = structlog.get_logger()

COLLECT_AFTER: Final = (50_000, 20, 50)
"""Garbage is looked for this rarely: a batch builds thousands of values and no cycles, and the folds of a large city
would be walked again and again."""


async def ingest(settings: Settings) -> None:
    """Run until told to stop; what was received by then is still written (and comes again unless acknowledged)."""
    if settings.database_url is None or settings.mqtt_url is None:
        raise InvalidError("ingest needs PARKING_DATABASE_URL and PARKING_MQTT_URL; `parking up` sets both")
    database_url = settings.database_url.get_secret_value()
    clock = settings.the_clock
    inbox = Inbox(batch_size=settings.batch_size, flush_after_ms=settings.flush_after_ms, limit=settings.inbox_limit)
    leadership = Leadership(database_url, settings.mqtt_client_id)
    subscriber = Subscriber(
        settings.mqtt_url.get_secret_value(),
        client_id=settings.mqtt_client_id,
        topics=SUBSCRIPTIONS,
        inbox=inbox,
        clock=clock,
        admitted=leadership.won,
        version=settings.mqtt_version,
        ca_file=settings.mqtt_ca_file,
        keepalive_seconds=settings.mqtt_keepalive_seconds,
    )
    writer = Writer(clock, future_tolerance_seconds=settings.future_tolerance_seconds)
    pipeline = Pipeline(database_url, writer, ack=subscriber.acknowledge, clock=clock)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log.info("ingest.started", batch_size=settings.batch_size, flush_after_ms=settings.flush_after_ms)
    guard = LoopGuard()
    guard.start()
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(leadership.keep(lambda: subscriber.drop("followed")))
        watching = tasks.create_task(
            watch(
                partial(_facts, subscriber, pipeline), drop=subscriber.drop, break_off=pipeline.break_off, guard=guard
            )
        )
        reading = tasks.create_task(subscriber.run())
        writing = tasks.create_task(pipeline.drain(inbox))
        await _first(stop, reading, writing)
        subscriber.stop()
        inbox.close()
        await writing
        keeping.cancel()
        watching.cancel()
    guard.stop()
    log.info("ingest.stopped")


def _facts(subscriber: Subscriber, pipeline: Pipeline) -> Facts:
    now = time.monotonic()

    def age(since: float | None) -> float | None:
        return None if since is None else now - since

    return Facts(
        connection_age=age(subscriber.connected_at),
        is_subscribed=subscriber.is_subscribed,
        idle_age=age(pipeline.idle_since),
        silent_age=now - subscriber.heard_at,
        unacknowledged=subscriber.unacknowledged,
        held_by_broker=subscriber.figures.waiting,
        attempt_age=age(pipeline.attempt_began),
    )


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

"""``parking record``: a subscriber beside ingest that keeps every message as it came."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from core.clock import Clock
from core.wire import SUBSCRIPTIONS
from ops.recording.broker import connected
from ops.recording.file import Recorded, write_head, write_messages

WRITE_EVERY_SECONDS: Final = 2.0


def record(url: str, path: Path, clock: Clock, *, until: Callable[[], bool], show: Callable[[int, int], None]) -> int:
    """Record until told to stop; returns how many messages.

    Args:
        url: the broker, as a user that may read all that is published.
        path: where to; an existing file is replaced.
        clock: the installation's, for the receipt times.
        until: asked a few times a second.
        show: told how many messages and bytes are written.

    Raises:
        UnavailableError: the broker does not answer.
    """
    heard: list[Recorded] = []
    lock = threading.Lock()

    def hear(_: Client, __: object, message: MQTTMessage) -> None:
        with lock:
            heard.append(Recorded(clock.now_ms(), message.topic, bytes(message.payload)))

    def subscribe(client: Client, _: object, __: ConnectFlags, ___: ReasonCode, ____: Properties | None) -> None:
        client.subscribe([(topic, 1) for topic in SUBSCRIPTIONS])

    written = 0
    with path.open("wb") as file:
        write_head(file, began_ms=clock.now_ms())
        with connected(url, on_message=hear, on_connect=subscribe):
            stops = False
            while not stops:
                stops = until()
                _pause(until)
                with lock:
                    batch, heard[:] = list(heard), []
                if batch:
                    write_messages(file, batch)
                    written += len(batch)
                show(written, file.tell())
    return written


def _pause(until: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + WRITE_EVERY_SECONDS
    while time.monotonic() < ends_at and not until():
        time.sleep(0.05)

"""The broker's side of a bench: a persistent session's queue filled before, and emptied as fast as paho can."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from core.wire import SUBSCRIPTIONS

WAIT_SECONDS: Final = 300
IN_FLIGHT: Final = 1_000


def queue_up(
    urls: tuple[str, str], client_id: str, messages: Sequence[tuple[str, bytes]], show: Callable[[int], None]
) -> None:
    """Let the broker queue messages for a session: it subscribes as ingest does, leaves, and they are published.

    Args:
        urls: of the user that ingests and of one that may publish.
        client_id: of the session.
        messages: ``(topic, payload)``, published in order with QoS 1.
        show: told how many the broker has.
    """
    ingest_url, publish_url = urls
    _subscribe(ingest_url, client_id)
    with publishing(publish_url, client_id) as publisher:
        sent = [publisher.publish(topic, payload, qos=1) for topic, payload in messages]
        for number, info in enumerate(sent):
            info.wait_for_publish(WAIT_SECONDS)
            if number % IN_FLIGHT == 0:
                show(number)


@contextmanager
def publishing(url: str, client_id: str) -> Iterator[Client]:
    """A client that publishes beside the session of this name."""
    publisher = connected(url, client_id=f"{client_id}-publisher", clean=True)
    publisher.loop_start()
    try:
        yield publisher
    finally:
        publisher.disconnect()
        publisher.loop_stop()


def forget(url: str, client_id: str) -> None:
    """Let the broker drop a session and what it queued for it."""
    client = connected(url, client_id=client_id, clean=True)
    client.loop_start()
    _until(client.is_connected)
    client.disconnect()
    client.loop_stop()


def drain(url: str, client_id: str, count: int) -> dict[str, float]:
    """Take ``count`` messages off a session's queue and do nothing but acknowledge: what a Python ingest can reach.

    paho, MQTT 3.1.1, manual acknowledgement. Returns: seconds from the first to the last, and of this process's CPU.
    """
    client = connected(url, client_id=client_id, clean=False, manual_ack=True)
    taken, began = 0, 0.0

    def acknowledge(client: Client, _: object, message: MQTTMessage) -> None:
        nonlocal taken, began
        began = began or time.perf_counter()
        client.ack(message.mid, message.qos)
        taken += 1
        if taken == count:
            client.disconnect()

    client.on_message = acknowledge
    client.loop_forever()
    return {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time()}


def connected(url: str, *, client_id: str, clean: bool, **more: Any) -> Client:
    """A client on the broker; ``clean`` begins and ends without a session that is kept."""
    parts = urlsplit(url)
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean, **more)
    client.max_inflight_messages_set(IN_FLIGHT)
    client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
    client.connect(parts.hostname or "", parts.port or 1883)
    return client


def _subscribe(url: str, client_id: str) -> None:
    """A session that is subscribed, and away."""
    done: list[int] = []
    client = connected(url, client_id=client_id, clean=False)
    client.on_subscribe = lambda *_: done.append(1)
    client.loop_start()
    _until(client.is_connected)
    client.subscribe([(topic, 1) for topic in SUBSCRIPTIONS])
    _until(lambda: bool(done))
    client.disconnect()
    client.loop_stop()


def _until(fact: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + WAIT_SECONDS
    while not fact():
        if time.monotonic() > ends_at:
            raise TimeoutError("the broker does not answer")
        time.sleep(0.01)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(drain(sys.stdin.readline().strip(), sys.argv[1], int(sys.argv[2]))))

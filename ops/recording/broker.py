"""A connection to the broker for recording and replaying."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from core.errors import UnavailableError
from core.settings import Settings

CONNECTED_WITHIN_SECONDS: Final = 15.0
IN_FLIGHT: Final = 1_000


@contextmanager
def connected(url: str, *, on_message: Any = None, on_connect: Any = None) -> Iterator[Client]:
    """A client with a thread of its own, subscribed by ``on_connect``; it reconnects by itself.

    Raises:
        UnavailableError: the broker does not answer, or lets nobody in.
    """
    parts = urlsplit(url)
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"parking-{uuid4().hex[:12]}", protocol=MQTTv311)
    client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
    client.max_inflight_messages_set(IN_FLIGHT)
    client.reconnect_delay_set(1, 10)
    if parts.scheme == "mqtts":
        ca_file = Settings().mqtt_ca_file
        client.tls_set(ca_certs=str(ca_file) if ca_file else None)
    ready = threading.Event()
    why: list[str] = []

    def greet(client: Client, userdata: object, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            why[:] = [str(reason)]
            return
        if on_connect is not None:
            on_connect(client, userdata, flags, reason, properties)
        ready.set()

    client.on_connect = greet
    if on_message is not None:
        client.on_message = on_message
    try:
        client.connect(parts.hostname or "", parts.port or 1883)
    except OSError as error:
        raise UnavailableError(f"the broker at {parts.hostname}:{parts.port} does not answer: {error}") from error
    client.loop_start()
    try:
        if not ready.wait(CONNECTED_WITHIN_SECONDS):
            raise UnavailableError(f"the broker at {parts.hostname}:{parts.port} lets us not in: {why or 'no answer'}")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()

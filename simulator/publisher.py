"""The way to the broker: QoS 1, bounded, and patient when the broker goes away.

One thread drives the socket itself: paho's own would write a byte to a pipe for every message and race with us about
what was acknowledged. Unacknowledged messages stay in paho's list and are sent again on the next connection.
"""

import random
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from core.errors import InvalidError, UnavailableError

log = structlog.get_logger()

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_KEEPALIVE_SECONDS = 60
_LONGEST_PAUSE_SECONDS = 5.0
_SILENCE_SECONDS = 20.0
"""A connection with unacknowledged messages on which nothing is heard for so long is dead."""


class Publisher:
    """Publishes with at most ``window`` unacknowledged messages; the caller waits for room and gives it turns."""

    def __init__(self, url: str, *, version: int = 4, window: int = 1_000, ca_file: Path | None = None) -> None:
        """Prepare for the broker at ``mqtt[s]://user:password@host:port``; ``turn`` connects.

        Raises:
            InvalidError: the URL is none of a broker.
        """
        self.url = url
        self._window = window
        self._in_flight: dict[int, int | None] = {}
        self._events = selectors.DefaultSelector()
        self._connected = False
        self._next_try = 0.0
        self._pause_seconds = 0.1
        self._heard = time.monotonic()
        self.published = 0
        self.acknowledged = 0
        self.denied = 0
        """Messages the broker took and threw away because we may not publish there (MQTT 5 tells)."""
        self.trouble = ""
        """What is wrong with the newest connection."""
        self.is_refused = False
        """Whether the broker answered the newest connection, and does not want us."""
        self._client, self._host, self._port = _client(url, version, ca_file)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_socket_open = self._on_socket_open
        self._client.on_socket_close = self._on_socket_close
        self._client.on_socket_register_write = self._on_want_write
        self._client.on_socket_unregister_write = self._on_written

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and not gone away since, as far as we know."""
        return self._connected

    @property
    def in_flight(self) -> int:
        """Messages published and not yet acknowledged."""
        return len(self._in_flight)

    @property
    def has_room(self) -> bool:
        """Whether another message may be published now; if not, a turn is needed."""
        return self._connected and len(self._in_flight) < self._window

    def oldest_unacknowledged_ms(self) -> int | None:
        """The earliest ``settles_ms`` still waiting for the broker."""
        return min((at for at in self._in_flight.values() if at is not None), default=None)

    def publish(self, topic: str, payload: bytes, *, settles_ms: int | None) -> None:
        """Hand one message over; ``settles_ms`` is the earliest event that rests on it, None for a mere repeat."""
        if not self._in_flight:
            self._heard = time.monotonic()
        info = self._client.publish(topic, payload, qos=1)
        while info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:  # this number's last message is not acknowledged yet
            info = self._client.publish(topic, payload, qos=1)
        self._in_flight[info.mid] = settles_ms
        self.published += 1

    def turn(self, seconds: float) -> None:
        """Let the connection work: connect, read, write, keep alive. Returns early when something came."""
        if self._client.socket() is None:
            self._connect_or_wait(seconds)
            return
        for key, ready in self._events.select(max(0.0, seconds)):
            if ready & selectors.EVENT_READ and self._client.socket() is key.fileobj:
                self._heard = time.monotonic()
                self._client.loop_read()
            if ready & selectors.EVENT_WRITE and self._client.socket() is key.fileobj:
                self._client.loop_write()
        if self._client.socket() is not None:
            self._client.loop_misc()
            self._give_up_if_silent()

    def lose(self) -> None:
        """Lose the connection from one moment to the next; what is unacknowledged is sent again on the next one."""
        connection = self._client.socket()
        if isinstance(connection, socket.socket):
            connection.shutdown(socket.SHUT_RDWR)

    def finish(self, seconds: float) -> bool:
        """Wait until everything is acknowledged, at most so long, then say goodbye; whether it all was."""
        deadline = time.monotonic() + seconds
        while self._in_flight and time.monotonic() < deadline:
            self.turn(min(0.1, deadline - time.monotonic()))
        if self._connected:
            self._client.disconnect()
            for _ in range(10):
                if self._client.socket() is None:
                    break
                self.turn(0.05)
        self._events.close()
        return not self._in_flight

    # --- connecting ---------------------------------------------------------------------------------------------------

    def _connect_or_wait(self, seconds: float) -> None:
        wait = self._next_try - time.monotonic()
        if wait > 0:
            time.sleep(min(wait, max(seconds, 0.0)))
            return
        self._next_try = time.monotonic() + self._pause_seconds * random.uniform(0.8, 1.2)
        self._pause_seconds = min(self._pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
        self._heard = time.monotonic()
        try:
            self._client.connect(self._host, self._port, keepalive=_KEEPALIVE_SECONDS)
        except OSError as error:
            self.trouble = f"{self._host}:{self._port} does not answer: {error}"
            log.warning("broker.did_not_answer", host=self._host, port=self._port, error=str(error))

    def _give_up_if_silent(self) -> None:
        """A broker that is stopped, not killed, keeps the connection open and says nothing."""
        waiting = self._in_flight or not self._connected
        if waiting and time.monotonic() - self._heard > _SILENCE_SECONDS:
            log.warning("broker.fell_silent", unacknowledged=len(self._in_flight))
            self.lose()

    # --- what paho calls, always from within a turn or a publish ------------------------------------------------------

    def _on_connect(
        self, _client: mqtt.Client, _user: object, _flags: object, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self.is_refused = reason.is_failure
        if reason.is_failure:
            self.trouble = f"the broker at {self._host}:{self._port} refuses us: {reason}"
            log.error("broker.refused_us", reason=str(reason))
            return
        self._connected = True
        self._pause_seconds = 0.1
        self.trouble = ""
        log.info("broker.connected", host=self._host, port=self._port, unacknowledged=len(self._in_flight))

    def _on_disconnect(
        self, _client: mqtt.Client, _user: object, _flags: object, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if self._connected and reason.is_failure:
            log.warning("broker.connection_lost", reason=str(reason), unacknowledged=len(self._in_flight))
        self._connected = False

    def _on_publish(
        self, _client: mqtt.Client, _user: object, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self.denied += 1
        if mid in self._in_flight:
            del self._in_flight[mid]
            self.acknowledged += 1

    def _on_socket_open(self, _client: mqtt.Client, _user: object, connection: Any) -> None:
        self._events.register(connection, selectors.EVENT_READ)

    def _on_socket_close(self, _client: mqtt.Client, _user: object, connection: Any) -> None:
        self._events.unregister(connection)
        self._connected = False

    def _on_want_write(self, _client: mqtt.Client, _user: object, connection: Any) -> None:
        self._events.modify(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def _on_written(self, _client: mqtt.Client, _user: object, connection: Any) -> None:
        self._events.modify(connection, selectors.EVENT_READ)


def connect(publisher: Publisher, seconds: float, *, until: Callable[[], bool]) -> None:
    """Wait until the broker accepts us, or somebody asks to stop.

    Raises:
        UnavailableError: it refused, or did not answer within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not (publisher.connected or until()):
        if publisher.is_refused or time.monotonic() > deadline:
            raise UnavailableError(f"no way to the broker: {publisher.trouble or 'it takes us, and says nothing'}")
        publisher.turn(0.1)


def _client(url: str, version: int, ca_file: Path | None) -> tuple[mqtt.Client, str, int]:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InvalidError("PARKING_MQTT_URL is not mqtt://user:password@host:port", scheme=parts.scheme)
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"parking-simulator-{random.SystemRandom().randrange(16**8):08x}",
        protocol=mqtt.MQTTv5 if version == mqtt.MQTTv5 else mqtt.MQTTv311,
        reconnect_on_failure=False,
    )
    client.max_inflight_messages_set(0)
    client.max_queued_messages_set(0)
    if parts.username:
        client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
    if parts.scheme == "mqtts":
        client.tls_set(ca_certs=str(ca_file) if ca_file else None, cert_reqs=ssl.CERT_REQUIRED)
    return client, parts.hostname, parts.port or _PORTS[parts.scheme]

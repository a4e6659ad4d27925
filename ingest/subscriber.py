"""The paho edge: a persistent MQTT session driven by asyncio, whose callback only puts messages into the inbox.

Acknowledgements go out in arrival order, after the commit, and only on the connection their message came on: a number
acknowledged on a later connection would remove another message from the broker.

What the broker says of itself comes over the same connection, at most once, and past the inbox.
"""

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from core.clock import Clock
from core.errors import InvalidError
from ingest import metrics
from ingest.broker import WATCHED, BrokerFigures
from ingest.inbox import Inbox, Message

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

log = structlog.get_logger()

KEEPALIVE_SECONDS: Final = 30
"""A connection over which nothing comes any more is noticed within twice this."""
SESSION_EXPIRY_SECONDS: Final = 7 * 24 * 3_600
RECONNECT_SECONDS: Final = (0.2, 15.0)
"""First and longest wait before connecting again, doubled between and spread by half."""
STEADY_SECONDS: Final = 5.0
"""A connection that lasted so long begins the waits anew. One that is taken away at once does not: another client of
the same name would be thrown out, and throw us out, several times a second for ever."""
MOST_UNACKNOWLEDGED: Final = 65_535
"""The protocol's own bound of a window."""
PACKETS_A_TURN: Final = 40
"""Packets read before other tasks get a turn: within a millisecond what the database answered is taken up, so that it
works while a backlog is read."""
INBOX_FULL: Final = "inbox-full"
"""Why a connection is dropped that could not be read for half a keepalive: the broker queues until there is room."""
DEFAULT_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class Subscriber:
    """Keeps the connection up until stopped, and acknowledges."""

    def __init__(
        self,
        url: str,
        *,
        client_id: str,
        topics: Sequence[str],
        inbox: Inbox,
        clock: Clock,
        admitted: Callable[[], Awaitable[None]],
        version: int = 4,
        ca_file: Path | None = None,
        keepalive_seconds: int = KEEPALIVE_SECONDS,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise InvalidError("PARKING_MQTT_URL is mqtt://user:password@host:port or mqtts://...", scheme=parts.scheme)
        self.epoch = 0
        self.is_connected = False
        self.is_subscribed = False
        self.connected_at: float | None = None
        """When this connection was made, on the monotonic clock."""
        self.heard_at = 0.0
        """When the last message came, or the connection was made."""
        self.unacknowledged = 0
        """Messages of this connection that were received and not acknowledged: nought whenever there is no work."""
        self.figures = BrokerFigures()
        self._host = parts.hostname
        self._port = parts.port or DEFAULT_PORTS[parts.scheme]
        self._topics = [(topic, 1) for topic in topics]
        self._inbox = inbox
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._lost = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopping = False
        self._subscribing: int | None = None
        self._was_dropped = False
        self._paused_at: float | None = None
        """Since when nothing is read, as the inbox is full."""
        self._admitted = admitted
        self._keepalive_seconds = keepalive_seconds
        self._accounted = 0
        """Messages that came and are done with: acknowledged, or such as nobody acknowledges."""
        self._is_version_5 = version == MQTTProtocolVersion.MQTTv5
        self._client = self._build_client(client_id, MQTTProtocolVersion(version))
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set_context(ssl.create_default_context(cafile=str(ca_file) if ca_file else None))

    async def run(self) -> None:
        """Connect, read, and connect again whenever the connection is lost, until ``stop``.

        Before each connection it waits to be admitted: whoever has been followed by a stand-by must not come back.
        """
        wait_seconds = RECONNECT_SECONDS[0]
        while not self._stopping:
            if not self._inbox.has_room:
                await asyncio.sleep(RECONNECT_SECONDS[0])
                continue
            if not await self._is_admitted():
                return
            try:
                await asyncio.to_thread(self._connect)
            except OSError as error:
                log.warning("broker.unreachable", host=self._host, port=self._port, why=str(error))
            else:
                if await self._stay_connected():
                    wait_seconds = RECONNECT_SECONDS[0]
            if not self._stopping:
                await asyncio.sleep(wait_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - spreads reconnects
                wait_seconds = min(2 * wait_seconds, RECONNECT_SECONDS[1])

    def acknowledge(self, batch: Sequence[Message]) -> int:
        """Acknowledge committed messages in arrival order; returns how many, those of earlier connections not."""
        sent = 0
        for message in batch:
            if message.qos and message.epoch == self.epoch and self.is_connected:
                self._client.ack(message.mid, message.qos)
                sent += 1
        self.unacknowledged -= sent
        self._accounted += sent
        metrics.unacknowledged.set(self.unacknowledged)
        if self._paused_at is not None and self._inbox.is_half_empty:
            self._go_on()
        return sent

    def stop(self) -> None:
        """Disconnect; the broker keeps the session and queues for it."""
        self._stopping = True
        self._client.disconnect()
        self._lost.set()
        self._stopped.set()

    def drop(self, why: str) -> None:
        """Cut the connection on purpose; the broker redelivers what was not acknowledged on the next."""
        if self.connected_at is None:
            return
        log.warning("broker.dropped", why=why, waiting=len(self._inbox))
        metrics.dropped_connections.labels(why).inc()
        self._was_dropped = True
        self._close()
        self._lost.set()

    async def _is_admitted(self) -> bool:
        """Wait to be admitted, or to be told to stop; which of the two it was."""
        waiting = [asyncio.ensure_future(self._admitted()), asyncio.ensure_future(self._stopped.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        admitted = waiting[0].done()
        for task in waiting:
            task.cancel()
        return admitted and not self._stopping

    def _build_client(self, client_id: str, version: MQTTProtocolVersion) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=version,
            manual_ack=True,
            reconnect_on_failure=False,
            clean_session=None if self._is_version_5 else False,
        )
        client.suppress_exceptions = True
        client.connect_timeout = 5.0
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_socket_register_write = self._on_register_write
        client.on_socket_close = self._on_socket_close
        return client

    def _connect(self) -> None:
        if self._is_version_5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no hints here
            properties.SessionExpiryInterval = SESSION_EXPIRY_SECONDS
            properties.ReceiveMaximum = min(self._inbox.limit, MOST_UNACKNOWLEDGED)
            self._client.connect(
                self._host, self._port, self._keepalive_seconds, clean_start=False, properties=properties
            )
        else:
            self._client.connect(self._host, self._port, self._keepalive_seconds)

    async def _stay_connected(self) -> bool:
        """Serve this connection until it is lost; returns whether the next may be tried at once."""
        self._lost.clear()
        self.epoch += 1
        self.unacknowledged = 0
        self._paused_at = None
        sock = self._client.socket()
        if sock is None or self._stopping:
            return False
        began = self.connected_at = self.heard_at = time.monotonic()
        self._loop.add_reader(sock, self._on_readable)
        self._want_write()
        was_accepted = self._was_dropped = False
        while not self._lost.is_set():
            try:
                async with asyncio.timeout(1):
                    await self._lost.wait()
            except TimeoutError:
                if self._client.loop_misc() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                    self._lost.set()
            was_accepted = was_accepted or self.is_connected
            if self._has_paused_for_long():
                self.drop(INBOX_FULL)
        lasted = time.monotonic() - began
        self._close()
        if was_accepted and not self._was_dropped and lasted < STEADY_SECONDS:
            log.warning("broker.connection_was_short", seconds=round(lasted, 1))
        return was_accepted and (self._was_dropped or lasted >= STEADY_SECONDS)

    def _on_readable(self) -> None:
        for _ in range(PACKETS_A_TURN):
            before = len(self._inbox)
            if self._client.loop_read() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._lost.set()
                return
            if self._inbox.is_full:
                self._pause()
                return
            if len(self._inbox) == before:
                break
        sock = self._client.socket()
        if isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending():
            self._loop.call_soon(self._on_decrypted, sock)  # nothing will make the socket readable for these

    def _on_decrypted(self, sock: ssl.SSLSocket) -> None:
        if self._client.socket() is sock and self.connected_at is not None and self._paused_at is None:
            self._on_readable()

    def _pause(self) -> None:
        """Stop reading: acknowledgements still go out, so that the writer's progress is not lost to a new connection.

        Whoever does not read for long is taken for dead by either end; before that the connection is dropped.
        """
        sock = self._client.socket()
        if sock is not None and sock.fileno() >= 0:
            self._paused_at = time.monotonic()
            metrics.pauses.inc()
            self._loop.remove_reader(sock)

    def _has_paused_for_long(self) -> bool:
        return self._paused_at is not None and time.monotonic() - self._paused_at > self._keepalive_seconds / 2

    def _go_on(self) -> None:
        """Read again, first what was left half-way."""
        self._paused_at = None
        sock = self._client.socket()
        if self.connected_at is not None and sock is not None and sock.fileno() >= 0:
            self._loop.add_reader(sock, self._on_readable)
            self._loop.call_soon(self._on_readable)

    def _want_write(self) -> None:
        sock = self._client.socket()
        if sock is not None and sock.fileno() >= 0:
            self._loop.add_writer(sock, self._on_writable)

    def _on_writable(self) -> None:
        sock = self._client.socket()
        if self._client.loop_write() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost.set()
        elif sock is not None and not self._client.want_write():
            self._loop.remove_writer(sock)

    def _close(self) -> None:
        self.is_connected = self.is_subscribed = False
        self.connected_at = None
        sock = self._client.socket()
        if sock is not None and sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            sock.close()

    def _on_register_write(self, _client: Client, _data: object, _sock: object) -> None:
        self._loop.call_soon_threadsafe(self._want_write)  # the first packet is queued by the connecting thread

    def _on_socket_close(self, _client: Client, _data: object, sock: "SocketLike") -> None:
        if sock.fileno() >= 0:
            self._loop.call_soon_threadsafe(self._loop.remove_reader, sock.fileno())
            self._loop.call_soon_threadsafe(self._loop.remove_writer, sock.fileno())

    def _on_connect(
        self, client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            log.error("broker.refused", why=str(reason))
            self._lost.set()
            return
        self.is_connected = True
        metrics.connections.inc()
        log.info("broker.connected", session_resumed=flags.session_present, epoch=self.epoch)
        _, self._subscribing = client.subscribe(self._topics)
        client.subscribe([(topic, 0) for topic in WATCHED])  # a broker may refuse: then nothing is watched

    def _on_subscribe(
        self, _client: Client, _data: object, mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        if mid != self._subscribing:
            return
        refused = [topic for (topic, _), reason in zip(self._topics, reasons, strict=False) if reason.is_failure]
        if refused:
            log.error("broker.subscription_refused", topics=refused)
        else:
            self.is_subscribed = True
            log.info("broker.subscribed", topics=len(self._topics))

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self.is_connected = False
        if not self._stopping:
            log.warning("broker.disconnected", why=str(reason))
        self._lost.set()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "\ufffd"
        if topic.startswith("$SYS/"):
            self.figures.take(
                topic,
                bytes(message.payload),
                is_old=message.retain,
                accounted=self._accounted,
                in_hand=self.unacknowledged,
            )
            return
        self.heard_at = time.monotonic()
        if message.qos:
            self.unacknowledged += 1
        else:
            self._accounted += 1
        now_ms = self._clock.now_ms()
        self._inbox.put(Message(topic, bytes(message.payload), now_ms, self.epoch, message.mid, message.qos))

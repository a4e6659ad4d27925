"""The paho edge: a persistent MQTT session driven by asyncio, whose callback only puts messages into the inbox.

Acknowledgements go out in arrival order, after the commit, and only on the connection their message came on: a number
acknowledged on a later connection would remove another message from the broker.
"""

import asyncio
import random
import ssl
from collections.abc import Sequence
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
from ingest.inbox import Inbox, Message

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

log = structlog.get_logger()

KEEPALIVE_SECONDS: Final = 30
SESSION_EXPIRY_SECONDS: Final = 7 * 24 * 3_600
RECONNECT_SECONDS: Final = (0.2, 15.0)
"""First and longest wait before connecting again, doubled between and spread by half."""
PACKETS_A_TURN: Final = 200
"""Packets read before other tasks get a turn."""
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
        version: int = 4,
        ca_file: Path | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise InvalidError("PARKING_MQTT_URL is mqtt://user:password@host:port or mqtts://...", scheme=parts.scheme)
        self.epoch = 0
        self.is_connected = False
        self.last_packet_ms = 0
        self._host = parts.hostname
        self._port = parts.port or DEFAULT_PORTS[parts.scheme]
        self._topics = [(topic, 1) for topic in topics]
        self._inbox = inbox
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._lost = asyncio.Event()
        self._stopping = False
        self._is_version_5 = version == MQTTProtocolVersion.MQTTv5
        self._client = self._build_client(client_id, MQTTProtocolVersion(version))
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set_context(ssl.create_default_context(cafile=str(ca_file) if ca_file else None))

    async def run(self) -> None:
        """Connect, read, and connect again whenever the connection is lost, until ``stop``."""
        wait_seconds = RECONNECT_SECONDS[0]
        while not self._stopping:
            if not self._inbox.has_room:
                await asyncio.sleep(RECONNECT_SECONDS[0])
                continue
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
        return sent

    def stop(self) -> None:
        """Disconnect; the broker keeps the session and queues for it."""
        self._stopping = True
        self._client.disconnect()
        self._lost.set()

    def drop(self, why: str) -> None:
        """Cut the connection on purpose; the broker redelivers what was not acknowledged on the next."""
        log.warning("broker.dropped", why=why, waiting=len(self._inbox))
        self._close()
        self._lost.set()

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
            properties.ReceiveMaximum = 65_535
            self._client.connect(self._host, self._port, KEEPALIVE_SECONDS, clean_start=False, properties=properties)
        else:
            self._client.connect(self._host, self._port, KEEPALIVE_SECONDS)

    async def _stay_connected(self) -> bool:
        """Serve this connection until it is lost; returns whether it ever was accepted."""
        self._lost.clear()
        self.epoch += 1
        sock = self._client.socket()
        if sock is None:
            return False
        self._loop.add_reader(sock, self._on_readable)
        self._want_write()
        was_accepted = False
        while not self._lost.is_set():
            try:
                async with asyncio.timeout(1):
                    await self._lost.wait()
            except TimeoutError:
                if self._client.loop_misc() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                    self._lost.set()
            was_accepted = was_accepted or self.is_connected
            if self._inbox.is_full:
                self.drop("the inbox is full: the broker queues until the writer has caught up")
        self._close()
        return was_accepted

    def _on_readable(self) -> None:
        for _ in range(PACKETS_A_TURN):
            before = len(self._inbox)
            if self._client.loop_read() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._lost.set()
                return
            if self._inbox.is_full:
                self.drop("the inbox is full: the broker queues until the writer has caught up")
                return
            if len(self._inbox) == before:
                return

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
        self.is_connected = False
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
        log.info("broker.connected", session_resumed=flags.session_present, epoch=self.epoch)
        client.subscribe(self._topics)

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        refused = [topic for (topic, _), reason in zip(self._topics, reasons, strict=False) if reason.is_failure]
        if refused:
            log.error("broker.subscription_refused", topics=refused)
        else:
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
        now_ms = self._clock.now_ms()
        self.last_packet_ms = now_ms
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "\ufffd"
        self._inbox.put(Message(topic, bytes(message.payload), now_ms, self.epoch, message.mid, message.qos))

"""The api's way to the broker: a message is done when the broker has acknowledged it, and refused when it is away."""

import asyncio
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import structlog
from paho.mqtt.client import MQTT_ERR_SUCCESS, Client, ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from core.errors import UnavailableError

if TYPE_CHECKING:
    from paho.mqtt.client import DisconnectFlags

log = structlog.get_logger()

ACKNOWLEDGED_WITHIN_SECONDS: Final = 5.0
CONNECTED_WITHIN_SECONDS: Final = 3.0
MOST_UNDER_WAY: Final = 10_000
PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class BrokerAwayError(UnavailableError):
    """The broker does not answer, or does not take the message; push it again."""

    slug = "broker-away"


class Republisher:
    """One client, connected at the first message; paho's own thread keeps it connected from then on.

    MQTT 5, because only there an acknowledgement says whether the message was taken.
    """

    def __init__(self, url: str | None, ca_file: Path | None = None) -> None:
        """Remember where the broker is; nothing is connected yet."""
        self._url = url
        self._ca_file = ca_file
        self._client: Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[int, asyncio.Future[ReasonCode]] = {}

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish and wait for the acknowledgement.

        Raises:
            BrokerAwayError: none came; the message may yet arrive, and counts once if it is pushed again.
        """
        client = await self._connected()
        answer = self._send(client, topic, payload)
        try:
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_SECONDS):
                reason = await answer
        except TimeoutError:
            raise _away("the broker has not acknowledged it") from None
        if reason.is_failure:
            log.error("uplink.not_taken", topic=topic, why=str(reason))
            raise _away(f"the broker did not take it: {reason}")

    def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()

    async def _connected(self) -> Client:
        if self._url is None:
            raise _away("this process knows no broker: PARKING_MQTT_URL is not set")
        if self._client is None:
            self._loop = asyncio.get_running_loop()
            self._client = self._connect(self._url)
        ends_at = asyncio.get_running_loop().time() + CONNECTED_WITHIN_SECONDS
        while not self._client.is_connected():
            if asyncio.get_running_loop().time() >= ends_at:
                raise _away("the broker does not answer")
            await asyncio.sleep(0.02)
        return self._client

    def _connect(self, url: str) -> Client:
        parts = urlsplit(url)
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.max_inflight_messages_set(MOST_UNDER_WAY)
        client.max_queued_messages_set(MOST_UNDER_WAY)
        client.reconnect_delay_set(1, 5)
        client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            client.tls_set_context(ssl.create_default_context(cafile=str(self._ca_file) if self._ca_file else None))
        client.on_publish = self._on_publish
        client.on_connect = _on_connect
        client.on_disconnect = _on_disconnect
        client.connect_async(parts.hostname or "", parts.port or PORTS.get(parts.scheme, 1883), keepalive=15)
        client.loop_start()
        return client

    def _send(self, client: Client, topic: str, payload: bytes) -> "asyncio.Future[ReasonCode]":
        if len(self._waiting) >= MOST_UNDER_WAY:
            raise _away("too many messages are under way")
        sent = client.publish(topic, payload, qos=1)
        if sent.rc != MQTT_ERR_SUCCESS:
            raise _away("the broker does not answer")
        answer: asyncio.Future[ReasonCode] = asyncio.get_running_loop().create_future()
        self._waiting[sent.mid] = answer
        answer.add_done_callback(lambda _: self._waiting.pop(sent.mid, None))
        return answer

    def _on_publish(
        self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        """In paho's thread, which holds a lock of its own: nothing may be waited for here."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._settle, mid, reason)

    def _settle(self, mid: int, reason: ReasonCode) -> None:
        answer = self._waiting.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(reason)


def _on_connect(
    _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
) -> None:
    if reason.is_failure:
        log.error("broker.refused", why=str(reason))
    else:
        log.info("broker.connected")


def _on_disconnect(
    _client: Client, _data: object, _flags: "DisconnectFlags", reason: ReasonCode, _properties: Properties | None
) -> None:
    log.warning("broker.disconnected", why=str(reason))


def _away(why: str) -> BrokerAwayError:
    return BrokerAwayError(f"{why}; push it again shortly", retry_after_seconds=2)

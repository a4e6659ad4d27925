"""MQTT clients as sensors are: they connect, publish, and note what they were told."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from tests.support.waiting import soon


@dataclass
class Talker:
    """One client, connected or turned away."""

    paho: Client
    told: list[str] = field(default_factory=list)
    """What each attempt to connect was answered."""
    heard: list[tuple[str, bytes]] = field(default_factory=list)

    def say(self, topic: str, payload: bytes | str = b"{}") -> None:
        """Publish and wait for the acknowledgement."""
        self.paho.publish(topic, payload, qos=1).wait_for_publish(10)

    def on_connect(self, _c: Client, _d: object, _f: ConnectFlags, reason: ReasonCode, _p: Properties | None) -> None:
        self.told.append(str(reason))

    def on_message(self, _c: Client, _d: object, message: MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))


@contextmanager
def talking(url: str, *, name: str = "", ca: Path | None = None, is_kept: bool = False) -> Iterator[Talker]:
    """A client of this name, told whether it may come in; the broker keeps a session for it only if asked to."""
    parts = urlsplit(url)
    client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=not is_kept, reconnect_on_failure=False)
    talker = Talker(client)
    client.on_connect, client.on_message = talker.on_connect, talker.on_message
    client.max_queued_messages_set(0)
    client.max_inflight_messages_set(10_000)
    client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
    if ca:
        client.tls_set_context(ssl.create_default_context(cafile=ca))
    client.connect(parts.hostname or "", parts.port or 1883)
    client.loop_start()
    try:
        soon(lambda: bool(talker.told))
        yield talker
    finally:
        client.disconnect()
        client.loop_stop()


def as_user(url: str, user: str, password: str) -> str:
    """The same broker, as somebody else."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}").geturl()


def may_come_in(url: str) -> bool:
    """Whether the broker lets this user in."""
    with talking(url) as talker:
        return talker.told == ["Success"]

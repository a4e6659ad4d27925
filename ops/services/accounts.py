"""Who may say what on the broker: its password file and its access list, rendered from the registry.

Pure, but for the salts of the passwords.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

ITERATIONS = 101
"""Mosquitto's own number. Passwords are 256 random bits, so a slower hash would only slow a city's reconnecting."""

INGEST_TOPICS = (
    "parking/+/+/up",
    "parking/+/gateways/+/up",
    "parking/+/senml",
    "application/+/device/+/event/+",
    "v3/+/devices/+/+",
    "mqtt/things/+/uplink",
    "aep/+/+/+",
)
"""Every topic on which readings arrive, and those beside them on which network servers tell of joins and the like:
what is no uplink is refused as that, and counted, not lost at the broker. Written down here once more, as services are
fetched before there is anything to read ``core.wire`` with."""
UNREGISTERED_TOPIC = "unregistered/+/up"
"""Where sensors that nobody has registered make themselves known; what they say there is always refused, and kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A broker user: what it may publish and read, as topic filters."""

    name: str
    password: str = field(default="", repr=False)
    password_hash: str = field(default="", repr=False)
    """Instead of the password, where only that was kept."""
    publishes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    never_reads: tuple[str, ...] = ()
    """Out of what it reads otherwise."""

    def __post_init__(self) -> None:
        """Refuse what would break out of its line in either file."""
        if not self.name or any(letter in ":#" or not letter.isprintable() for letter in self.name):
            raise ValueError(f"not a broker user's name: {self.name!r}")
        if not self.password and not self.password_hash:
            raise ValueError(f"no password for broker user {self.name!r}")
        if any(letter in ":\n" for letter in self.password_hash):
            raise ValueError(f"not a password's hash for broker user {self.name!r}")
        for topic in (*self.publishes, *self.reads, *self.never_reads):
            if not topic.isprintable() or topic != topic.strip():
                raise ValueError(f"not a topic filter: {topic!r}")


def ingest(password: str) -> Account:
    """The ingest process: reads whatever sensors say, and how the broker feels, but for its errors.

    One of these is that a TLS connection cannot be written to. Told over that connection it is one more, and again,
    until the broker's stack is used up and it dies.
    """
    return Account(
        name="ingest",
        password=password,
        reads=(*INGEST_TOPICS, UNREGISTERED_TOPIC, "$SYS/#"),
        never_reads=("$SYS/broker/log/E",),
    )


def api(password: str) -> Account:
    """The api: publishes again what platforms push over HTTP."""
    return Account(name="api", password=password, publishes=INGEST_TOPICS)


def tester(password: str) -> Account:
    """Simulated cities and testers: may publish as any sensor, known or not."""
    return Account(name="tester", password=password, publishes=(*INGEST_TOPICS, UNREGISTERED_TOPIC))


def unregistered(password: str) -> Account:
    """One user for all sensors that have none yet: the broker would lose without a word what it denies them."""
    return Account(name="unregistered", password=password, publishes=(UNREGISTERED_TOPIC,))


def sensor(sensor_id: str, password: str = "", *, password_hash: str = "") -> Account:
    """One sensor: its own topics at any site, and nothing else."""
    _single_level(sensor_id)
    return Account(
        name=f"sensor.{sensor_id}",
        password=password,
        password_hash=password_hash,
        publishes=(f"parking/+/{sensor_id}/up", f"parking/{sensor_id}/senml"),
    )


def gateway(gateway_id: str, password: str = "", *, password_hash: str = "") -> Account:
    """One gateway, trusted for the sensors it collects: its own topic at any site."""
    _single_level(gateway_id)
    return Account(
        name=f"gateway.{gateway_id}",
        password=password,
        password_hash=password_hash,
        publishes=(f"parking/+/gateways/{gateway_id}/up",),
    )


def platform(name: str, password: str = "", topics: tuple[str, ...] = (), *, password_hash: str = "") -> Account:
    """A network server or carrier platform that publishes for many sensors, on the topics named for it."""
    return Account(name=f"platform.{name}", password=password, password_hash=password_hash, publishes=topics)


def render_access(accounts: Iterable[Account]) -> str:
    """Mosquitto's ``acl_file``: whoever is not in it may do nothing, and everybody only what is listed."""
    blocks = []
    for account in accounts:
        lines = [f"user {account.name}"]
        lines += [f"topic write {topic}" for topic in account.publishes]
        lines += [f"topic read {topic}" for topic in account.reads]
        lines += [f"topic deny {topic}" for topic in account.never_reads]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def render_passwords(accounts: Iterable[Account]) -> str:
    """Mosquitto's ``password_file``: a salted hash for each account; a kept one is written as it is."""
    return "".join(f"{each.name}:{each.password_hash or new_hash(each.password)}\n" for each in accounts)


def new_hash(password: str) -> str:
    """A salted hash of a password, another one at each call."""
    return hash_password(password, secrets.token_bytes(12))


def hash_password(password: str, salt: bytes) -> str:
    """``$7$iterations$salt$hash``: PBKDF2-HMAC-SHA-512, as ``mosquitto_passwd`` of Mosquitto 2 writes it."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _single_level(identifier: str) -> None:
    if not identifier or any(letter in "/+#" for letter in identifier):
        raise ValueError(f"cannot be one level of a topic: {identifier!r}")

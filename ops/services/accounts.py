"""Who may say what on the broker: its password file and its access list, rendered from the registry.

Pure, but for the salts of the passwords.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

ITERATIONS = 101
"""Mosquitto's own number. Passwords are 256 random bits, so a slower hash would only slow a city's reconnecting."""

INGEST_TOPICS = (
    "parking/+/+/up",
    "parking/+/gateways/+/up",
    "application/+/device/+/event/up",
    "v3/+/devices/+/up",
    "mqtt/things/+/uplink",
    "parking/+/senml",
    "aep/+/+/dataReport",
)
"""Every topic on which readings arrive: ours, then ChirpStack, The Things Stack, ThingPark, SenML, NB-IoT platforms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A broker user: what it may publish and read, as topic filters."""

    name: str
    password: str
    publishes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what would break out of its line in either file."""
        if not self.name or any(letter in ":#" or not letter.isprintable() for letter in self.name):
            raise ValueError(f"not a broker user's name: {self.name!r}")
        if not self.password:
            raise ValueError(f"no password for broker user {self.name!r}")
        for topic in (*self.publishes, *self.reads):
            if not topic.isprintable() or topic != topic.strip():
                raise ValueError(f"not a topic filter: {topic!r}")


def ingest(password: str) -> Account:
    """The ingest process: reads whatever sensors say, and how the broker feels."""
    return Account(name="ingest", password=password, reads=(*INGEST_TOPICS, "$SYS/#"))


def api(password: str) -> Account:
    """The api: publishes again what platforms push over HTTP."""
    return Account(name="api", password=password, publishes=INGEST_TOPICS)


def tester(password: str) -> Account:
    """Simulated cities and testers: may publish as any sensor, known or not."""
    return Account(name="tester", password=password, publishes=INGEST_TOPICS)


def sensor(sensor_id: str, password: str) -> Account:
    """One sensor: its own topics at any site, and nothing else."""
    _single_level(sensor_id)
    return Account(
        name=f"sensor.{sensor_id}",
        password=password,
        publishes=(f"parking/+/{sensor_id}/up", f"parking/{sensor_id}/senml"),
    )


def gateway(gateway_id: str, password: str) -> Account:
    """One gateway, trusted for the sensors it collects: its own topic at any site."""
    _single_level(gateway_id)
    return Account(name=f"gateway.{gateway_id}", password=password, publishes=(f"parking/+/gateways/{gateway_id}/up",))


def platform(name: str, password: str, topics: tuple[str, ...]) -> Account:
    """A network server or carrier platform that publishes for many sensors, on the topics named for it."""
    return Account(name=f"platform.{name}", password=password, publishes=topics)


def render_access(accounts: Iterable[Account]) -> str:
    """Mosquitto's ``acl_file``: whoever is not in it may do nothing, and everybody only what is listed."""
    blocks = []
    for account in accounts:
        lines = [f"user {account.name}"]
        lines += [f"topic write {topic}" for topic in account.publishes]
        lines += [f"topic read {topic}" for topic in account.reads]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def render_passwords(accounts: Iterable[Account]) -> str:
    """Mosquitto's ``password_file``: a salted hash for each account."""
    return "".join(f"{each.name}:{hash_password(each.password, secrets.token_bytes(12))}\n" for each in accounts)


def hash_password(password: str, salt: bytes) -> str:
    """``$7$iterations$salt$hash``: PBKDF2-HMAC-SHA-512, as ``mosquitto_passwd`` of Mosquitto 2 writes it."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _single_level(identifier: str) -> None:
    if not identifier or any(letter in "/+#" for letter in identifier):
        raise ValueError(f"cannot be one level of a topic: {identifier!r}")

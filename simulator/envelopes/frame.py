"""One LoRaWAN frame as a network server received it: what every server's envelope tells in its own words. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

encode = msgspec.json.Encoder().encode


class Message(NamedTuple):
    """What is published."""

    topic: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame on its way; the same frame always makes the same message, so that a retry is known as one."""

    dev_eui: str
    """Lower-case hex."""
    joined: int
    """Counts the device's joins; each begins a session of its own, with a counter from 0."""
    f_cnt: int
    at_ms: int
    f_port: int
    payload: bytes
    rssi_dbm: int
    battery_pct: int

    @property
    def dev_addr(self) -> str:
        """The address of this session, eight digits; of a network that nobody runs (prefix 00)."""
        return "00" + self._digest("address", 3)

    @property
    def session_key_id(self) -> bytes:
        """Sixteen bytes that name the session's keys."""
        return bytes.fromhex(self._digest("keys", 16))

    @property
    def id(self) -> str:
        """Of this one frame, as a UUID is written."""
        digits = self._digest(f"frame {self.f_cnt}", 16)
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def rfc3339(self) -> str:
        """When it was received, to the millisecond, in UTC."""
        return (
            datetime.fromtimestamp(self.at_ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.at_ms % 1000:03}Z"
        )

    def _digest(self, what: str, length: int) -> str:
        return blake2b(f"{self.dev_eui} {self.joined} {what}".encode(), digest_size=length).hexdigest()


def without(empty: tuple[object, ...], **members: Any) -> dict[str, Any]:
    """The members whose value is none of ``empty``: JSON made from protobuf leaves out zeros and empty words."""
    return {name: value for name, value in members.items() if value not in empty}

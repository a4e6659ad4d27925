"""A broker reconnect storm: a crowd of devices that all come back in the same second, and are gone again."""

import contextlib
import random
import socket
import struct
from typing import Final
from urllib.parse import unquote, urlsplit

CROWD: Final = 60
_CONNECT_SECONDS: Final = 2.0
_KEEPALIVE: Final = 60
_FLAGS: Final = 0xC2
"""A clean session, with a user and a password."""


def crowd(url: str, count: int = CROWD) -> int:
    """Open ``count`` connections at once, each with a name of its own, and drop all of them; how many got through.

    They say who they are (MQTT 3.1.1) and go away without a goodbye, as devices do whose street lost its radio cell.
    A broker that wants TLS gets none of it: the storm is then the simulator's own reconnection alone.
    """
    parts = urlsplit(url)
    if parts.scheme != "mqtt" or parts.hostname is None:
        return 0
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    with contextlib.ExitStack() as connections:
        opened = 0
        for _ in range(count):
            try:
                connection = socket.create_connection((parts.hostname, parts.port or 1883), timeout=_CONNECT_SECONDS)
                connections.enter_context(connection)
                connection.sendall(_connect(f"storm-{random.SystemRandom().randrange(16**8):08x}", user, password))
            except OSError:
                break
            opened += 1
        return opened


def _connect(client_id: str, user: str, password: str) -> bytes:
    """The first packet of MQTT 3.1.1."""
    body = _text("MQTT") + bytes([4, _FLAGS]) + struct.pack(">H", _KEEPALIVE)
    body += b"".join(_text(one) for one in (client_id, user, password))
    return bytes([0x10]) + _length(len(body)) + body


def _text(text: str) -> bytes:
    content = text.encode()
    return struct.pack(">H", len(content)) + content


def _length(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    digits = bytearray()
    while True:
        value, digit = divmod(value, 128)
        digits.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(digits)

"""Names of things that must not be mixed up. Pure.

A session's, bill's or payment's id is a random UUID: whoever sees one learns neither how many there are nor the next.
A lot's and a space's id in public answers is its printed code; the small integers stay inside (and are a feature's own
``id`` on the map).
"""

import os
from typing import Final, NewType
from uuid import UUID

LotId = NewType("LotId", int)
SpaceId = NewType("SpaceId", int)
SensorId = NewType("SensorId", int)

SessionId = NewType("SessionId", UUID)
BillId = NewType("BillId", UUID)

_IDS_AT_ONCE: Final = 256
_BYTES: Final = 16


class RandomIds:
    """Random UUIDs (version 4), fetched for many at once: to ask the kernel for each costs ten times as much."""

    def __init__(self) -> None:
        self._bytes = b""
        self._next = 0

    def take(self) -> UUID:
        """A fresh one."""
        if self._next >= len(self._bytes):
            self._bytes, self._next = os.urandom(_IDS_AT_ONCE * _BYTES), 0
        end = self._next + _BYTES
        taken = UUID(bytes=self._bytes[self._next : end], version=4)
        self._next = end
        return taken

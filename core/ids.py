"""Names of things that must not be mixed up. Pure.

A session's, bill's or payment's id is a random UUID: whoever sees one learns neither how many there are nor the next.
A lot's and a space's id in public answers is its printed code; the small integers stay inside (and are a feature's own
``id`` on the map).
"""

from typing import NewType
from uuid import UUID

LotId = NewType("LotId", int)
SpaceId = NewType("SpaceId", int)
SensorId = NewType("SensorId", int)

SessionId = NewType("SessionId", UUID)
BillId = NewType("BillId", UUID)

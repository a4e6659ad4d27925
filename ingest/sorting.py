"""A batch decoded and sorted by what must be done with each reading. No database: what is known is in memory."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from core.ids import SpaceId
from core.occupancy import OrderKey, Reading, Reason, Refusal, order_key
from ingest.decode import check_time, decode
from ingest.early import EarlyReadings
from ingest.floor import NO_FLOOR_MS
from ingest.folds import Folds
from ingest.inbox import Message
from ingest.registry import Registry
from ingest.statements import Arrival, arrived
from ingest.taking_in import not_assigned
from ingest.vitals import Vitals

RECENT_MS: Final = 24 * 3_600_000
"""The refold floor is never raised above readings younger than this."""


@dataclass(slots=True, kw_only=True)
class Known:
    """What the writer believes until it is overtaken; all of it but the vitals is read anew then."""

    registry: Registry = field(default_factory=Registry)
    folds: Folds = field(default_factory=Folds)
    early: EarlyReadings = field(default_factory=EarlyReadings)
    floor_ms: int = NO_FLOOR_MS
    vitals: Vitals = field(default_factory=Vitals)


@dataclass(slots=True, kw_only=True)
class Sorted:
    """A batch, decoded and sorted by what must be done with it."""

    newer: dict[SpaceId, dict[OrderKey, Arrival]] = field(default_factory=dict)
    """After everything known of their space: certainly new."""
    older: list[Arrival] = field(default_factory=list)
    """Late, or repeated: the database tells."""
    put_aside: list[tuple[Arrival, OrderKey]] = field(default_factory=list)
    """Of spaces that the batch before has not settled yet: sorted after its commit."""
    evidence: list[Arrival] = field(default_factory=list)
    """From below the refold floor: kept, and changing nothing."""
    refusals: list[tuple[Refusal, str, int]] = field(default_factory=list)
    heard: dict[SpaceId, int] = field(default_factory=dict)
    """When each space was heard last in this batch."""
    repeated: int = 0
    reaches_back: bool = False
    """Some of it is older than a day: then the floor may have been raised above it meanwhile."""
    has_frames: bool = False
    """Some of it may have come over LoRaWAN, where repeats are known by their frames."""

    def place(self, arrival: Arrival, key: OrderKey, newest: OrderKey | None) -> None:
        """Put a reading where it belongs by the newest that its space is known to have."""
        if arrival.reading.frame is not None:
            self.has_frames = True
        if newest is not None and key <= newest:
            if key == newest:
                self.repeated += 1
            else:
                self.older.append(arrival)
            return
        of_space = self.newer.get(arrival.space_id)
        if of_space is None:
            self.newer[arrival.space_id] = {key: arrival}
        elif key in of_space:
            self.repeated += 1
        else:
            of_space[key] = arrival

    def place_put_aside(self, folds: Folds) -> None:
        """The batch before is committed: sort what had to wait for it."""
        for arrival, key in self.put_aside:
            self.place(arrival, key, folds.of(arrival.space_id)[0].state.key)
        self.put_aside.clear()

    @property
    def undecided(self) -> AbstractSet[SpaceId]:
        """Spaces whose next fold depends on which of their readings the database has already."""
        spaces = {arrival.space_id for arrival in self.older}
        if self.has_frames:
            spaces |= {
                space_id
                for space_id, of_space in self.newer.items()
                if any(arrival.reading.frame is not None for arrival in of_space.values())
            }
        return spaces

    def arrivals(self) -> list[Arrival]:
        """The certainly new ones, space by space."""
        return [arrival for of_space in self.newer.values() for arrival in of_space.values()]


class Terms(NamedTuple):
    """By what readings are judged when they come."""

    now_ms: int
    tolerance_ms: int
    """So far ahead of its first arrival a reading may lie."""
    ask_about_all: bool = False
    """Take no reading for new by what is known; the database tells of each."""


def sort_message(
    message: Message, known: Known, result: Sorted, *, unsettled: AbstractSet[SpaceId], terms: Terms
) -> int:
    """Decode a message and sort what it says into ``result``; returns how many items that was.

    Args:
        message: as it came.
        known: what is known.
        result: what the messages before it in its batch said.
        unsettled: spaces of which is not known yet what the batch before made of them.
        terms: by what it is judged.
    """
    folds, heard = known.folds.known, result.heard
    topic, received_ms = message.topic, message.received_ms
    recent_ms = max(known.floor_ms, terms.now_ms - RECENT_MS)
    items = decode(topic, message.payload, registry=known.registry)
    for item in items:
        if isinstance(item, Refusal):
            result.refusals.append((item, topic, received_ms))
            continue
        key = order_key(item)
        arrival = _accept(item, key, message, known, terms.tolerance_ms)
        if isinstance(arrival, Refusal):
            result.refusals.append((arrival, topic, received_ms))
            continue
        space_id = arrival.space_id
        if received_ms > heard.get(space_id, 0):
            heard[space_id] = received_ms
        if item.at_ms < recent_ms:
            result.reaches_back = True
            if item.at_ms < known.floor_ms:
                result.evidence.append(arrival)
                continue
        if terms.ask_about_all:
            result.has_frames = True
            result.older.append(arrival)
        elif space_id in unsettled:
            result.put_aside.append((arrival, key))
        else:
            result.place(arrival, key, folds[space_id][0].state.key)
    return len(items)


def _accept(reading: Reading, key: OrderKey, message: Message, known: Known, tolerance_ms: int) -> Arrival | Refusal:
    """The reading as it came, unless it lies ahead of its first arrival or outside its sensor's assignments."""
    at_ms, received_ms = reading.at_ms, message.received_ms
    early = known.early
    if early.is_any or at_ms - received_ms > tolerance_ms:
        refusal = check_time(reading, early.first_arrival(key, received_ms), tolerance_ms)
        if refusal is not None:
            if refusal.reason is Reason.FROM_THE_FUTURE:
                early.remember(key, received_ms)
            return refusal
    sensor = known.registry.sensors[reading.sensor]
    space_id = sensor.space_at(at_ms)
    if space_id is None:
        return not_assigned(reading.sensor, at_ms, reading.raw)
    return arrived(reading, sensor.sensor_id, space_id, received_ms, message.topic)

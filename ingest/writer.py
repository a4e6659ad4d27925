"""One batch, one transaction: readings once, refusals kept, states and sessions moved on. The acknowledgement follows.

A writer is the only one that folds. It keeps the folds of all spaces in memory and believes them only as long as the
database agrees: each state row carries a version, and a write that finds another version than expected has been
overtaken, is rolled back, and is tried again on freshly read states.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import asyncpg

from core.clock import Clock
from core.ids import SensorId, SpaceId
from core.occupancy import OrderKey, Reading, Reason, Refusal, order_key
from ingest import statements as sql
from ingest.decode import YEAR_2020_MS, check_time, decode
from ingest.early import EarlyReadings, load_early
from ingest.floor import NO_FLOOR_MS, hold_floor, load_floor
from ingest.folds import Folds, load_folds
from ingest.inbox import Message
from ingest.reassigning import reassign_pending
from ingest.refolding import FROM_THE_START, refold_space
from ingest.registry import Registry, load_registry
from ingest.sessions import SessionWrite, SpaceFold, advance, announce, changed_since
from ingest.statements import Arrival
from ingest.vitals import News, Vitals, load_vitals, store_vitals

LOST_A_TRANSACTION: Final = 100
RECENT_MS: Final = 24 * 3_600_000
"""The refold floor is never raised above readings younger than this."""


class OvertakenError(Exception):
    """Somebody else has written these spaces since they were read; read again and try again."""


class Written(NamedTuple):
    """What became of a batch."""

    messages: int
    stored: int
    repeated: int
    refused: dict[Reason, int]
    sessions: int
    refolded: int
    newest_ms: int
    """Event time of the newest reading stored, 0 if none: the commit's lag is measured from it."""


@dataclass(slots=True, kw_only=True)
class Sorted:
    """A batch, decoded and sorted by what must be done with it."""

    newer: dict[SpaceId, dict[OrderKey, Arrival]] = field(default_factory=dict)
    """After everything known of their space: certainly new."""
    older: list[Arrival] = field(default_factory=list)
    """Late, or repeated: the database tells."""
    refusals: list[tuple[Refusal, str, int]] = field(default_factory=list)
    evidence: list[Arrival] = field(default_factory=list)
    """From below the refold floor: kept, and changing nothing."""
    reaches_back: bool = False
    """Some of it is older than a day: then the floor may have been raised above it meanwhile."""
    heard: dict[SpaceId, int] = field(default_factory=dict)
    """When each space was heard last in this batch."""
    repeated: int = 0


class Writer:
    """Writes batches through one connection, one at a time."""

    def __init__(self, clock: Clock, *, future_tolerance_seconds: int) -> None:
        self._clock = clock
        self._tolerance_ms = 1_000 * future_tolerance_seconds
        self._registry = Registry()
        self._folds = Folds()
        self._vitals = Vitals()
        self._sensor_ids: dict[str, SensorId] = {}
        self._early = EarlyReadings()
        self._floor_ms = NO_FLOOR_MS
        self._recent_ms = 0
        self._suspicious = False

    async def load(self, db: asyncpg.Connection) -> None:
        """Read the registry and every space's state, as after a start, an import or any doubt."""
        await sql.prepare(db)
        if self._vitals.is_empty:
            self._vitals = await load_vitals(db)
        while await reassign_pending(db, self._vitals, self._clock.now_ms(), self._tolerance_ms):
            pass
        async with db.transaction():
            self._floor_ms = await load_floor(db)
            self._registry = await load_registry(db)
            self._folds = await load_folds(db, self._registry.rules)
            self._early = await load_early(db, self._registry)
        self._sensor_ids = {code: sensor.sensor_id for code, sensor in self._registry.sensors.items()}
        for space_ids in _in_groups(sorted(self._folds.lost), LOST_A_TRANSACTION):
            await self._fold_lost(db, space_ids)

    async def write(self, db: asyncpg.Connection, batch: Sequence[Message]) -> Written:
        """Write one batch in one transaction.

        Raises:
            OvertakenError: the states in memory are stale; ``load`` and try again.
            asyncpg.DataError, asyncpg.IntegrityConstraintViolationError: some row cannot be stored.
        """
        now_ms = self._clock.now_ms()
        self._recent_ms = max(self._floor_ms, now_ms - RECENT_MS)
        sorted_batch = self._sort(batch, careful=self._suspicious)
        try:
            async with db.transaction():
                outcome = await self._store(db, sorted_batch, now_ms)
        except (asyncpg.UniqueViolationError, asyncpg.ExclusionViolationError) as error:
            # What memory took for new is stored already (a sensor whose assignment was corrected, a second writer):
            # the next attempt asks the database about every reading.
            if self._suspicious:
                raise
            self._suspicious = True
            raise OvertakenError from error
        self._suspicious = False
        self._keep(outcome)
        refused: dict[Reason, int] = {}
        for refusal, _, _ in sorted_batch.refusals:
            refused[refusal.reason] = refused.get(refusal.reason, 0) + 1
        return Written(
            messages=len(batch),
            stored=len(outcome.stored),
            repeated=sorted_batch.repeated + outcome.repeated,
            refused=refused,
            sessions=outcome.sessions,
            refolded=outcome.refolded,
            newest_ms=max((arrival.reading.at_ms for arrival in outcome.stored), default=0),
        )

    async def refuse(self, db: asyncpg.Connection, message: Message, why: Exception) -> None:
        """Keep a message that the database will not have, so that its neighbours can go on."""
        detail = f"the database refuses it: {type(why).__name__}"
        refusal = Refusal(reason=Reason.REJECTED_BY_DATABASE, detail=detail, raw=message.payload)
        await sql.store_refusals(db, [(refusal, message.topic, message.received_ms)])

    async def announce_due(self, db: asyncpg.Connection) -> int:
        """Write the sessions of stays that have become old enough; returns how many."""
        now_ms = self._clock.now_ms()
        due = {
            space_id: announced
            for space_id in self._folds.due(now_ms)
            if (announced := announce(space_id, self._folds.of(space_id)[0], self._registry.rules[space_id], now_ms))
        }
        if not due:
            return 0
        outcome = Outcome()
        async with db.transaction():
            for space_id, (fold, write) in due.items():
                outcome.folds[space_id] = (fold, self._folds.of(space_id)[1] + 1)
                outcome.writes.append(write)
                outcome.changed[space_id] = write.changed_ms
            await self._write_folds(db, outcome, {}, now_ms)
        self._keep(outcome)
        return len(due)

    async def _fold_lost(self, db: asyncpg.Connection, space_ids: Sequence[SpaceId]) -> None:
        """Fold spaces again from their stored readings, as after a corrected assignment (``fold`` set to null)."""
        now_ms, outcome = self._clock.now_ms(), Outcome()
        async with db.transaction():
            for space_id in space_ids:
                rules = self._registry.rules[space_id]
                fold, writes = await refold_space(db, space_id, FROM_THE_START, rules, now_ms)
                outcome.folds[space_id] = (fold, self._folds.of(space_id)[1] + 1)
                outcome.writes.extend(writes)
                outcome.changed[space_id] = changed_since(max(self._floor_ms, YEAR_2020_MS), writes)
            await self._write_folds(db, outcome, {}, now_ms)
        self._keep(outcome)

    def _keep(self, outcome: "Outcome") -> None:
        self._vitals.keep(outcome.news)
        for space_id, (fold, version) in outcome.folds.items():
            self._folds.keep(space_id, fold, version, self._registry.rules[space_id])

    def _sort(self, batch: Iterable[Message], *, careful: bool) -> Sorted:
        result = Sorted()
        for message in batch:
            for item in decode(message.topic, message.payload, registry=self._registry):
                if isinstance(item, Refusal):
                    result.refusals.append((item, message.topic, message.received_ms))
                else:
                    self._sort_reading(result, item, message, careful=careful)
        return result

    def _sort_reading(self, result: Sorted, reading: Reading, message: Message, *, careful: bool) -> None:
        key = order_key(reading)
        received_ms = message.received_ms
        refusal = check_time(reading, self._early.first_arrival(key, received_ms), self._tolerance_ms)
        if refusal is not None:
            if refusal.reason is Reason.FROM_THE_FUTURE:
                self._early.remember(key, received_ms)
            result.refusals.append((refusal, message.topic, received_ms))
            return
        sensor = self._registry.sensors[reading.sensor]
        space_id = sensor.space_at(reading.at_ms)
        if space_id is None:
            refusal = Refusal(
                reason=Reason.NOT_ASSIGNED,
                detail="the sensor watched no space at that instant",
                sensor=reading.sensor,
                at_ms=reading.at_ms,
                raw=reading.raw,
            )
            result.refusals.append((refusal, message.topic, received_ms))
            return
        arrival = Arrival(reading, sensor.sensor_id, space_id, received_ms, message.topic)
        if received_ms > result.heard.get(space_id, 0):
            result.heard[space_id] = received_ms
        if reading.at_ms < self._recent_ms:
            result.reaches_back = True
            if reading.at_ms < self._floor_ms:
                result.evidence.append(arrival)
                return
        newest = self._folds.of(space_id)[0].state.key
        if careful or (newest is not None and key <= newest):
            if key == newest and not careful:
                result.repeated += 1
            else:
                result.older.append(arrival)
            return
        of_space = result.newer.setdefault(space_id, {})
        if key in of_space:
            result.repeated += 1
        else:
            of_space[key] = arrival

    async def _store(self, db: asyncpg.Connection, batch: Sorted, now_ms: int) -> "Outcome":
        outcome = Outcome()
        if batch.reaches_back and await hold_floor(db) != self._floor_ms:
            raise OvertakenError
        await sql.store_evidence(db, batch.evidence)
        await self._drop_repeated_frames(db, batch, outcome)
        newer = [arrival for of_space in batch.newer.values() for arrival in of_space.values()]
        await sql.store_readings(db, newer)
        outcome.stored.extend(newer)
        late = await self._store_older(db, batch, outcome)
        for space_id, of_space in batch.newer.items():
            if space_id in late or not of_space:
                continue
            fold, version = self._folds.of(space_id)
            readings = [of_space[key].reading for key in sorted(of_space)]
            fold, writes = advance(space_id, fold, readings, self._registry.rules[space_id], now_ms)
            outcome.folds[space_id] = (fold, version + 1)
            outcome.writes.extend(writes)
            outcome.changed[space_id] = changed_since(readings[0].at_ms, writes)
        for space_id, key in late.items():
            rules = self._registry.rules[space_id]
            fold, writes = await refold_space(db, space_id, key, rules, now_ms)
            outcome.folds[space_id] = (fold, self._folds.of(space_id)[1] + 1)
            outcome.writes.extend(writes)
            outcome.changed[space_id] = changed_since(key[0], writes)
        outcome.refolded = len(late)
        await self._write_folds(db, outcome, batch.heard, now_ms)
        outcome.news = self._vitals.news(outcome.stored, self._registry.sensors)
        await store_vitals(db, outcome.news)
        await sql.store_refusals(db, batch.refusals)
        return outcome

    async def _drop_repeated_frames(self, db: asyncpg.Connection, batch: Sorted, outcome: "Outcome") -> None:
        framed = [
            arrival
            for arrival in [*batch.older, *(one for of_space in batch.newer.values() for one in of_space.values())]
            if arrival.reading.frame is not None
        ]
        if not framed:
            return
        new = await sql.store_frames(db, framed)

        def is_repeated(arrival: Arrival) -> bool:
            frame = arrival.reading.frame
            if frame is None:
                return False
            identity = (arrival.sensor_id, frame.session, frame.f_cnt)
            if identity in new:
                new.discard(identity)  # the first of a batch is the frame, the rest are repeats of it
                return False
            return True

        for space_id, of_space in list(batch.newer.items()):
            fresh = {key: arrival for key, arrival in of_space.items() if not is_repeated(arrival)}
            outcome.repeated += len(of_space) - len(fresh)
            batch.newer[space_id] = fresh
        older = [arrival for arrival in batch.older if not is_repeated(arrival)]
        outcome.repeated += len(batch.older) - len(older)
        batch.older = older

    async def _store_older(self, db: asyncpg.Connection, batch: Sorted, outcome: "Outcome") -> dict[SpaceId, OrderKey]:
        """Store what was not there yet; returns the earliest of it in each space that must be folded again."""
        unique = {(one.reading.sensor, order_key(one.reading)): one for one in reversed(batch.older)}
        older = list(unique.values())
        fresh = await sql.store_unless_repeated(db, older)
        outcome.repeated += len(batch.older) - len(fresh)
        late: dict[SpaceId, OrderKey] = {}
        for place in fresh:
            arrival = older[place]
            outcome.stored.append(arrival)
            key = order_key(arrival.reading)
            late[arrival.space_id] = min(key, late.get(arrival.space_id, key))
        return late

    async def _write_folds(
        self, db: asyncpg.Connection, outcome: "Outcome", heard: dict[SpaceId, int], now_ms: int
    ) -> None:
        await sql.write_sessions(db, outcome.writes, self._sensor_ids, now_ms)
        outcome.sessions = len(outcome.writes)
        for space_id in heard:
            if space_id not in outcome.folds:
                fold, version = self._folds.of(space_id)
                outcome.folds[space_id] = (fold, version + 1)
        states = [
            sql.StateWrite(space_id, fold, heard.get(space_id), version - 1, outcome.changed.get(space_id))
            for space_id, (fold, version) in sorted(outcome.folds.items())
        ]
        if await sql.write_states(db, states) != len(states):
            raise OvertakenError
        if states:
            await sql.wake_readers(db)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What one transaction wrote; memory takes it over after the commit."""

    stored: list[Arrival] = field(default_factory=list)
    repeated: int = 0
    folds: dict[SpaceId, tuple[SpaceFold, int]] = field(default_factory=dict)
    changed: dict[SpaceId, int] = field(default_factory=dict)
    """From when on the use of a space is another than before."""
    writes: list[SessionWrite] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    sessions: int = 0
    refolded: int = 0


DATA_ERRORS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError, OverflowError)
"""What one row can do to its batch. What asyncpg itself cannot encode is a ``ValueError``."""


def _in_groups(spaces: Sequence[SpaceId], size: int) -> Iterator[Sequence[SpaceId]]:
    for start in range(0, len(spaces), size):
        yield spaces[start : start + size]


async def write_isolating(
    writer: Writer, db: asyncpg.Connection, batch: Sequence[Message], report: Callable[[Written], None]
) -> None:
    """Write a batch; when some row of it cannot be stored, halve it until that row is alone and refused.

    Raises:
        OvertakenError: as ``Writer.write``.
    """
    try:
        report(await writer.write(db, batch))
    except DATA_ERRORS as error:
        if len(batch) == 1:
            await writer.refuse(db, batch[0], error)
            report(Written(1, 0, 0, {Reason.REJECTED_BY_DATABASE: 1}, 0, 0, 0))
            return
        middle = len(batch) // 2
        await write_isolating(writer, db, batch[:middle], report)
        await write_isolating(writer, db, batch[middle:], report)

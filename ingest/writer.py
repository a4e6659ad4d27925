"""One batch, one transaction: readings once, refusals kept, states and sessions moved on. The acknowledgement follows.

A writer is the only one that folds. It keeps the folds of all spaces in memory and believes them only as long as the
database agrees: each state row carries a version, and a write that finds another version than expected has been
overtaken, is rolled back, and is tried again on freshly read states.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import asyncpg

from core.clock import Clock
from core.ids import SensorId, SpaceId
from core.occupancy import OrderKey, Reason, Refusal, order_key
from ingest import statements as sql
from ingest.decode import YEAR_2020_MS
from ingest.early import load_early
from ingest.floor import hold_floor, load_floor
from ingest.folds import load_folds
from ingest.inbox import Message
from ingest.reassigning import reassign_pending
from ingest.refolding import FROM_THE_START, refold_space
from ingest.registry import load_registry
from ingest.sessions import SessionWrite, SpaceFold, advance, announce, changed_since
from ingest.sorting import Known, Sorted, sort_batch
from ingest.statements import Arrival
from ingest.vitals import News, Vitals, load_vitals, store_vitals

LOST_A_TRANSACTION: Final = 100


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


class Writer:
    """Writes batches through one connection, one at a time."""

    def __init__(self, clock: Clock, *, future_tolerance_seconds: int) -> None:
        self._clock = clock
        self._tolerance_ms = 1_000 * future_tolerance_seconds
        self._known = Known()
        self._vitals = Vitals()
        self._sensor_ids: dict[str, SensorId] = {}
        self._suspicious = False

    async def load(self, db: asyncpg.Connection) -> None:
        """Read the registry and every space's state, as after a start, an import or any doubt."""
        await sql.prepare(db)
        if self._vitals.is_empty:
            self._vitals = await load_vitals(db)
        while await reassign_pending(db, self._vitals, self._clock.now_ms(), self._tolerance_ms):
            pass
        async with db.transaction():
            floor_ms = await load_floor(db)
            registry = await load_registry(db)
            folds = await load_folds(db, registry.rules)
            early = await load_early(db, registry)
        self._known = Known(registry=registry, folds=folds, early=early, floor_ms=floor_ms)
        self._sensor_ids = {code: sensor.sensor_id for code, sensor in registry.sensors.items()}
        for space_ids in _in_groups(sorted(folds.lost), LOST_A_TRANSACTION):
            await self._fold_lost(db, space_ids)

    async def write(self, db: asyncpg.Connection, batch: Sequence[Message]) -> Written:
        """Write one batch in one transaction.

        Raises:
            OvertakenError: the states in memory are stale; ``load`` and try again.
            asyncpg.DataError, asyncpg.IntegrityConstraintViolationError: some row cannot be stored.
        """
        now_ms = self._clock.now_ms()
        sorted_batch = sort_batch(
            batch, self._known, now_ms=now_ms, tolerance_ms=self._tolerance_ms, ask_about_all=self._suspicious
        )
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
            for space_id in self._known.folds.due(now_ms)
            if (
                announced := announce(
                    space_id, self._known.folds.of(space_id)[0], self._known.registry.rules[space_id], now_ms
                )
            )
        }
        if not due:
            return 0
        outcome = Outcome()
        async with db.transaction():
            for space_id, (fold, write) in due.items():
                outcome.take(space_id, fold, self._known.folds.of(space_id)[1] + 1, write.changed_ms, [write])
            await self._write_folds(db, outcome, {}, now_ms)
        self._keep(outcome)
        return len(due)

    async def _fold_lost(self, db: asyncpg.Connection, space_ids: Sequence[SpaceId]) -> None:
        """Fold spaces again from their stored readings, as after a corrected assignment (``fold`` set to null)."""
        now_ms, outcome = self._clock.now_ms(), Outcome()
        since_ms = max(self._known.floor_ms, YEAR_2020_MS)
        async with db.transaction():
            for space_id in space_ids:
                rules = self._known.registry.rules[space_id]
                fold, writes = await refold_space(db, space_id, FROM_THE_START, rules, now_ms)
                outcome.take(space_id, fold, self._known.folds.of(space_id)[1] + 1, since_ms, writes)
            await self._write_folds(db, outcome, {}, now_ms)
        self._keep(outcome)

    def _keep(self, outcome: "Outcome") -> None:
        self._vitals.keep(outcome.news)
        for space_id, (fold, version) in outcome.folds.items():
            self._known.folds.keep(space_id, fold, version, self._known.registry.rules[space_id])

    async def _store(self, db: asyncpg.Connection, batch: Sorted, now_ms: int) -> "Outcome":
        outcome = Outcome()
        if batch.reaches_back and await hold_floor(db) != self._known.floor_ms:
            raise OvertakenError
        await sql.store_evidence(db, batch.evidence)
        if batch.has_frames:
            await _drop_repeated_frames(db, batch, outcome)
        outcome.stored = batch.arrivals()
        await sql.store_readings(db, outcome.stored)
        late = await _store_older(db, batch, outcome)
        self._advance_folds(batch, late, outcome, now_ms)
        for space_id, key in late.items():
            fold, writes = await refold_space(db, space_id, key, self._known.registry.rules[space_id], now_ms)
            outcome.take(space_id, fold, self._known.folds.of(space_id)[1] + 1, key[0], writes)
        outcome.refolded = len(late)
        await self._write_folds(db, outcome, batch.heard, now_ms)
        outcome.news = self._vitals.news(outcome.stored, self._known.registry.sensors)
        await store_vitals(db, outcome.news)
        await sql.store_refusals(db, batch.refusals)
        return outcome

    def _advance_folds(self, batch: Sorted, late: Container[SpaceId], outcome: "Outcome", now_ms: int) -> None:
        """Fold what is newer onto what is known, except where something late makes it necessary to fold again."""
        rules, folds = self._known.registry.rules, self._known.folds.known
        for space_id, of_space in batch.newer.items():
            if space_id in late or not of_space:
                continue
            before, version = folds[space_id]
            readings = [(key, of_space[key].reading) for key in sorted(of_space)]
            fold, writes = advance(space_id, before, readings, rules[space_id], now_ms)
            outcome.take(space_id, fold, version + 1, readings[0][0][0], writes)

    async def _write_folds(
        self, db: asyncpg.Connection, outcome: "Outcome", heard: dict[SpaceId, int], now_ms: int
    ) -> None:
        await sql.write_sessions(db, outcome.writes, self._sensor_ids, now_ms)
        outcome.sessions = len(outcome.writes)
        for space_id in heard.keys() - outcome.folds.keys():
            fold, version = self._known.folds.of(space_id)
            outcome.folds[space_id] = (fold, version + 1)
        states = [
            sql.StateWrite(space_id, fold, heard.get(space_id), version - 1, outcome.changed.get(space_id))
            for space_id, (fold, version) in sorted(outcome.folds.items())
        ]
        if await sql.write_states(db, states) != len(states):
            raise OvertakenError


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

    def take(
        self, space_id: SpaceId, fold: SpaceFold, version: int, at_ms: int, writes: Sequence[SessionWrite]
    ) -> None:
        """A space's fold has moved on to a version, by readings of which the first is of ``at_ms``."""
        self.folds[space_id] = (fold, version)
        self.changed[space_id] = at_ms
        if writes:
            self.writes.extend(writes)
            self.changed[space_id] = changed_since(at_ms, writes)


DATA_ERRORS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError, OverflowError)
"""What one row can do to its batch. What asyncpg itself cannot encode is a ``ValueError``."""


async def _drop_repeated_frames(db: asyncpg.Connection, batch: Sorted, outcome: Outcome) -> None:
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


async def _store_older(db: asyncpg.Connection, batch: Sorted, outcome: Outcome) -> dict[SpaceId, OrderKey]:
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

"""One batch, one transaction: readings once, refusals kept, states and sessions moved on. The acknowledgement follows.

A writer is the only one that folds. It keeps the folds of all spaces in memory and believes them only as long as the
database agrees: each state row carries a version, and a write that finds another version than expected has been
overtaken, is rolled back, and is tried again on freshly read states.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
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
from ingest.preparing import Outcome, Preparation, Prepared, fold_newer
from ingest.reassigning import reassign_pending
from ingest.refolding import FROM_THE_START, refold_space
from ingest.registry import load_registry
from ingest.sessions import announce
from ingest.sorting import Known, Sorted, Terms
from ingest.statements import Arrival
from ingest.vital_rows import load_untold, load_vitals, store_vitals

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
        self._sensor_ids: dict[str, SensorId] = {}
        self._suspicious = False
        self._preparation = Preparation()

    async def load(self, db: asyncpg.Connection) -> None:
        """Read the registry and every space's state, as after a start, an import or any doubt."""
        self._preparation.withdraw(self._known)
        await sql.prepare(db)
        is_start = not self._known.registry.sensors
        vitals = await load_vitals(db) if is_start else self._known.vitals
        while await reassign_pending(db, vitals, self._clock.now_ms(), self._tolerance_ms):
            pass
        async with db.transaction():
            floor_ms = await load_floor(db)
            registry = await load_registry(db)
            folds = await load_folds(db, registry.rules)
            early = await load_early(db, registry)
        self._known = Known(registry=registry, folds=folds, early=early, floor_ms=floor_ms, vitals=vitals)
        self._sensor_ids = {code: sensor.sensor_id for code, sensor in registry.sensors.items()}
        for space_ids in _in_groups(sorted(folds.lost), LOST_A_TRANSACTION):
            await self._fold_lost(db, space_ids)
        if is_start:
            vitals.hear(await load_untold(db), registry.sensors)

    @property
    def may_look_ahead(self) -> bool:
        """Whether a batch is being written behind which the next may be prepared."""
        return self._preparation.may_look_ahead

    @property
    def batches_pending(self) -> int:
        """How many batches are prepared and not committed."""
        return len(self._preparation)

    @property
    def has_news(self) -> bool:
        """Whether something sensors said of themselves waits to be stored."""
        return self._known.vitals.has_news

    async def prepare(self, batch: Sequence[Message]) -> Prepared:
        """Decode, sort and fold a batch in memory, so that ``write`` finds it ready."""
        now_ms = self._clock.now_ms()
        terms = Terms(now_ms, self._tolerance_ms, self._suspicious)
        return await self._preparation.prepare(batch, self._known, now_ms=now_ms, terms=terms)

    async def write(
        self,
        db: asyncpg.Connection,
        batch: Sequence[Message],
        prepared: Prepared | None = None,
        *,
        meanwhile: Callable[[], None] | None = None,
    ) -> Written:
        """Write one batch in one transaction.

        Args:
            db: the writer's connection.
            batch: messages as they came.
            prepared: the same batch, if it was prepared before; prepared anew if something failed since.
            meanwhile: called when it is ready to be written and the next batch may be prepared.

        Raises:
            OvertakenError: the states in memory are stale; ``load`` and try again.
            asyncpg.DataError, asyncpg.IntegrityConstraintViolationError: some row cannot be stored.
        """
        if prepared is None or prepared.era != self._preparation.era:
            prepared = await self.prepare(batch)
        if meanwhile is not None:
            self._preparation.begin(prepared)
            meanwhile()
        try:
            async with db.transaction():
                await self._store(db, prepared)
        except (asyncpg.UniqueViolationError, asyncpg.ExclusionViolationError) as error:
            self._preparation.withdraw(self._known)
            # What memory took for new is stored already (a sensor whose assignment was corrected, a second writer):
            # the next attempt asks the database about every reading.
            if self._suspicious:
                raise
            self._suspicious = True
            raise OvertakenError from error
        except BaseException:
            self._preparation.withdraw(self._known)
            raise
        self._suspicious = False
        self._preparation.committed(prepared)
        outcome = prepared.outcome
        self._keep(outcome)
        self._known.vitals.hear(outcome.stored, self._known.registry.sensors)
        refused: dict[Reason, int] = {}
        for refusal, _, _ in prepared.sorted.refusals:
            refused[refusal.reason] = refused.get(refusal.reason, 0) + 1
        return Written(
            messages=len(batch),
            stored=len(outcome.stored),
            repeated=prepared.sorted.repeated + outcome.repeated,
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
            if not self._preparation.moved_on(space_id)  # then that batch announces it
            and (
                announced := announce(
                    space_id, self._known.folds.of(space_id)[0], self._known.registry.rules[space_id], now_ms
                )
            )
        }
        if not due:
            return 0
        outcome = Outcome()
        for space_id, (fold, write) in due.items():
            outcome.take(space_id, fold, self._known.folds.of(space_id)[1], [write], at_ms=write.changed_ms)
        self._keep(outcome)  # at once: the next batch may be prepared meanwhile; if this fails, all is read anew
        async with db.transaction():
            await self._write_folds(db, outcome, {}, now_ms)
        return len(due)

    async def note_vitals(self) -> None:
        """Look through committed readings for news of their sensors, in slices: the database works meanwhile."""
        for _ in self._known.vitals.note():
            await asyncio.sleep(0)

    async def store_vitals(self, db: asyncpg.Connection, *, is_idle: bool) -> None:
        """Store some of what sensors said of themselves, if nothing else is to be done or it has waited for long."""
        if is_idle or self._known.vitals.is_overdue:
            await store_vitals(db, self._known.vitals)

    async def _fold_lost(self, db: asyncpg.Connection, space_ids: Sequence[SpaceId]) -> None:
        """Fold spaces again from their stored readings, as after a corrected assignment (``fold`` set to null)."""
        now_ms, outcome = self._clock.now_ms(), Outcome()
        since_ms = max(self._known.floor_ms, YEAR_2020_MS)
        async with db.transaction():
            for space_id in space_ids:
                rules = self._known.registry.rules[space_id]
                fold, writes = await refold_space(db, space_id, FROM_THE_START, rules, now_ms)
                outcome.take(space_id, fold, self._known.folds.of(space_id)[1], writes, at_ms=since_ms)
            await self._write_folds(db, outcome, {}, now_ms)
        self._keep(outcome)

    def _keep(self, outcome: Outcome) -> None:
        folds, rules = self._known.folds, self._known.registry.rules
        for space_id, (fold, version) in outcome.folds.items():
            if folds.of(space_id)[1] <= version:  # else the next batch, prepared already, has moved it on
                folds.keep(space_id, fold, version, rules[space_id])

    async def _store(self, db: asyncpg.Connection, prepared: Prepared) -> None:
        batch, outcome, now_ms = prepared.sorted, prepared.outcome, prepared.now_ms
        batch.place_put_aside(self._known.folds)
        if batch.reaches_back and await hold_floor(db) != self._known.floor_ms:
            raise OvertakenError
        await sql.store_evidence(db, batch.evidence)
        if batch.has_frames:
            await _drop_repeated_frames(db, batch, outcome)
        outcome.stored = batch.arrivals()
        await sql.store_readings(db, outcome.stored)
        late = await _store_older(db, batch, outcome)
        for space_id, of_space in batch.newer.items():
            if of_space and space_id not in prepared.before and space_id not in late:
                fold_newer(prepared, space_id, of_space, self._known)
        for space_id, key in late.items():
            fold, writes = await refold_space(db, space_id, key, self._known.registry.rules[space_id], now_ms)
            before, heard_ms = self._known.folds.of(space_id)[1], batch.heard[space_id]
            outcome.take(space_id, fold, before, writes, at_ms=key[0], heard_ms=heard_ms)
        outcome.refolded = len(late)
        await self._write_folds(db, outcome, batch.heard, now_ms)
        await sql.store_refusals(db, batch.refusals)

    async def _write_folds(
        self, db: asyncpg.Connection, outcome: Outcome, heard: dict[SpaceId, int], now_ms: int
    ) -> None:
        await sql.write_sessions(db, outcome.writes, self._sensor_ids, now_ms)
        outcome.sessions = len(outcome.writes)
        for space_id in heard.keys() - outcome.folds.keys():
            outcome.hear(space_id, *self._known.folds.of(space_id), heard[space_id])
        states = [outcome.states[space_id] for space_id in sorted(outcome.states)]
        if await sql.write_states(db, states) != len(states):
            raise OvertakenError


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
    """Store what was not there yet; returns the earliest of it in each space to fold again."""
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

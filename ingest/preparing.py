"""A batch decoded, sorted and folded in memory while the database still writes the one before it.

What a batch makes of the folds is taken for true at once, and remembered as it was before: if the transaction fails,
all that was prepared is withdrawn, the newest first. Spaces of which only the database can tell what a batch changes
(late readings, LoRaWAN frames) are unsettled until its commit; what the next batch says of them is put aside till then.
"""

import asyncio
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from core.ids import SpaceId
from core.occupancy import OrderKey
from ingest.inbox import Message
from ingest.sessions import SessionWrite, SpaceFold, advance, changed_since
from ingest.sorting import Known, Sorted, Terms, sort_message
from ingest.statements import Arrival, StateRow, state_row

SLICE: Final = 40
"""After so many readings or spaces the event loop has its turn: within a millisecond."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What one transaction writes; what memory takes over after the commit."""

    stored: list[Arrival] = field(default_factory=list)
    repeated: int = 0
    folds: dict[SpaceId, tuple[SpaceFold, int]] = field(default_factory=dict)
    states: dict[SpaceId, StateRow] = field(default_factory=dict)
    """The rows of these folds, made at once: the database is busy with another batch meanwhile."""
    writes: list[SessionWrite] = field(default_factory=list)
    sessions: int = 0
    refolded: int = 0

    def take(
        self,
        space_id: SpaceId,
        fold: SpaceFold,
        before: int,
        writes: Sequence[SessionWrite],
        *,
        at_ms: int,
        heard_ms: int | None = None,
    ) -> None:
        """A space's fold has moved on from the version ``before``, by readings of which the first is of ``at_ms``."""
        changed_ms = at_ms
        if writes:
            self.writes.extend(writes)
            changed_ms = changed_since(at_ms, writes)
        self._stands(space_id, fold, before, heard_ms, changed_ms)

    def hear(self, space_id: SpaceId, fold: SpaceFold, before: int, heard_ms: int) -> None:
        """A space was heard of, and all is as it was."""
        self._stands(space_id, fold, before, heard_ms, None)

    def _stands(
        self, space_id: SpaceId, fold: SpaceFold, before: int, heard_ms: int | None, changed_ms: int | None
    ) -> None:
        self.folds[space_id] = (fold, before + 1)
        self.states[space_id] = state_row(space_id, fold, version=before, heard_ms=heard_ms, changed_ms=changed_ms)


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A batch, and what it will write as far as memory can tell."""

    batch: Sequence[Message]
    era: int
    """Nothing prepared in another era counts any more."""
    now_ms: int
    sorted: Sorted = field(default_factory=Sorted)
    outcome: Outcome = field(default_factory=Outcome)
    before: dict[SpaceId, tuple[SpaceFold, int]] = field(default_factory=dict)
    """The folds it moved on, as they were."""

    @property
    def unsettled(self) -> AbstractSet[SpaceId]:
        """Spaces it was heard of whose folds it has not moved on yet."""
        return self.sorted.heard.keys() - self.before.keys()


class Preparation:
    """What is prepared and not committed, oldest first: the batch being written and, at most, the one after it."""

    def __init__(self) -> None:
        self._pending: list[Prepared] = []
        self._writing: Prepared | None = None
        self.era = 0

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def may_look_ahead(self) -> bool:
        """Whether another batch may be prepared behind the one being written."""
        return self._writing is not None

    def moved_on(self, space_id: SpaceId) -> bool:
        """Whether some batch that is not committed has moved on a space's fold."""
        return any(space_id in prepared.before for prepared in self._pending)

    async def prepare(self, batch: Sequence[Message], known: Known, *, now_ms: int, terms: Terms) -> Prepared:
        """Prepare a batch behind those that are pending, in slices between which the event loop has its turn."""
        unsettled = self._pending[-1].unsettled if self._pending else frozenset()
        prepared = Prepared(batch=batch, era=self.era, now_ms=now_ms)
        self._pending.append(prepared)
        for _ in _slices(prepared, known, unsettled, terms):
            await asyncio.sleep(0)
            if prepared.era != self.era:
                break
        return prepared

    def begin(self, prepared: Prepared) -> None:
        """It is being written: another may be prepared behind it."""
        self._writing = prepared

    def committed(self, prepared: Prepared) -> None:
        """It is true now."""
        self._writing = None
        self._pending.remove(prepared)

    def withdraw(self, known: Known) -> None:
        """Take back what all pending batches made of what is known, which failed or is to be read anew."""
        for prepared in reversed(self._pending):
            for space_id, (fold, version) in prepared.before.items():
                known.folds.keep(space_id, fold, version, known.registry.rules[space_id])
        self._writing = None
        self._pending.clear()
        self.era += 1


def _slices(prepared: Prepared, known: Known, unsettled: AbstractSet[SpaceId], terms: Terms) -> Iterator[None]:
    """Prepare, pausing after each slice."""
    result, readings = prepared.sorted, 0
    for message in prepared.batch:
        readings += sort_message(message, known, result, unsettled=unsettled, terms=terms)
        if readings >= SLICE:
            readings = 0
            yield
    waiting = result.undecided
    folds = known.folds
    for number, (space_id, of_space) in enumerate(result.newer.items(), start=1):
        if space_id not in waiting:
            prepared.before[space_id] = folds.of(space_id)
            fold, version = fold_newer(prepared, space_id, of_space, known)
            folds.foresee(space_id, fold, version)
        if number % SLICE == 0:
            yield


def fold_newer(
    prepared: Prepared, space_id: SpaceId, of_space: dict[OrderKey, Arrival], known: Known
) -> tuple[SpaceFold, int]:
    """Fold what is newer onto what is known of a space; the fold and its version."""
    before, version = known.folds.of(space_id)
    readings = [(key, of_space[key].reading) for key in sorted(of_space)]
    fold, writes = advance(space_id, before, readings, known.registry.rules[space_id], prepared.now_ms)
    heard_ms = prepared.sorted.heard[space_id]
    prepared.outcome.take(space_id, fold, version, writes, at_ms=readings[0][0][0], heard_ms=heard_ms)
    return fold, version + 1

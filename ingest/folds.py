"""Where every space stands, in memory: read from ``space_state`` at the start and after any doubt."""

import heapq
from dataclasses import dataclass, field

import asyncpg
import msgspec

from core.ids import SpaceId
from core.session import FoldRules
from ingest.sessions import SpaceFold, due_at

_decode = msgspec.json.Decoder(SpaceFold).decode


@dataclass(slots=True, kw_only=True)
class Folds:
    """The folds of all spaces with the version of the row each was read from or written to."""

    known: dict[SpaceId, tuple[SpaceFold, int]] = field(default_factory=dict)
    lost: set[SpaceId] = field(default_factory=set)
    """Spaces that have readings or sessions and no fold: somebody asks for all that is kept to be folded again."""
    _due: list[tuple[int, SpaceId]] = field(default_factory=list)

    def of(self, space_id: SpaceId) -> tuple[SpaceFold, int]:
        """The fold of a space and its row's version."""
        return self.known[space_id]

    def keep(self, space_id: SpaceId, fold: SpaceFold, version: int, rules: FoldRules) -> None:
        """Remember what has just been committed."""
        self.known[space_id] = (fold, version)
        if fold.session_id is None and (due_ms := due_at(fold, rules)) is not None:
            heapq.heappush(self._due, (due_ms, space_id))

    def foresee(self, space_id: SpaceId, fold: SpaceFold, version: int) -> None:
        """Take for true what is about to be written; ``keep`` follows, of this or of what was before."""
        self.known[space_id] = (fold, version)

    def due(self, now_ms: int) -> list[SpaceId]:
        """Spaces whose newest stay may have become old enough to be announced; each is given out once."""
        spaces: dict[SpaceId, None] = {}
        while self._due and self._due[0][0] <= now_ms:
            spaces[heapq.heappop(self._due)[1]] = None
        return list(spaces)


async def load_folds(db: asyncpg.Connection, rules: dict[SpaceId, FoldRules]) -> Folds:
    """Read every space's state, after giving spaces that have none a first one."""
    await db.execute(
        """
        INSERT INTO space_state (space_id)
        SELECT id FROM space WHERE NOT EXISTS (SELECT FROM space_state WHERE space_id = space.id)
        ON CONFLICT DO NOTHING
        """
    )
    folds = Folds()
    for space_id, fold, version in await db.fetch("SELECT space_id, fold::text, version FROM space_state"):
        kept = SpaceFold() if fold is None else _decode(fold)
        folds.keep(SpaceId(space_id), kept, version, rules[SpaceId(space_id)])
    lost = await db.fetch(
        """
        SELECT space_id FROM space_state AS state
        WHERE fold IS NULL AND (
            EXISTS (SELECT FROM parking_session WHERE space_id = state.space_id AND status <> 'void')
            OR EXISTS (
                SELECT FROM sensor_assignment AS watch
                JOIN reading ON reading.sensor_id = watch.sensor_id AND reading.space_id = state.space_id
                WHERE watch.space_id = state.space_id
            )
        )
        """
    )
    folds.lost = {SpaceId(row["space_id"]) for row in lost}
    return folds

"""The refold floor: the instant below which readings are no longer kept, and where every fold stood there.

Below it nothing moves: whoever folds again, or stores a reading that is not of these days, holds the floor until its
commit, so that it is raised before or after, never meanwhile.
"""

from typing import Final, NamedTuple

import asyncpg
import msgspec

from core.ids import SpaceId
from core.session import INITIAL, FoldState

NO_FLOOR_MS: Final = -(1 << 62)
"""Earlier than any instant: nothing was ever dropped."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(FoldState).decode


class FoldBase(NamedTuple):
    """Where to begin folding what is kept of a space."""

    state: FoldState
    floor_ms: int
    """Readings from then on are not in ``state``."""

    @property
    def from_ms(self) -> int:
        """No session that began earlier can still change."""
        return self.floor_ms if self.state.span is None else min(self.floor_ms, self.state.span.begin_ms)


async def load_floor(db: asyncpg.Connection) -> int:
    """The floor, as it stands."""
    return _floor_ms(await db.fetchval("SELECT floor_at FROM refold_floor"))


async def hold_floor(db: asyncpg.Connection) -> int:
    """The floor, which stays where it is until this transaction ends."""
    return _floor_ms(await db.fetchval("SELECT floor_at FROM refold_floor FOR SHARE"))


async def load_base(db: asyncpg.Connection, space_id: SpaceId) -> FoldBase:
    """Where to begin folding a space; the caller holds the floor, else its readings may go in the meantime."""
    row = await db.fetchrow("SELECT state::text, floor_at FROM fold_base WHERE space_id = $1", space_id)
    if row is None:
        return FoldBase(INITIAL, NO_FLOOR_MS)
    return FoldBase(_decode(row["state"]), row["floor_at"])


async def store_base(db: asyncpg.Connection, space_id: SpaceId, base: FoldBase) -> None:
    """Remember where a space's fold stood at a floor."""
    await db.execute(
        """
        INSERT INTO fold_base (space_id, floor_at, state) VALUES ($1, $2, $3::text::json)
        ON CONFLICT (space_id) DO UPDATE SET floor_at = excluded.floor_at, state = excluded.state
        """,
        space_id,
        base.floor_ms,
        _encode(base.state).decode(),
    )


def _floor_ms(floor_ms: int | None) -> int:
    return NO_FLOOR_MS if floor_ms is None else floor_ms

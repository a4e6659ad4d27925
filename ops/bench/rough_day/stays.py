"""The stays of a rough day, and what becomes of them behind their drivers' backs: rows as the folds write them."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import Database
from ops.bench.rough_day.plan import Fate, RoughDay, habit_of

NOON: Final = time(12, tzinfo=ZoneInfo("Asia/Shanghai"))
"""When kerbs cost money."""
SHORT: Final = timedelta(minutes=21)
LONG: Final = timedelta(minutes=200)


async def plant_stays(database: Database, plan: RoughDay) -> list[UUID]:
    """So many stays of past days, each over, none overlapping; their ids in the order of the drivers.

    Raises:
        ValueError: no space here is watched by a sensor and charged by a notice.
    """
    async with database.transaction() as db:
        spaces = (await db.execute(_CHARGED_SPACES)).all()
        if not spaces:
            raise ValueError("no space here is watched and charged")
        stays = [
            _stay(spaces[number % len(spaces)], number // len(spaces), plan, number) for number in range(plan.stays)
        ]
        return [(await db.execute(_PARKED, stay)).scalar_one() for stay in stays]


def _stay(space: Any, days: int, plan: RoughDay, number: int) -> dict[str, Any]:
    began = datetime.combine(datetime.now(UTC).date() - timedelta(days=1 + days), NOON)
    left = began + timedelta(minutes=habit_of(plan.seed, number).minutes)
    return {"space": space.space_id, "sensor": space.sensor_id, "began": began, "left": left}


async def befall(db: AsyncConnection, session_id: UUID, fate: Fate) -> None:
    """What a late reading does to a stay."""
    match fate:
        case "as-billed":
            return
        case "none":
            await db.execute(_VOID, {"id": session_id})
        case "shorter" | "longer":
            await db.execute(_CORRECTED, {"id": session_id, "by": SHORT if fate == "shorter" else LONG})


_CHARGED_SPACES: Final = text(
    """
    SELECT space.id AS space_id, assignment.sensor_id
    FROM space JOIN lot ON lot.id = space.lot_id
        JOIN sensor_assignment AS assignment ON assignment.space_id = space.id AND assignment.during @> now()
    WHERE lot.tariff IS NOT NULL AND lot.kind = 'on_street' AND space.retired_at IS NULL ORDER BY space.id
    """
)
_PARKED: Final = text(
    """
    INSERT INTO parking_session (space_id, sensor_id, status, entered_at, left_at, begin_why, end_why, recorded_at,
        revised_at)
    VALUES (:space, :sensor, 'ended', :began, :left, 'change', 'change', :left, :left) RETURNING id
    """
)
_VOID: Final = text(
    "UPDATE parking_session SET status = 'void', revision = revision + 1, revised_at = now() WHERE id = :id"
)
_CORRECTED: Final = text(
    """
    UPDATE parking_session SET left_at = entered_at + CAST(:by AS interval), revision = revision + 1, revised_at = now()
    WHERE id = :id AND status = 'ended'
    """
)

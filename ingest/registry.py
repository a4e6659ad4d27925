"""What ingest knows of the city: which sensor watches which space when, how to read it, and the lots' session rules."""

from bisect import bisect_right
from dataclasses import dataclass, field

import asyncpg

from core.ids import SensorId, SpaceId
from core.sensor import silent_after_ms
from core.session import FoldRules

ALWAYS_FROM_MS = -(1 << 62)
ALWAYS_TO_MS = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A sensor watches a space during ``[from_ms, to_ms)``."""

    from_ms: int
    to_ms: int
    space_id: SpaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSensor:
    """A sensor of the registry and its assignments, oldest first."""

    sensor_id: SensorId
    codec: str
    heartbeat_seconds: int
    watches: tuple[Watch, ...]

    def space_at(self, at_ms: int) -> SpaceId | None:
        """The space it watched at that instant, None when none."""
        if len(self.watches) == 1:
            watch = self.watches[0]
        else:
            index = bisect_right(self.watches, at_ms, key=lambda one: one.from_ms) - 1
            if index < 0:
                return None
            watch = self.watches[index]
        return watch.space_id if watch.from_ms <= at_ms < watch.to_ms else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A consistent picture of the tables, read whole and replaced whole when ``parking_registry`` is notified."""

    sensors: dict[str, KnownSensor] = field(default_factory=dict)
    rules: dict[SpaceId, FoldRules] = field(default_factory=dict)

    def codec_of(self, sensor: str) -> str | None:
        """How to read this sensor's payloads, None when the registry does not know it."""
        known = self.sensors.get(sensor)
        return None if known is None else known.codec


async def load_registry(db: asyncpg.Connection) -> Registry:
    """Read the registry; ``db`` hands instants as milliseconds (``ingest.database``)."""
    sensors: dict[str, KnownSensor] = {}
    rows = await db.fetch(
        """
        SELECT sensor.id, sensor.code, sensor.codec, sensor.heartbeat_seconds, watch.space_id,
               lower(watch.during) AS begins, upper(watch.during) AS ends
        FROM sensor LEFT JOIN sensor_assignment AS watch ON watch.sensor_id = sensor.id
        ORDER BY sensor.id, lower(watch.during) NULLS FIRST
        """
    )
    for row in rows:
        before = sensors.get(row["code"])
        watches = () if before is None else before.watches
        if row["space_id"] is not None:
            watch = Watch(
                from_ms=ALWAYS_FROM_MS if row["begins"] is None else row["begins"],
                to_ms=ALWAYS_TO_MS if row["ends"] is None else row["ends"],
                space_id=SpaceId(row["space_id"]),
            )
            watches = (*watches, watch)
        sensors[row["code"]] = KnownSensor(
            sensor_id=SensorId(row["id"]),
            codec=row["codec"],
            heartbeat_seconds=row["heartbeat_seconds"],
            watches=watches,
        )
    return Registry(sensors=sensors, rules=await _load_rules(db))


async def _load_rules(db: asyncpg.Connection) -> dict[SpaceId, FoldRules]:
    rows = await db.fetch(
        """
        SELECT space.id, lot.min_stay_seconds, lot.min_gap_seconds,
               coalesce(newest.heartbeat_seconds, 3600) AS heartbeat
        FROM space JOIN lot ON lot.id = space.lot_id
        LEFT JOIN (
            SELECT DISTINCT ON (watch.space_id) watch.space_id, sensor.heartbeat_seconds
            FROM sensor_assignment AS watch JOIN sensor ON sensor.id = watch.sensor_id
            ORDER BY watch.space_id, lower(watch.during) DESC NULLS LAST
        ) AS newest ON newest.space_id = space.id
        """
    )
    shared: dict[tuple[int, int, int], FoldRules] = {}
    rules: dict[SpaceId, FoldRules] = {}
    for space_id, min_stay, min_gap, heartbeat in rows:
        key = (min_stay, min_gap, heartbeat)
        if key not in shared:
            shared[key] = FoldRules(
                min_stay_ms=1_000 * min_stay,
                min_gap_ms=1_000 * min_gap,
                silence_ms=silent_after_ms(heartbeat),
            )
        rules[SpaceId(space_id)] = shared[key]
    return rules

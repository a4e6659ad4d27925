"""Stored messages decoded again: after a codec was corrected or a sensor adopted, all is as if it had been so before.

Readings keep the bytes they were made of, refusals the bytes that made none. Both are judged again by the registry
and the codecs of today, as of the instant they were received first. Where the answer is another one, the rows are
replaced and the spaces folded again, in one transaction with a group of sensors; sessions keep their ids and bills
follow by revision. Twice is as good as once. An ingest beside it finds its folds overtaken and reads them anew.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import asyncpg

from core.ids import SensorId, SpaceId
from core.occupancy import Refusal
from ingest import statements as sql
from ingest.floor import NO_FLOOR_MS, hold_floor
from ingest.refolding import refold_spaces
from ingest.registry import load_registry
from ingest.statements import Arrival
from ingest.taking_in import Terms, judge_again, store_taken_in

SENSORS_A_TRANSACTION: Final = 50
"""Few enough that ingest waits less than a second, many enough that it is seldom overtaken."""
REFUSALS_A_TRANSACTION: Final = 500

Progress = Callable[[int, int], None]
"""Told how many steps are done, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which messages: by the instant they speak of or arrived at, ``[from_ms, to_ms)``, and by sensor or lot."""

    from_ms: int
    to_ms: int
    sensor: str | None = None
    lot: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether messages of no known sensor belong to it."""
        return self.sensor is None and self.lot is None


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What a replay did."""

    unchanged: int = 0
    """Readings that are what they were."""
    changed: int = 0
    """Readings that say something else now."""
    new: int = 0
    """Readings that there were not before."""
    refused: int = 0
    """Readings that are refused now."""
    still_refused: int = 0
    """Refused messages that remain so."""
    resolved: int = 0
    """Refused messages that make readings now, or proved to be repeats of stored ones."""
    spaces: set[SpaceId] = field(default_factory=set)
    """Folded again."""


class Stored(NamedTuple):
    """A reading as it is stored; the first six tell it from all others."""

    observed_ms: int
    sensor_id: int
    boot: int
    seq: int
    occupancy: str
    kind: str
    space_id: int
    received_ms: int
    topic: str
    raw: bytes
    battery_mv: int | None
    rssi_dbm: int | None
    temperature_c: float | None


IDENTITY: Final = 6


@dataclass(slots=True)
class Difference:
    """What a group of sensors has to give and to get."""

    gone: list[Stored] = field(default_factory=list)
    come: list[Arrival] = field(default_factory=list)
    refusals: list[tuple[Refusal, str, int]] = field(default_factory=list)
    changed: int = 0

    def since(self) -> dict[SpaceId, int]:
        """Each space touched, with the first instant at which it is."""
        since: dict[SpaceId, int] = {}
        for space_id, at_ms in (
            *((SpaceId(row.space_id), row.observed_ms) for row in self.gone),
            *((arrival.space_id, arrival.reading.at_ms) for arrival in self.come),
        ):
            since[space_id] = min(at_ms, since.get(space_id, at_ms))
        return since


async def replay(
    db: asyncpg.Connection, scope: Scope, *, now_ms: int, tolerance_ms: int, progress: Progress = lambda *_: None
) -> Replayed:
    """Decode what is stored again, through a connection of the hot path's kind (``ingest.database``)."""
    await sql.prepare(db)
    registry = await load_registry(db)
    terms = Terms(registry, now_ms, tolerance_ms, NO_FLOOR_MS)
    replayed = Replayed()
    sensors = await _sensors(db, scope)
    refusals = await _refusals(db, scope, sensors)
    steps = len(sensors) + len(refusals)
    for first in range(0, len(sensors), SENSORS_A_TRANSACTION):
        group = [sensor_id for sensor_id, _ in sensors[first : first + SENSORS_A_TRANSACTION]]
        await _replay_readings(db, group, scope, terms, replayed)
        progress(first + len(group), steps)
    for first in range(0, len(refusals), REFUSALS_A_TRANSACTION):
        page = refusals[first : first + REFUSALS_A_TRANSACTION]
        await _replay_refusals(db, page, terms, replayed)
        progress(len(sensors) + first + len(page), steps)
    return replayed


async def _sensors(db: asyncpg.Connection, scope: Scope) -> list[tuple[SensorId, str]]:
    rows = await db.fetch(
        """
        SELECT sensor.id, sensor.code FROM sensor
        WHERE ($1::text IS NULL OR sensor.code = $1)
          AND ($2::text IS NULL OR EXISTS (
                SELECT FROM sensor_assignment AS watch
                JOIN space ON space.id = watch.space_id JOIN lot ON lot.id = space.lot_id
                WHERE watch.sensor_id = sensor.id AND lot.code = $2))
        ORDER BY sensor.id
        """,
        scope.sensor,
        scope.lot,
    )
    return [(SensorId(row["id"]), row["code"]) for row in rows]


async def _replay_readings(
    db: asyncpg.Connection, sensor_ids: Sequence[SensorId], scope: Scope, terms: Terms, replayed: Replayed
) -> None:
    """Look without locks whether anything differs; if so, look again in a transaction and write it."""
    difference, same = await _differences(db, sensor_ids, scope, terms)
    while difference.gone:
        try:
            async with db.transaction():
                terms = terms._replace(floor_ms=await hold_floor(db))
                difference, same = await _differences(db, sensor_ids, scope, terms)
                changed, new = await _write(db, difference, terms)
        except asyncpg.DeadlockDetectedError:
            continue
        replayed.changed += changed
        replayed.new += new
        replayed.refused += len(difference.gone) - changed
        replayed.spaces.update(difference.since())
        break
    replayed.unchanged += same


async def _differences(
    db: asyncpg.Connection, sensor_ids: Sequence[SensorId], scope: Scope, terms: Terms
) -> tuple[Difference, int]:
    """What differs among the readings of some sensors, and how many do not."""
    difference, same = Difference(), 0
    for sensor_id in sensor_ids:
        same += _compare(await _load(db, sensor_id, scope), terms, difference)
    return difference, same


async def _load(db: asyncpg.Connection, sensor_id: SensorId, scope: Scope) -> list[Stored]:
    rows = await db.fetch(
        """
        SELECT observed_at, sensor_id, boot, seq, occupancy::text, kind::text, space_id, received_at, topic, raw,
               battery_mv, rssi_dbm, temperature_c
        FROM reading
        WHERE sensor_id = $1 AND observed_at >= greatest($2, (SELECT floor_at FROM refold_floor)) AND observed_at < $3
        """,
        sensor_id,
        scope.from_ms,
        scope.to_ms,
    )
    return [Stored(*row) for row in rows]


def _compare(rows: Iterable[Stored], terms: Terms, difference: Difference) -> int:
    """Add what differs between the stored readings of one sensor and what their bytes make now; how many do not."""
    messages: dict[tuple[str, bytes], list[Stored]] = {}
    for row in rows:
        messages.setdefault((row.topic, row.raw), []).append(row)
    same = 0
    for (topic, raw), old in messages.items():
        received_ms = min(row.received_ms for row in old)
        arrivals, refusals = judge_again(topic, raw, received_ms, terms)
        new = {arrival.row: arrival for arrival in arrivals}
        kept = {row for row in old if row._replace(received_ms=received_ms) in new}
        gone = [row for row in old if row not in kept]
        if not gone:
            same += len(old)
            continue
        kept_identities = {row[:IDENTITY] for row in kept}
        come = [arrival for row, arrival in new.items() if row[:IDENTITY] not in kept_identities]
        same += len(kept)
        difference.gone.extend(gone)
        difference.come.extend(come)
        difference.changed += min(len(gone), len(come))
        difference.refusals.extend((refusal, topic, received_ms) for refusal in refusals)
    return same


async def _write(db: asyncpg.Connection, difference: Difference, terms: Terms) -> tuple[int, int]:
    """Replace readings and fold their spaces again; returns how many were replaced, and how many there are more."""
    if not difference.gone:
        return 0, 0
    columns = list(zip(*(row[:IDENTITY] for row in difference.gone), strict=True))
    await db.execute(
        """
        WITH gone AS (
            DELETE FROM reading AS row
            USING unnest($1::timestamptz[], $2::int[], $3::bigint[], $4::bigint[], $5::occupancy[], $6::reading_kind[])
                  AS gone (observed_at, sensor_id, boot, seq, occupancy, kind)
            WHERE (row.observed_at, row.sensor_id, row.boot, row.seq, row.occupancy, row.kind)
                  = (gone.observed_at, gone.sensor_id, gone.boot, gone.seq, gone.occupancy, gone.kind)
              AND row.observed_at BETWEEN $7 AND $8
            RETURNING row.sensor_id, row.observed_at
        )
        DELETE FROM uplink_frame AS frame USING gone
        WHERE frame.sensor_id = gone.sensor_id AND frame.observed_at = gone.observed_at
        """,
        *columns,
        min(columns[0]),
        max(columns[0]),
    )
    stored = await store_taken_in(db, difference.come, terms.floor_ms)
    await sql.store_refusals(db, difference.refusals)
    await refold_spaces(db, difference.since(), terms.registry, terms.now_ms)
    changed = min(difference.changed, len(stored))
    return changed, len(stored) - changed


async def _refusals(db: asyncpg.Connection, scope: Scope, sensors: Sequence[tuple[SensorId, str]]) -> list[int]:
    """Refused messages in scope that were kept whole, oldest first."""
    rows = await db.fetch(
        """
        SELECT id FROM refusal
        WHERE resolved_at IS NULL AND octet_length(payload) = payload_bytes
          AND ((observed_at >= $1 AND observed_at < $2) OR (first_received_at >= $1 AND first_received_at < $2))
          AND ($3 OR sensor = ANY ($4::text[]))
        ORDER BY id
        """,
        scope.from_ms,
        scope.to_ms,
        scope.is_everything,
        [code for _, code in sensors],
    )
    return [row["id"] for row in rows]


async def _replay_refusals(db: asyncpg.Connection, page: Sequence[int], terms: Terms, replayed: Replayed) -> None:
    async with db.transaction():
        terms = terms._replace(floor_ms=await hold_floor(db))
        rows = await db.fetch(
            """
            SELECT id, topic, payload, first_received_at FROM refusal
            WHERE id = ANY ($1::bigint[]) AND resolved_at IS NULL ORDER BY id FOR UPDATE
            """,
            page,
        )
        arrivals: list[Arrival] = []
        resolved: list[int] = []
        for row in rows:
            accepted, refused = judge_again(row["topic"], row["payload"], row["first_received_at"], terms)
            arrivals.extend(accepted)
            if accepted and not refused:
                resolved.append(row["id"])
        await db.execute("UPDATE refusal SET resolved_at = $2 WHERE id = ANY ($1::bigint[])", resolved, terms.now_ms)
        stored = await store_taken_in(db, arrivals, terms.floor_ms)
        since = Difference(come=stored).since()
        if since:
            replayed.spaces.update(await refold_spaces(db, since, terms.registry, terms.now_ms))
            await _hear(db, stored)
    replayed.new += len(stored)
    replayed.resolved += len(resolved)
    replayed.still_refused += len(rows) - len(resolved)


async def _hear(db: asyncpg.Connection, arrivals: Sequence[Arrival]) -> None:
    """Spaces were heard when their messages came, refused then or not."""
    await db.execute(
        """
        UPDATE space_state AS state SET last_heard_at = greatest(state.last_heard_at, heard.received_at)
        FROM (SELECT space_id, max(received_at) AS received_at
              FROM unnest($1::int[], $2::timestamptz[]) AS one (space_id, received_at) GROUP BY space_id) AS heard
        WHERE state.space_id = heard.space_id
        """,
        [arrival.space_id for arrival in arrivals],
        [arrival.received_ms for arrival in arrivals],
    )

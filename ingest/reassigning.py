"""After an assignment was changed: readings go to the space their sensor watched after all, and sessions follow.

The registry is changed by others (the api, a command, an import), who leave a row in ``reassignment``. The work is
done here, because whoever folds is the only one who folds: in one transaction readings move, refused ones are taken
in with the instant of their first arrival, those that lie outside every assignment now are refused, and every space
touched is folded again. Afterwards all is as if the assignment had been right from the start (S2, S4).
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import asyncpg
import structlog

from core.ids import SensorId, SpaceId
from core.occupancy import Reason
from ingest import statements as sql
from ingest.floor import hold_floor
from ingest.refolding import refold_spaces
from ingest.registry import Registry, load_registry
from ingest.statements import Arrival
from ingest.taking_in import Terms, judge_again, not_assigned, store_taken_in
from ingest.vitals import Vitals

log = structlog.get_logger()

TASKS_A_TRANSACTION: Final = 5_000
REFUSALS_A_PAGE: Final = 2_000
CURABLE: Final = (Reason.UNKNOWN_SENSOR, Reason.NOT_ASSIGNED, Reason.UNKNOWN_CODEC, Reason.BAD_PAYLOAD)
"""Refusals that a change of the registry may cure."""

FOREVER_MS: Final = -62_135_596_800_000
"""From ever: the year 1."""


class Task(NamedTuple):
    """One row of ``reassignment``."""

    id: int
    sensor_id: SensorId
    sensor: str
    from_ms: int


class Touched:
    """Which spaces must be folded again, from when on, and how many readings of each sensor went where."""

    def __init__(self) -> None:
        self.spaces: dict[SpaceId, int] = {}
        self.moved: dict[SensorId, int] = {}
        self.taken_in: dict[SensorId, int] = {}
        self.set_aside: dict[SensorId, int] = {}

    def space(self, space_id: SpaceId | None, at_ms: int) -> None:
        """A reading of that instant came or went."""
        if space_id is not None:
            self.spaces[space_id] = min(at_ms, self.spaces.get(space_id, at_ms))


async def reassign_pending(db: asyncpg.Connection, vitals: Vitals, now_ms: int, tolerance_ms: int) -> bool:
    """Do some of what is asked for, in one transaction; whether there was anything to do."""
    async with db.transaction():
        floor_ms = await hold_floor(db)
        tasks = await _claim(db, max(floor_ms, FOREVER_MS))
        if not tasks:
            return False
        registry = await load_registry(db)  # after the tasks: never older than the changes they belong to
        touched = Touched()
        await _move(db, tasks, touched)
        await _set_aside(db, tasks, touched)
        arrivals = await _take_in(db, tasks, Terms(registry, now_ms, tolerance_ms, floor_ms), touched)
        await _fold_again(db, touched, registry, now_ms)
        await _finish(db, tasks, touched, now_ms)
    vitals.hear(arrivals, registry.sensors)
    log.info(
        "readings.reassigned",
        sensors=len(tasks),
        moved=sum(touched.moved.values()),
        taken_in=sum(touched.taken_in.values()),
        set_aside=sum(touched.set_aside.values()),
        spaces=len(touched.spaces),
    )
    return True


async def _claim(db: asyncpg.Connection, floor_ms: int) -> list[Task]:
    """Tasks to do; what lies below the refold floor stays as it is."""
    rows = await db.fetch(
        """
        SELECT task.id, task.sensor_id, sensor.code, greatest(task.from_at, $2) AS from_at
        FROM reassignment AS task JOIN sensor ON sensor.id = task.sensor_id
        WHERE task.done_at IS NULL ORDER BY task.id LIMIT $1
        FOR UPDATE OF task SKIP LOCKED
        """,
        TASKS_A_TRANSACTION,
        floor_ms,
    )
    return [Task(row["id"], SensorId(row["sensor_id"]), row["code"], row["from_at"]) for row in rows]


async def _move(db: asyncpg.Connection, tasks: Sequence[Task], touched: Touched) -> None:
    """Readings whose sensor watched another space at that instant than the one they are stored under."""
    sensors, since = _spans(tasks)
    groups = await db.fetch(
        """
        SELECT reading.sensor_id, reading.space_id AS old, watch.space_id AS new, min(observed_at) AS first,
               count(*) AS readings
        FROM unnest($1::int[], $2::timestamptz[]) AS task (sensor_id, from_at)
        JOIN reading ON reading.sensor_id = task.sensor_id AND reading.observed_at >= task.from_at
        JOIN sensor_assignment AS watch ON watch.sensor_id = task.sensor_id AND watch.during @> reading.observed_at
        WHERE reading.space_id <> watch.space_id
        GROUP BY 1, 2, 3
        """,
        sensors,
        since,
    )
    for sensor_id, old, new, first_ms, readings in groups:
        touched.space(SpaceId(old), first_ms)
        touched.space(SpaceId(new), first_ms)
        touched.moved[SensorId(sensor_id)] = touched.moved.get(SensorId(sensor_id), 0) + readings
    if groups:
        await db.execute(
            """
            UPDATE reading SET space_id = watch.space_id
            FROM unnest($1::int[], $2::timestamptz[]) AS task (sensor_id, from_at)
            JOIN sensor_assignment AS watch ON watch.sensor_id = task.sensor_id
            WHERE reading.sensor_id = task.sensor_id AND reading.observed_at >= task.from_at
              AND watch.during @> reading.observed_at AND reading.space_id <> watch.space_id
            """,
            sensors,
            since,
        )


async def _set_aside(db: asyncpg.Connection, tasks: Sequence[Task], touched: Touched) -> None:
    """Readings of instants at which their sensor watched no space: they are refused, as if they came now.

    Their radio frames are forgotten too, so that they are no repeats of themselves when they are taken in again.
    """
    rows = await db.fetch(
        """
        WITH gone AS (
            DELETE FROM reading USING unnest($1::int[], $2::timestamptz[]) AS task (sensor_id, from_at)
            WHERE reading.sensor_id = task.sensor_id AND reading.observed_at >= task.from_at
              AND NOT EXISTS (SELECT FROM sensor_assignment AS watch
                              WHERE watch.sensor_id = reading.sensor_id AND watch.during @> reading.observed_at)
            RETURNING reading.sensor_id, reading.space_id, reading.observed_at, reading.received_at, reading.topic,
                      reading.raw
        ), frames AS (
            DELETE FROM uplink_frame USING gone
            WHERE uplink_frame.sensor_id = gone.sensor_id AND uplink_frame.observed_at = gone.observed_at
        )
        SELECT gone.*, sensor.code FROM gone JOIN sensor ON sensor.id = gone.sensor_id
        """,
        *_spans(tasks),
    )
    for row in rows:
        touched.space(SpaceId(row["space_id"]), row["observed_at"])
        sensor_id = SensorId(row["sensor_id"])
        touched.set_aside[sensor_id] = touched.set_aside.get(sensor_id, 0) + 1
    await sql.store_refusals(
        db,
        [(not_assigned(row["code"], row["observed_at"], row["raw"]), row["topic"], row["received_at"]) for row in rows],
    )


async def _take_in(db: asyncpg.Connection, tasks: Sequence[Task], terms: Terms, touched: Touched) -> list[Arrival]:
    """Refused messages of these sensors that make readings now, by the instant they were received first."""
    stored: list[Arrival] = []
    after = 0
    while True:
        rows = await db.fetch(
            """
            SELECT id, topic, payload, first_received_at FROM refusal
            WHERE sensor = ANY ($1) AND reason = ANY ($2) AND resolved_at IS NULL AND id > $3
              AND octet_length(payload) = payload_bytes
            ORDER BY id LIMIT $4
            """,
            sorted({task.sensor for task in tasks}),
            [reason.value for reason in CURABLE],
            after,
            REFUSALS_A_PAGE,
        )
        if not rows:
            return stored
        after = rows[-1]["id"]
        arrivals: list[Arrival] = []
        cured: list[int] = []
        for row in rows:
            accepted, refused = judge_again(row["topic"], row["payload"], row["first_received_at"], terms)
            if accepted and not refused:
                cured.append(row["id"])
                arrivals.extend(accepted)
        stored.extend(await _store(db, arrivals, terms, touched))
        if cured:
            await db.execute("UPDATE refusal SET resolved_at = $2 WHERE id = ANY ($1::bigint[])", cured, terms.now_ms)


async def _store(db: asyncpg.Connection, arrivals: Sequence[Arrival], terms: Terms, touched: Touched) -> list[Arrival]:
    stored = await store_taken_in(db, arrivals, terms.floor_ms)
    for arrival in stored:
        touched.space(arrival.space_id, arrival.reading.at_ms)
        touched.taken_in[arrival.sensor_id] = touched.taken_in.get(arrival.sensor_id, 0) + 1
    return stored


async def _fold_again(db: asyncpg.Connection, touched: Touched, registry: Registry, now_ms: int) -> None:
    """Fold the spaces again from the first reading that came or went; nobody else may have written them meanwhile."""
    if not touched.spaces:
        return
    space_ids = await refold_spaces(db, touched.spaces, registry, now_ms)
    await db.execute(
        """
        UPDATE space_state AS state SET last_heard_at = (
            SELECT max(reading.received_at) FROM reading
            WHERE reading.sensor_id = ANY (SELECT sensor_id FROM sensor_assignment WHERE space_id = state.space_id)
              AND reading.space_id = state.space_id
        )
        WHERE space_id = ANY ($1::int[])
        """,
        space_ids,
    )


async def _finish(db: asyncpg.Connection, tasks: Sequence[Task], touched: Touched, now_ms: int) -> None:
    """Say on each task what became of its sensor's readings; of two tasks of one sensor the first has done it."""
    first = {task.sensor_id: task.id for task in reversed(tasks)}

    def of(counts: dict[SensorId, int], task: Task) -> int:
        return counts.get(task.sensor_id, 0) if first[task.sensor_id] == task.id else 0

    await db.execute(
        """
        UPDATE reassignment AS task
        SET done_at = $5, moved = done.moved, taken_in = done.taken_in, set_aside = done.set_aside
        FROM unnest($1::bigint[], $2::int[], $3::int[], $4::int[]) AS done (id, moved, taken_in, set_aside)
        WHERE task.id = done.id
        """,
        [task.id for task in tasks],
        [of(touched.moved, task) for task in tasks],
        [of(touched.taken_in, task) for task in tasks],
        [of(touched.set_aside, task) for task in tasks],
        now_ms,
    )


def _spans(tasks: Iterable[Task]) -> tuple[list[SensorId], list[int]]:
    """Each sensor once, with the earliest instant asked for."""
    since: dict[SensorId, int] = {}
    for task in tasks:
        since[task.sensor_id] = min(task.from_ms, since.get(task.sensor_id, task.from_ms))
    return list(since), list(since.values())

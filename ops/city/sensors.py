"""Storing a city's sensors and which space each of them watches."""

import json
from collections.abc import Sequence
from functools import partial

from sqlalchemy import DateTime, Integer, Text, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import TSTZRANGE
from sqlalchemy.ext.asyncio import AsyncConnection

from core.city import Problem
from core.city.watching import Watch, WatchChanges, Watching
from core.tables import Assignment, Sensor, Space
from ops.city.report import Counts, ImportJob
from ops.city.rows import Row, batches, merge, merge_sensors, unfolded


async def store_sensors(job: ImportJob) -> None:
    """Sensors, with how to read them and how often they speak."""
    before = set(await job.db.scalars(select(Sensor.code)))
    listed: list[Row] = [
        {"code": space.sensor_id, "codec": space.codec, "heartbeat_seconds": space.heartbeat_seconds}
        for space in job.city.spaces
        if space.sensor_id
    ]
    touched = await merge(job.db, merge_sensors(), listed, partial(job.progress, "sensors"))
    added = sum(code not in before for code in touched)
    job.report.sensors = Counts(added=added, changed=len(touched) - added, unchanged=len(listed) - len(touched))


async def store_assignments(job: ImportJob, others: frozenset[str]) -> list[Problem]:
    """Which sensor watches which space; what the stored history forbids is returned, and nothing is written then.

    ``others`` are spaces in use of lots that the file does not list.
    """
    changes = Watching(await _list_watches(job.db)).changes(job.city.spaces, job.now, others)
    if changes.problems:
        return changes.problems
    await _overtake(job.db, changes)
    await _end_watches(job, changes)
    await _begin_watches(job, changes.begun)
    await _look_again(job, changes)
    sensed = sum(space.sensor_id is not None for space in job.city.spaces)
    job.report.assignments = Counts(
        added=len(changes.begun), retired=len(changes.ended), unchanged=sensed - len(changes.begun)
    )
    return []


async def _list_watches(db: AsyncConnection) -> Sequence[Watch]:
    """Every assignment, oldest first."""
    begins, ends = func.lower(Assignment.during), func.upper(Assignment.during)
    found = await db.execute(
        select(Assignment.id, Sensor.code, Space.code, begins, ends)
        .join(Sensor, Sensor.id == Assignment.sensor_id)
        .join(Space, Space.id == Assignment.space_id)
        .order_by(begins.nulls_first())
    )
    return [
        Watch(id=id_, sensor=sensor, space=space, begins=begin, ends=end) for id_, sensor, space, begin, end in found
    ]


async def _end_watches(job: ImportJob, changes: WatchChanges) -> None:
    ended = unfolded(id=Integer, at=DateTime(timezone=True))
    statement = (
        update(Assignment)
        .where(Assignment.id == ended.c.id)
        .values(during=func.tstzrange(func.lower(Assignment.during), ended.c.at, type_=TSTZRANGE))
    )
    listed: list[Row] = [{"id": id_, "at": at.isoformat()} for id_, at in changes.ended.items()]
    for batch in batches(listed):
        await job.db.execute(statement, {"rows": batch})


async def _begin_watches(job: ImportJob, begun: Sequence[Watch]) -> None:
    new = unfolded(sensor=Text, space=Text, begins=DateTime(timezone=True))
    rows = (
        select(Sensor.id, Space.id, func.tstzrange(new.c.begins, None, type_=TSTZRANGE))
        .select_from(new)
        .join(Sensor, Sensor.code == new.c.sensor)
        .join(Space, Space.code == new.c.space)
    )
    statement = insert(Assignment).from_select(["sensor_id", "space_id", "during"], rows)
    listed: list[Row] = [
        {"sensor": watch.sensor, "space": watch.space, "begins": watch.begins.isoformat() if watch.begins else None}
        for watch in begun
    ]
    done = 0
    for batch in batches(listed):
        await job.db.execute(statement, {"rows": batch})
        done += len(batch)
        job.progress("assignments", done, len(listed))


async def _overtake(db: AsyncConnection, changes: WatchChanges) -> None:
    """Give the states concerned another version: ingest then cannot go on by the assignments of before."""
    concerned = {"ended": list(changes.ended), "begun": [watch.space for watch in changes.begun]}
    await db.execute(text(_OVERTAKE), concerned)


async def _look_again(job: ImportJob, changes: WatchChanges) -> None:
    """Ask ingest for another look at what these sensors have said already: stored elsewhere, or refused."""
    ended: list[Row] = [{"id": id_, "at": at.isoformat()} for id_, at in changes.ended.items()]
    begun: list[Row] = [
        {"sensor": watch.sensor, "at": watch.begins.isoformat() if watch.begins else None} for watch in changes.begun
    ]
    for statement, rows in ((_LOOK_AGAIN_AT_ENDED, ended), (_LOOK_AGAIN_AT_BEGUN, begun)):
        for batch in batches(rows):
            await job.db.execute(text(statement), {"rows": json.dumps(batch), "now": job.now})


_OVERTAKE = """
    UPDATE space_state SET version = version + 1
    WHERE space_id IN (SELECT space_id FROM sensor_assignment WHERE id = ANY (:ended)
                       UNION SELECT id FROM space WHERE code = ANY (:begun))
"""
_HAS_SAID = """
    (EXISTS (SELECT FROM reading WHERE sensor_id = sensor.id)
     OR EXISTS (SELECT FROM refusal WHERE refusal.sensor = sensor.code AND resolved_at IS NULL))
"""
_LOOK_AGAIN_AT_ENDED = f"""
    INSERT INTO reassignment (sensor_id, from_at, asked_at)
    SELECT sensor.id, old.at, CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS old (id int, at timestamptz)
    JOIN sensor_assignment AS watch ON watch.id = old.id JOIN sensor ON sensor.id = watch.sensor_id
    WHERE {_HAS_SAID}
"""  # noqa: S608 - put together from our own words
_LOOK_AGAIN_AT_BEGUN = f"""
    INSERT INTO reassignment (sensor_id, from_at, asked_at)
    SELECT sensor.id, new.at, CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (sensor text, at timestamptz)
    JOIN sensor ON sensor.code = new.sensor
    WHERE {_HAS_SAID}
"""  # noqa: S608 - put together from our own words

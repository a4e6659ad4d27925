"""Storing a city's sensors and which space each of them watches."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import DateTime, Integer, Text, func, insert, select, update
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
    await _end_watches(job, changes)
    await _begin_watches(job, changes.begun)
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

"""A file of sensors put into force: checked against what is stored, then all of it or nothing."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.audit import write_audit
from core.clock import rfc3339
from core.errors import SensorFileRefusedError
from core.registry.changing import (
    Author,
    Change,
    Changes,
    apply_changes,
    insert_entries,
    lock_registry,
    update_entry,
)
from core.registry.entry import SensorEntry
from core.registry.file import FileRow, SensorFile, read_sensors
from core.registry.watches import EVER, Watch, assigned, ended, overlap


@dataclass(slots=True, kw_only=True)
class FileReport:
    """What an import did."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    """Sensors whose entry is what it was; they may watch another space."""
    assigned: int = 0
    unassigned: int = 0


@dataclass(slots=True)
class Stored:
    """The registry as it is, by sensor code."""

    entries: dict[str, SensorEntry]
    ids: dict[str, int]
    watches: dict[str, list[Watch]]
    spaces: set[str]


async def import_sensors(db: AsyncConnection, source: bytes, author: Author, *, now: datetime) -> FileReport:
    """Make the sensors that a file lists what it says of them; sensors it does not list are left alone.

    A sensor whose row names another space than it watches is assigned to it from ``watching_since`` on, or from now;
    one whose row names none stops watching now.

    Raises:
        SensorFileRefusedError: something is wrong, in the file or beside what is stored; nothing was changed.
    """
    file = read_sensors(source)
    await lock_registry(db)
    stored = await _load(db)
    changes = _watch_changes(file, stored, now)
    _refuse_if(file)
    report = await _write_entries(db, file, stored)
    for code, id_ in (await db.execute(text("SELECT code, id FROM sensor"))).all():
        stored.ids[code] = id_
    changes = {code: replace_id(change, stored.ids[code]) for code, change in changes.items()}
    report.assigned = sum(bool(one.after) and one.after[-1].ends is None for one in changes.values())
    report.unassigned = len(changes) - report.assigned
    look_again = {row.sensor for row in file.rows if _reads_otherwise(row, stored)}
    await apply_changes(db, Changes(by_sensor=changes, look_again=look_again), now=now)
    after = {"added": report.added, "changed": report.changed, "assigned": report.assigned}
    await write_audit(db, author.entry("sensors.imported", f"sensors:{len(file.rows)}", after=after))
    return report


def replace_id(change: Change, sensor_id: int) -> Change:
    """The change, of a sensor that has its number by now."""
    return Change(sensor_id, change.before, change.after)


def _watch_changes(file: SensorFile, stored: Stored, now: datetime) -> dict[str, Change]:
    """Assignments that differ; what forbids them is added to the file's problems."""
    changes: dict[str, Change] = {}
    lines: dict[str, int] = {}
    for row in file.rows:
        if not row.says_space:
            continue
        before = stored.watches.get(row.sensor, [])
        after = _after(row, before, stored, now, file.problems)
        if after != before:
            changes[row.sensor] = Change(stored.ids.get(row.sensor, 0), before, after)
            lines[row.sensor] = row.line
    by_space: dict[str, list[tuple[str, Watch]]] = {}
    for code in stored.watches.keys() | changes.keys():
        for watch in changes[code].after if code in changes else stored.watches[code]:
            by_space.setdefault(watch.space, []).append((code, watch))
    touched = {watch.space for change in changes.values() for watch in change.after}
    for space in sorted(touched):
        if overlap(watch for _, watch in by_space[space]):
            codes = sorted({code for code, _ in by_space[space]})
            line = max(lines.get(code, 0) for code in codes)
            file.problems.append(f"line {line}: {space} would be watched by {' and '.join(codes)} at the same time")
    return changes


def _after(row: FileRow, before: list[Watch], stored: Stored, now: datetime, problems: list[str]) -> list[Watch]:
    current = before[-1] if before and before[-1].ends is None else None
    if row.space is None:
        return before if current is None else ended(before, now)
    if row.space not in stored.spaces:
        problems.append(f"line {row.line}: no space has the code {row.space!r}")
        return before
    if row.since is not None and row.since > now:
        problems.append(f"line {row.line}: {rfc3339(row.since)} lies in the future")
        return before
    goes_on = current is not None and current.space == row.space
    if current is not None and goes_on and (row.since is None or rfc3339(current.begins or EVER) == rfc3339(row.since)):
        return before
    return assigned(before, row.space, row.since or now)


def _reads_otherwise(row: FileRow, stored: Stored) -> bool:
    """Whether messages of this sensor that were refused may be readable now: it is new, or has another codec."""
    entry, given = stored.entries.get(row.sensor), row.entry.get("codec")
    return entry is None or (given is not None and given != entry.codec)


async def _write_entries(db: AsyncConnection, file: SensorFile, stored: Stored) -> FileReport:
    report = FileReport()
    new: list[SensorEntry] = []
    for row in file.rows:
        before = stored.entries.get(row.sensor)
        given = {name: value for name, value in row.entry.items() if value is not None or name not in _NEVER_EMPTY}
        if before is None:
            new.append(SensorEntry(code=row.sensor, **given))
        elif (entry := replace(before, **given)) != before:
            await update_entry(db, entry)
            report.changed += 1
        else:
            report.unchanged += 1
    await insert_entries(db, new)
    report.added = len(new)
    return report


_NEVER_EMPTY: Final = ("codec", "heartbeat_seconds")


async def _load(db: AsyncConnection) -> Stored:
    sensors = await db.execute(
        text("SELECT id, code, codec, heartbeat_seconds, maker, model, battery_low_mv, note FROM sensor")
    )
    entries: dict[str, SensorEntry] = {}
    ids: dict[str, int] = {}
    for row in sensors.mappings():
        entries[row["code"]] = SensorEntry(**{name: row[name] for name in SensorEntry.__slots__})
        ids[row["code"]] = row["id"]
    watches: dict[str, list[Watch]] = {}
    listed = await db.execute(
        text(
            "SELECT sensor.code AS sensor, watch.id, space.code AS space, lower(watch.during) AS begins,"
            " upper(watch.during) AS ends FROM sensor_assignment AS watch JOIN sensor ON sensor.id = watch.sensor_id"
            " JOIN space ON space.id = watch.space_id ORDER BY lower(watch.during) NULLS FIRST"
        )
    )
    for id_, sensor, space, begins, ends in ((one.id, one.sensor, one.space, one.begins, one.ends) for one in listed):
        watches.setdefault(sensor, []).append(Watch(id=id_, space=space, begins=begins, ends=ends))
    spaces = set(await db.scalars(text("SELECT code FROM space WHERE retired_at IS NULL")))
    return Stored(entries, ids, watches, spaces)


def _refuse_if(file: SensorFile) -> None:
    if file.problems:
        listed = sorted(file.problems, key=_line)
        raise SensorFileRefusedError(
            f"the file is refused and nothing was changed: {'; '.join(listed[:3])}", problems=listed
        )


def _line(problem: str) -> int:
    return int(problem.split(":", 1)[0].removeprefix("line "))

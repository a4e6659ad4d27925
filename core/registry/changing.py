"""Changing which sensors there are and what they watch: one transaction, audited, and everybody told."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.audit import AuditEntry, write_audit
from core.clock import rfc3339
from core.errors import (
    InvalidError,
    NotWatchingError,
    SensorExistsError,
    SensorNotFoundError,
    SpaceNotFoundError,
    SpaceWatchedError,
)
from core.registry.entry import SensorEntry, refuse_unknown_codec
from core.registry.watches import EVER, Watch, assigned, ended, first_difference, handed_over, space_at, taken_over

_ONE_AT_A_TIME: Final = 7_205_759_403
"""Key of the advisory lock that imports of cities hold too."""


class Author(Protocol):
    """Whoever makes a change: a person with a login, or the command line."""

    def entry(self, action: str, subject: str, **values: Any) -> AuditEntry:
        """An audit entry in the author's name."""
        ...


@dataclass(slots=True)
class Change:
    """What a sensor's assignments were and are to be."""

    sensor_id: int
    before: Sequence[Watch]
    after: Sequence[Watch]


@dataclass(slots=True, kw_only=True)
class Changes:
    """Changes of assignments that are made together."""

    by_sensor: dict[str, Change] = field(default_factory=dict)
    look_again: set[str] = field(default_factory=set)
    """Sensors whose refused messages may be readable now, though they watch what they watched."""


async def add_sensor(db: AsyncConnection, entry: SensorEntry, author: Author, *, now: datetime) -> int:
    """Register a sensor that watches nothing yet; what it sent before is taken in once it watches something.

    Raises:
        SensorExistsError: it is registered.
    """
    await lock_registry(db)
    sensor_id = await _insert(db, entry)
    await write_audit(db, author.entry("sensor.added", f"sensor:{entry.code}", after=shown(entry)))
    await apply_changes(db, Changes(look_again={entry.code}), now=now)
    return sensor_id


async def change_sensor(db: AsyncConnection, entry: SensorEntry, author: Author, *, now: datetime) -> None:
    """Change what the registry keeps of a sensor; nothing happens when it is the same.

    Raises:
        SensorNotFoundError: it is not registered.
    """
    await lock_registry(db)
    before = await fetch_entry(db, entry.code)
    if before == entry:
        return
    await update_entry(db, entry)
    changed = {"before": shown(before), "after": shown(entry)}
    await write_audit(db, author.entry("sensor.changed", f"sensor:{entry.code}", **changed))
    await apply_changes(db, Changes(look_again={entry.code}), now=now)


async def assign(
    db: AsyncConnection, sensor: str, space: str, author: Author, *, at: datetime | None, now: datetime
) -> None:
    """Let a sensor watch a space from ``at`` on (None: from ever), whatever it was thought to watch then.

    Raises:
        SensorNotFoundError, SpaceNotFoundError: there is none.
        SpaceWatchedError: another sensor watches the space then, or later: that is a swap.
        InvalidError: ``at`` lies in the future.
    """
    await lock_registry(db)
    _refuse_future(at, now)
    change = await fetch_change(db, sensor)
    await refuse_watched(db, space, at, but=(sensor,))
    change.after = assigned(change.before, space, at)
    await _record(db, author, "sensor.assigned", {sensor: change})
    await apply_changes(db, Changes(by_sensor={sensor: change}), now=now)


async def unassign(db: AsyncConnection, sensor: str, author: Author, *, at: datetime, now: datetime) -> str:
    """Let a sensor watch nothing from ``at`` on; returns the space it watched.

    Raises:
        SensorNotFoundError: there is none.
        NotWatchingError: it watches nothing at ``at``.
        InvalidError: ``at`` lies in the future.
    """
    await lock_registry(db)
    _refuse_future(at, now)
    change = await fetch_change(db, sensor)
    space = space_at(change.before, at)
    if space is None:
        raise NotWatchingError(f"{sensor} watches no space at {rfc3339(at)}", sensor_id=sensor)
    change.after = ended(change.before, at)
    await _record(db, author, "sensor.unassigned", {sensor: change})
    await apply_changes(db, Changes(by_sensor={sensor: change}), now=now)
    return space


async def swap(db: AsyncConnection, old: str, new: SensorEntry, author: Author, *, at: datetime, now: datetime) -> str:
    """Let a sensor take over the space of another at ``at``; the past stays with the old one. Returns the space.

    ``new`` is registered if it is not yet. Noting a swap again with another instant puts the first note right.

    Raises:
        SensorNotFoundError, NotWatchingError: there is no such old sensor, or it watched nothing.
        SpaceWatchedError: a third sensor watches the space then.
        InvalidError: ``at`` lies in the future, or old and new are one.
    """
    await lock_registry(db)
    _refuse_future(at, now)
    if old == new.code:
        raise InvalidError("a sensor cannot be swapped with itself", sensor_id=old)
    leaving = await fetch_change(db, old)
    space, leaving.after = handed_over(leaving.before, old, at)
    if await _find(db, new.code) is None:
        await _insert(db, new)
        await write_audit(db, author.entry("sensor.added", f"sensor:{new.code}", after=shown(new)))
    coming = await fetch_change(db, new.code)
    coming.after = taken_over(coming.before, space, at)
    until = next(watch.ends for watch in coming.after if watch.holds_at(at))
    await refuse_watched(db, space, at, until=until, but=(old, new.code))
    changes = {old: leaving, new.code: coming}
    await _record(db, author, "sensor.swapped", changes)
    await apply_changes(db, Changes(by_sensor=changes), now=now)
    return space


async def adopt(
    db: AsyncConnection, entry: SensorEntry, space: str, author: Author, *, at: datetime | None, now: datetime
) -> datetime | None:
    """Register a sender that is unknown so far and let it watch a space; returns since when.

    Without ``at`` since its oldest refused reading, or since the space's sensor before it stopped, if that was later.

    Raises:
        SensorExistsError: it is known already.
        SpaceNotFoundError, SpaceWatchedError, InvalidError: as ``assign``.
    """
    await lock_registry(db)
    if at is None:
        found = await db.execute(text(_OLDEST_REFUSED), {"sensor": entry.code, "space": space, "now": now})
        at = found.scalar_one()
    await _insert(db, entry)
    await write_audit(db, author.entry("sensor.adopted", f"sensor:{entry.code}", after=shown(entry)))
    await assign(db, entry.code, space, author, at=at, now=now)
    return at


# --- shared with files of sensors ---------------------------------------------------------------------------------


async def lock_registry(db: AsyncConnection) -> None:
    """Wait until nobody else changes the registry; until the end of the transaction."""
    await db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})


async def fetch_change(db: AsyncConnection, sensor: str) -> Change:
    """A sensor's assignments, as they are and, until changed, as they stay.

    Raises:
        SensorNotFoundError: there is none.
    """
    row = await _find(db, sensor)
    if row is None:
        raise SensorNotFoundError(f"no sensor is registered as {sensor!r}", sensor_id=sensor)
    watches = await list_watches(db, row["id"])
    return Change(row["id"], watches, watches)


async def list_watches(db: AsyncConnection, sensor_id: int) -> list[Watch]:
    """A sensor's assignments, oldest first."""
    rows = await db.execute(text(_WATCHES), {"sensor_id": sensor_id})
    return [Watch(**row) for row in rows.mappings()]


async def refuse_watched(
    db: AsyncConnection, space: str, at: datetime | None, *, until: datetime | None = None, but: Collection[str]
) -> None:
    """Make sure that a space exists and that no other sensor watches it from ``at`` on (None: from ever) to ``until``.

    Raises:
        SpaceNotFoundError, SpaceWatchedError: so it is.
    """
    found = await db.execute(text("SELECT id FROM space WHERE code = :code AND retired_at IS NULL"), {"code": space})
    if found.scalar_one_or_none() is None:
        raise SpaceNotFoundError(f"no space has the code {space!r}", space_code=space)
    others = await db.execute(text(_WATCHERS), {"space": space, "at": at, "until": until, "but": list(but)})
    other = others.first()
    if other is not None:
        raise SpaceWatchedError(
            f"{other.code} watches {space}{f' since {rfc3339(other.begins)}' if other.begins else ''}: "
            "swap the two, or unassign that one first",
            space_code=space,
            sensor_id=other.code,
        )


async def apply_changes(db: AsyncConnection, changes: Changes, *, now: datetime) -> None:
    """Write what differs, ask for another look at the readings, and wake whoever keeps the registry in memory.

    The states of all spaces concerned get another version first: a writer that still goes by the assignments of before
    is overtaken and reads them anew, even if it misses the notification.
    """
    different = {
        code: change for code, change in changes.by_sensor.items() if list(change.before) != list(change.after)
    }
    spaces = sorted({watch.space for one in different.values() for watch in (*one.before, *one.after)})
    await db.execute(text(_OVERTAKE), {"spaces": spaces})
    for change in different.values():
        await _write_watches(db, change)
    asked: list[dict[str, Any]] = []
    for code, change in different.items():
        since = first_difference(change.before, change.after)
        asked.append({"code": code, "since": None if since == EVER else since or now, "now": now})
    asked.extend({"code": code, "since": now, "now": now} for code in sorted(changes.look_again - different.keys()))
    if asked:
        await db.execute(text(_ASK), asked)
    await db.execute(text("SELECT pg_notify('parking_registry', '')"))


async def fetch_entry(db: AsyncConnection, sensor: str) -> SensorEntry:
    """What the registry keeps of a sensor.

    Raises:
        SensorNotFoundError: there is none.
    """
    row = await _find(db, sensor)
    if row is None:
        raise SensorNotFoundError(f"no sensor is registered as {sensor!r}", sensor_id=sensor)
    return SensorEntry(**{name: row[name] for name in SensorEntry.__slots__})


async def update_entry(db: AsyncConnection, entry: SensorEntry) -> None:
    """Write what the registry keeps of a sensor."""
    refuse_unknown_codec(entry)
    await db.execute(text(_UPDATE), shown(entry) | {"code": entry.code})


async def insert_entries(db: AsyncConnection, entries: Sequence[SensorEntry]) -> None:
    """Register sensors that are not registered yet."""
    for entry in entries:
        refuse_unknown_codec(entry)
    if entries:
        await db.execute(text(_INSERT), [shown(entry) | {"code": entry.code} for entry in entries])


def shown(entry: SensorEntry) -> dict[str, Any]:
    """The entry without its code, as the audit shows it."""
    return {name: getattr(entry, name) for name in SensorEntry.__slots__ if name != "code"}


# --- statements ---------------------------------------------------------------------------------------------------

_FIND: Final = """
    SELECT id, code, codec, heartbeat_seconds, maker, model, battery_low_mv, note FROM sensor
    WHERE code = :code FOR NO KEY UPDATE
"""
"""No stronger lock: ingest's first row of a sensor refers to it, while it holds states that a change waits for."""
_INSERT: Final = """
    INSERT INTO sensor (code, codec, heartbeat_seconds, maker, model, battery_low_mv, note)
    VALUES (:code, :codec, :heartbeat_seconds, :maker, :model, :battery_low_mv, :note)
"""
_UPDATE: Final = """
    UPDATE sensor SET codec = :codec, heartbeat_seconds = :heartbeat_seconds, maker = :maker, model = :model,
                      battery_low_mv = :battery_low_mv, note = :note
    WHERE code = :code
"""
_WATCHES: Final = """
    SELECT watch.id, space.code AS space, lower(watch.during) AS begins, upper(watch.during) AS ends
    FROM sensor_assignment AS watch JOIN space ON space.id = watch.space_id
    WHERE watch.sensor_id = :sensor_id ORDER BY lower(watch.during) NULLS FIRST
"""
_WATCHERS: Final = """
    SELECT sensor.code, lower(watch.during) AS begins
    FROM sensor_assignment AS watch JOIN sensor ON sensor.id = watch.sensor_id JOIN space ON space.id = watch.space_id
    WHERE space.code = :space AND watch.during && tstzrange(:at, :until) AND sensor.code <> ALL (:but)
    ORDER BY lower(watch.during) NULLS FIRST LIMIT 1
"""
_OVERTAKE: Final = """
    UPDATE space_state SET version = version + 1
    FROM (SELECT state.space_id FROM space_state AS state JOIN space ON space.id = state.space_id
          WHERE space.code = ANY (:spaces) ORDER BY state.space_id FOR UPDATE OF state) AS concerned
    WHERE space_state.space_id = concerned.space_id
"""
_ASK: Final = """
    INSERT INTO reassignment (sensor_id, from_at, asked_at)
    SELECT id, CAST(:since AS timestamptz), CAST(:now AS timestamptz) FROM sensor WHERE code = :code
"""
_OLDEST_REFUSED: Final = """
    SELECT greatest(
        (SELECT min(observed_at) FROM refusal
         WHERE sensor = :sensor AND reason = 'unknown-sensor' AND resolved_at IS NULL
           AND observed_at BETWEEN timestamptz '2020-01-01Z' AND :now),
        (SELECT max(upper(during)) FROM sensor_assignment AS watch JOIN space ON space.id = watch.space_id
         WHERE space.code = :space)
    )
"""


async def _find(db: AsyncConnection, sensor: str) -> RowMapping | None:
    return (await db.execute(text(_FIND), {"code": sensor})).mappings().first()


async def _insert(db: AsyncConnection, entry: SensorEntry) -> int:
    if await _find(db, entry.code) is not None:
        raise SensorExistsError(f"{entry.code} is registered already", sensor_id=entry.code)
    await insert_entries(db, [entry])
    row = await _find(db, entry.code)
    assert row is not None  # noqa: S101 - it was written just now
    return int(row["id"])


async def _write_watches(db: AsyncConnection, change: Change) -> None:
    """Turn the rows of ``before`` into those of ``after``; the constraints look at the end of the transaction."""
    kept = {watch.id for watch in change.after if watch.id is not None}
    gone = [watch.id for watch in change.before if watch.id not in kept]
    await db.execute(text("DELETE FROM sensor_assignment WHERE id = ANY (:ids)"), {"ids": gone})
    before = {watch.id: watch for watch in change.before}
    for watch in change.after:
        values = {"id": watch.id, "begins": watch.begins, "ends": watch.ends}
        if watch.id is None:
            await db.execute(
                text(
                    "INSERT INTO sensor_assignment (sensor_id, space_id, during)"
                    " SELECT :sensor_id, id, tstzrange(:begins, :ends) FROM space WHERE code = :space"
                ),
                {**values, "sensor_id": change.sensor_id, "space": watch.space},
            )
        elif watch != before[watch.id]:
            await db.execute(
                text("UPDATE sensor_assignment SET during = tstzrange(:begins, :ends) WHERE id = :id"), values
            )


async def _record(db: AsyncConnection, author: Author, action: str, changes: Mapping[str, Change]) -> None:
    """One audit entry for each sensor whose assignments change, with both as they were and are."""
    for code, change in changes.items():
        if list(change.before) != list(change.after):
            entry = author.entry(action, f"sensor:{code}", before=_watched(change.before), after=_watched(change.after))
            await write_audit(db, entry)


def _watched(watches: Sequence[Watch]) -> dict[str, Any]:
    return {
        "watches": [
            {
                "space": watch.space,
                "from": rfc3339(watch.begins) if watch.begins else None,
                "to": rfc3339(watch.ends) if watch.ends else None,
            }
            for watch in watches
        ]
    }


def _refuse_future(at: datetime | None, now: datetime) -> None:
    if at is not None and at > now:
        raise InvalidError(f"{rfc3339(at)} lies in the future; a change is noted when it was made")

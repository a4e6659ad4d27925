"""Which sensor watches which space since when: what an import changes, and what it must refuse. Pure.

A sensor new to a space watches it from ``installed_at``; without that, from ever if the space had none before, else
from the import. Whatever is wished, a sensor watches one space at a time and a space has one sensor at a time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.city.model import Space
from core.city.problems import Problem, Slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A sensor watches a space during ``[begins, ends)``; None is from ever, or until further notice."""

    id: int | None = None
    """Of the row, when there is one."""
    sensor: str
    space: str
    begins: datetime | None
    ends: datetime | None = None


@dataclass(slots=True)
class WatchChanges:
    """What is to be written, unless ``problems`` forbid it."""

    ended: dict[int, datetime] = field(default_factory=dict)
    """Row id to its new end."""
    begun: list[Watch] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class Watching:
    """The assignments as they are stored, asked for their history."""

    def __init__(self, stored: Sequence[Watch]) -> None:
        self._of_space: dict[str, list[Watch]] = {}
        self._of_sensor: dict[str, list[Watch]] = {}
        for watch in stored:
            self._of_space.setdefault(watch.space, []).append(watch)
            self._of_sensor.setdefault(watch.sensor, []).append(watch)

    def changes(self, spaces: Iterable[Space], now: datetime, others: frozenset[str]) -> WatchChanges:
        """What makes the assignments those that ``spaces`` list.

        Args:
            spaces: those of a city file; other spaces keep their sensor unless it moved to one of these.
            now: the instant of the import.
            others: spaces in use of lots that the file does not list; their sensors may not be taken away.
        """
        changes = WatchChanges()
        for space in spaces:
            here = _open(self._of_space.get(space.code, ()))
            if space.sensor_id is None:
                if here:
                    self._end(here, now, space, changes)
            elif here is None or here.sensor != space.sensor_id:
                self._begin(space, space.sensor_id, here, now, others, changes)
        return changes

    def _begin(  # noqa: PLR0917 - one caller, in this order
        self,
        space: Space,
        sensor: str,
        here: Watch | None,
        now: datetime,
        others: frozenset[str],
        changes: WatchChanges,
    ) -> None:
        """``sensor`` takes over ``space`` from whatever watched it ``here``."""
        there = _open(self._of_sensor.get(sensor, ()))
        if there and there.space in others:
            changes.problems.append(_taken_away(space, sensor, there))
            return
        begins = self._beginning(space, sensor, there, now)
        for former in (here, there):
            if former:
                self._end(former, begins or now, space, changes)
        ends = [
            watch.ends
            for watch in (*self._of_space.get(space.code, ()), *self._of_sensor.get(sensor, ()))
            if watch.ends is not None
        ]
        if begins and ends and begins < max(ends):
            changes.problems.append(_too_early(space, begins, max(ends)))
        changes.begun.append(Watch(sensor=sensor, space=space.code, begins=begins))

    def _beginning(self, space: Space, sensor: str, there: Watch | None, now: datetime) -> datetime | None:
        if space.installed_at is not None:
            return space.installed_at
        if there or self._of_space.get(space.code):
            return now
        return max((watch.ends for watch in self._of_sensor.get(sensor, ()) if watch.ends), default=None)

    @staticmethod
    def _end(watch: Watch, at: datetime, space: Space, changes: WatchChanges) -> None:
        """End a watch at ``at``, or earlier if another change already asks for that."""
        if watch.begins is not None and at <= watch.begins:
            changes.problems.append(_too_early(space, at, watch.begins))
            return
        if watch.id is not None:
            changes.ended[watch.id] = min(at, changes.ended.get(watch.id, at))


def _open(watches: Iterable[Watch]) -> Watch | None:
    """The one that goes on until further notice."""
    return next((watch for watch in watches if watch.ends is None), None)


def _taken_away(space: Space, sensor: str, there: Watch) -> Problem:
    return Problem(
        slug=Slug.SENSOR_OF_ANOTHER_LOT,
        where=f"space {space.code}",
        why=f"sensor {sensor} watches space {there.space}, whose lot is not in this file",
        cure="Put that lot into the file as well, with the sensor it has now.",
    )


def _too_early(space: Space, begins: datetime, after: datetime) -> Problem:
    return Problem(
        slug=Slug.INSTALLED_TOO_EARLY,
        where=f"space {space.code}",
        why=f"sensor {space.sensor_id} would begin at {begins.isoformat()}, not after {after.isoformat()}",
        cure="Give a later installed_at, or leave it out: then it counts from the import.",
    )

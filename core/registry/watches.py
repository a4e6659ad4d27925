"""One sensor's assignments over time, and what they are after a change. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

from core.errors import NotWatchingError

EVER = datetime(1, 1, 1, tzinfo=UTC)
"""Before every instant that is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A sensor watches a space during ``[begins, ends)``; None is from ever, or until further notice."""

    id: int | None = None
    """Of the row, when there is one."""
    space: str
    begins: datetime | None
    ends: datetime | None = None

    def holds_at(self, at: datetime) -> bool:
        """Whether it covers this instant."""
        return (self.begins is None or self.begins <= at) and (self.ends is None or at < self.ends)


def space_at(watches: Iterable[Watch], at: datetime) -> str | None:
    """The space watched at that instant."""
    return next((watch.space for watch in watches if watch.holds_at(at)), None)


def assigned(watches: Sequence[Watch], space: str, at: datetime | None) -> list[Watch]:
    """The assignments when the sensor watches ``space`` from ``at`` (None: from ever) until further notice.

    Whatever was known to begin at ``at`` or later is replaced; a watch of the same space that reaches up to ``at`` goes
    on, and one that began later begins earlier now.
    """
    kept = [] if at is None else ended(watches, at)
    if kept and kept[-1].space == space and kept[-1].ends == at:
        return [*kept[:-1], replace(kept[-1], ends=None)]
    later = next((watch.id for watch in watches if watch.space == space and _begins(watch) >= (at or EVER)), None)
    return [*kept, Watch(id=later, space=space, begins=at)]


def ended(watches: Sequence[Watch], at: datetime) -> list[Watch]:
    """The assignments when the sensor watches nothing from ``at`` on."""
    kept = [watch for watch in watches if _begins(watch) < at]
    return [watch if watch.ends is not None and watch.ends <= at else replace(watch, ends=at) for watch in kept]


def handed_over(watches: Sequence[Watch], sensor: str, at: datetime) -> tuple[str, list[Watch]]:
    """What a sensor that is swapped at ``at`` watched until then: that space, and its assignments.

    A swap noted too early is put right as well: the last watch before ``at`` then lasts until ``at``. What the sensor
    watches later, somewhere else, stays.

    Raises:
        NotWatchingError: it watched nothing before ``at``.
    """
    before = [watch for watch in watches if _begins(watch) < at]
    if not before:
        raise NotWatchingError(f"{sensor} watched no space before {at.isoformat()}", sensor_id=sensor)
    return before[-1].space, [*before[:-1], replace(before[-1], ends=at), *watches[len(before) :]]


def taken_over(watches: Sequence[Watch], space: str, at: datetime) -> list[Watch]:
    """The assignments when the sensor takes ``space`` over at ``at``.

    If it is known to watch that space at ``at`` or later, only the beginning of that moves: when it stopped, or what it
    watched afterwards, was noted separately.
    """
    known = next((watch for watch in watches if watch.space == space and (not watch.ends or watch.ends > at)), None)
    if known is None:
        return assigned(watches, space, at)
    others = [watch for watch in watches if watch is not known]
    later = [watch for watch in others if known.ends is not None and _begins(watch) >= known.ends]
    return [*ended(others, at), replace(known, begins=at), *later]


def first_difference(before: Sequence[Watch], after: Sequence[Watch]) -> datetime | None:
    """The earliest instant at which another space is watched, ``EVER`` if that is from ever; None if never."""
    edges = {_begins(watch) for watch in (*before, *after)} | {
        watch.ends for watch in (*before, *after) if watch.ends is not None
    }
    return next((at for at in sorted(edges) if space_at(before, at) != space_at(after, at)), None)


def overlap(watches: Iterable[Watch]) -> bool:
    """Whether two of them cover the same instant."""
    ordered = sorted(watches, key=_begins)
    return any(one.ends is None or one.ends > _begins(other) for one, other in pairwise(ordered))


def _begins(watch: Watch) -> datetime:
    return EVER if watch.begins is None else watch.begins

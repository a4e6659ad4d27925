"""What a perfect system could have known: the stays that the readings of a space prove. Pure.

A second answer to the question that ``core.session`` answers, written from the rules alone (``docs/ingest.md``) and
sharing no code with it, as an import contract enforces: slow, over whole lists, one rule after the other. What really
happened is another matter; a reading that was lost proves nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Literal, NamedTuple

Kind = Literal["change", "heartbeat", "boot", "report"]


class Heard(NamedTuple):
    """One reading that was sent and arrived; absent ``boot`` and ``seq`` are -1."""

    at_ms: int
    boot: int
    seq: int
    sensor: str
    occupied: bool | None
    """None where it says nothing of the space."""
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a lot and a sensor's rhythm decide."""

    min_stay_ms: int = 20_000
    min_gap_ms: int = 20_000
    limit_ms: int = 3 * 3_600_000
    """Three heartbeat intervals: not heard for longer is silence."""


class Doubt(StrEnum):
    """Why an ended stay is not certain."""

    ARRIVAL = "arrival-not-reported"
    DEPARTURE = "departure-not-reported"
    SILENCE = "silent-inside"
    GAPS = "mostly-gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidentStay:
    """One stay as far as it is proved; instants in milliseconds since 1970."""

    begin_ms: int
    end_ms: int | None = None
    """None where nothing says that the vehicle has left."""
    begin_is_told: bool = True
    """Dated by a change; else by the first reading that saw the vehicle."""
    end_is_told: bool = True
    """Dated by a change; else by the last reading that saw the vehicle."""
    seen_ms: int
    """The last reading that saw the vehicle."""
    gaps_ms: int = 0
    """Of it, free gaps too short to be believed."""
    doubts: tuple[Doubt, ...] = ()
    """Of an ended one, every reason to be unsure."""

    @property
    def least_ms(self) -> int:
        """How long it was at least."""
        return (self.seen_ms if self.end_ms is None else self.end_ms) - self.begin_ms


def evident_stays(heard: Iterable[Heard], rules: Rules) -> list[EvidentStay]:
    """The stays that these readings of one space prove, oldest first; any order of arrival, any repetition.

    The newest is open where nothing says that the vehicle has left; an open one may be of any length.
    """
    ordered = in_order(heard)
    joined = _without_short_gaps(_stays(ordered), rules)
    long_enough = (stay for stay in joined if stay.end_ms is None or stay.least_ms >= max(rules.min_stay_ms, 1))
    return [replace(stay, doubts=tuple(_doubts(stay, ordered, rules))) for stay in long_enough]


def in_order(heard: Iterable[Heard]) -> list[Heard]:
    """Each reading once, by ``at``, ``boot``, ``seq``; ties by sensor, then occupied before free, then kind."""
    return sorted(set(heard), key=lambda one: (*one[:4], _SAYS.index(one.occupied), one.kind))


_SAYS = (True, False, None)


class _Turn(NamedTuple):
    """A vehicle came or left."""

    came: bool
    at_ms: int
    is_told: bool


def _turns(before: Heard | None, this: Heard) -> Iterator[_Turn]:
    """What one reading proves, given the one before that said anything; before the first a space is free."""
    was, is_now = before is not None and before.occupied is True, this.occupied is True
    reports_change = this.kind == "change" or (this.kind == "report" and was != is_now)
    if before is None or not was:
        if is_now:
            yield _Turn(came=True, at_ms=this.at_ms, is_told=reports_change)
    elif not is_now:
        yield _Turn(came=False, at_ms=this.at_ms if reports_change else before.at_ms, is_told=reports_change)
    elif reports_change:
        yield _Turn(came=False, at_ms=before.at_ms, is_told=False)
        yield _Turn(came=True, at_ms=this.at_ms, is_told=True)


def _stays(ordered: Sequence[Heard]) -> list[EvidentStay]:
    """From each arrival to the departure that follows it, however short."""
    telling = [one for one in ordered if one.occupied is not None]
    turns = [turn for before, this in pairwise([None, *telling]) if this is not None for turn in _turns(before, this)]
    newest_ms = max((one.at_ms for one in telling if one.occupied), default=0)
    stays = []
    for came, left in zip(turns[::2], [*turns[1::2], None], strict=False):
        stay = EvidentStay(begin_ms=came.at_ms, begin_is_told=came.is_told, seen_ms=newest_ms)
        if left is not None:
            stay = replace(stay, end_ms=left.at_ms, end_is_told=left.is_told, seen_ms=left.at_ms)
        stays.append(stay)
    return stays


def _without_short_gaps(stays: Sequence[EvidentStay], rules: Rules) -> list[EvidentStay]:
    """Two stays with a gap between that is shorter than the lot believes are one."""
    joined: list[EvidentStay] = []
    for stay in stays:
        gap_ms = stay.begin_ms - (joined[-1].end_ms or 0) if joined else rules.min_gap_ms
        if gap_ms >= rules.min_gap_ms:
            joined.append(stay)
            continue
        first = joined.pop()
        begin_ms, begin_is_told, gaps_ms = first.begin_ms, first.begin_is_told, first.gaps_ms + gap_ms
        joined.append(replace(stay, begin_ms=begin_ms, begin_is_told=begin_is_told, gaps_ms=gaps_ms))
    return joined


def _doubts(stay: EvidentStay, ordered: Sequence[Heard], rules: Rules) -> Iterator[Doubt]:
    if stay.end_ms is None:
        return
    inside = [one.at_ms for one in ordered if stay.begin_ms <= one.at_ms <= stay.end_ms]
    if not stay.begin_is_told:
        yield Doubt.ARRIVAL
    if not stay.end_is_told:
        yield Doubt.DEPARTURE
    if any(later - earlier > rules.limit_ms for earlier, later in pairwise(inside)):
        yield Doubt.SILENCE
    if stay.gaps_ms > stay.end_ms - stay.begin_ms - stay.gaps_ms:
        yield Doubt.GAPS

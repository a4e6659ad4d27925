"""Readings of a space become sessions: one fold, the same for every order of arrival and any repetition (S2). Pure.

The fold walks the readings of one space in their order (``core.occupancy.order_key``) and keeps a ``FoldState`` small
enough to be stored after every batch, so that ingest goes on where it stood. A reading that comes late, before what
was folded already, is answered by folding again from a point that no earlier reading can influence (``restart_at``);
``match_sessions`` then says which old session lives on as which new one (S4).

All instants here are milliseconds since 1970, UTC.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec

from core.occupancy import Kind, OrderKey, Reading, order_key


class BeginWhy(StrEnum):
    """What dates the begin of a session."""

    CHANGE = "change"
    """The sensor reported the arrival itself."""
    HEARTBEAT = "heartbeat"
    """The arrival was lost; the first message that said occupied dates it (S3: nobody is charged for earlier)."""
    REPEATED_CHANGE = "repeated_change"
    """A second arrival was reported while occupied: the departure between them was lost."""


class EndWhy(StrEnum):
    """What dates the end of a session."""

    CHANGE = "change"
    """The sensor reported the departure itself."""
    LAST_OCCUPIED = "last_occupied"
    """The departure was lost; the last message that still said occupied dates it (S3)."""


class UnsureWhy(StrEnum):
    """Why a person should look before an ended session is enforced."""

    ARRIVAL_NOT_REPORTED = "arrival-not-reported"
    DEPARTURE_NOT_REPORTED = "departure-not-reported"
    SILENT_INSIDE = "silent-inside"
    """Two successive readings inside it lie further apart than the sensor's limit."""
    MOSTLY_GAP = "mostly-gap"
    """More of it is closed gap than stay: the sensor flapped."""


class FoldRules(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a lot and a sensor's rhythm decide about sessions."""

    min_stay_ms: int = 20_000
    """A shorter stay is no session."""
    min_gap_ms: int = 20_000
    """A shorter free gap is closed: a sensor flaps."""
    silence_ms: int = 3 * 3_600_000
    """Three heartbeat intervals: not heard for longer is silence."""


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A stay with its short gaps closed: a session, unless it is too short."""

    begin_ms: int
    sensor: str
    """The sensor whose reading began it."""
    begin_why: BeginWhy
    end_ms: int | None = None
    """None while a vehicle stands there."""
    end_why: EndWhy | None = None
    closed_gap_ms: int = 0
    silence_ms: int = 0
    """Longest distance between two successive readings inside it."""

    def is_session(self, rules: FoldRules) -> bool:
        """Whether it is long enough to be one; an open one has not ended yet, so it is."""
        return self.end_ms is None or self.end_ms - self.begin_ms >= max(rules.min_stay_ms, 1)

    def unsure_why(self, rules: FoldRules) -> UnsureWhy | None:
        """Why it is unsure, the plainest reason first; None when sure or still open (then the clock decides)."""
        if self.end_ms is None:
            return None
        if self.begin_why is BeginWhy.HEARTBEAT:
            return UnsureWhy.ARRIVAL_NOT_REPORTED
        if self.end_why is EndWhy.LAST_OCCUPIED:
            return UnsureWhy.DEPARTURE_NOT_REPORTED
        if self.silence_ms > rules.silence_ms:
            return UnsureWhy.SILENT_INSIDE
        if 2 * self.closed_gap_ms > self.end_ms - self.begin_ms:
            return UnsureWhy.MOSTLY_GAP
        return None


class FoldState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where the fold of one space stands after its newest reading."""

    key: OrderKey | None = None
    """Order key of the newest reading folded; None before the first."""
    occupied: bool = False
    """What is known: a space counts as free before its first reading."""
    changed_ms: int | None = None
    """When what is known last changed, as dated by the evidence; None if never."""
    last_occupied_ms: int | None = None
    """The newest reading that said occupied."""
    span: Span | None = None
    """The newest stay: open, or ended but able to go on if the next one begins within the shortest gap."""
    silence_ms: int = 0
    """Longest distance between successive readings since ``span`` began, up to the newest."""


INITIAL = FoldState()


def step(state: FoldState, key: OrderKey, reading: Reading, rules: FoldRules) -> tuple[FoldState, Span | None]:
    """Fold one more reading, with its order key, which must come after every one before.

    Returns: the new state, and the span that can no longer change because a later one has begun, if there is one now.
    """
    at_ms = reading.at_ms
    silence_ms = state.silence_ms
    if state.key is not None and state.span is not None:
        silence_ms = max(silence_ms, at_ms - state.key[0])
    says = reading.occupied
    if says is None:
        return msgspec.structs.replace(state, key=key, silence_ms=silence_ms), None
    changed = reading.kind is Kind.CHANGE or (reading.kind is Kind.REPORT and says is not state.occupied)
    if says:
        if state.occupied and not changed:
            return _still_occupied(state, key, silence_ms), None
        if state.occupied:
            state = _left_unseen(state)
            return _arrived(state, reading, key, why=BeginWhy.REPEATED_CHANGE, silence_ms=silence_ms, rules=rules)
        why = BeginWhy.CHANGE if changed else BeginWhy.HEARTBEAT
        return _arrived(state, reading, key, why=why, silence_ms=silence_ms, rules=rules)
    if not state.occupied:
        changed_ms = at_ms if changed or state.changed_ms is None else state.changed_ms  # a change: somebody was there
        return msgspec.structs.replace(state, key=key, changed_ms=changed_ms, silence_ms=silence_ms), None
    ended = _left(state, at_ms, silence_ms) if changed else _left_unseen(state)
    return msgspec.structs.replace(ended, key=key, silence_ms=silence_ms), None


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of readings amounts to."""

    spans: tuple[Span, ...]
    """In order of time, too short ones included, the newest (open or ended) last."""
    state: FoldState

    def sessions(self, rules: FoldRules) -> list[Span]:
        """The spans that are sessions, oldest first."""
        return [span for span in self.spans if span.is_session(rules)]


def fold(readings: Iterable[Reading], rules: FoldRules, state: FoldState = INITIAL) -> Folded:
    """Fold a set of readings of one space, in any order and with any repetitions, onto ``state``.

    Every reading must come after those already in ``state``.
    """
    by_key = {order_key(reading): reading for reading in readings}
    spans: list[Span] = []
    for key in sorted(by_key):
        state, finished = step(state, key, by_key[key], rules)
        if finished is not None:
            spans.append(finished)
    if state.span is not None:
        spans.append(state.span)
    return Folded(spans=tuple(spans), state=state)


def base_at(readings: Iterable[Reading], floor_ms: int, rules: FoldRules, base: FoldState = INITIAL) -> FoldState:
    """Where the fold stands at a floor: all that readings before it can still mean to those from it on.

    Folding what lies at or after the floor onto this state gives the sessions that folding everything gives, the stay
    that reaches over the floor among them; so what lies before may be forgotten.

    Args:
        readings: of one space, all that are kept; those at or after the floor are not looked at.
        floor_ms: the floor.
        rules: of the lot.
        base: the state at an earlier floor, where there was one.
    """
    return fold((reading for reading in readings if reading.at_ms < floor_ms), rules, base).state


def restart_at(readings: Sequence[Reading], late: OrderKey, rules: FoldRules) -> int | None:
    """Where to begin folding again after a reading with key ``late`` came late.

    The answer is the index of a reading at or before it that says occupied after the space had been free for at
    least the shortest gap: whatever happened earlier, a new span begins there.

    Args:
        readings: of one space, in order, the late one among them; they may begin anywhere in its history.
        late: order key of the earliest late reading.
        rules: of the lot.
    Returns: the index, or None when these readings reach back to no such point.
    """
    found: int | None = None
    free_since: int | None = None
    for index, reading in enumerate(readings):
        if order_key(reading) > late:
            break
        if reading.occupied is None:
            continue
        if not reading.occupied:
            free_since = reading.at_ms if free_since is None else free_since
            continue
        if free_since is not None and reading.at_ms - free_since >= rules.min_gap_ms:
            found = index
        free_since = None
    return found


Id = TypeVar("Id")

_FAR_MS = 1 << 62


def match_sessions(old: Sequence[tuple[Id, int, int | None]], new: Sequence[Span]) -> dict[int, Id]:
    """Which old session lives on as which new one: the one it overlaps longest (tie: the earlier).

    Args:
        old: ``(id, begin_ms, end_ms)`` of the sessions that were folded again, oldest first; None: open.
        new: the sessions they are now, oldest first.
    Returns: index in ``new`` -> old id. An old id in no value has become void; a new index not among the keys is new.
    """
    overlaps: list[tuple[int, int, int]] = []
    first = 0
    for old_index, (_, begin_ms, end_ms) in enumerate(old):
        until_ms = _FAR_MS if end_ms is None else end_ms
        while first < len(new) and (new[first].end_ms or _FAR_MS) <= begin_ms:
            first += 1
        for new_index in range(first, len(new)):
            span = new[new_index]
            if span.begin_ms >= until_ms:
                break
            shared_ms = min(until_ms, span.end_ms or _FAR_MS) - max(begin_ms, span.begin_ms)
            if shared_ms > 0:
                overlaps.append((-shared_ms, new_index, old_index))
    matched: dict[int, Id] = {}
    taken: set[int] = set()
    for _, new_index, old_index in sorted(overlaps):
        if new_index not in matched and old_index not in taken:
            matched[new_index] = old[old_index][0]
            taken.add(old_index)
    return matched


def _still_occupied(state: FoldState, key: OrderKey, silence_ms: int) -> FoldState:
    span = state.span
    if span is not None and span.silence_ms != silence_ms:
        span = msgspec.structs.replace(span, silence_ms=silence_ms)
    return msgspec.structs.replace(state, key=key, last_occupied_ms=key[0], span=span, silence_ms=silence_ms)


def _left(state: FoldState, at_ms: int, silence_ms: int) -> FoldState:
    span = state.span
    if span is not None:
        span = msgspec.structs.replace(span, end_ms=at_ms, end_why=EndWhy.CHANGE, silence_ms=silence_ms)
    return msgspec.structs.replace(state, occupied=False, changed_ms=at_ms, span=span)


def _left_unseen(state: FoldState) -> FoldState:
    span, end_ms = state.span, state.last_occupied_ms
    if span is not None and end_ms is not None:
        span = msgspec.structs.replace(span, end_ms=end_ms, end_why=EndWhy.LAST_OCCUPIED)
    return msgspec.structs.replace(state, occupied=False, changed_ms=end_ms, span=span)


def _arrived(
    state: FoldState, reading: Reading, key: OrderKey, *, why: BeginWhy, silence_ms: int, rules: FoldRules
) -> tuple[FoldState, Span | None]:
    at_ms, before = reading.at_ms, state.span
    if before is not None and before.end_ms is not None and at_ms - before.end_ms < rules.min_gap_ms:
        closed_gap_ms = before.closed_gap_ms + at_ms - before.end_ms
        span = msgspec.structs.replace(
            before, end_ms=None, end_why=None, closed_gap_ms=closed_gap_ms, silence_ms=silence_ms
        )
        finished = None
    else:
        span = Span(begin_ms=at_ms, sensor=reading.sensor, begin_why=why)
        finished, silence_ms = before, 0
    arrived = FoldState(
        key=key, occupied=True, changed_ms=at_ms, last_occupied_ms=at_ms, span=span, silence_ms=silence_ms
    )
    return arrived, finished

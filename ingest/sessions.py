"""How readings open, end and correct sessions: from two states of a fold to the rows that must change. Pure.

A session that has begun is written once it is ``min_stay`` old, so that a flapping sensor leaves no rows; what is
written keeps its id for ever and becomes ``void`` only when late readings take its ground away (S4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from core.ids import RandomIds, SessionId, SpaceId
from core.occupancy import OrderKey, Reading
from core.session import INITIAL, Folded, FoldRules, FoldState, Span, match_sessions, step

_ids = RandomIds()


class SpaceFold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where one space's fold stands and which session row its newest span has; kept in ``space_state.fold``."""

    state: FoldState = INITIAL
    session_id: UUID | None = None
    """Row of ``state.span``; None while it is too young, or too short, to have one."""


class SessionWrite(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A session row to insert (``is_new``) or to change."""

    session_id: SessionId
    space_id: SpaceId
    span: Span
    status: str
    unsure_why: str | None
    is_new: bool
    changed_ms: int
    """From when on the space's use is another than was stored: the earlier of its begins, now and before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session row as it stands before folding again; void ones are not among them."""

    session_id: SessionId
    begin_ms: int
    end_ms: int | None
    closed_gap_ms: int
    begin_why: str
    end_why: str | None
    unsure_why: str | None
    span_sensor: str


def advance(
    space_id: SpaceId,
    before: SpaceFold,
    readings: Sequence[tuple[OrderKey, Reading]],
    rules: FoldRules,
    now_ms: int,
) -> tuple[SpaceFold, Sequence[SessionWrite]]:
    """Fold readings that all come after those before, in order; what rows to write, oldest session first."""
    state = before.state
    spans: list[Span] = []
    for key, reading in readings:
        state, finished = step(state, key, reading, rules)
        if finished is not None:
            spans.append(finished)
    span = state.span
    if span is not None:
        if not spans and before.session_id is not None and _says_the_same(span, before.state.span):
            return SpaceFold(state=state, session_id=before.session_id), ()  # most readings: all is as it was
        spans.append(span)
    writes: list[SessionWrite] = []
    session_id: UUID | None = None
    for index, span in enumerate(spans):
        goes_on = index == 0 and before.state.span is not None
        session_id = before.session_id if goes_on else None
        if session_id is None:
            if _is_due(span, rules, now_ms):
                writes.append(_write(SessionId(_ids.take()), space_id, span, rules, is_new=True))
                session_id = writes[-1].session_id
        elif not _says_the_same(span, before.state.span):
            writes.append(_write(SessionId(session_id), space_id, span, rules, is_new=False))
    return SpaceFold(state=state, session_id=session_id), writes


def announce(
    space_id: SpaceId, before: SpaceFold, rules: FoldRules, now_ms: int
) -> tuple[SpaceFold, SessionWrite] | None:
    """The row of an open span that has become old enough to be a session; None if there is none to write."""
    span = before.state.span
    if span is None or span.end_ms is not None or before.session_id is not None or not _is_due(span, rules, now_ms):
        return None
    write = _write(SessionId(_ids.take()), space_id, span, rules, is_new=True)
    return SpaceFold(state=before.state, session_id=write.session_id), write


def due_at(before: SpaceFold, rules: FoldRules) -> int | None:
    """When ``announce`` will have something to write for this space; None if nothing is pending."""
    span = before.state.span
    if span is None or span.end_ms is not None or before.session_id is not None:
        return None
    return span.begin_ms + rules.min_stay_ms


def refold(
    space_id: SpaceId, old: Sequence[StoredSession], folded: Folded, rules: FoldRules, now_ms: int
) -> tuple[SpaceFold, list[SessionWrite]]:
    """What rows to write after folding again.

    Args:
        space_id: the space.
        old: its rows from the restart on, oldest first.
        folded: what the readings from the restart on amount to.
        rules: of the lot.
        now_ms: the present, for spans too young to be written.
    Returns: where the fold stands, and the rows: matched ones that changed, new ones, and void ones (S4).
    """
    sessions = folded.sessions(rules)
    matched = match_sessions([(row.session_id, row.begin_ms, row.end_ms) for row in old], sessions)
    by_id = {row.session_id: row for row in old}
    voided = set(by_id) - set(matched.values())
    writes = [_void(space_id, by_id[session_id]) for session_id in by_id if session_id in voided]
    newest: UUID | None = None
    for index, span in enumerate(sessions):
        session_id = matched.get(index)
        if session_id is not None:
            row = by_id[session_id]
            write = _write(session_id, space_id, span, rules, is_new=False, began_ms=row.begin_ms)
            if not _is_stored_as(row, write):
                writes.append(write)
        elif _is_due(span, rules, now_ms):
            writes.append(_write(SessionId(_ids.take()), space_id, span, rules, is_new=True))
            session_id = writes[-1].session_id
        newest = session_id if span is folded.state.span else newest
    return SpaceFold(state=folded.state, session_id=newest), writes


def changed_since(at_ms: int, writes: Sequence[SessionWrite]) -> int:
    """From when on a space's use is another than before: the first reading that came or went, or a session's begin."""
    return min((at_ms, *(write.changed_ms for write in writes)))


def _is_due(span: Span, rules: FoldRules, now_ms: int) -> bool:
    if span.end_ms is None:
        return now_ms - span.begin_ms >= rules.min_stay_ms
    return span.is_session(rules)


def _says_the_same(span: Span, other: Span | None) -> bool:
    return span is other or (
        other is not None
        and span.end_ms == other.end_ms
        and span.begin_ms == other.begin_ms
        and span.closed_gap_ms == other.closed_gap_ms
        and span.end_why is other.end_why
    )


def _is_stored_as(row: StoredSession, write: SessionWrite) -> bool:
    span = write.span
    return (
        (row.begin_ms, row.end_ms, row.begin_why, row.end_why)
        == (span.begin_ms, span.end_ms, span.begin_why, span.end_why)
        and row.unsure_why == write.unsure_why
        and row.closed_gap_ms == span.closed_gap_ms
        and row.span_sensor == span.sensor
    )


def _write(
    session_id: SessionId,
    space_id: SpaceId,
    span: Span,
    rules: FoldRules,
    *,
    is_new: bool,
    began_ms: int | None = None,
) -> SessionWrite:
    status = "open" if span.end_ms is None else "ended" if span.is_session(rules) else "void"
    unsure_why = span.unsure_why(rules) if status == "ended" else None
    return SessionWrite(
        session_id=session_id,
        space_id=space_id,
        span=span,
        status=status,
        unsure_why=unsure_why,
        is_new=is_new,
        changed_ms=span.begin_ms if began_ms is None else min(began_ms, span.begin_ms),
    )


def _void(space_id: SpaceId, row: StoredSession) -> SessionWrite:
    span = msgspec.convert(
        {
            "begin_ms": row.begin_ms,
            "end_ms": row.end_ms,
            "sensor": row.span_sensor,
            "begin_why": row.begin_why,
            "end_why": row.end_why,
            "closed_gap_ms": row.closed_gap_ms,
        },
        Span,
    )
    return SessionWrite(
        session_id=row.session_id,
        space_id=space_id,
        span=span,
        status="void",
        unsure_why=None,
        is_new=False,
        changed_ms=row.begin_ms,
    )

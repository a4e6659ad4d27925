"""Stays that happened against sessions that were stored: every difference, with its reason in words. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from core.clock import instant, rfc3339
from ops.verify.accuracy import Accuracies, FaultAccuracy
from ops.verify.truth import Stay, Truth


class Why(StrEnum):
    """In what way the stored differs from the true."""

    MISSING = "missing"
    EXTRA = "extra"
    BEGIN = "begin differs"
    END = "end differs"
    NOT_ENDED = "not ended yet"
    ENDED_EARLY = "ended, but the vehicle is there"
    UNSURE = "unsure"
    NOT_BILLED = "not billed yet"
    FEE = "fee differs"
    VOID_CHARGED = "void, but charged"
    READINGS = "readings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One stored session with its current bill; instants in milliseconds since 1970."""

    session_id: str
    space: str
    status: str
    entered_ms: int
    left_ms: int | None
    unsure: bool
    unsure_why: str | None
    revision: int
    billed_fen: int | None
    """None without a bill."""
    billed_revision: int | None
    is_reduced: bool = False
    """Its bill stands for somebody's pass, exemption or coupon, of which the truth knows nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The stored readings of the truth's sensors within its span."""

    count: int
    fingerprint: str | None = None
    """``simulator.fingerprint`` of them; None when only counted."""
    gaps: Sequence[str] = ()
    """Some sensors of which numbers are missing, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it should be."""

    why: Why
    space: str | None
    session_id: str | None
    entered_at: str | None
    """Of the true stay; of the session when no stay is like it."""
    detail: str
    apart_fen: int = 0
    """Billed less due, where that is what differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of one comparison."""

    until: str
    stays: int
    """True stays that began until then."""
    equal: int
    """Of these, those with nothing to complain about."""
    still_there: int
    """Of the true stays, those that had not ended by then."""
    fees_compared: int
    fees_reduced: int
    """Left out of the comparison: bills with a pass, an exemption or a coupon, which no notice prices by itself."""
    true_fen: int
    billed_fen: int
    """Sums over the stays whose fees were compared."""
    readings_sent: int
    """Distinct ones."""
    readings_stored: int
    repeated: int
    late: int
    lost: int
    """Messages lost on purpose; where there are any, the stored cannot equal the true everywhere."""
    differences: Sequence[Difference] = field(default_factory=tuple)
    by_fault: Sequence[FaultAccuracy] = ()
    """Of the stays, those that faults touched and, last, those that none did; empty where there were no faults."""
    unexplained: int = 0
    """Differences that no fault explains."""

    @property
    def is_explained(self) -> bool:
        """Whether nothing differs but where a fault kept sensors from saying what was so."""
        return not self.unexplained

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def counts(self) -> Mapping[Why, int]:
        """How many differences of each sort there are."""
        return Counter(difference.why for difference in self.differences)


def compare(truth: Truth, sessions: Iterable[Session], readings: Readings) -> Report:
    """Compare everything up to the truth's last checkpoint.

    Args:
        truth: what happened.
        sessions: of the truth's spaces, void ones included; those that began after the checkpoint are left aside.
        readings: what is stored of the truth's sensors up to the checkpoint.
    """
    by_space: dict[str, list[Session]] = {space: [] for space in truth.stays}
    differences: list[Difference] = []
    for session in sessions:
        if session.status == "void":
            differences.extend(_of_void(session))
        elif session.entered_ms <= truth.until_ms:
            by_space[session.space].append(session)
    equal = fees = reduced = true_fen = billed_fen = 0
    unexplained = len(differences)
    accuracies = Accuracies(truth.touched)
    for space, stays in truth.stays.items():
        for stay, stored in _pairs(stays, by_space[space]):
            found = list(_differences(stay, stored, truth.until_ms))
            differences.extend(found)
            unexplained += 0 if accuracies.explains(space, stay) else len(found)
            if stay is None:
                continue
            equal += not found
            true, billed = 0, 0
            if stored is not None and stored.is_reduced:
                reduced += 1
            elif _has_left(stay, truth.until_ms) and stay.fee_fen is not None:
                fees += 1
                true, billed = stay.fee_fen, 0 if stored is None else stored.billed_fen or 0
            true_fen += true
            billed_fen += billed
            accuracies.add(stay, is_equal=not found, true_fen=true, billed_fen=billed)
    of_readings = list(_of_readings(truth, readings))
    differences.extend(of_readings)
    everything = [stay for stays in truth.stays.values() for stay in stays]
    return Report(
        until=truth.checkpoint.complete_until,
        stays=len(everything),
        equal=equal,
        still_there=sum(not _has_left(stay, truth.until_ms) for stay in everything),
        fees_compared=fees,
        fees_reduced=reduced,
        true_fen=true_fen,
        billed_fen=billed_fen,
        readings_sent=truth.checkpoint.readings,
        readings_stored=readings.count,
        repeated=truth.checkpoint.repeated,
        late=truth.checkpoint.late,
        lost=truth.checkpoint.lost,
        differences=tuple(differences),
        by_fault=accuracies.told(),
        unexplained=unexplained + len(of_readings),
    )


def _pairs(stays: Sequence[Stay], sessions: Sequence[Session]) -> Iterator[tuple[Stay | None, Session | None]]:
    """Each stay with its session: of the same begin, else the one it shares most time with; then what is left over."""
    by_begin = {session.entered_ms: session for session in sessions}
    without: list[Stay] = []
    for stay in stays:
        session = by_begin.pop(stay.entered_ms, None)
        if session is None:
            without.append(stay)
        else:
            yield stay, session
    for stay in without:
        shared = {begin: _shared_ms(stay, session) for begin, session in by_begin.items()}
        best = max(shared, key=lambda begin: shared[begin], default=None)
        yield stay, (by_begin.pop(best) if best is not None and shared[best] > 0 else None)
    for session in by_begin.values():
        yield None, session


def _differences(stay: Stay | None, session: Session | None, until_ms: int) -> Iterator[Difference]:
    if stay is None:
        if session is not None:
            yield _of(Why.EXTRA, None, session, f"no vehicle came; stored is {_text(session)}")
        return
    if session is None:
        yield _of(Why.MISSING, stay, None, f"no session for the stay until {_at(stay.left_ms)}")
        return
    if session.entered_ms != stay.entered_ms:
        yield _of(Why.BEGIN, stay, session, f"begins {_apart(session.entered_ms, stay.entered_ms)}: {_text(session)}")
    if session.unsure:
        yield _of(Why.UNSURE, stay, session, f"marked unsure: {session.unsure_why or 'no reason given'}")
    yield from _of_end(stay, session, until_ms)


def _of_end(stay: Stay, session: Session, until_ms: int) -> Iterator[Difference]:
    if stay.left_ms is None or stay.left_ms > until_ms:
        if session.left_ms is not None and session.left_ms != stay.left_ms and session.left_ms <= until_ms:
            yield _of(Why.ENDED_EARLY, stay, session, f"ends at {_at(session.left_ms)}, the vehicle has not left")
        return
    if session.left_ms is None:
        yield _of(Why.NOT_ENDED, stay, session, f"open, but the vehicle left at {_at(stay.left_ms)}")
        return
    if session.left_ms != stay.left_ms:
        yield _of(Why.END, stay, session, f"ends {_apart(session.left_ms, stay.left_ms)}")
    if session.billed_fen is None or session.billed_revision != session.revision:
        state = "no bill" if session.billed_fen is None else f"billed at revision {session.billed_revision}"
        yield _of(Why.NOT_BILLED, stay, session, f"{state}, the session is at revision {session.revision}")
    elif stay.fee_fen is not None and session.billed_fen != stay.fee_fen and not session.is_reduced:
        words = f"billed {session.billed_fen} fen, by the notice {stay.fee_fen} fen"
        yield _of(Why.FEE, stay, session, words, apart_fen=session.billed_fen - stay.fee_fen)


def _of_void(session: Session) -> Iterator[Difference]:
    if session.billed_fen:
        words = f"void, but its bill says {session.billed_fen} fen"
        yield _of(Why.VOID_CHARGED, None, session, words, apart_fen=session.billed_fen)


def _of_readings(truth: Truth, readings: Readings) -> Iterator[Difference]:
    sent = truth.checkpoint.readings
    if readings.count != sent:
        detail = f"{sent} sent, {readings.count} stored ({readings.count - sent:+d})"
        if readings.gaps:
            detail += "; numbers missing: " + ", ".join(readings.gaps)
    elif readings.fingerprint is not None and readings.fingerprint != truth.checkpoint.fingerprint:
        detail = f"{sent} sent and as many stored, but not the same ones"
    else:
        return
    yield Difference(why=Why.READINGS, space=None, session_id=None, entered_at=None, detail=detail)


def _of(why: Why, stay: Stay | None, session: Session | None, detail: str, *, apart_fen: int = 0) -> Difference:
    entered_ms = stay.entered_ms if stay else session.entered_ms if session else None
    space = stay.space if stay else session.space if session else None
    return Difference(
        why=why,
        space=space,
        session_id=session.session_id if session else None,
        entered_at=None if entered_ms is None else _at(entered_ms),
        detail=detail,
        apart_fen=apart_fen,
    )


def _has_left(stay: Stay, until_ms: int) -> bool:
    return stay.left_ms is not None and stay.left_ms <= until_ms


def _shared_ms(stay: Stay, session: Session) -> int:
    never = 2**62
    end = min(stay.left_ms or never, session.left_ms or never)
    return end - max(stay.entered_ms, session.entered_ms)


def _text(session: Session) -> str:
    return f"{_at(session.entered_ms)} to {_at(session.left_ms)}"


def _at(at_ms: int | None) -> str:
    return "now" if at_ms is None else rfc3339(instant(at_ms))


def _apart(stored_ms: int, true_ms: int) -> str:
    return f"{abs(stored_ms - true_ms)} ms too {'late' if stored_ms > true_ms else 'early'}"

"""Stays that happened against sessions that were stored: every difference, with its reason in words. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from core.clock import instant, rfc3339
from ops.verify.accuracy import Accuracies
from ops.verify.proof import Priced, Proof, fee_is_evident, prove
from ops.verify.report import Difference, Fees, Readings, Report, Session, Why
from ops.verify.truth import Stay, Truth

CERTAIN: Final = "certain"


def compare(truth: Truth, sessions: Iterable[Session], readings: Readings) -> Report:
    """Compare everything up to the truth's last checkpoint.

    Args:
        truth: what happened.
        sessions: of the truth's spaces, void ones included; those that began after the checkpoint are left aside.
        readings: what is stored of the truth's sensors up to the checkpoint.
    """
    by_space: dict[str, list[Session]] = {space: [] for space in truth.stays}
    tally = _Tally(accuracies=Accuracies(truth.touched))
    for session in sessions:
        if session.status == "void":
            tally.differ(_of_void(session))
        elif session.entered_ms <= truth.until_ms:
            by_space[session.space].append(session)
    for space, stays in truth.stays.items():
        _compare_space(truth, space, stays, by_space[space], tally)
    tally.differ(_of_readings(truth, readings))
    everything = [stay for stays in truth.stays.values() for stay in stays]
    wrong = sum(not one.is_evident for one in tally.differences)
    return Report(
        until=truth.checkpoint.complete_until,
        city=truth.header.city,
        scenario=truth.header.scenario,
        stays=len(everything),
        equal=tally.counts["equal"],
        evident=tally.counts["evident"],
        still_there=sum(not _has_left(stay, truth.until_ms) for stay in everything),
        fees_compared=sum(tally.fees.values()),
        fees_reduced=tally.counts["reduced"],
        fees=Fees(right=tally.fees["right"], under=tally.fees["under"], over=tally.fees["over"]),
        true_fen=tally.true_fen,
        billed_fen=tally.billed_fen,
        readings_sent=truth.checkpoint.readings,
        readings_stored=readings.count,
        repeated=truth.checkpoint.repeated,
        late=truth.checkpoint.late,
        lost=truth.checkpoint.lost,
        readings_told=truth.evidence is not None,
        certainty=dict(tally.certainty),
        differences=tuple(tally.differences),
        by_fault=tally.accuracies.told(),
        unexplained=tally.unexplained if truth.evidence is None else wrong,
    )


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What is counted while spaces are compared one after the other."""

    accuracies: Accuracies
    differences: list[Difference] = field(default_factory=list)
    unexplained: int = 0
    """By no fault; of interest where the truth does not tell its readings."""
    counts: Counter[str] = field(default_factory=Counter)
    fees: Counter[str] = field(default_factory=Counter)
    certainty: Counter[str] = field(default_factory=Counter)
    true_fen: int = 0
    billed_fen: int = 0

    def differ(self, found: Iterable[Difference], *, is_explained: bool = False) -> None:
        """Note differences, and whether a fault explains them."""
        before = len(self.differences)
        self.differences.extend(found)
        self.unexplained += 0 if is_explained else len(self.differences) - before

    def count_fee(self, true_fen: int, billed_fen: int) -> None:
        """Note what a stay costs and what was billed."""
        self.fees["right" if billed_fen == true_fen else "under" if billed_fen < true_fen else "over"] += 1
        self.true_fen += true_fen
        self.billed_fen += billed_fen


def _compare_space(truth: Truth, space: str, stays: Sequence[Stay], sessions: Sequence[Session], tally: _Tally) -> None:
    price = truth.price(space)
    proof: Proof | None = None
    if truth.evidence is not None:
        proof = prove(
            space, truth.evidence[space], sessions, rules=truth.rules(space), until_ms=truth.until_ms, price=price
        )
        tally.differ(proof.differences)
    for session in sessions:
        if session.left_ms is not None:
            tally.certainty[(session.unsure_why or "unsure") if session.unsure else CERTAIN] += 1
    for stay, stored in _pairs(stays, sessions):
        found = list(_differences(stay, stored, truth.until_ms))
        if proof is not None:
            is_touched = tally.accuracies.explains(space, stay)
            found = [_judged(one, proof, stay, stored, price=price, is_touched=is_touched) for one in found]
        tally.differ(found, is_explained=tally.accuracies.explains(space, stay))
        if stay is None:
            continue
        is_evident = bool(found) and all(one.is_evident for one in found)
        tally.counts["equal"] += not found
        tally.counts["evident"] += is_evident
        true, billed = 0, 0
        if stored is not None and stored.is_reduced:
            tally.counts["reduced"] += 1
        elif _has_left(stay, truth.until_ms) and stay.fee_fen is not None:
            true, billed = stay.fee_fen, 0 if stored is None else stored.billed_fen or 0
            tally.count_fee(true, billed)
        tally.accuracies.add(stay, is_equal=not found, is_evident=is_evident, true_fen=true, billed_fen=billed)


def _judged(
    difference: Difference,
    proof: Proof,
    stay: Stay | None,
    stored: Session | None,
    *,
    price: Priced,
    is_touched: bool,
) -> Difference:
    """The difference, and whether nobody could have known better."""

    def is_fee_evident(session_id: str) -> bool:
        return stored is not None and fee_is_evident(proof.evident[session_id], stored, price)

    entered_ms = None if stay is None else stay.entered_ms
    is_evident = proof.bears(difference, entered_ms=entered_ms, is_touched=is_touched, fee_as_evident=is_fee_evident)
    return replace(difference, is_evident=is_evident)


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
        apart_ms = session.entered_ms - stay.entered_ms
        yield _of(Why.BEGIN, stay, session, f"begins {_apart(apart_ms)}: {_text(session)}", apart_ms=apart_ms)
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
        apart_ms = session.left_ms - stay.left_ms
        yield _of(Why.END, stay, session, f"ends {_apart(apart_ms)}", apart_ms=apart_ms)
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


def _of(
    why: Why, stay: Stay | None, session: Session | None, detail: str, *, apart_fen: int = 0, apart_ms: int = 0
) -> Difference:
    entered_ms = stay.entered_ms if stay else session.entered_ms if session else None
    space = stay.space if stay else session.space if session else None
    return Difference(
        why=why,
        space=space,
        session_id=session.session_id if session else None,
        entered_at=None if entered_ms is None else _at(entered_ms),
        detail=detail,
        apart_fen=apart_fen,
        apart_ms=apart_ms,
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


def _apart(apart_ms: int) -> str:
    return f"{abs(apart_ms)} ms too {'late' if apart_ms > 0 else 'early'}"

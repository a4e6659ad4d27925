"""Sessions against what the readings prove: the same stays, the same doubts, and no fen beyond them. Pure.

The truth ends at an instant and the sensors go on. What is over for longer than the shortest gap can no longer change;
the newest stay of a space may have ended since, by readings of which the truth does not tell yet.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.clock import instant, rfc3339
from ops.verify.report import Difference, Session, Why
from simulator.evidence import EvidentStay, Rules

Priced = Callable[[int, int], int | None]
"""(begin, end) to fen; None where the notice's words are not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How the sessions of one space stand to what was heard of it."""

    evident: Mapping[str, EvidentStay] = field(default_factory=dict)
    """What proves a session, by its id; those that are not here, nothing proves as they are."""
    differences: Sequence[Difference] = ()
    begins_ms: frozenset[int] = frozenset()
    """When the stays begin that readings prove."""
    seen_once_ms: int | None = None
    """When the newest begins, if what is told so far would not make it a stay."""

    def bears(
        self,
        difference: Difference,
        *,
        entered_ms: int | None,
        is_touched: bool,
        fee_as_evident: Callable[[str], bool],
    ) -> bool:
        """Whether a difference from what happened is there because nobody could know better.

        Args:
            difference: between a true stay and its session.
            entered_ms: when the true stay began, if there is one.
            is_touched: whether a fault touched what was said of it.
            fee_as_evident: whether a session's bill is what the proved stay costs.
        """
        match difference.why, difference.session_id:
            case Why.MISSING, _:
                # a newest stay seen once may turn out to be of no length, as its departure is lost too
                return entered_ms not in self.begins_ms or (is_touched and entered_ms == self.seen_once_ms)
            case Why.NOT_BILLED, _:
                return False
            case Why.FEE, str(session_id):
                return session_id in self.evident and fee_as_evident(session_id)
            case _, str(session_id):
                return session_id in self.evident
            case _:
                return False


def prove(
    space: str,
    stays: Sequence[EvidentStay],
    sessions: Sequence[Session],
    *,
    rules: Rules,
    until_ms: int,
    price: Priced,
) -> Proof:
    """Hold the sessions of a space (no void ones) against the stays that its readings up to an instant prove."""
    by_begin = {session.entered_ms: session for session in sessions}
    evident: dict[str, EvidentStay] = {}
    found: list[Difference] = []
    for stay in stays:
        session = by_begin.pop(stay.begin_ms, None)
        is_over = stay.end_ms is not None and stay.end_ms + rules.min_gap_ms <= until_ms
        wrong = _apart(stay, session, rules) if is_over else _apart_yet(stay, session)
        if wrong:
            found.append(_difference(Why.UNPROVED, space, stay.begin_ms, session, wrong))
        elif session is not None:
            evident[session.session_id] = stay
        if session is not None:
            found.extend(_of_fee(space, stay if is_over else _since(stay, session), session, price))
    for session in by_begin.values():
        words = f"no reading says so: {_text(session.entered_ms, session.left_ms)}"
        found.append(_difference(Why.UNPROVED, space, session.entered_ms, session, words))
        found.extend(_of_fee(space, _overlapped(stays, session), session, price))
    newest = stays[-1] if stays else None
    is_seen_once = newest is not None and newest.end_ms is None and newest.least_ms < max(rules.min_stay_ms, 1)
    return Proof(
        evident=evident,
        differences=found,
        begins_ms=frozenset(stay.begin_ms for stay in stays),
        seen_once_ms=newest.begin_ms if newest is not None and is_seen_once else None,
    )


def fee_is_evident(stay: EvidentStay, session: Session, price: Priced) -> bool:
    """Whether a session that is as the readings say costs what it then costs."""
    until_ms = _since(stay, session).end_ms
    return until_ms is not None and session.billed_fen == price(stay.begin_ms, until_ms)


def _since(stay: EvidentStay, session: Session) -> EvidentStay:
    """The stay as it is by what was heard since, of which the session alone tells."""
    return replace(stay, end_ms=session.left_ms)


def _apart(stay: EvidentStay, session: Session | None, rules: Rules) -> str:
    """In what a session differs from a stay that is over and settled; empty where in nothing."""
    if session is None:
        return f"no session, though readings prove a stay {_text(stay.begin_ms, stay.end_ms)}"
    if session.left_ms != stay.end_ms:
        return f"readings prove {_text(stay.begin_ms, stay.end_ms)}, stored is the end {_at(session.left_ms)}"
    if session.unsure is not bool(stay.doubts):
        said = f"marked unsure ({session.unsure_why})" if session.unsure else "not marked unsure"
        why = ", ".join(stay.doubts) or f"nothing within {rules.limit_ms // 1_000} s is missing"
        return f"{said}, by the readings: {why}"
    if session.unsure and session.unsure_why not in stay.doubts:
        return f"unsure as {session.unsure_why}, by the readings as {', '.join(stay.doubts)}"
    return ""


def _apart_yet(stay: EvidentStay, session: Session | None) -> str:
    """The same for the newest, which may have ended or gone on since; whether it is announced yet is no matter here."""
    if session is None or session.left_ms is None or session.left_ms >= (stay.end_ms or stay.seen_ms):
        return ""
    return f"ends at {_at(session.left_ms)}, though a reading of {_at(stay.seen_ms)} still saw the vehicle"


def _of_fee(space: str, stay: EvidentStay | None, session: Session, price: Priced) -> Iterator[Difference]:
    """Somebody is charged what nobody can prove, or less than what is proved."""
    if session.billed_fen is None or session.billed_revision != session.revision:
        return
    due_fen = 0 if stay is None or stay.end_ms is None else price(stay.begin_ms, stay.end_ms)
    if due_fen is None or session.billed_fen == due_fen or (session.is_reduced and session.billed_fen < due_fen):
        return
    why = Why.BEYOND if session.billed_fen > due_fen else Why.SHORT
    proved = f"a stay {_text(stay.begin_ms, stay.end_ms)} for {due_fen} fen" if stay else "no stay"
    words = f"billed {session.billed_fen} fen, the readings prove {proved}"
    yield _difference(why, space, session.entered_ms, session, words, apart_fen=session.billed_fen - due_fen)


def _overlapped(stays: Sequence[EvidentStay], session: Session) -> EvidentStay | None:
    """The proved stay that shares most time with a session."""
    left_ms = session.left_ms or session.entered_ms
    shared = [(min(left_ms, one.end_ms or left_ms) - max(session.entered_ms, one.begin_ms), one) for one in stays]
    best_ms, best = max(shared, key=lambda pair: pair[0], default=(0, None))
    return best if best_ms > 0 else None


def _difference(
    why: Why, space: str, entered_ms: int, session: Session | None, detail: str, *, apart_fen: int = 0
) -> Difference:
    return Difference(
        why=why,
        space=space,
        session_id=session.session_id if session else None,
        entered_at=_at(entered_ms),
        detail=detail,
        apart_fen=apart_fen,
    )


def _text(begin_ms: int, end_ms: int | None) -> str:
    return f"from {_at(begin_ms)} to {_at(end_ms)}"


def _at(at_ms: int | None) -> str:
    return "now" if at_ms is None else rfc3339(instant(at_ms))

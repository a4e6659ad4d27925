"""Forgetting what lies below a floor changes no session, whatever comes late above it."""

from hypothesis import given
from hypothesis import strategies as st

from core.occupancy import Kind, Reading
from core.session import INITIAL, FoldRules, Span, base_at, fold

RULES = FoldRules(min_stay_ms=20, min_gap_ms=20, silence_ms=300)

readings = st.builds(
    Reading,
    sensor=st.sampled_from(["a", "a", "b"]),
    at_ms=st.integers(0, 400),
    occupied=st.sampled_from([True, True, False, False, None]),
    kind=st.sampled_from(Kind),
    seq=st.sampled_from([-1, 0, 1]),
)
histories = st.lists(readings, max_size=40)
floors = st.lists(st.integers(0, 400), min_size=1, max_size=4).map(sorted)


def change(at_ms: int, *, occupied: bool) -> Reading:
    return Reading(sensor="a", at_ms=at_ms, occupied=occupied, kind=Kind.CHANGE)


@given(histories, histories, floors)
def test_late_readings_above_the_floor_give_the_sessions_that_keeping_everything_gives(
    history: list[Reading], late: list[Reading], floors: list[int]
) -> None:
    kept, base, forgotten = history, INITIAL, list[Span]()
    for floor_ms in floors:
        below = fold([reading for reading in kept if reading.at_ms < floor_ms], RULES, base)
        forgotten.extend(below.spans[: -1 if below.state.span else None])
        base = base_at(kept, floor_ms, RULES, base)
        kept = [reading for reading in kept if reading.at_ms >= floor_ms]
    late = [reading for reading in late if reading.at_ms >= floors[-1]]
    after, everything = fold([*kept, *late], RULES, base), fold([*history, *late], RULES)
    assert [*forgotten, *after.spans] == list(everything.spans)
    assert after.state == everything.state


@given(histories, histories, st.integers(0, 400))
def test_a_session_that_began_below_the_floor_keeps_its_begin(
    history: list[Reading], late: list[Reading], floor_ms: int
) -> None:
    base = base_at(history, floor_ms, RULES)
    before = fold([r for r in history if r.at_ms >= floor_ms], RULES, base)
    after = fold([r for r in [*history, *late] if r.at_ms >= floor_ms], RULES, base)
    began_below = [span.begin_ms for span in before.spans if span.begin_ms < floor_ms]
    assert [span.begin_ms for span in after.spans if span.begin_ms < floor_ms] == began_below


def test_a_stay_over_the_floor_is_one_session() -> None:
    history = [change(100, occupied=True), change(300, occupied=False)]
    base = base_at(history, 200, RULES)
    (span,) = fold(history[1:], RULES, base).sessions(RULES)
    assert (span.begin_ms, span.end_ms) == (100, 300)

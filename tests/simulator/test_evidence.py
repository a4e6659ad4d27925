"""What readings prove: a second answer to the fold's question, and both agree on whatever may be heard."""

from hypothesis import given, settings
from hypothesis import strategies as st

from core.occupancy import Kind, Reading
from core.session import FoldRules, fold
from simulator.evidence import Doubt, EvidentStay, Heard, Rules, evident_stays

MINUTE_MS = 60_000
PLAIN = Rules(min_stay_ms=20_000, min_gap_ms=20_000, limit_ms=180 * MINUTE_MS)


def said(minute: float, occupied: bool | None, kind: str = "change", *, sensor: str = "a", seq: int = -1) -> Heard:
    return Heard(int(minute * MINUTE_MS), -1, seq, sensor, occupied, Kind(kind).value)


def spans(*heard: Heard, rules: Rules = PLAIN) -> list[tuple[float, float | None, tuple[Doubt, ...]]]:
    """In minutes, with the doubts."""
    return [
        (one.begin_ms / MINUTE_MS, None if one.end_ms is None else one.end_ms / MINUTE_MS, one.doubts)
        for one in evident_stays(heard, rules)
    ]


class TestTheWords:
    """Each rule by an example of its own."""

    def test_a_change_begins_a_stay_and_a_change_ends_it(self) -> None:
        assert spans(said(1, True), said(9, False), said(20, True)) == [(1, 9, ()), (20, None, ())]

    def test_a_lost_arrival_counts_from_the_heartbeat_that_saw_it(self) -> None:
        assert spans(said(1, False, "boot"), said(5, True, "heartbeat"), said(9, False)) == [(5, 9, (Doubt.ARRIVAL,))]

    def test_a_lost_departure_counts_to_the_last_reading_that_said_occupied(self) -> None:
        lost = (said(1, True), said(5, True, "heartbeat"), said(9, False, "heartbeat"))
        assert spans(*lost) == [(1, 5, (Doubt.DEPARTURE,))]

    def test_an_arrival_while_occupied_proves_a_departure_and_begins_the_next(self) -> None:
        assert spans(said(1, True), said(5, True, "heartbeat"), said(9, True), said(12, False)) == [
            (1, 5, (Doubt.DEPARTURE,)),
            (9, 12, ()),
        ]

    def test_a_departure_while_free_proves_a_stay_of_no_known_length(self) -> None:
        assert spans(said(1, True), said(5, False), said(9, False)) == [(1, 5, ())]

    def test_a_report_is_a_change_where_it_differs_and_else_a_heartbeat(self) -> None:
        assert spans(said(1, True, "report"), said(5, True, "report"), said(9, False, "report")) == [(1, 9, ())]

    def test_what_says_nothing_of_the_space_changes_nothing_and_breaks_silence(self) -> None:
        heard = (said(0, True), said(120, None, "heartbeat"), said(240, False))
        assert spans(*heard) == [(0, 240, ())]
        assert spans(heard[0], heard[2]) == [(0, 240, (Doubt.SILENCE,))]

    def test_a_short_gap_is_closed_and_a_short_stay_is_none(self) -> None:
        assert spans(said(1, True), said(5, False), said(5.3, True), said(9, False)) == [(1, 9, ())]
        assert spans(said(1, True), said(1.3, False), said(5, True), said(5, False)) == []

    def test_more_gap_than_stay_is_in_doubt(self) -> None:
        flaps = [said(minute / 60, minute % 20 < 5) for minute in range(0, 61, 5) if minute % 20 in {0, 5}]
        assert spans(*flaps, said(61 / 60, False)) == [(0, 61 / 60, (Doubt.GAPS,))]

    def test_as_much_gap_as_stay_is_in_no_doubt(self) -> None:
        seconds = ((0, True), (10, False), (25, True), (30, False))
        assert spans(*(said(second / 60, occupied) for second, occupied in seconds)) == [(0, 0.5, ())]

    def test_at_one_instant_occupied_comes_before_free(self) -> None:
        assert spans(said(5, False), said(5, True, "heartbeat"), said(1, True)) == [(1, 5, ())]


RULES = st.builds(
    Rules,
    min_stay_ms=st.sampled_from([0, 1, 3, 20, 60]),
    min_gap_ms=st.sampled_from([0, 1, 3, 20, 60]),
    limit_ms=st.sampled_from([1, 3, 50, 150]),
)
KINDS = tuple(kind.value for kind in Kind)


@st.composite
def anything(draw: st.DrawFn) -> list[Heard]:
    """Readings of two sensors as they may come, far apart or crowded into a few milliseconds."""
    longest_ms = draw(st.sampled_from([5, 12, 60, 600]))
    return draw(
        st.lists(
            st.builds(
                Heard,
                at_ms=st.integers(0, longest_ms),
                boot=st.sampled_from([-1, -1, 0, 1]),
                seq=st.sampled_from([-1, -1, 0, 1, 2]),
                sensor=st.sampled_from(["a", "a", "a", "b"]),
                occupied=st.sampled_from([True, True, False, False, None]),
                kind=st.sampled_from(KINDS),
            ),
            max_size=30,
        )
    )


@st.composite
def lives(draw: st.DrawFn) -> list[Heard]:
    """A sensor's day as it is: alternating changes and heartbeats in between, of which some are lost or wrong."""
    heard: list[Heard] = []
    at_ms, occupied = 0, False
    for seq, wait_ms in enumerate(draw(st.lists(st.integers(0, 90), max_size=25))):
        at_ms += wait_ms
        is_change = draw(st.booleans())
        occupied ^= is_change
        says = occupied ^ (draw(st.integers(0, 19)) == 0)
        if draw(st.integers(0, 6)):
            heard.append(Heard(at_ms, 1, seq, "a", says, "change" if is_change else draw(st.sampled_from(_STILL))))
    return draw(st.permutations(heard)) if draw(st.booleans()) else heard + heard[::3]


_STILL = ("heartbeat", "boot", "report")


def folded(heard: list[Heard], rules: Rules) -> list[tuple[int, int | None, bool, str | None]]:
    """By the system's own fold."""
    fold_rules = FoldRules(min_stay_ms=rules.min_stay_ms, min_gap_ms=rules.min_gap_ms, silence_ms=rules.limit_ms)
    readings = [
        Reading(
            sensor=one.sensor,
            at_ms=one.at_ms,
            occupied=one.occupied,
            kind=Kind(one.kind),
            boot=one.boot,
            seq=one.seq,
        )
        for one in heard
    ]
    sessions = fold(readings, fold_rules).sessions(fold_rules)
    whys = [one.unsure_why(fold_rules) for one in sessions]
    return [
        (one.begin_ms, one.end_ms, why is not None, None if why is None else why.value)
        for one, why in zip(sessions, whys, strict=True)
    ]


def plainest(stay: EvidentStay) -> str | None:
    """The reason that is told of a stay, of all that there are."""
    return stay.doubts[0].value if stay.doubts else None


class TestTheSecondOpinion:
    @settings(max_examples=1_000, deadline=None)
    @given(anything() | lives(), RULES)
    def test_evidence_and_fold_agree_on_whatever_is_heard(self, heard: list[Heard], rules: Rules) -> None:
        evident = evident_stays(heard, rules)
        assert [(one.begin_ms, one.end_ms, bool(one.doubts), plainest(one)) for one in evident] == folded(heard, rules)

    @settings(max_examples=200, deadline=None)
    @given(anything() | lives(), RULES, st.integers(0, 600))
    def test_what_is_over_is_not_changed_by_what_is_heard_later(
        self, heard: list[Heard], rules: Rules, until_ms: int
    ) -> None:
        """Up to the shortest gap after its end; so what is settled may be compared while more is coming in."""
        known = evident_stays([one for one in heard if one.at_ms <= until_ms], rules)
        later = evident_stays(heard, rules)
        for one in known:
            if one.end_ms is not None and one.end_ms + rules.min_gap_ms <= until_ms:
                assert one in later

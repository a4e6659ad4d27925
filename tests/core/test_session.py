"""The fold: sessions are a function of the set of readings, and old ids live on."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.occupancy import Kind, Reading, order_key
from core.session import (
    INITIAL,
    BeginWhy,
    EndWhy,
    FoldRules,
    Span,
    UnsureWhy,
    fold,
    match_sessions,
    restart_at,
    step,
)

RULES = FoldRules(min_stay_ms=20, min_gap_ms=20, silence_ms=300)


def change(at_ms: int, *, occupied: bool, sensor: str = "a") -> Reading:
    return Reading(sensor=sensor, at_ms=at_ms, occupied=occupied, kind=Kind.CHANGE)


def heartbeat(at_ms: int, *, occupied: bool | None, sensor: str = "a") -> Reading:
    return Reading(sensor=sensor, at_ms=at_ms, occupied=occupied, kind=Kind.HEARTBEAT)


def stays(*readings: Reading) -> list[tuple[int, int | None]]:
    return [(span.begin_ms, span.end_ms) for span in fold(readings, RULES).sessions(RULES)]


def the_session(*readings: Reading) -> Span:
    (span,) = fold(readings, RULES).sessions(RULES)
    return span


readings = st.builds(
    Reading,
    sensor=st.sampled_from(["a", "a", "a", "b"]),
    at_ms=st.integers(0, 400),
    occupied=st.sampled_from([True, True, False, False, None]),
    kind=st.sampled_from(Kind),
    boot=st.sampled_from([-1, -1, 0, 1]),
    seq=st.sampled_from([-1, -1, 0, 1, 2]),
)
histories = st.lists(readings, max_size=40)


class TestArrivalsAndDepartures:
    def test_two_changes_are_a_session_dated_by_them(self) -> None:
        span = the_session(change(1_000, occupied=True), change(2_000, occupied=False))
        assert (span.begin_ms, span.end_ms, span.begin_why, span.end_why) == (
            1_000,
            2_000,
            BeginWhy.CHANGE,
            EndWhy.CHANGE,
        )

    def test_an_arrival_alone_is_an_open_session(self) -> None:
        assert stays(change(1_000, occupied=True)) == [(1_000, None)]

    def test_a_lost_arrival_is_dated_at_the_first_heartbeat_that_saw_it(self) -> None:
        span = the_session(heartbeat(1_500, occupied=True), change(2_000, occupied=False))
        assert (span.begin_ms, span.begin_why) == (1_500, BeginWhy.HEARTBEAT)
        assert span.unsure_why(RULES) is UnsureWhy.ARRIVAL_NOT_REPORTED

    def test_a_lost_departure_is_dated_at_the_last_reading_that_said_occupied(self) -> None:
        span = the_session(
            change(1_000, occupied=True), heartbeat(1_200, occupied=True), heartbeat(1_400, occupied=False)
        )
        assert (span.end_ms, span.end_why) == (1_200, EndWhy.LAST_OCCUPIED)
        assert span.unsure_why(RULES) is UnsureWhy.DEPARTURE_NOT_REPORTED

    def test_an_arrival_while_occupied_ends_one_session_and_begins_the_next(self) -> None:
        assert stays(change(1_000, occupied=True), heartbeat(1_200, occupied=True), change(1_400, occupied=True)) == [
            (1_000, 1_200),
            (1_400, None),
        ]

    def test_a_departure_while_free_makes_no_session(self) -> None:
        assert stays(change(1_000, occupied=False), change(2_000, occupied=False)) == []

    def test_a_departure_while_free_is_still_the_last_change_and_a_heartbeat_is_none(self) -> None:
        known = [change(1_000, occupied=True), change(2_000, occupied=False), change(3_000, occupied=False)]
        assert fold(known, RULES).state.changed_ms == 3_000
        assert fold([*known, heartbeat(4_000, occupied=False)], RULES).state.changed_ms == 3_000

    def test_a_report_is_a_change_where_it_differs_and_a_heartbeat_where_not(self) -> None:
        first, again = (Reading(sensor="a", at_ms=at_ms, occupied=True) for at_ms in (1_000, 1_200))
        left = Reading(sensor="a", at_ms=1_300, occupied=False)
        span = the_session(first, again, left)
        assert (span.begin_ms, span.end_ms, span.unsure_why(RULES)) == (1_000, 1_300, None)

    def test_a_boot_says_what_is_so_not_that_it_changed(self) -> None:
        boot = Reading(sensor="a", at_ms=1_200, occupied=True, kind=Kind.BOOT)
        assert stays(change(1_000, occupied=True), boot, change(1_300, occupied=False)) == [(1_000, 1_300)]

    def test_a_message_without_occupancy_changes_nothing(self) -> None:
        assert stays(change(1_000, occupied=True), heartbeat(1_100, occupied=None), change(1_200, occupied=False)) == [
            (1_000, 1_200)
        ]


class TestFlaps:
    def test_a_gap_shorter_than_the_shortest_is_closed(self) -> None:
        span = the_session(
            change(1_000, occupied=True),
            change(1_100, occupied=False),
            change(1_119, occupied=True),
            change(1_200, occupied=False),
        )
        assert (span.begin_ms, span.end_ms, span.closed_gap_ms) == (1_000, 1_200, 19)

    def test_a_gap_of_just_the_shortest_length_parts_two_sessions(self) -> None:
        assert stays(
            change(1_000, occupied=True),
            change(1_100, occupied=False),
            change(1_120, occupied=True),
            change(1_200, occupied=False),
        ) == [(1_000, 1_100), (1_120, 1_200)]

    def test_gaps_are_closed_before_short_stays_are_dropped(self) -> None:
        flaps = [change(1_000 + 10 * n, occupied=n % 2 == 0) for n in range(8)]
        assert stays(*flaps) == [(1_000, 1_070)]

    def test_a_stay_shorter_than_the_shortest_is_no_session(self) -> None:
        assert stays(change(1_000, occupied=True), change(1_019, occupied=False)) == []

    def test_a_stay_of_zero_length_is_no_session_whatever_the_rules(self) -> None:
        lax = FoldRules(min_stay_ms=0, min_gap_ms=0)
        seen_once = [change(1_000, occupied=True), heartbeat(5_000, occupied=False)]
        assert fold(seen_once, lax).sessions(lax) == []

    def test_more_gap_than_stay_is_unsure(self) -> None:
        flaps = [change(1_000 + 20 * (n // 2) + 5 * (n % 2), occupied=n % 2 == 0) for n in range(8)]
        assert the_session(*flaps).unsure_why(RULES) is UnsureWhy.MOSTLY_GAP


class TestSilence:
    def test_two_readings_further_apart_than_the_limit_make_it_unsure(self) -> None:
        span = the_session(change(1_000, occupied=True), change(1_301, occupied=False))
        assert span.unsure_why(RULES) is UnsureWhy.SILENT_INSIDE

    def test_heartbeats_within_the_limit_keep_it_sure(self) -> None:
        span = the_session(change(1_000, occupied=True), heartbeat(1_300, occupied=True), change(1_600, occupied=False))
        assert span.unsure_why(RULES) is None

    def test_silence_after_the_end_does_not_count(self) -> None:
        span = the_session(
            change(1_000, occupied=True), change(1_200, occupied=False), heartbeat(9_000, occupied=False)
        )
        assert span.unsure_why(RULES) is None


def slow_fold(history: Sequence[Reading], rules: FoldRules) -> list[tuple[int, int | None, BeginWhy, EndWhy | None]]:
    """The rules once more, in passes over whole lists: stays, then gaps, then short ones. Shares nothing with fold."""
    ordered = sorted({order_key(reading): reading for reading in history}.items())
    says = [reading for _, reading in ordered if reading.occupied is not None]
    raw: list[list[object]] = []
    known, last_occupied_ms = False, 0
    for reading in says:
        is_change = reading.kind is Kind.CHANGE or (reading.kind is Kind.REPORT and reading.occupied != known)
        if known and (is_change if reading.occupied else not is_change):
            raw[-1][1], raw[-1][3] = last_occupied_ms, EndWhy.LAST_OCCUPIED
        elif known and not reading.occupied:
            raw[-1][1], raw[-1][3] = reading.at_ms, EndWhy.CHANGE
        if reading.occupied and (not known or is_change):
            why = BeginWhy.REPEATED_CHANGE if known else BeginWhy.CHANGE if is_change else BeginWhy.HEARTBEAT
            raw.append([reading.at_ms, None, why, None])
        known = bool(reading.occupied)
        last_occupied_ms = reading.at_ms if known else last_occupied_ms
    joined: list[list[object]] = []
    for stay in raw:
        end_ms, begin_ms = joined[-1][1] if joined else None, stay[0]
        if isinstance(end_ms, int) and isinstance(begin_ms, int) and begin_ms - end_ms < rules.min_gap_ms:
            joined[-1][1], joined[-1][3] = stay[1], stay[3]
        else:
            joined.append(list(stay))
    kept = []
    for begin_ms, end_ms, begin_why, end_why in joined:
        assert isinstance(begin_ms, int)
        assert isinstance(begin_why, BeginWhy)
        assert end_ms is None or isinstance(end_ms, int)
        assert end_why is None or isinstance(end_why, EndWhy)
        if end_ms is None or end_ms - begin_ms >= max(1, rules.min_stay_ms):
            kept.append((begin_ms, end_ms, begin_why, end_why))
    return kept


class TestProperties:
    @given(histories)
    def test_the_fold_agrees_with_the_rules_applied_in_slow_passes(self, history: list[Reading]) -> None:
        spans = fold(history, RULES).sessions(RULES)
        assert [(s.begin_ms, s.end_ms, s.begin_why, s.end_why) for s in spans] == slow_fold(history, RULES)

    @given(histories, st.randoms(use_true_random=False))
    def test_order_of_arrival_and_repetition_change_nothing(self, history: list[Reading], random: object) -> None:
        assert hasattr(random, "shuffle")
        shuffled = history + history[::3]
        random.shuffle(shuffled)
        assert fold(shuffled, RULES) == fold(history, RULES)

    @given(histories)
    def test_sessions_never_overlap_and_only_the_last_is_open(self, history: list[Reading]) -> None:
        spans = fold(history, RULES).sessions(RULES)
        assert all(a.end_ms is not None and a.end_ms <= b.begin_ms for a, b in pairwise(spans))

    @given(histories, st.integers(0, 40))
    def test_folding_on_from_a_kept_state_equals_folding_from_the_start(self, history: list[Reading], cut: int) -> None:
        ordered = sorted({order_key(reading): reading for reading in history}.values(), key=order_key)
        before = fold(ordered[:cut], RULES)
        after = fold(ordered[cut:], RULES, before.state)
        spans = [*before.spans[: -1 if before.state.span else None], *after.spans]
        assert (tuple(spans), after.state) == (fold(history, RULES).spans, fold(history, RULES).state)

    @given(histories, readings)
    def test_folding_again_from_the_restart_equals_folding_from_the_start(
        self, history: list[Reading], late: Reading
    ) -> None:
        ordered = sorted({order_key(r): r for r in [*history, late]}.values(), key=order_key)
        index = restart_at(ordered, order_key(late), RULES)
        if index is None:
            return
        whole, part = fold(ordered, RULES), fold(ordered[index:], RULES)
        begin_ms = ordered[index].at_ms
        untouched = [span for span in whole.spans if span.begin_ms < begin_ms]
        assert [*untouched, *part.spans] == list(whole.spans)
        assert part.state == whole.state
        assert list(fold(ordered[:index], RULES).spans) == untouched

    @given(histories)
    def test_nobody_is_charged_beyond_the_evidence(self, history: list[Reading]) -> None:
        occupied_at = {reading.at_ms for reading in history if reading.occupied}
        for span in fold(history, RULES).sessions(RULES):
            assert span.begin_ms in occupied_at
            if span.end_why is EndWhy.LAST_OCCUPIED:
                assert span.end_ms in occupied_at

    def test_a_finished_span_is_given_out_when_the_next_begins(self) -> None:
        state, finished = INITIAL, []
        for reading in (change(0, occupied=True), change(50, occupied=False), change(100, occupied=True)):
            state, span = step(state, order_key(reading), reading, RULES)
            finished.append(span)
        assert finished[:2] == [None, None]
        assert finished[2] is not None
        assert finished[2].end_ms == 50


def span_of(begin_ms: int, end_ms: int | None) -> Span:
    return Span(begin_ms=begin_ms, end_ms=end_ms, sensor="a", begin_why=BeginWhy.CHANGE)


class TestIdsThatLast:
    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ([("x", 0, 100)], [(0, 100)], {0: "x"}),
            ([("x", 0, 100)], [(10, 90)], {0: "x"}),
            ([("x", 0, 100)], [(0, 40), (45, 100)], {1: "x"}),
            ([("x", 0, 100)], [(0, 50), (50, 100)], {0: "x"}),
            ([("x", 0, 40), ("y", 50, 100)], [(0, 100)], {0: "y"}),
            ([("x", 0, 50), ("y", 50, 100)], [(0, 100)], {0: "x"}),
            ([("x", 0, 100), ("y", 100, 400)], [(0, 30), (40, 400)], {0: "x", 1: "y"}),
            ([("x", 0, 40)], [(50, 90)], {}),
            ([("x", 0, None)], [(0, 40), (60, None)], {1: "x"}),
            ([("x", 0, 40), ("y", 50, None)], [(10, 40), (50, 90)], {0: "x", 1: "y"}),
            ([], [(0, 10)], {}),
        ],
    )
    def test_an_id_goes_to_the_session_it_overlaps_longest(
        self,
        old: list[tuple[str, int, int | None]],
        new: list[tuple[int, int | None]],
        expected: dict[int, str],
    ) -> None:
        assert match_sessions(old, [span_of(*times) for times in new]) == expected

    @given(histories, histories)
    def test_no_id_is_given_twice_and_each_goes_to_a_session_it_overlaps(
        self, before: list[Reading], late: list[Reading]
    ) -> None:
        spans = fold(before, RULES).sessions(RULES)
        old = [(number, span.begin_ms, span.end_ms) for number, span in enumerate(spans)]
        new = fold([*before, *late], RULES).sessions(RULES)
        matched = match_sessions(old, new)
        assert len(set(matched.values())) == len(matched)
        for new_index, number in matched.items():
            assert (spans[number].end_ms or 1 << 60) > new[new_index].begin_ms
            assert (new[new_index].end_ms or 1 << 60) > spans[number].begin_ms

"""Assignments of one sensor: whatever is changed, it watches one space at a time, and the past stays."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import NotWatchingError
from core.registry.watches import (
    EVER,
    Watch,
    assigned,
    ended,
    first_difference,
    handed_over,
    overlap,
    space_at,
    taken_over,
)

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def hour(number: int) -> datetime:
    return BEGIN + timedelta(hours=number)


hours = st.integers(0, 60).map(hour)
spaces = st.sampled_from(["A", "B", "C"])


@st.composite
def histories(draw: st.DrawFn) -> list[Watch]:
    """Assignments that do not overlap, oldest first; the first may be from ever, the last until further notice."""
    edges = sorted(draw(st.sets(hours, max_size=8)))
    watches = [
        Watch(id=n, space=draw(spaces), begins=begins, ends=ends)
        for n, (begins, ends) in enumerate(zip(edges[::2], edges[1::2], strict=False))
    ]
    is_from_ever, goes_on = draw(st.tuples(st.booleans(), st.booleans()))
    if watches and is_from_ever:
        watches[0] = Watch(id=0, space=watches[0].space, begins=None, ends=watches[0].ends)
    if goes_on:
        begins = watches[-1].ends if watches else None
        watches.append(Watch(id=99, space=draw(spaces), begins=begins))
    return watches


probes = [hour(0) - timedelta(days=1), *(hour(n) + timedelta(minutes=1) for n in range(-1, 62))]


@given(histories(), spaces, st.none() | hours)
def test_an_assigned_sensor_watches_that_space_from_then_on_and_what_it_did_before(
    before: list[Watch], space: str, at: datetime | None
) -> None:
    after = assigned(before, space, at)
    assert not overlap(after)
    for probe in probes:
        expected = space if at is None or probe >= at else space_at(before, probe)
        assert space_at(after, probe) == expected


@given(histories(), spaces, hours)
def test_assigning_twice_changes_nothing(before: list[Watch], space: str, at: datetime) -> None:
    once = assigned(before, space, at)
    assert assigned(once, space, at) == once
    assert first_difference(once, assigned(once, space, at + timedelta(hours=1))) is None


@given(histories(), hours)
def test_an_ended_sensor_watches_nothing_from_then_on(before: list[Watch], at: datetime) -> None:
    after = ended(before, at)
    assert not overlap(after)
    for probe in probes:
        assert space_at(after, probe) == (space_at(before, probe) if probe < at else None)


@given(histories(), hours)
def test_a_handed_over_space_was_watched_until_then(before: list[Watch], at: datetime) -> None:
    try:
        space, after = handed_over(before, "s", at)
    except NotWatchingError:
        assert all(watch.begins is not None and watch.begins >= at for watch in before)
        return
    assert not overlap(after)
    assert space_at(after, at - timedelta(milliseconds=1)) == space
    assert [watch for watch in after if (watch.begins or EVER) >= at] == [
        watch for watch in before if (watch.begins or EVER) >= at
    ], "what it watches later stays"


@given(histories(), spaces, hours)
def test_who_takes_a_space_over_watches_it_at_that_instant(before: list[Watch], space: str, at: datetime) -> None:
    after = taken_over(before, space, at)
    assert not overlap(after)
    assert space_at(after, at) == space


@given(hours, hours, hours)
def test_a_swap_noted_wrongly_and_then_rightly_is_as_if_noted_rightly(
    right: datetime, wrong: datetime, later: datetime
) -> None:
    assume(right < later and wrong < later)
    old, new = [Watch(id=1, space="A", begins=None)], [Watch(id=2, space="B", begins=None, ends=hour(-5))]

    def swapped(ats: list[datetime]) -> tuple[list[Watch], list[Watch]]:
        one, other = old, new
        for at in ats:
            space, one = handed_over(one, "old", at)
            other = taken_over(other, space, at)
            if at is ats[0]:
                other = ended(other, later)  # it is swapped itself later on
        return one, other

    for a, b in zip(swapped([wrong, right]), swapped([right]), strict=True):
        assert first_difference(a, b) is None


@given(histories(), histories())
def test_the_first_difference_is_where_they_part(one: list[Watch], other: list[Watch]) -> None:
    at = first_difference(one, other)
    for probe in probes:
        if at is None or probe < at:
            assert space_at(one, probe) == space_at(other, probe)
    if at is not None:
        assert space_at(one, at) != space_at(other, at)


def test_who_never_watched_cannot_be_swapped() -> None:
    with pytest.raises(NotWatchingError):
        handed_over([Watch(id=1, space="A", begins=hour(5))], "s", hour(3))

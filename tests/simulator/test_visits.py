"""People who park by the map while a city lives: their stays are true, sensors number on, the drawn life waits."""

import dataclasses
from datetime import UTC, datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest

from core.clock import milliseconds
from core.occupancy import Kind
from simulator.courses import Course
from simulator.faults import Faults
from simulator.faults.speaking import Utterance
from simulator.sensors import read_city
from simulator.visits import NotSimulatedError, NotYourVisitError, SpaceTakenError, TooSoonError, Turn, Visited
from tests.support.county import city_file

BEGINS_MS = milliseconds(datetime(2026, 3, 10, 4, 0, tzinfo=UTC))
MINUTE_MS = 60_000
CITY = read_city(city_file(spaces=24, lots=2))
COURSE = Course(city=CITY, seed=3, begins_ms=BEGINS_MS, zone=ZoneInfo("Asia/Shanghai"), faults=Faults())


class Street:
    """A city that lives by a clock of the test's."""

    said: list[Utterance]

    def __init__(self, turns: tuple[Turn, ...] = (), course: Course = COURSE) -> None:
        self.lives = Visited(course.utterances(), CITY.watched, turns)
        self.said = []

    def until(self, at_ms: int) -> None:
        while self.lives.next_ms <= at_ms:
            utterance = self.lives.take()
            if utterance is not None:
                self.said.append(utterance)

    def taken(self) -> set[str]:
        """Spaces with a vehicle."""
        state = {one.number: one.event.occupied for one in self.said if one.event and one.event.kind is Kind.CHANGE}
        return {CITY.watched[number].space for number, occupied in state.items() if occupied}

    def a_quiet_space(self, at_ms: int) -> str:
        """One to which nothing has happened for some minutes, and nobody stands there."""
        lately = {CITY.watched[one.number].space for one in self.said if one.at_ms > at_ms - 5 * MINUTE_MS}
        return next(one.space for one in CITY.watched if one.space not in self.taken() | lately)


@pytest.fixture
def noon() -> int:
    return BEGINS_MS + 120 * MINUTE_MS


@pytest.fixture
def street(noon: int) -> Street:
    street = Street()
    street.until(noon)
    return street


def test_whoever_parks_stands_there_until_he_leaves_whatever_was_drawn(street: Street, noon: int) -> None:
    space = street.a_quiet_space(noon)
    number = [one.space for one in CITY.watched].index(space)
    came = street.lives.arrive(space, "somebody", noon + 1)
    street.until(noon + 600 * MINUTE_MS)
    left = street.lives.leave(space, "somebody", street.lives.past_ms + 1)
    street.until(noon + 4_000 * MINUTE_MS)
    changes = [
        (one.event.at_ms, one.event.occupied)
        for one in street.said
        if one.number == number and one.event and one.event.kind is Kind.CHANGE and one.at_ms >= came.at_ms
    ]
    assert changes[:2] == [(came.at_ms, True), (left.at_ms, False)]
    assert [occupied for _, occupied in changes] == [n % 2 == 0 for n in range(len(changes))]
    assert len(changes) > 4, "the drawn life goes on when he has left"


def test_a_sensor_numbers_on_through_a_visit_and_says_what_is_so(street: Street, noon: int) -> None:
    space = street.a_quiet_space(noon)
    number = [one.space for one in CITY.watched].index(space)
    street.lives.arrive(space, "somebody", noon + 1)
    street.until(noon + 600 * MINUTE_MS)
    left = street.lives.leave(space, "somebody", street.lives.past_ms + 1)
    street.until(noon + 4_000 * MINUTE_MS)
    said = [one.said for one in street.said if one.number == number and one.said]
    assert [one.seq for one in said] == list(range(1, len(said) + 1))
    inside = [one for one in said if noon < one.at_ms < left.at_ms]
    assert all(one.occupied for one in inside)
    assert len(inside) > 9, "it goes on saying that it lives"


def test_a_run_that_begins_again_says_the_same(street: Street, noon: int) -> None:
    space = street.a_quiet_space(noon)
    came = street.lives.arrive(space, "somebody", noon + 1)
    street.until(noon + 60 * MINUTE_MS)
    left = street.lives.leave(space, "somebody", noon + 60 * MINUTE_MS + 1)
    again = Street((left, came))
    for one in (street, again):
        one.until(noon + 3_000 * MINUTE_MS)
    assert street.said == again.said


def test_what_a_visited_sensor_says_meets_no_fault(noon: int) -> None:
    faults = dataclasses.replace(Faults(), lost=0.5, late=0.3, repeat=0.2)
    street = Street(course=dataclasses.replace(COURSE, faults=faults))
    street.until(noon)
    space = street.a_quiet_space(noon)
    number = [one.space for one in CITY.watched].index(space)
    street.lives.arrive(space, "somebody", noon + 1)
    street.until(noon + 600 * MINUTE_MS)
    inside = list(takewhile(lambda one: one.at_ms > noon, reversed(street.said)))
    assert all(not one.faults and one.send_ms == (one.at_ms,) for one in inside if one.number == number)
    assert any(one.faults for one in inside if one.number != number)


def test_what_cannot_be_is_refused(street: Street, noon: int) -> None:
    space, taken = street.a_quiet_space(noon), min(street.taken())
    with pytest.raises(NotSimulatedError):
        street.lives.arrive("ZZ-999", "somebody", noon + 1)
    with pytest.raises(SpaceTakenError):
        street.lives.arrive(taken, "somebody", noon + 1)
    with pytest.raises(NotYourVisitError):
        street.lives.leave(taken, "somebody", noon + 1)
    came = street.lives.arrive(space, "somebody", noon + 1)
    with pytest.raises(TooSoonError):
        street.lives.arrive(space, "another", noon + 1)
    street.until(came.at_ms)
    assert street.lives.arrive(space, "somebody", noon + 2) == came, "asked for again it is the same"
    with pytest.raises(SpaceTakenError):
        street.lives.arrive(space, "another", noon + 2)
    with pytest.raises(NotYourVisitError):
        street.lives.leave(space, "another", noon + MINUTE_MS)
    with pytest.raises(TooSoonError) as refused:
        street.lives.leave(space, "somebody", noon + 2_001)
    assert refused.value.facts["retry_after_seconds"] == 20
    left = street.lives.leave(space, "somebody", noon + MINUTE_MS)
    street.until(left.at_ms)
    assert street.lives.leave(space, "somebody", noon + MINUTE_MS + 1) == left, "he has left already"
    with pytest.raises(TooSoonError):
        street.lives.arrive(space, "another", noon + MINUTE_MS + 2)

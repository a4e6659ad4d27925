"""Which sensor watches which space since when, after an import."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.city import Category, Geometry, Slug, Space
from core.city.watching import Watch, Watching

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NOBODY: frozenset[str] = frozenset()


def space(code: str, sensor: str | None, installed_at: datetime | None = None) -> Space:
    return Space(
        code=code,
        lot="L",
        category=Category.STANDARD,
        sensor_id=sensor,
        codec="native",
        heartbeat_seconds=3600,
        installed_at=installed_at,
        geometry=Geometry("Point", (120.0, 29.0)),
    )


def watch(id_: int, sensor: str, at: str, begins: datetime | None = None, ends: datetime | None = None) -> Watch:
    return Watch(id=id_, sensor=sensor, space=at, begins=begins, ends=ends)


def test_the_first_sensor_of_a_space_watches_it_from_ever() -> None:
    changes = Watching([]).changes([space("A", "s1")], NOW, NOBODY)
    assert changes.begun == [Watch(sensor="s1", space="A", begins=None)]


def test_installed_at_is_where_it_begins() -> None:
    changes = Watching([]).changes([space("A", "s1", NOW - DAY)], NOW, NOBODY)
    assert changes.begun == [Watch(sensor="s1", space="A", begins=NOW - DAY)]


def test_a_sensor_that_goes_on_is_left_alone_whatever_the_file_says_of_its_beginning() -> None:
    changes = Watching([watch(1, "s1", "A")]).changes([space("A", "s1", NOW - DAY)], NOW, NOBODY)
    assert (changes.begun, changes.ended, changes.problems) == ([], {}, [])


def test_a_new_sensor_takes_over_at_the_import() -> None:
    changes = Watching([watch(1, "s1", "A")]).changes([space("A", "s2")], NOW, NOBODY)
    assert changes.ended == {1: NOW}
    assert changes.begun == [Watch(sensor="s2", space="A", begins=NOW)]


def test_a_new_sensor_takes_over_when_it_was_installed() -> None:
    changes = Watching([watch(1, "s1", "A")]).changes([space("A", "s2", NOW - DAY)], NOW, NOBODY)
    assert changes.ended == {1: NOW - DAY}
    assert changes.begun == [Watch(sensor="s2", space="A", begins=NOW - DAY)]


def test_a_space_that_had_a_sensor_once_gets_the_next_from_the_import_on() -> None:
    changes = Watching([watch(1, "s1", "A", None, NOW - DAY)]).changes([space("A", "s2")], NOW, NOBODY)
    assert changes.begun == [Watch(sensor="s2", space="A", begins=NOW)]


def test_a_sensor_without_a_successor_stops_at_the_import() -> None:
    assert Watching([watch(1, "s1", "A")]).changes([space("A", None)], NOW, NOBODY).ended == {1: NOW}


def test_two_spaces_swap_their_sensors_in_one_import() -> None:
    stored = [watch(1, "s1", "A"), watch(2, "s2", "B")]
    changes = Watching(stored).changes([space("A", "s2", NOW - DAY), space("B", "s1", NOW - 2 * DAY)], NOW, NOBODY)
    assert changes.ended == {1: NOW - 2 * DAY, 2: NOW - 2 * DAY}
    assert {(one.space, one.sensor, one.begins) for one in changes.begun} == {
        ("A", "s2", NOW - DAY),
        ("B", "s1", NOW - 2 * DAY),
    }
    assert changes.problems == []


def test_a_sensor_moved_to_a_fresh_space_does_not_watch_two_at_once() -> None:
    changes = Watching([watch(1, "s1", "A")]).changes([space("A", None), space("B", "s1")], NOW, NOBODY)
    assert changes.ended == {1: NOW}
    assert changes.begun == [Watch(sensor="s1", space="B", begins=NOW)]


def test_a_sensor_from_the_store_room_begins_where_its_last_watch_ended() -> None:
    changes = Watching([watch(1, "s1", "A", None, NOW - DAY)]).changes([space("B", "s1")], NOW, NOBODY)
    assert changes.begun == [Watch(sensor="s1", space="B", begins=NOW - DAY)]


def test_a_sensor_cannot_follow_one_that_came_later() -> None:
    changes = Watching([watch(1, "s1", "A", NOW - DAY)]).changes([space("A", "s2", NOW - 2 * DAY)], NOW, NOBODY)
    assert [problem.slug for problem in changes.problems] == [Slug.INSTALLED_TOO_EARLY]


def test_a_sensor_cannot_begin_inside_what_is_past() -> None:
    stored = [watch(1, "s1", "A", None, NOW - DAY)]
    changes = Watching(stored).changes([space("A", "s2", NOW - 2 * DAY)], NOW, NOBODY)
    assert [problem.slug for problem in changes.problems] == [Slug.INSTALLED_TOO_EARLY]


def test_a_sensor_of_a_lot_outside_the_file_is_not_taken_away() -> None:
    changes = Watching([watch(1, "s1", "Z")]).changes([space("A", "s1")], NOW, frozenset({"Z"}))
    assert [problem.slug for problem in changes.problems] == [Slug.SENSOR_OF_ANOTHER_LOT]


def test_a_sensor_of_a_retired_space_may_move() -> None:
    changes = Watching([watch(1, "s1", "Z")]).changes([space("A", "s1")], NOW, NOBODY)
    assert changes.ended == {1: NOW}


CODES = ["A", "B", "C"]
FILES = st.lists(
    st.tuples(
        st.permutations(["s1", "s2", "s3", "s4", None]),
        st.lists(st.none() | st.integers(-3, 3), min_size=3, max_size=3),
    ),
    max_size=5,
)


@given(FILES)
def test_however_sensors_move_no_two_meet(files: list[tuple[list[str | None], list[int | None]]]) -> None:
    """Imports one after another, a day apart: no sensor at two spaces, no space with two sensors, at any instant."""
    stored: list[Watch] = []
    for number, (sensors, installed) in enumerate(files):
        now = NOW + number * DAY
        spaces = [
            space(code, sensor, None if days is None else now + days * DAY)
            for code, sensor, days in zip(CODES, sensors, installed, strict=False)
        ]
        changes = Watching(stored).changes(spaces, now, NOBODY)
        if changes.problems:
            continue
        kept = [replace(one, ends=changes.ended.get(one.id, one.ends)) if one.id is not None else one for one in stored]
        stored = [*kept, *(replace(one, id=len(kept) + n) for n, one in enumerate(changes.begun))]
        for one in spaces:
            current = [watch.sensor for watch in stored if watch.space == one.code and watch.ends is None]
            assert current == ([one.sensor_id] if one.sensor_id else [])
    for first in stored:
        for second in stored:
            if first is not second and (first.space == second.space or first.sensor == second.sensor):
                assert not _overlap(first, second), (first, second)
        assert first.begins is None or first.ends is None or first.begins < first.ends


def _overlap(first: Watch, second: Watch) -> bool:
    ever, never = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return (first.begins or ever) < (second.ends or never) and (second.begins or ever) < (first.ends or never)

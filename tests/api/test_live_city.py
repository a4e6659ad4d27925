"""The live city alone: whatever is reported in whatever order, letters and counts agree, and so do the changes."""

from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from api.live_city.city import CountReport, LiveCity, SpaceReport, Turnover
from api.live_city.picture import CLOSED, FREE, LETTERS, OCCUPIED, UNKNOWN, Picture, changes_between
from api.live_city.registry import LotEntry, Opening, Registry, SpaceEntry, search_keys

START = 1_795_358_210_250
LIMIT = 3 * 3_600_000
POINT = msgspec.Raw(b'{"type":"Point","coordinates":[120.9,29.5]}')


def lot(code: str, positions: tuple[int, ...], *, source: str = "sensors", capacity: int | None = None) -> LotEntry:
    return LotEntry(
        id=ord(code),
        code=code,
        name=code,
        name_en=None,
        kind="on_street",
        source=source,
        capacity=len(positions) if capacity is None else capacity,
        tariff=None,
        operator=None,
        opening_hours="24/7",
        zone=ZoneInfo("Asia/Shanghai"),
        entrances=(),
        geometry=POINT,
        bounds=(120.9, 29.5, 120.9, 29.5),
        min_stay_seconds=20,
        keys=(),
        positions=positions,
    )


def space(number: int, of: int, *, closed: bool = False, limit_ms: int | None = LIMIT) -> SpaceEntry:
    return SpaceEntry(
        id=1_000 + number,
        code=f"{number}",
        lot=of,
        category="standard",
        closed=closed,
        limit_ms=limit_ms,
        geometry=POINT,
    )


TOWN = Registry(
    lots=(lot("A", (0, 2, 4)), lot("B", (1, 3, 5)), lot("C", (), source="counter", capacity=50)),
    spaces=(
        space(0, 0),
        space(1, 1),
        space(2, 0, limit_ms=60_000),
        space(3, 1, closed=True),
        space(4, 0),
        space(5, 1, limit_ms=None),
    ),
)

letters = st.sampled_from([FREE, OCCUPIED, UNKNOWN])
reports = st.builds(
    SpaceReport,
    space_id=st.integers(1_000, 1_006),
    occupancy=letters,
    heard_ms=st.one_of(st.none(), st.integers(START - 2 * LIMIT, START + 60_000)),
)
counts = st.builds(CountReport, lot_id=st.just(ord("C")), occupied=st.integers(0, 99), heard_ms=st.just(START))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.lists(reports, max_size=6)),
        st.tuples(st.just("count"), counts),
        st.tuples(st.just("wait"), st.integers(1, LIMIT)),
    ),
    max_size=30,
)


def adds_up(picture: Picture) -> None:
    counted = Counter((entry.lot, letter) for entry, letter in zip(TOWN.spaces, picture.letters, strict=True))
    for index, (entry, now) in enumerate(zip(picture.registry.lots, picture.lots, strict=True)):
        assert now.free + now.occupied + now.unknown + now.closed == entry.capacity
        assert 0 <= now.available <= now.free
        if not entry.estimated:
            told = dict(zip(LETTERS, (now.free, now.occupied, now.unknown, now.closed), strict=True))
            assert told == {letter: counted[index, letter] for letter in LETTERS}


@settings(deadline=None)  # the first opening hours load the borders of all countries
@given(steps)
def test_letters_counts_and_changes_always_agree(script: list[tuple[str, object]]) -> None:
    city, now_ms = LiveCity(), START
    city.rebuild(TOWN, [], now_ms)
    before = city.picture(1, now_ms, {})
    for verb, what in script:
        match verb, what:
            case "take", list():
                city.take(what, now_ms)
            case "count", CountReport():
                city.count([what], now_ms)
            case _, int():
                now_ms += what
            case _:
                raise AssertionError(verb)
        city.age(now_ms)
        after = city.picture(before.version + 1, now_ms, {})
        adds_up(after)
        shown = bytearray(before.letters)
        for letter, places in changes_between(before, after).spaces.items():
            for place in places:
                shown[place] = ord(letter)
        assert bytes(shown) == after.letters
        before = after


@settings(deadline=None)  # the first opening hours load the borders of all countries
@given(steps)
def test_following_changes_ends_where_reading_everything_begins(script: list[tuple[str, object]]) -> None:
    city, now_ms, newest = LiveCity(), START, dict[int, SpaceReport]()
    city.rebuild(TOWN, [], now_ms)
    for verb, what in script:
        if verb == "take" and isinstance(what, list):
            for report in what:
                heard = [one.heard_ms for one in (newest.get(report.space_id), report) if one and one.heard_ms]
                newest[report.space_id] = SpaceReport(
                    space_id=report.space_id, occupancy=report.occupancy, heard_ms=max(heard, default=None)
                )
            city.take(what, now_ms)
        elif verb == "wait" and isinstance(what, int):
            now_ms += what
            city.age(now_ms)
    fresh = LiveCity()
    fresh.rebuild(TOWN, newest.values(), now_ms)
    assert city.picture(1, now_ms, {}).letters == fresh.picture(1, now_ms, {}).letters


def test_a_sensor_that_goes_on_speaking_keeps_its_space_known() -> None:
    city = LiveCity()
    city.rebuild(TOWN, [], START)
    for hour in range(12):
        now_ms = START + hour * 3_600_000
        city.take([SpaceReport(space_id=1_000, occupancy=OCCUPIED, heard_ms=now_ms)], now_ms)
        city.age(now_ms)
        assert city.picture(1, now_ms, {}).letters[0] == OCCUPIED
    silent_from = START + 11 * 3_600_000 + LIMIT
    city.age(silent_from)
    assert city.picture(1, silent_from, {}).letters[0] == OCCUPIED, "not longer than three intervals yet"
    city.age(silent_from + 1)
    assert city.picture(1, silent_from + 1, {}).letters[0] == UNKNOWN


def test_a_closed_space_and_one_nobody_watches_never_look_free() -> None:
    city = LiveCity()
    city.rebuild(TOWN, [SpaceReport(space_id=1_000 + n, occupancy=FREE, heard_ms=START) for n in (3, 5)], START)
    picture = city.picture(1, START, {})
    assert (picture.letters[3], picture.letters[5]) == (CLOSED, UNKNOWN)


def test_the_trend_is_what_came_less_what_went_in_a_quarter_of_an_hour() -> None:
    city = LiveCity()
    city.rebuild(TOWN, [SpaceReport(space_id=1_000, occupancy=FREE, heard_ms=START)], START)
    assert city.picture(1, START, {}).lots[0].trend == "steady"
    city.remember([Turnover(lot_id=ord("A"), at_ms=START - 60_000, step=-1)])
    assert city.picture(1, START, {}).lots[0].trend == "emptying"
    city.take([SpaceReport(space_id=1_000, occupancy=OCCUPIED, heard_ms=START)], START)
    assert city.picture(1, START, {}).lots[0].trend == "steady"
    assert city.picture(1, START + 14 * 60_000 + 30_000, {}).lots[0].trend == "filling"
    assert city.picture(1, START + 16 * 60_000, {}).lots[0].trend == "steady"


def test_a_backlog_of_changes_long_past_is_no_trend() -> None:
    city, past = LiveCity(), START - 3_600_000
    city.rebuild(TOWN, [SpaceReport(space_id=1_000, occupancy=FREE, heard_ms=START)], START)
    city.take([SpaceReport(space_id=1_000, occupancy=OCCUPIED, heard_ms=START, changed_ms=past)], START)
    assert city.picture(1, START, {}).lots[0].trend == "steady"


def test_opening_hours_are_those_of_the_lots_own_zone() -> None:
    opening = Opening(_with_hours("Mo-Su 07:30-21:00"))
    assert not opening.open_at(datetime(2026, 11, 22, 23, 29, tzinfo=UTC)), "07:29 in China"
    assert opening.open_at(datetime(2026, 11, 22, 23, 30, tzinfo=UTC)), "07:30 in China"
    assert not opening.open_at(datetime(2026, 11, 23, 13, 0, tzinfo=UTC)), "21:00 in China"


def test_public_holidays_are_those_of_the_country_a_lot_lies_in() -> None:
    opening = Opening(_with_hours("24/7; PH off"))
    assert not opening.open_at(datetime(2026, 10, 1, 4, tzinfo=UTC)), "National Day"
    assert opening.open_at(datetime(2026, 11, 23, 4, tzinfo=UTC))


def test_a_chinese_name_is_found_by_pinyin_and_initials() -> None:
    assert search_keys("文体路") == ("wentilu", "wtl")
    assert search_keys("停车场 B（二）") == ("tingchechangber", "tccbe")
    assert search_keys("Kerb A") == ("kerba",)


def _with_hours(hours: str) -> LotEntry:
    entry = lot("A", ())
    return LotEntry(**{name: getattr(entry, name) for name in entry.__slots__} | {"opening_hours": hours})

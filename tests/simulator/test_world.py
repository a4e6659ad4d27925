"""What happens: the same for the same seed, in order, alive by day and quiet by night."""

import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from itertools import islice, pairwise, takewhile
from statistics import mean
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import milliseconds
from core.errors import InvalidError
from core.occupancy import Kind
from simulator.crowds import days_off, lively
from simulator.dice import Dice, key_of
from simulator.rhythms import RHYTHMS
from simulator.scenarios import Arrivals
from simulator.sensors import SensedCity, read_city
from simulator.world import Event, events
from tests.support.county import SHANGHAI, city_file, sensed

HOUR_MS = 3_600_000
MONDAY_MS = milliseconds(datetime(2026, 3, 9, tzinfo=SHANGHAI))


def during(city: SensedCity, *, begins_ms: int, hours: float, seed: int = 1, zone: ZoneInfo = SHANGHAI) -> list[Event]:
    stream = events(city, seed=seed, begins_ms=begins_ms, zone=zone)
    return list(takewhile(lambda event: event.at_ms < begins_ms + hours * HOUR_MS, stream))


def stays(happened: list[Event]) -> set[tuple[int, int, int]]:
    return {
        (event.number, event.entered_ms or 0, event.at_ms)
        for event in happened
        if event.kind is Kind.CHANGE and not event.occupied
    }


def test_the_same_seed_and_city_make_the_same_events() -> None:
    city = sensed(spaces=60)
    assert during(city, begins_ms=MONDAY_MS, hours=30) == during(city, begins_ms=MONDAY_MS, hours=30)
    assert during(city, begins_ms=MONDAY_MS, hours=30) != during(city, begins_ms=MONDAY_MS, hours=30, seed=2)


def test_another_process_makes_the_same_events() -> None:
    program = (
        "from tests.support.county import SHANGHAI, sensed; from simulator.world import events\n"
        f"stream = events(sensed(spaces=60), seed=7, begins_ms={MONDAY_MS}, zone=SHANGHAI)\n"
        "import itertools; print(hash(tuple((e.at_ms, e.number, e.seq) for e in itertools.islice(stream, 5000))))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


@pytest.mark.parametrize("later_hours", [1, 7, 80])
def test_a_world_that_begins_later_has_the_same_stays_from_then_on(later_hours: int) -> None:
    city = sensed(spaces=60)
    until_ms = MONDAY_MS + 120 * HOUR_MS
    later_ms = MONDAY_MS + later_hours * HOUR_MS
    early = stays(during(city, begins_ms=MONDAY_MS, hours=120))
    late = stays(during(city, begins_ms=later_ms, hours=120 - later_hours))
    boot_ms = 30_000
    assert {stay for stay in early if stay[2] > later_ms + boot_ms} == {
        stay for stay in late if later_ms + boot_ms < stay[2] < until_ms
    }


def test_events_are_in_order_and_numbered_for_each_sensor() -> None:
    happened = during(sensed(spaces=60), begins_ms=MONDAY_MS, hours=50)
    assert all(one.at_ms <= other.at_ms for one, other in pairwise(happened))
    for number in range(60):
        of_sensor = [event for event in happened if event.number == number]
        assert [event.seq for event in of_sensor] == list(range(1, len(of_sensor) + 1))
        assert of_sensor[0].kind is Kind.BOOT
        assert not of_sensor[0].occupied
        assert all(event.kind is not Kind.BOOT for event in of_sensor[1:])


def test_every_change_changes_and_every_heartbeat_does_not() -> None:
    occupied: dict[int, bool] = {}
    for event in during(sensed(spaces=60), begins_ms=MONDAY_MS, hours=50):
        before = occupied.get(event.number, False)
        assert event.occupied is (not before if event.kind is Kind.CHANGE else before)
        occupied[event.number] = event.occupied


def test_no_sensor_is_silent_for_longer_than_its_heartbeat() -> None:
    city = read_city(city_file(spaces=30, heartbeat_seconds=900))
    happened = during(city, begins_ms=MONDAY_MS, hours=30)
    for number in range(30):
        at = [event.at_ms for event in happened if event.number == number]
        assert max(after - before for before, after in pairwise(at)) <= 900_000


def test_no_true_stay_or_gap_is_so_short_that_a_lot_takes_it_for_flapping() -> None:
    happened = during(sensed(spaces=240), begins_ms=MONDAY_MS, hours=200)
    assert min(left_ms - entered_ms for _, entered_ms, left_ms in stays(happened)) >= 60_000
    freed: dict[int, int] = {}
    gaps = []
    for event in happened:
        if event.kind is Kind.CHANGE and event.occupied and event.number in freed:
            gaps.append(event.at_ms - freed[event.number])
        if event.kind is Kind.CHANGE and not event.occupied:
            freed[event.number] = event.at_ms
    assert min(gaps) >= 45_000


def test_a_lot_with_a_longer_shortest_stay_gets_longer_stays() -> None:
    document = city_file(spaces=30)
    document["features"][0]["properties"] |= {"min_stay_seconds": 300, "min_gap_seconds": 200}
    happened = during(read_city(document), begins_ms=MONDAY_MS, hours=100)
    assert min(left_ms - entered_ms for _, entered_ms, left_ms in stays(happened)) >= 300_000


def test_vehicles_of_the_night_before_are_there_at_the_beginning() -> None:
    happened = during(sensed(spaces=240), begins_ms=MONDAY_MS + 5 * HOUR_MS, hours=1)
    before = [event for event in happened if event.kind is Kind.CHANGE and event.at_ms < MONDAY_MS + 5 * HOUR_MS]
    assert len(before) > 10
    assert all(event.occupied for event in before)


def test_a_sensor_installed_later_begins_in_an_empty_space() -> None:
    document = city_file(spaces=60)
    installed_ms = MONDAY_MS + 12 * HOUR_MS
    for feature in document["features"][1:]:
        feature["properties"]["installed_at"] = "2026-03-09T12:00:00+08:00"
    happened = during(read_city(document), begins_ms=MONDAY_MS, hours=24)
    assert happened
    assert min(event.at_ms for event in happened) >= installed_ms
    assert all(not event.occupied for event in happened if event.kind is Kind.BOOT)


def occupied_share(happened: list[Event], *, spaces: int, at_ms: int) -> float:
    occupied = 0
    for event in happened:
        if event.at_ms <= at_ms and event.kind is Kind.CHANGE:
            occupied += 1 if event.occupied else -1
    return occupied / spaces


def test_the_day_is_busy_and_the_night_is_not() -> None:
    happened = during(sensed(spaces=600), begins_ms=MONDAY_MS, hours=96)
    shares = {
        hour: mean(
            occupied_share(happened, spaces=600, at_ms=MONDAY_MS + (day * 24 + hour) * HOUR_MS) for day in range(1, 4)
        )
        for hour in (4, 11, 15)
    }
    assert shares[4] < 0.35
    assert 0.5 < shares[11] < 0.9
    assert 0.5 < shares[15] < 0.9


def test_residents_are_home_at_night_and_the_scenic_area_is_full_at_the_weekend() -> None:
    city = sensed(spaces=600)
    happened = during(city, begins_ms=MONDAY_MS, hours=168)

    def share(rhythm: str, hour: int) -> float:
        chosen = {number for number, one in enumerate(city.watched) if one.rhythm.name == rhythm}
        of_them = [event for event in happened if event.number in chosen]
        return occupied_share(of_them, spaces=len(chosen), at_ms=MONDAY_MS + hour * HOUR_MS)

    assert share("residents", 2 * 24 + 2) > share("residents", 2 * 24 + 11) + 0.1
    assert share("scenic", 5 * 24 + 10) > share("scenic", 24 + 10) + 0.1
    assert share("school", 24 + 8) > share("school", 5 * 24 + 8) + 0.1


def test_every_rhythm_leads_to_a_quiet_hour_of_its_own() -> None:
    assert {rhythm.name: rhythm.quiet_hour for rhythm in RHYTHMS}["residents"] == 13
    assert all(rhythm.quiet_hour < 5 for rhythm in RHYTHMS if rhythm.name != "residents")


def test_a_county_a_hundred_times_larger_is_no_matter() -> None:
    stream = events(sensed(spaces=23_000), seed=1, begins_ms=MONDAY_MS, zone=SHANGHAI)
    assert len(list(islice(stream, 100_000))) == 100_000


def test_dice_give_the_published_sequence() -> None:
    """The first outputs of SplitMix64 for the key 1234567, as its reference implementation prints them."""
    dice = Dice(1_234_567)
    published = (6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423)
    assert [dice.uniform() for _ in published] == [(one >> 11) * 2.0**-53 for one in published]


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4))
@settings(max_examples=50)
def test_dice_stay_in_their_bounds(words: list[int]) -> None:
    dice = Dice(key_of(*words))
    assert all(0 <= dice.uniform() < 1 for _ in range(20))
    assert all(dice.exponential() >= 0 for _ in range(20))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"{", "not JSON"),
        (b"[]", "no usable city file|not JSON"),
        ({"type": "FeatureCollection"}, "no usable city file"),
        ({"features": [{"properties": {"kind": "space", "code": "A", "lot": "B", "sensor_id": "s"}}]}, "lot 'B'"),
        (city_file(spaces=0), "nothing to simulate"),
    ],
)
def test_a_file_that_is_no_city_is_refused(document: bytes | dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidError, match=reason):
        read_city(document)


def test_sensors_that_do_not_say_what_they_see_are_left_silent_and_counted() -> None:
    document = city_file(spaces=5)
    for feature, sensor, codec in zip(
        document["features"][1:],
        ("aede480001000001", "aede480001000002", "no-dev-eui"),
        ("nwave-nps405", "milesight-em400-mud", "bosch-tps110-fw0.29"),
        strict=False,
    ):
        feature["properties"] |= {"sensor_id": sensor, "codec": codec}
    city = read_city(document)
    assert (len(city.watched), city.silent) == (3, 2)
    assert city.watched[0].codec == "nwave-nps405"
    assert not city.watched[0].keeps_time


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"envelope": "chirpstack"}, "cannot speak through"),
        ({"envelope": "nbiot"}, "no IMEI"),
        ({"codec": "pni-placepod", "sensor_id": "aede480001000001", "envelope": "senml"}, "cannot speak through"),
    ],
)
def test_a_sensor_that_cannot_speak_so_is_refused(properties: dict[str, str], why: str) -> None:
    document = city_file(spaces=2)
    document["features"][1]["properties"] |= properties
    with pytest.raises(InvalidError, match=why):
        read_city(document)


def test_a_holiday_is_lived_as_a_sunday() -> None:
    city = sensed(spaces=240)
    wednesday_ms = MONDAY_MS + 48 * HOUR_MS
    number = (wednesday_ms + 8 * HOUR_MS) // (24 * HOUR_MS)
    ordinary = during(city, begins_ms=wednesday_ms, hours=12)
    stream = events(city, seed=1, begins_ms=wednesday_ms, zone=SHANGHAI, weekdays={number: 6})
    holiday = list(takewhile(lambda event: event.at_ms < wednesday_ms + 12 * HOUR_MS, stream))
    school = {number for number, one in enumerate(city.watched) if one.rhythm.name == "school"}

    def arrivals(happened: list[Event]) -> int:
        morning = [event for event in happened if 7 <= (event.at_ms - wednesday_ms) / HOUR_MS < 8]
        return sum(event.number in school and event.kind is Kind.CHANGE and event.occupied for event in morning)

    assert 0 < arrivals(holiday) < arrivals(ordinary) / 2


def test_a_festival_fills_the_scenic_area() -> None:
    city = sensed(spaces=240)
    crowded = lively(city, Arrivals(by_place={"scenic": 3.0}))
    for one, other in zip(city.watched, crowded.watched, strict=True):
        assert other.busyness == one.busyness * (3.0 if one.rhythm.name == "scenic" else 1.0)
    off = lively(city, Arrivals(holiday=True))
    assert all(one.rhythm.arrivals[:24] == one.rhythm.arrivals[-24:] for one in off.watched)
    assert lively(city, Arrivals()) is city


def test_the_calendar_of_china_is_known_and_no_other() -> None:
    golden_week = days_off("Asia/Shanghai", date(2026, 9, 28), 14)
    days = {date(1970, 1, 1) + timedelta(days=number): weekday for number, weekday in golden_week.items()}
    assert days[date(2026, 10, 1)] == 6
    assert date(2026, 9, 30) not in days
    assert days_off("Europe/Berlin", date(2026, 9, 28), 14) == {}

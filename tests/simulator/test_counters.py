"""Lots that only count: the same life for the same seed, by day and night, and a belief that drifts a little."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.clock import milliseconds
from core.errors import InvalidError
from simulator import counters as model
from simulator.counters import Counters, read_counted_lots
from tests.support.county import SHANGHAI, city_file

HOUR_MS = 3_600_000
TUESDAY = datetime(2026, 3, 10, tzinfo=SHANGHAI)
CAPACITY = 300


def counted_lot(code: str = "GS", *, capacity: int = CAPACITY, source: str = "counter") -> dict[str, Any]:
    about = {"code": code, "name": "停车场", "lot_kind": "off_street", "source": source, "capacity": capacity}
    return {"type": "Feature", "properties": {"kind": "lot", **about}, "geometry": None}


def with_counters(*lots: dict[str, Any]) -> dict[str, Any]:
    city = city_file(spaces=3)
    city["features"] += lots
    return city


def counters(begins: datetime = TUESDAY, *, seed: int = 1) -> Counters:
    lots = read_counted_lots(with_counters(counted_lot()))
    return Counters(lots, seed=seed, begins_ms=milliseconds(begins), zone=SHANGHAI)


def by_hour(counting: Counters, begins: datetime, hours: int) -> list[tuple[int, int]]:
    found = []
    for hour in range(hours):
        counting.advance(milliseconds(begins) + hour * HOUR_MS)
        found.append((counting.inside("GS"), counting.counted("GS")))
    return found


def test_only_lots_with_a_counter_are_counted() -> None:
    city = with_counters(counted_lot("NM"), counted_lot("GS", capacity=7), counted_lot("FD", source="feed"))
    lots = read_counted_lots(city)
    assert [(lot.code, lot.capacity, len(lot.places)) for lot in lots] == [("GS", 7, 7), ("NM", CAPACITY, CAPACITY)]
    assert read_counted_lots(city_file(spaces=3)) == ()
    with pytest.raises(InvalidError, match="no usable city file"):
        read_counted_lots({"features": [{"properties": {"kind": "lot", "source": "counter", "code": "GS"}}]})


def test_the_same_seed_makes_the_same_counts_and_another_seed_others() -> None:
    assert by_hour(counters(), TUESDAY, 30) == by_hour(counters(), TUESDAY, 30)
    assert by_hour(counters(), TUESDAY, 30) != by_hour(counters(seed=2), TUESDAY, 30)


def test_what_is_counted_does_not_depend_on_when_the_run_began() -> None:
    later = TUESDAY + timedelta(hours=33)
    counting = counters()
    counting.advance(milliseconds(later))
    assert by_hour(counting, later, 24) == by_hour(counters(later), later, 24)


def test_a_car_park_is_full_by_day_and_empty_at_night_and_never_holds_more_than_it_can() -> None:
    inside = [truly for truly, _ in by_hour(counters(), TUESDAY, 24)]
    assert all(0 <= truly <= CAPACITY for truly in inside)
    assert inside[11] > 2 * inside[4] > 0
    assert inside[11] > CAPACITY / 2


def test_a_counter_misses_a_vehicle_now_and_then_and_is_set_right_at_night() -> None:
    drift = [believed - truly for truly, believed in by_hour(counters(), TUESDAY, 48)]
    assert any(drift)
    assert max(map(abs, drift)) < CAPACITY / 20
    assert drift[model.SET_RIGHT_AT_HOUR] == drift[24 + model.SET_RIGHT_AT_HOUR] == 0


def test_a_counter_that_missed_many_arrivals_never_says_less_than_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MISSED", 0.5)
    assert min(believed for _, believed in by_hour(counters(), TUESDAY, 72)) >= 0

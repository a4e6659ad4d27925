"""What earlier stays of the same plate do to a fee, and what they do not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.engine.history import HistoryNotEarlierError
from billing.notices import shipped
from billing.pricing import price_stay
from billing.tariff import Tariff
from core.stay import Stay, VehicleClass
from tests.support.tariffs import shipped_tariff, stays

SUIZHOU = shipped_tariff("cn-hb-suizhou-1--cap-adds-stays")
WESTPOINT = shipped_tariff("au-wilson-westpoint-reentry")
LOOK_BACK = {
    "au-wilson-westpoint-reentry",
    "au-wilson-westpoint-reentry--absence-not-counted",
    "au-wilson-westpoint-reentry--sixty-is-new",
    "cn-hb-suizhou-1--cap-adds-stays",
}
gaps = st.integers(1, 2_000).map(lambda minutes: timedelta(minutes=minutes))


def before(stay: Stay, gap: timedelta, length: timedelta) -> Stay:
    left_at = stay.entered_at - gap
    return Stay(entered_at=left_at - length, left_at=left_at)


def total(tariff: Tariff, stay: Stay, *history: Stay, vehicle: str = "small") -> int:
    bill = price_stay(tariff, stay, zone=tariff.zone, vehicle=VehicleClass(vehicle), history=history)
    assert sum(line.amount_fen for line in bill.lines) == bill.total_fen
    return bill.total_fen


@settings(max_examples=100, deadline=None)
@given(notice=st.sampled_from([one for one in shipped() if one not in LOOK_BACK]), stay=stays(), gap=gaps, length=gaps)
def test_most_notices_do_not_look_at_earlier_stays(notice: str, stay: Stay, gap: timedelta, length: timedelta) -> None:
    tariff = shipped_tariff(notice)
    assert total(tariff, stay, before(stay, gap, length)) == total(tariff, stay)


@settings(max_examples=150, deadline=None)
@given(stay=stays(), pieces=st.lists(st.tuples(gaps, gaps), min_size=1, max_size=4))
def test_stays_of_a_day_never_cost_more_together_than_its_shared_cap(
    stay: Stay, pieces: list[tuple[timedelta, timedelta]]
) -> None:
    all_stays = [stay]
    for gap, length in pieces:
        all_stays.append(before(all_stays[-1], gap, length))
    all_stays.reverse()
    fees = [total(SUIZHOU, one, *all_stays[:index]) for index, one in enumerate(all_stays)]
    first, last = all_stays[0].entered_at.astimezone(SUIZHOU.zone), stay.left_at.astimezone(SUIZHOU.zone)
    assert sum(fees) <= 2_000 * ((last.date() - first.date()).days + 1)


@settings(max_examples=150, deadline=None)
@given(stay=stays(), gap=st.integers(0, 60), length=gaps)
def test_linked_stays_cost_together_what_one_long_stay_does(stay: Stay, gap: int, length: timedelta) -> None:
    earlier = before(stay, timedelta(minutes=gap), length)
    long = Stay(entered_at=earlier.entered_at, left_at=stay.left_at)
    assert total(WESTPOINT, earlier) + total(WESTPOINT, stay, earlier) == total(WESTPOINT, long)


@settings(max_examples=50, deadline=None)
@given(stay=stays(), pieces=st.lists(st.tuples(gaps, gaps), min_size=2, max_size=4))
def test_the_order_in_which_a_history_is_told_does_not_matter(
    stay: Stay, pieces: list[tuple[timedelta, timedelta]]
) -> None:
    history = [stay]
    for gap, length in pieces:
        history.append(before(history[-1], gap, length))
    told = history[1:]
    assert total(WESTPOINT, stay, *told) == total(WESTPOINT, stay, *reversed(told))


def test_a_stay_that_begins_later_is_no_history() -> None:
    at = datetime(2026, 3, 10, 1, tzinfo=UTC)
    stay = Stay(entered_at=at, left_at=at + timedelta(hours=1))
    with pytest.raises(HistoryNotEarlierError):
        total(WESTPOINT, stay, Stay(entered_at=at, left_at=at))


def test_an_earlier_stay_that_overlaps_is_not_counted_twice() -> None:
    """Two readings of one plate, one of them wrong: the time is counted once."""
    at = datetime(2026, 3, 10, 1, tzinfo=UTC)
    stay = Stay(entered_at=at + timedelta(hours=1), left_at=at + timedelta(hours=5))
    overlapping = Stay(entered_at=at, left_at=at + timedelta(hours=3))
    tariff = shipped_tariff("au-wilson-westpoint-reentry--absence-not-counted")
    assert total(tariff, overlapping) == 0
    assert total(tariff, stay, overlapping) == 800  # five hours in all, three of them free

"""Every shipped notice agrees with a second pricer that walks each stay minute by minute and shares no code."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.notices import shipped
from billing.pricing import price_stay
from core.stay import Stay, VehicleClass
from tests.support.tariffs import Case, cases, shipped_tariff, stays
from tests.support.walking import WALKERS, kerb_by_the_second

gaps = st.sampled_from([5, 30, 59, 60, 61, 300, 900]).map(lambda minutes: timedelta(minutes=minutes))


@pytest.mark.parametrize("notice", WALKERS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_bill_agrees_with_walking_every_minute(notice: str, data: st.DataObject) -> None:
    walk, vehicles = WALKERS[notice]
    tariff = shipped_tariff(notice)
    stay = data.draw(stays())
    vehicle = data.draw(st.sampled_from(vehicles))
    bill = price_stay(tariff, stay, zone=tariff.zone, vehicle=VehicleClass(vehicle))
    assert bill.total_fen == walk(stay.entered_at, stay.left_at, vehicle, ())


@pytest.mark.parametrize("notice", ["cn-sz-class1", "cn-cd-class1", "au-wilson-westpoint-reentry"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_bill_with_earlier_stays_agrees_with_walking_them_all(notice: str, data: st.DataObject) -> None:
    walk, vehicles = WALKERS[notice]
    tariff = shipped_tariff(notice)
    stay = data.draw(stays())
    history: list[Stay] = []
    for _ in range(data.draw(st.integers(1, 3))):
        left_at = (history[-1] if history else stay).entered_at - data.draw(gaps)
        minutes = data.draw(st.sampled_from([10, 45, 100, 150, 170, 240, 600]))
        history.append(Stay(entered_at=left_at - timedelta(minutes=minutes), left_at=left_at))
    history.reverse()
    bill = price_stay(tariff, stay, zone=tariff.zone, vehicle=VehicleClass(vehicles[-1]), history=history)
    visits = [(one.entered_at, one.left_at) for one in history]
    assert bill.total_fen == walk(stay.entered_at, stay.left_at, vehicles[-1], visits)


@settings(max_examples=25, deadline=None)
@given(
    arrival=st.sampled_from(["20:20", "07:20", "20:55", "12:00"]),
    seconds=st.integers(0, 1_200),
    length=st.integers(0, 13 * 3600),
)
def test_seconds_of_the_kerb_add_up_over_the_night(arrival: str, seconds: int, length: int) -> None:
    tariff = shipped_tariff("xinchang-kerb")
    entered_at = datetime.fromisoformat(f"2026-03-10T{arrival}+08:00") + timedelta(seconds=seconds)
    stay = Stay(entered_at=entered_at, left_at=entered_at + timedelta(seconds=length))
    bill = price_stay(tariff, stay, zone=tariff.zone)
    assert bill.total_fen == kerb_by_the_second(stay.entered_at, stay.left_at)


def test_every_notice_has_its_walker() -> None:
    assert {notice for notice in shipped() if "--" not in notice} <= WALKERS.keys()


def walked(case: Case) -> bool:
    """Whether the second pricer can answer: it knows no exempt vehicles, and arrivals on whole minutes only."""
    at = case.stay.entered_at
    return case.notice in WALKERS and case.vehicle in WALKERS[case.notice][1] and not at.second and not at.microsecond


@pytest.mark.parametrize("case", [one for one in cases() if walked(one)], ids=str)
def test_walking_reaches_the_published_fees_too(case: Case) -> None:
    walk, _ = WALKERS[case.notice]
    visits = [(one.entered_at, one.left_at) for one in case.history]
    assert walk(case.stay.entered_at, case.stay.left_at, case.vehicle, visits) == case.fee_fen

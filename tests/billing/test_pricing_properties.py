"""What is true of every price, whatever the notice and the stay."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.lines import Bill, bill_from_json, bill_to_json
from billing.notices import shipped
from billing.pricing import price_stay, price_total, quote
from billing.tariff import Tariff
from core.stay import Stay
from tests.support.tariffs import shipped_tariff, stays

FALLS = "eu-ocpi-step-across-price-change--last-price"
"""Refused at publication: its fee falls with time."""
NOTICES = [notice for notice in shipped() if notice != FALLS]
CAPPED_BY_DAY = ["cn-zj-taizhou-zone1", "cn-hb-suizhou-1", "cn-hb-suizhou-1--day-afresh"]
CAPPED_BY_24_HOURS = ["cn-zj-ninghai-zone1", "cn-zj-ninghai-zone2", "cn-county-lot-90min"]

notices = st.sampled_from(NOTICES)
some_minutes = st.integers(1, 3_000).map(lambda minutes: timedelta(minutes=minutes))
properties = settings(max_examples=150, deadline=None)


def priced(tariff: Tariff, stay: Stay) -> Bill:
    return price_stay(tariff, stay, zone=tariff.zone)


@properties
@given(notice=notices, stay=stays(whole_minutes=False))
def test_lines_add_up_to_the_total(notice: str, stay: Stay) -> None:
    bill = priced(shipped_tariff(notice), stay)
    assert sum(line.amount_fen for line in bill.lines) == bill.total_fen >= 0
    assert all(stay.entered_at <= line.from_at <= line.to_at <= stay.left_at for line in bill.lines)


@properties
@given(notice=notices, stay=stays(whole_minutes=False))
def test_minutes_on_the_lines_cover_the_stay_once(notice: str, stay: Stay) -> None:
    bill = priced(shipped_tariff(notice), stay)
    minutes = (stay.left_at - stay.entered_at) // timedelta(minutes=1)
    assert minutes - len(bill.lines) <= sum(line.minutes for line in bill.lines) <= minutes + len(bill.lines)


@properties
@given(notice=notices, stay=stays(whole_minutes=False), more=some_minutes)
def test_a_longer_stay_never_costs_less(notice: str, stay: Stay, more: timedelta) -> None:
    tariff = shipped_tariff(notice)
    longer = Stay(entered_at=stay.entered_at, left_at=stay.left_at + more)
    assert priced(tariff, stay).total_fen <= priced(tariff, longer).total_fen


@properties
@given(notice=notices, stay=stays(whole_minutes=False), data=st.data())
def test_the_fee_stands_until_the_next_change_and_is_what_was_said_there(
    notice: str, stay: Stay, data: st.DataObject
) -> None:
    tariff = shipped_tariff(notice)
    said = quote(tariff, stay, zone=tariff.zone)
    ends = said.next_change_at or stay.left_at + timedelta(days=31)
    assert ends > stay.left_at
    between = data.draw(st.integers(0, (ends - stay.left_at) // timedelta(milliseconds=1) - 1))
    until = Stay(entered_at=stay.entered_at, left_at=stay.left_at + timedelta(milliseconds=between))
    assert priced(tariff, until).total_fen == said.bill.total_fen
    just_before = Stay(entered_at=stay.entered_at, left_at=ends - timedelta(milliseconds=1))
    assert priced(tariff, just_before).total_fen == said.bill.total_fen
    if said.next_change_at is not None:
        then = priced(tariff, Stay(entered_at=stay.entered_at, left_at=said.next_change_at))
        assert then.total_fen == said.next_total_fen != said.bill.total_fen


@properties
@given(notice=notices, stay=stays(whole_minutes=False), cut=st.integers(0, 1_000))
def test_paying_in_between_never_costs_more(notice: str, stay: Stay, cut: int) -> None:
    """Who pays what is due now and the difference when he leaves has paid the fee of the whole stay, no more."""
    tariff = shipped_tariff(notice)
    paid_at = stay.entered_at + (stay.left_at - stay.entered_at) * cut // 1_000
    first = priced(tariff, Stay(entered_at=stay.entered_at, left_at=paid_at)).total_fen
    whole = priced(tariff, stay).total_fen
    assert first + max(whole - first, 0) == whole


@pytest.mark.parametrize("notice", CAPPED_BY_DAY)
@settings(max_examples=60, deadline=None)
@given(stay=stays(whole_minutes=False))
def test_no_day_exceeds_its_cap(notice: str, stay: Stay) -> None:
    tariff = shipped_tariff(notice)
    first, last = (at.astimezone(tariff.zone).date() for at in (stay.entered_at, stay.left_at))
    assert priced(tariff, stay).total_fen <= 2_000 * ((last - first).days + 1)


@pytest.mark.parametrize("notice", CAPPED_BY_24_HOURS)
@settings(max_examples=60, deadline=None)
@given(stay=stays(whole_minutes=False))
def test_no_24_hours_exceed_their_cap(notice: str, stay: Stay) -> None:
    tariff = shipped_tariff(notice)
    cap = tariff.document.plans[next(iter(tariff.document.plans))].caps[0].amount_fen
    periods = -((stay.entered_at - stay.left_at) // timedelta(days=1))
    assert priced(tariff, stay).total_fen <= cap * periods


@properties
@given(notice=notices, stay=stays(whole_minutes=False))
def test_a_bill_comes_back_from_storage_as_it_was(notice: str, stay: Stay) -> None:
    bill = priced(shipped_tariff(notice), stay)
    assert bill_from_json(bill_to_json(bill)) == bill


@properties
@given(notice=notices, stay=stays(whole_minutes=False))
def test_the_short_way_to_the_total_is_the_bills_total(notice: str, stay: Stay) -> None:
    tariff = shipped_tariff(notice)
    assert price_total(tariff, stay, zone=tariff.zone) == priced(tariff, stay).total_fen


@settings(max_examples=30, deadline=None)
@given(notice=notices, stay=stays(whole_minutes=False))
def test_successive_next_changes_are_every_step_of_the_fee(notice: str, stay: Stay) -> None:
    """Following the changes for a while gives each total once, rising."""
    tariff = shipped_tariff(notice)
    start = Stay(entered_at=stay.entered_at, left_at=stay.entered_at)
    totals, at = [0], start
    for _ in range(6):
        said = quote(tariff, at, zone=tariff.zone)
        if said.next_change_at is None or said.next_total_fen is None:
            break
        totals.append(said.next_total_fen)
        at = Stay(entered_at=at.entered_at, left_at=said.next_change_at)
    assert all(less < more for less, more in pairwise(totals))
    assert max(Counter(totals).values()) == 1

"""The engine keeps its promises under any notice that can be written, not only under those that exist."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.lines import bill_from_json, bill_to_json
from billing.pricing import price_stay, price_total, quote
from billing.tariff import Tariff
from core.stay import Stay
from tests.support.random_tariffs import tariffs
from tests.support.tariffs import stays

thorough = settings(max_examples=200, deadline=None)


def total(tariff: Tariff, stay: Stay) -> int:
    return price_total(tariff, stay, zone=tariff.zone)


@thorough
@given(tariff=tariffs(), stay=stays(whole_minutes=False))
def test_lines_add_up_and_lie_within_the_stay(tariff: Tariff, stay: Stay) -> None:
    bill = price_stay(tariff, stay, zone=tariff.zone)
    assert sum(line.amount_fen for line in bill.lines) == bill.total_fen == total(tariff, stay)
    assert bill.total_fen >= 0
    assert bill_from_json(bill_to_json(bill)) == bill
    cut = timedelta(minutes=1) if tariff.cuts_instants else timedelta(0)
    assert all(stay.entered_at - cut <= line.from_at <= line.to_at <= stay.left_at for line in bill.lines)


@thorough
@given(tariff=tariffs(), stay=stays(whole_minutes=False), more=st.integers(1, 3_000))
def test_a_longer_stay_never_costs_less(tariff: Tariff, stay: Stay, more: int) -> None:
    longer = Stay(entered_at=stay.entered_at, left_at=stay.left_at + timedelta(minutes=more))
    assert total(tariff, stay) <= total(tariff, longer)


@thorough
@given(tariff=tariffs(), stay=stays(whole_minutes=False), data=st.data())
def test_the_fee_stands_until_the_next_change(tariff: Tariff, stay: Stay, data: st.DataObject) -> None:
    said = quote(tariff, stay, zone=tariff.zone)
    ends = said.next_change_at or stay.left_at + timedelta(days=31)
    before = data.draw(st.integers(1, (ends - stay.left_at) // timedelta(milliseconds=1)))
    for sooner in (before, 1):
        until = Stay(entered_at=stay.entered_at, left_at=ends - timedelta(milliseconds=sooner))
        assert total(tariff, until) == said.bill.total_fen
    if said.next_change_at is not None:
        then = total(tariff, Stay(entered_at=stay.entered_at, left_at=said.next_change_at))
        assert then == said.next_total_fen != said.bill.total_fen


@thorough
@given(tariff=tariffs(), stay=stays(whole_minutes=False))
def test_every_cap_holds(tariff: Tariff, stay: Stay) -> None:
    """Over the whole stay, counting a cap once for each of its periods that the stay can touch."""
    plan = tariff.document.plans["p"]
    rules = tariff.document.classes["small"]
    if rules.percent != 100 or rules.reduced_to_percent != 100 or tariff.document.settlement.to_fen != 1:
        return
    hours = (stay.left_at - stay.entered_at) / timedelta(hours=1)
    for cap in plan.caps:
        if cap.bands:
            continue
        periods = {"stay": 1, "calendar_week": hours // 168 + 2, "calendar_day": hours // 23 + 2}.get(cap.per)
        if periods is not None:
            assert total(tariff, stay) <= cap.amount_fen * periods

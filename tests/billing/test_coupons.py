"""Coupons: what they take off, in which order, at most how much; never below nothing, never dearer than without."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.calendar import seeded
from billing.circumstances import Circumstances, circumstances_kept, kept_with
from billing.coupons import Coupon
from billing.notices import read, shipped
from billing.pricing import price_stay, quote
from billing.tariff import Tariff, load_tariff
from billing.tariff.read import read_document
from billing.tariff.static import problems_in
from core.errors import InvalidError
from core.stay import Stay
from tests.support.tariffs import shipped_tariff, stays
from tests.support.walking import CHINA, Meter, between, minutes_of

KERB = shipped_tariff("xinchang-kerb")


def minutes(value: int) -> Coupon:
    return Coupon(kind="minutes", value=value, bearer="tea house")


def percent(value: int) -> Coupon:
    return Coupon(kind="percent", value=value, bearer="tea house")


def amount(value: int) -> Coupon:
    return Coupon(kind="amount", value=value, bearer="tea house")


coupons = st.one_of(
    st.integers(1, 400).map(minutes), st.integers(1, 100).map(percent), st.integers(1, 5_000).map(amount)
)


def kerb(**changes: Any) -> Tariff:
    return load_tariff(json.dumps(json.loads(read("xinchang-kerb")) | changes).encode())


@given(stays(), st.integers(1, 300), st.integers(1, 100), st.integers(1, 3_000))
def test_minutes_then_a_share_then_an_amount_as_counted_by_hand(stay: Stay, off: int, share: int, fen: int) -> None:
    bill = price_stay(KERB, stay, zone=KERB.zone, coupons=[amount(fen), percent(share), minutes(off)])
    paid = sum(between(at, 7.5, 21) for at in minutes_of(stay.entered_at, stay.left_at, CHINA))
    fee = 0 if paid <= 30 else Meter((10**9, 60, 300)).ticks(max(paid - off, 0))
    left = max(fee * (100 - share) - fen * 100, 0)
    assert bill.total_fen == (left + 50) // 100
    assert sum(line.amount_fen for line in bill.lines) == bill.total_fen


@given(st.sampled_from(sorted(shipped())), stays(), st.lists(coupons, max_size=5), st.integers(1, 600))
def test_no_coupon_makes_a_stay_dearer_and_no_longer_stay_is_cheaper(
    notice: str, stay: Stay, given_: list[Coupon], more: int
) -> None:
    tariff = shipped_tariff(notice)
    bill = price_stay(tariff, stay, zone=tariff.zone, coupons=given_)
    assert 0 <= bill.total_fen <= price_stay(tariff, stay, zone=tariff.zone).total_fen
    assert sum(line.amount_fen for line in bill.lines) == bill.total_fen
    longer = Stay(entered_at=stay.entered_at, left_at=stay.left_at + timedelta(minutes=more))
    if not notice.endswith("last-price"):
        assert price_stay(tariff, longer, zone=tariff.zone, coupons=given_).total_fen >= bill.total_fen


@given(stays(), st.lists(coupons, max_size=3))
def test_a_quote_with_coupons_names_the_next_change(stay: Stay, given_: list[Coupon]) -> None:
    now = quote(KERB, stay, zone=KERB.zone, coupons=given_)
    if now.next_change_at is not None:
        later = Stay(entered_at=stay.entered_at, left_at=now.next_change_at)
        assert price_stay(KERB, later, zone=KERB.zone, coupons=given_).total_fen == now.next_total_fen


@given(stays(), st.lists(coupons, max_size=3))
def test_a_bill_keeps_its_coupons(stay: Stay, given_: list[Coupon]) -> None:
    known = Circumstances(calendar=seeded(), coupons=tuple(given_))
    kept = json.loads(json.dumps(kept_with(known, stay, KERB.zone)))
    assert circumstances_kept(kept).bill(KERB, stay, KERB.zone) == known.bill(KERB, stay, KERB.zone)


NINE_TO_THREE = Stay(
    entered_at=datetime(2026, 3, 10, 9, tzinfo=CHINA),
    left_at=datetime(2026, 3, 10, 15, tzinfo=CHINA),
)
"""Six hours of 3.00."""


def total(tariff: Tariff, *given_: Coupon) -> int:
    return price_stay(tariff, NINE_TO_THREE, zone=tariff.zone, coupons=given_).total_fen


def test_the_order_of_share_and_amount_is_a_field() -> None:
    assert total(KERB, percent(50), amount(300)) == 600
    other = kerb(coupons={"stacking": ["free_until", "minutes", "amount", "percent"]})
    assert total(other, percent(50), amount(300)) == 750


def test_whether_a_cap_sees_what_coupons_left_is_the_order_of_steps() -> None:
    plan = json.loads(read("xinchang-kerb"))["plans"]
    for one in plan.values():
        one["caps"] = [{"amount_fen": 1_000, "per": "stay"}]
    after = kerb(plans=plan)
    before = kerb(plans=plan, order=["class", "coupon", "cap", "reduction", "rounding"])
    assert [total(one, amount(600)) for one in (after, before)] == [400, 1_000]
    assert [total(one, amount(1_200)) for one in (after, before)] == [0, 600]


def test_coupons_before_the_reduction_give_half_of_what_they_say() -> None:
    halved = {"small": {"reduced_to_percent": 50}}
    after = kerb(classes=halved)
    before = kerb(classes=halved, order=["class", "cap", "coupon", "reduction", "rounding"])
    assert [total(one, amount(600)) for one in (after, before)] == [300, 600]


def test_at_most_so_many_and_so_much_counts() -> None:
    assert total(kerb(coupons={"most": 1}), amount(300), amount(600)) == 1_500
    assert total(kerb(coupons={"most_off_fen": 500}), amount(300), amount(600)) == 1_300


def test_free_until_a_time_and_fresh_tiers_after_it() -> None:
    until = NINE_TO_THREE.entered_at + timedelta(minutes=270)
    assert total(KERB, Coupon(kind="free_until", until=until, bearer="hospital")) == 600


def test_a_coupon_that_is_none_is_refused() -> None:
    for wrong in ({"kind": "percent", "value": 101}, {"kind": "minutes"}, {"kind": "free_until"}):
        with pytest.raises(InvalidError):
            Coupon(bearer="tea house", **wrong)
    doubled = kerb().document.model_dump(mode="json")
    doubled["coupons"]["stacking"] = ["minutes", "minutes", "percent", "amount"]
    assert any("once" in problem.what for problem in problems_in(read_document(json.dumps(doubled).encode())))

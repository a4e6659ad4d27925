"""The bench of pricing measures the engine by a function that gives the same fees."""

import json

from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import price_total
from billing.tariff import load_tariff
from billing.tariff.check import check
from billing.tariff.read import read_document
from ops.bench.pricing import ZONE, PricingPlan, bench_pricing, county_stays, price_by_hand, two_tiers

DOCUMENT = json.dumps(two_tiers()).encode()
TARIFF = load_tariff(DOCUMENT)


def test_its_notice_may_be_published() -> None:
    assert check(read_document(DOCUMENT)) == []


@given(seed=st.integers(0, 100_000))
def test_the_engine_agrees_with_the_notice_by_hand(seed: int) -> None:
    for stay in county_stays(20, seed):
        assert price_total(TARIFF, stay, zone=ZONE) == price_by_hand(stay), stay


def test_every_figure_is_there_and_the_fees_are_equal() -> None:
    report = bench_pricing(PricingPlan(stays=200, sample=25_000, rounds=1), lambda *_: None)
    figures = {row.what: row for row in report.rows}
    assert figures["fees equal"].value == 100
    assert figures["a year of the county"].value > 0
    assert all(row.value > 0 for row in report.rows)

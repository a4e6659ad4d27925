"""Priced stays as data: what notices publish, what follows from their text, and every other reading of it."""

import pytest

from billing.notices import shipped
from billing.pricing import price_stay, quote
from tests.support.tariffs import CASES, Case, cases, shipped_tariff


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_a_case_costs_what_its_notice_says(case: Case) -> None:
    tariff = shipped_tariff(case.notice)
    bill = price_stay(tariff, case.stay, zone=tariff.zone, vehicle=case.vehicle, history=case.history)
    assert bill.total_fen == case.fee_fen
    assert sum(line.amount_fen for line in bill.lines) == bill.total_fen


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_a_quote_is_the_bill_and_the_next_change(case: Case) -> None:
    tariff = shipped_tariff(case.notice)
    bill = price_stay(tariff, case.stay, zone=tariff.zone, vehicle=case.vehicle, history=case.history)
    assert quote(tariff, case.stay, zone=tariff.zone, vehicle=case.vehicle, history=case.history).bill == bill


def test_every_notice_has_cases() -> None:
    priced = {case.notice for case in cases()}
    unpriced = {notice for notice in shipped() if "--" not in notice} - priced
    assert not unpriced, f"no case for {sorted(unpriced)} under {CASES.name}/"

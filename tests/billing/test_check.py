"""What a notice must not be published with, and the stay that shows it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from billing.notices import read, shipped
from billing.tariff.check import check
from billing.tariff.read import read_document

Change = Callable[[dict[str, Any]], object]


def problems(notice: str, change: Change) -> list[str]:
    document = json.loads(read(notice))
    change(document)
    return [str(problem) for problem in check(read_document(json.dumps(document).encode()))]


def plan(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(iter(document["plans"].values()))
    return found


FALLS = "eu-ocpi-step-across-price-change--last-price"
"""The specification's rule to the letter: at midnight, where the price falls, a step becomes cheaper."""


@pytest.mark.parametrize("notice", [one for one in shipped() if one != FALLS])
def test_nothing_is_wrong_with_a_shipped_notice(notice: str) -> None:
    assert not check(read_document(read(notice)))


def test_a_longer_stay_at_a_lower_rate_is_shown_where_it_falls() -> None:
    def never_mind(document: dict[str, Any]) -> None:
        document["plans"]["coaches"]["bands"][0]["reached_tier"] = "whole_stay"

    [problem] = problems("sample-long-stay", never_mind)
    assert "the fee falls as time goes on" in problem
    assert "cost ¥48.00 and 4 h 1 min ¥36.00" in problem


def test_leaving_sooner_than_an_early_bird_must_not_cost_more_than_waiting() -> None:
    [*found] = problems("sample-commuter", lambda d: plan(d)["flats"][0].update(before_that="ordinary_price"))
    assert any("the fee falls as time goes on" in problem for problem in found)


@pytest.mark.parametrize(
    ("notice", "path", "change", "says"),
    [
        ("sample-commuter", "flats", {"leaves_by": "05:00"}, "cannot have left by 05:00"),
        ("sample-commuter", "flats", {"leaves_from": "19:00"}, "never"),
        ("sample-commuter", "flats", {"arrives": [{"days": ["wrkday"]}]}, "no days are named 'wrkday'"),
        ("sample-commuter", "caps", {"from_period": 2}, "rolling from the arrival"),
        ("sample-commuter", "caps", {"per": "rolling", "from_period": 3, "to_period": 2}, "begins with period 3"),
        ("sample-long-stay", "bands", {"clock": "shared"}, "a clock of its band's own"),
        ("sample-long-stay", "bands", {"incomplete_units": "end_with_window"}, "cannot be counted anew"),
        ("xinchang-kerb", "free", {"disc_min": 30}, "a disc needs"),
    ],
)
def test_rarer_rules_that_contradict_themselves_are_refused(
    notice: str, path: str, change: dict[str, Any], says: str
) -> None:
    found = problems(notice, lambda d: plan(d)[path][0].update(change))
    assert any(says in problem for problem in found), found


def test_hours_that_nobody_prices_must_be_declared_free() -> None:
    [problem] = problems("xinchang-kerb", lambda d: plan(d).update(outside="nothing"))
    assert "gap: no band claims some hours" in problem
    assert "at 00:00 has no price" in problem


def test_a_band_for_workdays_leaves_rest_days_undeclared() -> None:
    def only_workdays(document: dict[str, Any]) -> None:
        plan(document)["bands"] = [
            {
                "name": "paid",
                "windows": [{"days": ["workday"]}],
                "tiers": [{"from_min": 0, "unit_min": 60, "price_fen": 1}],
            }
        ]
        plan(document)["outside"] = "nothing"

    [problem] = problems("xinchang-kerb", only_workdays)
    assert "2025-01-01" in problem  # New Year's Day, a Wednesday


def test_windows_that_overlap_need_a_priority() -> None:
    def longer_night(document: dict[str, Any]) -> None:
        plan(document)["bands"][1]["windows"][0]["opens"] = "18:00"

    [problem] = problems("cn-bj-class1", longer_night)
    assert "overlap: two windows of day and night" in problem
    assert "at 18:00 has two prices" in problem


def test_a_night_that_runs_into_the_next_days_window_overlaps_it() -> None:
    def longer_night(document: dict[str, Any]) -> None:
        plan(document)["bands"][1]["windows"][0]["closes"] = "07:30"

    assert "at 07:00 has two prices" in problems("cn-bj-class1", longer_night)[0]


def test_a_cap_below_the_first_price_is_refused() -> None:
    [problem] = problems("cn-zj-taizhou-zone1", lambda d: plan(d)["caps"][0].update(amount_fen=499))
    assert "¥4.99 is below the first price of the band 'paid', ¥5.00" in problem
    assert "the shortest charged stay" in problem


def test_tiers_that_cost_nothing_are_no_first_price() -> None:
    def free_half_hour(document: dict[str, Any]) -> None:
        plan(document)["bands"][0]["tiers"] = [
            {"from_min": 0, "to_min": 30, "price_fen": 0},
            {"from_min": 30, "unit_min": 30, "price_fen": 900},
        ]
        plan(document)["caps"][0]["amount_fen"] = 800

    [problem] = problems("cn-zj-taizhou-zone1", free_half_hour)
    assert "¥8.00 is below the first price of the band 'paid', ¥9.00" in problem


def test_seasons_that_leave_out_a_leap_day_are_refused() -> None:
    def seasons(document: dict[str, Any]) -> None:
        document["day_classes"] = [
            {"name": "winter", "any_of": [{"between": [["11-01", "02-28"]]}]},
            {"name": "summer", "any_of": [{"between": [["03-01", "10-31"]]}]},
        ]
        plan(document)["outside"] = "nothing"
        plan(document)["bands"][0]["windows"] = [{"days": ["winter", "summer"]}]

    [problem] = problems("cn-zj-taizhou-zone1", seasons)
    assert "a stay on 2024-02-29 at 00:00 has no price" in problem


def test_a_step_that_is_cheaper_only_across_a_midnight_to_a_rest_day_is_found() -> None:
    def by_day(document: dict[str, Any]) -> None:
        for band, day in zip(plan(document)["bands"], ("restday", "workday"), strict=True):
            band["windows"] = [{"days": [day]}]

    [problem] = problems(FALLS, by_day)
    assert "the fee falls as time goes on" in problem


def test_a_fee_that_falls_with_time_is_refused_with_two_stays() -> None:
    [problem] = problems(FALLS, lambda _: None)
    assert "the fee falls as time goes on" in problem
    assert " cost €" in problem


def test_a_document_with_problems_of_its_own_is_not_priced() -> None:
    assert "is no time zone" in problems("xinchang-kerb", lambda d: d.update(zone="Nowhere"))[0]

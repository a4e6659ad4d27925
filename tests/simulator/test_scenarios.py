"""Scenarios: the shipped ones can be played, and a typo is named with its line and the nearest valid word."""

from datetime import datetime
from pathlib import Path

import pytest

from core.errors import InvalidError
from simulator.faults import Fault, Faults, Spell
from simulator.scenarios import Scenario, ScenarioInvalidError, list_scenarios, load_scenario, notice_of
from tests.support.county import SHANGHAI

SHIPPED = {
    "every-fault",
    "festival",
    "normal-day",
    "price-change-at-midnight",
    "provider-down-at-noon",
    "storm-night",
}


def read(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "mine.yaml"
    path.write_text("zh: 甲\nen: A\n" + text)
    return load_scenario(path)


def test_the_shipped_ones_are_whole() -> None:
    shipped = list_scenarios()
    assert {one.name for one in shipped} == SHIPPED
    assert all(one.zh and one.en and one.digest for one in shipped)


def test_a_storm_night_says_what_goes_wrong_when() -> None:
    storm = load_scenario("storm-night")
    assert storm.faults.lost == 0.005
    assert storm.faults.spell(Fault.POWER_CUT) == Spell(share=0.15, lasts_ms=2_400_000, between=(1_170, 1_350))
    assert storm.faults.spell(Fault.STUCK) is None


def test_one_fault_of_each_sort_is_in_the_scenario_that_has_them_all() -> None:
    faults = load_scenario("every-fault").faults
    assert min(faults.repeat, faults.late, faults.lost, faults.storms_a_day, faults.strangers_an_hour) > 0
    assert {fault for fault in Fault if faults.spell(fault)} == set(Fault) - {
        Fault.REPEATED,
        Fault.LATE,
        Fault.LOST,
        Fault.RECONNECT_STORM,
        Fault.STRANGERS,
    }


def test_it_begins_on_its_day_at_its_time() -> None:
    monday = datetime(2026, 3, 9, 15, 0, tzinfo=SHANGHAI)
    assert load_scenario("storm-night").begins_at(monday, SHANGHAI) == datetime(2026, 3, 13, 18, 30, tzinfo=SHANGHAI)
    assert load_scenario("every-fault").begins_at(monday, SHANGHAI) == datetime(2026, 3, 9, 7, 0, tzinfo=SHANGHAI)


def test_a_day_may_be_a_date_and_nothing_said_is_now(tmp_path: Path) -> None:
    now = datetime(2026, 3, 9, 15, 0, tzinfo=SHANGHAI)
    assert read(tmp_path, "begins: 2026-10-01 09:00\n").begins_at(now, SHANGHAI) == datetime(
        2026, 10, 1, 9, 0, tzinfo=SHANGHAI
    )
    assert read(tmp_path, "seed: 3\n").begins_at(now, SHANGHAI) == now


def test_prices_change_at_the_midnight_after_the_begin() -> None:
    change = load_scenario("price-change-at-midnight")
    begins_at = datetime(2026, 3, 12, 20, 0, tzinfo=SHANGHAI)
    at_ms, pricer = change.prices_from(begins_at, SHANGHAI)["xinchang-kerb"]
    assert at_ms == datetime(2026, 3, 13, tzinfo=SHANGHAI).timestamp() * 1000
    assert pricer == "xinchang-kerb-dearer"
    assert b'"price_fen": 400' in notice_of(change.prices[0])


@pytest.mark.parametrize(
    ("text", "line", "meant"),
    [
        ("fautls: {}\n", 3, "'faults'"),
        ("faults:\n  lost: 1%\n  stuk: {share: 1%}\n", 5, "'stuck'"),
        ("faults:\n  stuck: {shar: 1%}\n", 4, "'share'"),
        ("begins: saterday 10:00\n", 3, "'saturday'"),
        ("begins: saturday 25:00\n", 3, "07:30"),
        ("speed: fast\n", 3, "a number from"),
        ("history: 6 hours\n", 3, "6h"),
        ("arrivals:\n  scenik: 2\n", 4, "'scenic'"),
        ("paying:\n  befor-leaving: 100%\n", 4, "'before-leaving'"),
        ("paying:\n  never: 30%\n", 4, "not 100%"),
        ("faults:\n  lost: 120%\n", 4, "no share"),
        ("faults:\n  lost: 60%\n  late: 60%\n", 4, "together at most 1"),
        ("faults:\n  power-cut: {share: 10%, between: '22:00-20:00'}\n", 4, "the earlier first"),
        ("provider:\n  - {from: '12:00', until: '13:00', rules: [{on: '*', do: dwon}]}\n", 4, "'down'"),
        ("provider:\n  - {from: '13:00', until: '12:00', rules: []}\n", 4, "before it begins"),
        ("prices:\n  - {of: xinchang-kerb, become: xinchang-kerb-deerer}\n", 4, "'xinchang-kerb-dearer'"),
        ("seed: 1\nseed: 2\n", 4, "there twice"),
        ("faults: [\n", 4, "node"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_nearest_word(
    tmp_path: Path, text: str, line: int, meant: str
) -> None:
    with pytest.raises(ScenarioInvalidError, match=f"mine.yaml, line {line}: .*{meant}"):
        read(tmp_path, text)


def test_a_scenario_without_a_name_or_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    for text, why in (("zh: 甲\n", "'en' is missing"), ("", "is empty"), ("- a\n", "here belong")):
        path.write_text(text)
        with pytest.raises(ScenarioInvalidError, match=why):
            load_scenario(path)


def test_an_unknown_scenario_names_the_nearest() -> None:
    with pytest.raises(InvalidError, match="did you mean storm-night"):
        load_scenario("storm-nite")


@pytest.mark.parametrize(
    "spell", [{"share": 1.5}, {"share": 0.1, "lasts_ms": 1}, {"share": 0.1, "between": (600, 600)}]
)
def test_impossible_spells_are_refused(spell: dict[str, float]) -> None:
    with pytest.raises(InvalidError):
        Spell(**spell)  # type: ignore[arg-type]  # impossible on purpose


def test_a_faultless_day_tells_nothing_in_the_header() -> None:
    assert Faults(repeat=0.01).told() == {}

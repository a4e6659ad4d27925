"""The second answer of what a stay costs, by the examples the notice is explained with."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from core.clock import milliseconds
from simulator.slow_pricer import slow_fee, walk_xinchang_kerb, walk_xinchang_scenic

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("entered", "left", "fee_fen"),
    [
        ("2026-03-10T07:00:40", "2026-03-10T08:01:10", 300),
        ("2026-03-10T06:31:00", "2026-03-10T08:30:00", 300),
        ("2026-03-10T20:45:00", "2026-03-11T07:45:00", 0),
        ("2026-03-10T20:30:00", "2026-03-11T08:00:00", 300),
        ("2026-03-10T09:00:00", "2026-03-10T10:15:00", 600),
        ("2026-03-10T20:00:00", "2026-03-13T08:00:00", 8700),
    ],
)
def test_the_worked_examples(entered: str, left: str, fee_fen: int) -> None:
    assert walk_xinchang_kerb(ms(entered), ms(left), SHANGHAI) == fee_fen


@pytest.mark.parametrize(
    ("left", "fee_fen"),
    [
        ("09:30:00.000", 0),
        ("09:30:59.999", 0),
        ("09:31:00.000", 300),
        ("10:00:00.000", 300),
        ("10:00:59.999", 300),
        ("10:01:00.000", 600),
    ],
)
def test_a_minute_counts_when_it_is_over(left: str, fee_fen: int) -> None:
    assert walk_xinchang_kerb(ms("2026-03-10T09:00:00"), ms(f"2026-03-10T{left}"), SHANGHAI) == fee_fen


def test_parts_of_minutes_on_both_sides_of_a_night_are_added_up() -> None:
    entered, left = ms("2026-03-10T20:44:30"), ms("2026-03-11T07:44:29.999")
    assert walk_xinchang_kerb(entered, left, SHANGHAI) == 0
    assert walk_xinchang_kerb(entered, ms("2026-03-11T07:45:30"), SHANGHAI) == 300


def test_a_zone_with_daylight_saving_is_walked_by_its_own_clocks() -> None:
    """On 29 March 2026 Berlin has no hour from two to three; the charged day is as long as ever."""
    berlin = ZoneInfo("Europe/Berlin")
    entered = milliseconds(datetime(2026, 3, 28, 20, 30, tzinfo=berlin))
    assert walk_xinchang_kerb(entered, milliseconds(datetime(2026, 3, 29, 8, 0, tzinfo=berlin)), berlin) == 300


@pytest.mark.parametrize(
    ("entered", "left", "fee_fen"),
    [
        ("2026-03-10T10:00:00", "2026-03-10T10:30:59", 0),
        ("2026-03-10T10:00:00", "2026-03-10T10:31:00", 1000),
        ("2026-03-10T23:40:00", "2026-03-11T00:10:00", 0),
        ("2026-03-10T23:00:00", "2026-03-11T00:00:00", 1000),
        ("2026-03-10T23:00:00", "2026-03-11T00:00:59", 1000),
        ("2026-03-10T23:00:00", "2026-03-11T00:01:00", 2000),
        ("2026-03-10T10:00:00", "2026-03-13T09:00:00", 4000),
    ],
)
def test_the_scenic_area_is_paid_by_the_day(entered: str, left: str, fee_fen: int) -> None:
    assert walk_xinchang_scenic(ms(entered), ms(left), SHANGHAI) == fee_fen


def test_unknown_words_have_no_fee() -> None:
    assert slow_fee("somewhere-else", 0, 1, SHANGHAI) is None
    assert slow_fee(None, 0, 1, SHANGHAI) is None


def ms(local: str) -> int:
    return milliseconds(datetime.fromisoformat(local).replace(tzinfo=SHANGHAI))

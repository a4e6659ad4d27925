"""Clocks: a setting's text and back, and one that rushes through some hours before its ordinary pace."""

import time

import pytest

from core.clock import RealClock, RushingClock, VirtualClock, began_ms, parse_clock
from core.errors import InvalidError

HOUR_MS = 3_600_000


def rushing(*, since_s: float, lasts_s: float = 30) -> RushingClock:
    """One that began so long ago at instant 0, rushes through an hour and then goes at the ordinary pace."""
    began = time.time_ns() // 1_000_000 - int(since_s * 1_000)
    speed = HOUR_MS / (lasts_s * 1_000)
    rush = VirtualClock(real_start_ms=began, virtual_start_ms=0, speed=speed)
    then = VirtualClock(real_start_ms=began + int(lasts_s * 1_000), virtual_start_ms=HOUR_MS, speed=1)
    return RushingClock(rush=rush, then=then)


@pytest.mark.parametrize("text", ["", "1000/2000/60", "1000/2000/2.5", "1000/2000/60,2000/62000/1"])
def test_a_clock_says_the_setting_it_came_from(text: str) -> None:
    assert str(parse_clock(text)) == text


@pytest.mark.parametrize("text", ["now", "1/2", "1/2/0", "1/2/3,", "1/2/3,4/5/6,7/8/9"])
def test_what_is_no_clock_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        parse_clock(text)


def test_a_clock_that_would_jump_is_refused() -> None:
    with pytest.raises(InvalidError, match="which is 62000"):
        parse_clock("1000/2000/60,2000/999000/1")


def test_it_rushes_first_and_goes_at_its_own_pace_afterwards() -> None:
    early, late = rushing(since_s=-3_600), rushing(since_s=7_200)
    assert early.speed == 120
    assert early.now_ms() < HOUR_MS
    assert late.speed == 1
    assert HOUR_MS + 7_000_000 < late.now_ms() < HOUR_MS + 7_200_000
    assert parse_clock(str(late)) == late


def test_where_a_clock_began_is_known_while_it_runs() -> None:
    assert began_ms(rushing(since_s=7_200)) == 0
    assert began_ms(parse_clock("1000/2000/60")) == 2_000
    assert began_ms(RealClock()) > HOUR_MS

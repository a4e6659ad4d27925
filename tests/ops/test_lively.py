"""Whenever a demo is started, its county is at work."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core.clock import RushingClock, VirtualClock, instant
from ops.lively import RUSH, RUSH_SPEED, lively_clock, lively_moment

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("now", "lively"),
    [
        ("2026-03-10 14:20", "2026-03-10 14:20"),  # a Tuesday at work
        ("2026-03-10 03:00", "2026-03-09 10:30"),  # at night
        ("2026-03-10 23:10", "2026-03-10 10:30"),
        ("2026-03-15 12:00", "2026-03-13 10:30"),  # a Sunday
        ("2026-03-16 08:59", "2026-03-13 10:30"),  # Monday before work
        ("2026-10-05 11:00", "2026-09-30 10:30"),  # the national holiday
    ],
)
def test_the_lively_moment_is_the_present_or_the_last_working_days(now: str, lively: str) -> None:
    moment = lively_moment(datetime.fromisoformat(now).replace(tzinfo=SHANGHAI), SHANGHAI)
    assert moment == datetime.fromisoformat(lively).replace(tzinfo=SHANGHAI)


def test_a_demo_rushes_through_the_hours_before_and_ends_in_the_present() -> None:
    now = datetime(2026, 3, 10, 6, 20, tzinfo=UTC)
    clock = lively_clock(now, SHANGHAI, speed=1)
    assert isinstance(clock, RushingClock)
    assert clock.then.real_start_ms == clock.then.virtual_start_ms
    assert clock.then.speed == 1
    assert instant(clock.then.real_start_ms) == now + RUSH / RUSH_SPEED
    assert instant(clock.rush.virtual_start_ms) == now + RUSH / RUSH_SPEED - RUSH


def test_one_that_is_as_fast_as_the_rush_has_none() -> None:
    clock = lively_clock(datetime(2026, 3, 10, 6, 20, tzinfo=UTC), SHANGHAI, speed=RUSH_SPEED)
    assert isinstance(clock, VirtualClock)

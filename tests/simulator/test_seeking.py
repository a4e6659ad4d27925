"""People who look for a space: they go where the map ranks best and says that there is room, at their rate."""

from typing import Any

import pytest

from simulator.drivers.seeking import HOUR_MS, LONGEST_MINUTES, SHORTEST_MINUTES, Wish, chosen, wishes

PLACES = [(120.9, 29.5), (120.91, 29.51)]


def lot(code: str, *, rank: int, available: int | None = 3, is_open: bool = True) -> dict[str, Any]:
    return {"properties": {"code": code, "rank": rank, "available": available, "open_on_arrival": is_open}}


def test_the_best_lot_with_room_comes_first() -> None:
    answer = {
        "features": [
            lot("FAR", rank=4),
            lot("FULL", rank=1, available=0),
            lot("NEAR", rank=3),
            lot("SHUT", rank=2, is_open=False),
            lot("UNKNOWN", rank=5, available=None),
        ]
    }
    assert chosen(answer) == ["NEAR", "FAR"]


def test_nobody_drives_to_more_than_three() -> None:
    assert chosen({"features": [lot(str(rank), rank=rank) for rank in range(1, 9)]}) == ["1", "2", "3"]


def some(count: int, *, an_hour: float = 20) -> list[Wish]:
    found: list[Wish] = []
    for nth in range(count):
        since_ms = found[-1].at_ms if found else 0
        found.append(wishes(PLACES, an_hour=an_hour, seed=1, nth=nth, since_ms=since_ms))
    return found


def test_wishes_come_at_their_rate_and_are_the_same_again() -> None:
    assert some(400) == some(400)
    assert some(400)[-1].at_ms / HOUR_MS == pytest.approx(400 / 20, rel=0.2)
    assert {one.near for one in some(400)} == set(PLACES)
    assert all(SHORTEST_MINUTES <= one.minutes <= LONGEST_MINUTES for one in some(400))

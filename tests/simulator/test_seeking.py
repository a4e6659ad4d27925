"""People who choose by the map: they go where it ranks best and says that there is room, near where others go."""

from typing import Any

import pytest

from simulator.drivers.seeking import LONGEST_MINUTES, SHORTEST_MINUTES, Wish, chosen, wish_beside

NEAR = (120.9, 29.5)


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


def some(*, share: float) -> list[Wish]:
    found = [wish_beside("KL-017", NEAR, at_ms, share=share, seed=1) for at_ms in range(0, 4_000_000, 1_000)]
    return [one for one in found if one is not None]


def test_so_many_wish_as_the_share_says_and_they_are_the_same_again() -> None:
    assert some(share=0.05) == some(share=0.05)
    assert len(some(share=0.05)) == pytest.approx(200, rel=0.2)
    assert some(share=0) == []
    assert all(SHORTEST_MINUTES <= one.minutes <= LONGEST_MINUTES for one in some(share=0.05))
    assert len({one.visit for one in some(share=0.05)}) == len(some(share=0.05)), "each visit has a name of its own"

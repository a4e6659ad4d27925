"""What drivers see of the street: which spaces vehicles came to and left. Pure."""

import heapq
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import Final

from simulator.dice import Dice, key_of
from simulator.drivers.habits import MINUTE_MS, ON_THE_SPOT, SHARES, Driver, Habit, driver_of

SPREAD_MS: Final = 20 * MINUTE_MS
"""Over so long the drivers who were there before us come to pay, on the city's clock."""

MANY: Final = 0.05
"""A share of all spaces that no real minute fills: so many arrivals at once came in the hours before."""


class Streets:
    """Turns pictures of the whole city into visits, in the order in which they are due."""

    def __init__(self, *, seed: int, shares: Mapping[Habit, float] = SHARES) -> None:
        self._seed = seed
        self._shares = shares
        self._states: dict[str, str] = {}
        self._arrived: dict[str, int] = {}
        self._due: list[tuple[int, int, str, Driver]] = []
        self._nth = count()

    @property
    def states(self) -> Mapping[str, str]:
        """The letter of each space in the last picture."""
        return self._states

    def look(self, spaces: Sequence[str], states: str, now_ms: int, guests: Collection[str] = frozenset()) -> list[str]:
        """Take in a picture; to which spaces somebody has just come.

        Args:
            spaces: their codes.
            states: one letter each, in this order.
            now_ms: of the picture.
            guests: where it is nobody of ours, who pays for himself.
        """
        seen: Mapping[str, str] = dict(zip(spaces, states, strict=True))
        arrived = [space for space, state in seen.items() if state == "o" and self._states.get(space) != "o"]
        were_there_before = len(arrived) > MANY * len(seen)
        for space in arrived:
            if space in guests:
                self._arrived.pop(space, None)
                continue
            self._arrive(space, now_ms, was_there_before=were_there_before)
        for space, state in seen.items():
            if state == "f" and self._states.get(space) == "o":
                self._leave(space, now_ms)
        self._states.update(seen)
        return [] if were_there_before else arrived

    def driver_on(self, space: str) -> Driver | None:
        """Whose vehicle stands there; None where none was seen to come."""
        arrived_ms = self._arrived.get(space)
        return None if arrived_ms is None else driver_of(space, arrived_ms, seed=self._seed, shares=self._shares)

    def next_due(self, now_ms: int) -> tuple[str, Driver] | None:
        """Who goes to pay now, if anybody's time has come."""
        if not self._due or self._due[0][0] > now_ms:
            return None
        *_, space, driver = heapq.heappop(self._due)
        return space, driver

    def _arrive(self, space: str, now_ms: int, *, was_there_before: bool) -> None:
        self._arrived[space] = now_ms
        driver = driver_of(space, now_ms, seed=self._seed, shares=self._shares)
        if driver.habit in ON_THE_SPOT:
            wait_ms = driver.wait_ms
            if was_there_before:
                wait_ms = int(Dice(key_of(self._seed, "before", space)).uniform() * SPREAD_MS)
            self._push(now_ms + wait_ms, space, driver)

    def _leave(self, space: str, now_ms: int) -> None:
        arrived_ms = self._arrived.pop(space, None)
        if arrived_ms is None:
            return
        driver = driver_of(space, arrived_ms, seed=self._seed, shares=self._shares)
        if driver.habit is Habit.AFTERWARDS:
            self._push(now_ms + driver.wait_ms, space, driver)

    def _push(self, at_ms: int, space: str, driver: Driver) -> None:
        heapq.heappush(self._due, (at_ms, next(self._nth), space, driver))

"""The city as it is now, kept current in place: letters, counts, silence, trend. Pure but for being mutable.

Work grows with what changes and never with the size of the city: silence is found by a heap of deadlines.
"""

import heapq
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from api.live_city.picture import CLOSED, FREE, LETTERS, OCCUPIED, UNKNOWN, LotNow, Picture, Trend
from api.live_city.registry import COUNT_LIMIT_MS, LotEntry, Opening, Registry
from core.clock import instant

TREND_MS: Final = 15 * 60_000
TREND_SHARE: Final = 0.05
"""A lot fills or empties when the net change of a quarter of an hour is at least this share of its capacity."""
NEVER: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceReport:
    """What the tables say of a space."""

    space_id: int
    occupancy: int
    """A letter: free, occupied or unknown."""
    heard_ms: int | None
    changed_ms: int | None = None
    """When it changed last, by its sensor: a backlog tells of changes long past, which are no trend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountReport:
    """What the tables say of a counter or feed lot."""

    lot_id: int
    occupied: int
    heard_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """A vehicle came (+1) or went (-1): what the trend of a lot is made of."""

    lot_id: int
    at_ms: int
    step: int


class LiveCity:
    """Letters of all spaces and counts of all lots, for one registry at a time."""

    def __init__(self) -> None:
        """An empty city; ``rebuild`` fills it."""
        self._lay_out(Registry())

    def rebuild(self, registry: Registry, reports: Iterable[SpaceReport], now_ms: int) -> None:
        """Begin again with another registry and what the tables say of all its spaces."""
        self._lay_out(registry)
        self.take(reports, now_ms)

    def take(self, reports: Iterable[SpaceReport], now_ms: int) -> None:
        """Take in what the tables say of some spaces, in any order and repeated as often as you like."""
        for report in reports:
            n = self.registry.position_of.get(report.space_id)
            if n is None:
                continue  # retired, or newer than our registry: the reload that brings it is on its way
            if report.heard_ms is not None and report.heard_ms > self._heard[n]:
                self._heard[n] = report.heard_ms
                lot = self.registry.spaces[n].lot
                self._lot_heard[lot] = max(self._lot_heard[lot], report.heard_ms)
            self._said[n] = report.occupancy
            self._settle(n, now_ms, report.changed_ms or now_ms)

    def count(self, reports: Iterable[CountReport], now_ms: int) -> None:
        """Take in the newest counts of lots that only count."""
        for report in reports:
            index = self.registry.lot_index.get(report.lot_id)
            if index is None or not self.registry.lots[index].estimated:
                continue
            before = self._counted.get(index)
            self._counted[index] = report
            self._lot_heard[index] = report.heard_ms
            if before is None or report.occupied == before.occupied:
                continue
            if report.heard_ms - before.heard_ms <= TREND_MS:  # else nobody knows when they came
                self._turn(index, now_ms, report.occupied - before.occupied)

    def counted_turnover(self) -> list[Turnover]:
        """What the trends of lots that only count are made of: no table keeps it."""
        return [
            Turnover(lot_id=lot.id, at_ms=at_ms, step=step)
            for lot, turns in zip(self.registry.lots, self._turns, strict=True)
            if lot.estimated
            for at_ms, step in turns
        ]

    def remember(self, turnover: Iterable[Turnover]) -> None:
        """Begin the trend with what happened before this process was there."""
        for turn in turnover:
            index = self.registry.lot_index.get(turn.lot_id)
            if index is not None:
                self._turn(index, turn.at_ms, turn.step)

    def age(self, now_ms: int) -> None:
        """Let time pass: spaces not heard for longer than their limit become unknown."""
        while self._deadlines and self._deadlines[0][0] < now_ms:
            _, n = heapq.heappop(self._deadlines)
            self._awaited[n] = 0
            self._settle(n, now_ms, now_ms)

    def picture(self, version: int, now_ms: int, hour_fen: dict[str, int]) -> Picture:
        """What everybody is shown of this instant; ``hour_fen`` is the price of an hour by tariff code."""
        lots = tuple(self._lot_now(index, lot, now_ms, hour_fen) for index, lot in enumerate(self.registry.lots))
        return Picture(version=version, at_ms=now_ms, registry=self.registry, letters=bytes(self._letters), lots=lots)

    def last_heard_ms(self) -> int | None:
        """When anything at all was last received from the street."""
        return max(self._lot_heard, default=NEVER) or None

    def _lay_out(self, registry: Registry) -> None:
        spaces, lots = len(registry.spaces), len(registry.lots)
        self.registry = registry
        self._said = bytearray([UNKNOWN]) * spaces
        self._heard = array("q", [NEVER]) * spaces
        self._awaited = bytearray(spaces)
        self._deadlines: list[tuple[int, int]] = []
        self._letters = bytearray(CLOSED if space.closed else UNKNOWN for space in registry.spaces)
        self._tallies = [dict.fromkeys(LETTERS, 0) for _ in range(lots)]
        for space, letter in zip(registry.spaces, self._letters, strict=True):
            self._tallies[space.lot][letter] += 1
        self._lot_heard = [NEVER] * lots
        self._counted: dict[int, CountReport] = {}
        self._turns: list[list[tuple[int, int]]] = [[] for _ in range(lots)]
        self._openings = [Opening(lot) for lot in registry.lots]

    def _settle(self, n: int, now_ms: int, changed_ms: int) -> None:
        space = self.registry.spaces[n]
        heard, limit = self._heard[n], space.limit_ms
        if space.closed:
            letter = CLOSED
        elif limit is None or heard == NEVER or now_ms - heard > limit:
            letter = UNKNOWN
        else:
            letter = self._said[n]
            if not self._awaited[n]:
                self._awaited[n] = 1
                heapq.heappush(self._deadlines, (heard + limit, n))
        before = self._letters[n]
        if letter == before:
            return
        self._letters[n] = letter
        tally = self._tallies[space.lot]
        tally[before] -= 1
        tally[letter] += 1
        if {before, letter} == {FREE, OCCUPIED}:
            self._turn(space.lot, changed_ms, 1 if letter == OCCUPIED else -1)

    def _turn(self, lot: int, at_ms: int, step: int) -> None:
        heapq.heappush(self._turns[lot], (at_ms, step))

    def _lot_now(self, index: int, lot: LotEntry, now_ms: int, hour_fen: dict[str, int]) -> LotNow:
        free, occupied, unknown, closed = self._counts(index, lot, now_ms)
        return LotNow(
            free=free,
            occupied=occupied,
            unknown=unknown,
            closed=closed,
            open_now=self._openings[index].open_at(instant(now_ms)),
            heard_ms=self._lot_heard[index] or None,
            trend=self._trend(index, lot, now_ms) if free + occupied else None,
            hour_fen=hour_fen.get(lot.tariff) if lot.tariff else None,
        )

    def _counts(self, index: int, lot: LotEntry, now_ms: int) -> tuple[int, int, int, int]:
        if not lot.estimated:
            tally = self._tallies[index]
            return tally[FREE], tally[OCCUPIED], tally[UNKNOWN], tally[CLOSED]
        report = self._counted.get(index)
        if report is None or now_ms - report.heard_ms > COUNT_LIMIT_MS:
            return 0, 0, lot.capacity, 0
        occupied = min(report.occupied, lot.capacity)  # a counter drifts; nobody is shown less than nothing free
        return lot.capacity - occupied, occupied, 0, 0

    def _trend(self, index: int, lot: LotEntry, now_ms: int) -> Trend:
        turns = self._turns[index]
        while turns and turns[0][0] <= now_ms - TREND_MS:
            heapq.heappop(turns)
        net = sum(step for _, step in turns)
        if abs(net) < max(1.0, TREND_SHARE * lot.capacity):
            return "steady"
        return "filling" if net > 0 else "emptying"

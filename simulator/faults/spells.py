"""When a lasting fault takes hold of whom: drawn anew for each local day, by seed alone. Pure."""

import heapq
from collections.abc import Sequence
from typing import Final, NamedTuple

from simulator.dice import Dice, key_of, mixed
from simulator.faults.description import OF_LOTS, OF_SENSORS, Fault, Faults, Spell

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_MORNING_MS: Final = 8 * 3_600_000
"""When somebody brings a new battery."""
_LEAST_SILENCE_MS: Final = 3 * 3_600_000


class Turn(NamedTuple):
    """A spell begins or ends."""

    at_ms: int
    order: int
    fault: Fault
    subject: int | str
    """A sensor's number or a lot's code."""
    begins: bool
    until_ms: int


class _Held(NamedTuple):
    since_ms: int
    until_ms: int


class Spells:
    """Who is under which spell, as time goes on."""

    def __init__(self, faults: Faults, *, count: int, lots: Sequence[str], seed: int, zone_ms: int) -> None:
        self._faults = faults
        self._count = count
        self._lots = lots
        self._seed = seed
        self._zone_ms = zone_ms
        self._turns: list[Turn] = []
        self._order = 0
        self._held: dict[Fault, dict[int | str, _Held]] = {fault: {} for fault in (*OF_LOTS, *OF_SENSORS)}
        self._dead: dict[int, int] = {}
        self._day: int | None = None

    def next_ms(self, before_ms: int) -> int:
        """When the next turn comes, as far as it may come before an instant."""
        day = (before_ms + self._zone_ms) // _DAY_MS
        if self._day is None or self._day < day:
            first = day if self._day is None else self._day + 1
            for each in range(first, day + 1):
                self._draw_day(each)
            self._day = day
        return self._turns[0].at_ms if self._turns else before_ms

    def turn(self) -> Turn | None:
        """The next begin or end, which is in force from now on; None for one that turns nothing."""
        turn = heapq.heappop(self._turns)
        held = self._held[turn.fault]
        before = held.get(turn.subject)
        if turn.begins:
            if turn.fault is Fault.DYING_BATTERY and turn.subject in self._dead:
                return None
            until_ms = turn.until_ms if before is None else max(before.until_ms, turn.until_ms)
            held[turn.subject] = _Held(turn.at_ms, until_ms)
            self._push(turn.until_ms, turn.fault, turn.subject, begins=False, until_ms=turn.until_ms)
            return turn
        if turn.fault is Fault.DYING_BATTERY and isinstance(turn.subject, int) and turn.subject in self._dead:
            return self._rise(turn, turn.subject)
        if before is None or before.until_ms > turn.at_ms:
            return None  # a later spell puts the end off
        if turn.fault is Fault.DYING_BATTERY and isinstance(turn.subject, int):
            self._die(turn, turn.subject)
            return None
        del held[turn.subject]
        return turn

    def holds(self, fault: Fault, subject: int | str) -> int:
        """Until when a fault has hold of a sensor or lot; 0 when it has not."""
        held = self._held[fault].get(subject)
        return 0 if held is None else held.until_ms

    def is_dead(self, number: int) -> bool:
        """Whether a sensor waits for a new battery."""
        return number in self._dead

    def progress(self, fault: Fault, number: int, at_ms: int) -> float:
        """How far a spell has come, from 0 to 1."""
        held = self._held[fault].get(number)
        if held is None:
            return 0.0
        return min(1.0, (at_ms - held.since_ms) / max(1, held.until_ms - held.since_ms))

    def drift_ms(self, number: int, at_ms: int) -> int:
        """How far a sensor's clock is off: more the longer nobody set it right, never further than is described."""
        held = self._held[Fault.DRIFTING_CLOCK].get(number)
        if held is None:
            return 0
        most = (
            Dice(key_of(self._seed, "drift", number, held.since_ms)).uniform() * 2 - 1
        ) * self._faults.drift_up_to_ms
        return int(most * self.progress(Fault.DRIFTING_CLOCK, number, at_ms))

    def _die(self, turn: Turn, number: int) -> None:
        """The end of a battery's fading is the begin of silence, which ends on the next morning but a few hours."""
        local_ms = turn.at_ms + self._zone_ms + _LEAST_SILENCE_MS
        morning_ms = local_ms - (local_ms - _MORNING_MS) % _DAY_MS + _DAY_MS - self._zone_ms
        self._dead[number] = morning_ms
        self._push(morning_ms, Fault.DYING_BATTERY, number, begins=False, until_ms=morning_ms)

    def _rise(self, turn: Turn, number: int) -> Turn | None:
        """A new battery, if this is when it comes."""
        if turn.at_ms < self._dead[number]:
            return None
        del self._dead[number]
        self._held[Fault.DYING_BATTERY].pop(number, None)
        return turn

    def _draw_day(self, day: int) -> None:
        for fault in (*OF_LOTS, *OF_SENSORS):
            spell = self._faults.spell(fault)
            if spell is None:
                continue
            key = key_of(self._seed, fault.value, day)
            subjects: Sequence[int | str] = self._lots if fault in OF_LOTS else range(self._count)
            for place, subject in enumerate(subjects):
                self._draw(fault, spell, subject, day, Dice(mixed(key, place)))

    def _draw(self, fault: Fault, spell: Spell, subject: int | str, day: int, dice: Dice) -> None:
        if dice.uniform() >= spell.share:
            return
        earliest, latest = spell.between
        minute = earliest + dice.uniform() * (latest - earliest)
        begins_ms = day * _DAY_MS - self._zone_ms + int(minute * _MINUTE_MS)
        self._push(begins_ms, fault, subject, begins=True, until_ms=begins_ms + spell.lasts_ms)

    def _push(self, at_ms: int, fault: Fault, subject: int | str, *, begins: bool, until_ms: int) -> None:
        self._order += 1
        heapq.heappush(self._turns, Turn(at_ms, self._order, fault, subject, begins, until_ms))

"""What happens in a simulated county: an endless stream of sensor messages in order of time. Pure.

Each space lives by itself: it waits for a vehicle by its rhythm, is occupied as long as the vehicle stays, is free for
a while, and so on. Its life is cut into episodes of three days at an instant of its own; what happens in an episode is
a function of seed, space and episode alone. So the same seed and city make the same stays whenever a run begins or
begins again, and a run that begins in the middle of the day finds the vehicles of the night before.
"""

import heapq
import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import msgspec

from core.clock import instant
from core.occupancy import Kind
from simulator.dice import Dice, key_of
from simulator.rhythms import HOURS_OF_WEEK
from simulator.sensors import SensedCity, Watched

FIRST_BOOT = 1
"""What a sensor that has never restarted says of its restarts."""

_HOUR_MS = 3_600_000
_EPISODE_MS = 72 * _HOUR_MS
_LONGEST_STAY_MS = 60 * _HOUR_MS
_THURSDAY_HOURS = 72
"""1970 began on a Thursday; weeks are counted from Monday."""
_BOOT_SPREAD_MS = 30_000
_BOOT_BEFORE_STAY_MS = 30_000


class Event(msgspec.Struct, frozen=True, gc=False):
    """One message a sensor has reason to send, at the exact millisecond of the reason."""

    at_ms: int
    number: int
    """Of the sensor, in ``SensedCity.watched``."""
    seq: int
    kind: Kind
    occupied: bool
    entered_ms: int | None
    """When the stay began that this message belongs to: the present one, or the one that ends with it."""
    before_ms: int = 0
    """For a change: how long it was the other way before."""


def events(
    city: SensedCity, *, seed: int, begins_ms: int, zone: ZoneInfo, weekdays: Mapping[int, int] = MappingProxyType({})
) -> Iterator[Event]:
    """Everything from ``begins_ms`` on, oldest first, without end; ties in the order of the sensors.

    A space that is occupied at ``begins_ms`` begins earlier, just before that vehicle came, so that no stay of the
    stream has an unknown begin. Memory is a few hundred bytes a space.

    Args:
        city: where.
        seed: another one is another life.
        begins_ms: from when on.
        zone: whose hours people live by.
        weekdays: local days (counted from 1970) that are lived as another weekday, Monday 0: holidays as Sundays.
    """
    lives = [
        _Life(watched, number, seed=seed, begins_ms=begins_ms, zone=zone, weekdays=weekdays)
        for number, watched in enumerate(city.watched)
    ]
    heap = [(life.next_ms, life.number) for life in lives]
    heapq.heapify(heap)
    while heap:
        life = lives[heap[0][1]]
        event = life.step()
        heapq.heapreplace(heap, (life.next_ms, life.number))
        yield event


class _Life:
    """One space and its sensor: what happens next, and when."""

    __slots__ = (
        "_changed_ms", "_dice", "_episode", "_episode_end_ms", "_first_episode_ms", "_heartbeat_ms", "_key",
        "_leaves_ms", "_occupied", "_seq", "_since_ms", "_turns_ms", "_watched", "_weekdays", "_zone", "_zone_ms",
        "next_ms", "number",
    )  # fmt: skip

    def __init__(
        self,
        watched: Watched,
        number: int,
        *,
        seed: int,
        begins_ms: int,
        zone: ZoneInfo,
        weekdays: Mapping[int, int],
    ) -> None:
        self.number = number
        self._weekdays = weekdays
        self._watched = watched
        self._zone = zone
        self._key = key_of(seed, watched.space)
        dice = Dice(self._key)
        quiet_ms = int((watched.rhythm.quiet_hour + dice.uniform()) * _HOUR_MS) - _offset_ms(zone, 0)
        self._first_episode_ms = quiet_ms + int(dice.uniform() * 3) * 24 * _HOUR_MS
        phase_ms = int(dice.uniform() * watched.heartbeat_ms)
        boots_ms = max(begins_ms, watched.installed_ms or begins_ms) + int(dice.uniform() * _BOOT_SPREAD_MS)

        self._seq = 0
        self._occupied = False
        self._turns_ms = self._leaves_ms = 0
        self._since_ms: int | None = None
        self._begin_episode((boots_ms - self._first_episode_ms) // _EPISODE_MS)
        self._draw_stay(self._episode_end_ms - _EPISODE_MS)
        while self._leaves_ms <= boots_ms:
            self._draw_stay(self._leaves_ms + watched.shortest_gap_ms)
        if self._turns_ms <= boots_ms:
            if watched.installed_ms is not None and watched.installed_ms > begins_ms:
                self._draw_stay(self._leaves_ms + watched.shortest_gap_ms)  # a sensor is glued to an empty space
            else:
                boots_ms = self._turns_ms - _BOOT_BEFORE_STAY_MS
        self._heartbeat_ms = boots_ms + watched.heartbeat_ms - (boots_ms - phase_ms) % watched.heartbeat_ms
        self.next_ms = self._changed_ms = boots_ms

    def step(self) -> Event:
        """The message due at ``next_ms``; afterwards ``next_ms`` is that of the one after it."""
        at_ms = self.next_ms
        since_ms = self._since_ms
        before_ms = 0
        if at_ms == self._turns_ms:
            kind = Kind.CHANGE
            before_ms = at_ms - self._changed_ms
            self._changed_ms = at_ms
            if self._occupied:
                self._occupied, self._since_ms = False, None
                self._draw_stay(at_ms + self._watched.shortest_gap_ms)
            else:
                self._occupied, self._since_ms = True, at_ms
                since_ms = at_ms
                self._turns_ms = self._leaves_ms
            if self._heartbeat_ms == at_ms:
                self._heartbeat_ms += self._watched.heartbeat_ms
        elif self._seq == 0:
            kind = Kind.BOOT
        else:
            kind = Kind.HEARTBEAT
            self._heartbeat_ms += self._watched.heartbeat_ms
        self._seq += 1
        self.next_ms = min(self._turns_ms, self._heartbeat_ms)
        return Event(at_ms, self.number, self._seq, kind, self._occupied, since_ms, before_ms)

    def _begin_episode(self, episode: int) -> None:
        self._episode = episode
        begin_ms = self._first_episode_ms + episode * _EPISODE_MS
        self._episode_end_ms = begin_ms + _EPISODE_MS
        self._zone_ms = _offset_ms(self._zone, begin_ms)
        self._dice = Dice(key_of(self._key, episode))

    def _draw_stay(self, free_ms: int) -> None:
        """The next stay that begins at ``free_ms`` or later: from ``_turns_ms`` to ``_leaves_ms``."""
        watched = self._watched
        while True:
            last_ms = self._episode_end_ms - watched.shortest_gap_ms
            arrives_ms = self._draw_arrival(free_ms)
            if arrives_ms <= last_ms - watched.shortest_stay_ms:
                length_ms = max(watched.shortest_stay_ms, min(_LONGEST_STAY_MS, self._draw_length(arrives_ms)))
                self._turns_ms = arrives_ms
                self._leaves_ms = min(arrives_ms + length_ms, last_ms)
                return
            free_ms = self._episode_end_ms
            self._begin_episode(self._episode + 1)

    def _draw_arrival(self, free_ms: int) -> int:
        """When the waiting ends: arrivals are a Poisson process whose rate is constant within each local hour."""
        rates, busyness = self._watched.rhythm.arrivals, self._watched.busyness
        patience = self._dice.exponential()
        at_ms = free_ms
        while at_ms < self._episode_end_ms:
            local_ms = at_ms + self._zone_ms
            rate = rates[self._hour_of_week(local_ms)] * busyness
            left_ms = _HOUR_MS - local_ms % _HOUR_MS
            used = rate * left_ms / _HOUR_MS
            if patience < used:
                return at_ms + int(patience / rate * _HOUR_MS)
            patience -= used
            at_ms += left_ms
        return at_ms

    def _hour_of_week(self, local_ms: int) -> int:
        hour = local_ms // _HOUR_MS
        weekday = self._weekdays.get(hour // 24) if self._weekdays else None
        return (hour + _THURSDAY_HOURS) % HOURS_OF_WEEK if weekday is None else weekday * 24 + hour % 24

    def _draw_length(self, arrives_ms: int) -> int:
        mixture = self._watched.rhythm.stays[(arrives_ms + self._zone_ms) // _HOUR_MS % 24]
        chance = self._dice.uniform()
        _, median_log, sigma = next((part for part in mixture if chance < part[0]), mixture[-1])
        return int(math.exp(median_log + sigma * self._dice.normal()))


def _offset_ms(zone: ZoneInfo, at_ms: int) -> int:
    offset = instant(at_ms).astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(milliseconds=1)

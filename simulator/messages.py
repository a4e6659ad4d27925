"""What a simulated sensor says of itself: its battery, its signal, its temperature. Pure."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from simulator.dice import Dice, key_of
from simulator.faults.speaking import Said
from simulator.sensors import Watched

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_YEAR_MS = 365.25 * _DAY_MS
_FULL_MV, _EMPTY_MV = 3_650, 2_600


class Vitals(NamedTuple):
    """Beside what it sees."""

    battery_mv: int
    rssi_dbm: int
    temperature_c: float

    @property
    def battery_pct(self) -> int:
        """As a network server shows it."""
        return max(0, min(100, (self.battery_mv - _EMPTY_MV) * 100 // (_FULL_MV - _EMPTY_MV)))


class Messages:
    """The vitals that go with a reading; the same reading has the same."""

    def __init__(self, watched: Sequence[Watched], *, zone_ms: int) -> None:
        """``zone_ms`` is how far local clocks are ahead of UTC: the afternoon is warm."""
        self._zone_ms = zone_ms
        self._sensors = [_character(one) for one in watched]

    def vitals(self, said: Said) -> Vitals:
        """How the sensor is when it says this."""
        battery_mv, rssi_dbm, warmth = self._sensors[said.number]
        noise = (said.at_ms * 2_654_435_761 >> 7) % 9 - 4
        celsius = _climate(said.at_ms + self._zone_ms) + warmth + noise * 0.1 - (1.5 if said.occupied else 0.0)
        return Vitals(battery_mv - said.seq // 400 - said.faded_mv, rssi_dbm + noise, round(celsius, 1))


def _character(watched: Watched) -> tuple[int, int, float]:
    """What stays with a sensor: its battery when new, how well it is heard, how sunny it lies."""
    dice = Dice(key_of("sensor", watched.sensor))
    battery_mv = 3_560 + int(dice.uniform() * 100)
    rssi_dbm = -72 - int(dice.uniform() * 38)
    return battery_mv, rssi_dbm, round(dice.normal(), 1)


def _climate(local_ms: int) -> float:
    """Degrees at an instant: warmest in the middle of July and at three in the afternoon."""
    of_year = math.cos(math.tau * (local_ms / _YEAR_MS - 0.54))
    of_day = math.cos(math.tau * (local_ms % _DAY_MS / _DAY_MS - 15 / 24))
    return 17.5 + 11.5 * of_year + 4.5 * of_day

"""A simulated sensor's messages: the event, and what such a sensor would say of itself. Pure."""

import math
from collections.abc import Sequence

from core.wire import GatewayReading, NativeReading
from simulator.dice import Dice, key_of
from simulator.sensors import Watched
from simulator.world import Event

FIRST_BOOT = 1

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_YEAR_MS = 365.25 * _DAY_MS


class Messages:
    """Turns events into what goes over the wire; the same event gives the same bytes."""

    def __init__(self, watched: Sequence[Watched], *, zone_ms: int) -> None:
        """``zone_ms`` is how far local clocks are ahead of UTC: the afternoon is warm."""
        self._zone_ms = zone_ms
        self._sensors = [_character(one) for one in watched]

    def reading(self, event: Event) -> NativeReading:
        """The message of a sensor that publishes by itself."""
        battery_mv, rssi_dbm, temperature_c = self._telemetry(event)
        return NativeReading(
            seq=event.seq,
            boot=FIRST_BOOT,
            at=event.at_ms,
            occupied=event.occupied,
            kind=event.kind,
            battery_mv=battery_mv,
            rssi_dbm=rssi_dbm,
            temperature_c=temperature_c,
        )

    def element(self, event: Event) -> GatewayReading:
        """The same as one element of a gateway's array."""
        battery_mv, rssi_dbm, temperature_c = self._telemetry(event)
        return GatewayReading(
            sensor=self._sensors[event.number][0],
            seq=event.seq,
            boot=FIRST_BOOT,
            at=event.at_ms,
            occupied=event.occupied,
            kind=event.kind,
            battery_mv=battery_mv,
            rssi_dbm=rssi_dbm,
            temperature_c=temperature_c,
        )

    def _telemetry(self, event: Event) -> tuple[int, int, float]:
        _, battery_mv, rssi_dbm, warmth = self._sensors[event.number]
        noise = (event.at_ms * 2_654_435_761 >> 7) % 9 - 4
        celsius = _climate(event.at_ms + self._zone_ms) + warmth + noise * 0.1 - (1.5 if event.occupied else 0.0)
        return battery_mv - event.seq // 400, rssi_dbm + noise, round(celsius, 1)


def _character(watched: Watched) -> tuple[str, int, int, float]:
    """What stays with a sensor: its id, its battery when new, how well it is heard, how sunny it lies."""
    dice = Dice(key_of("sensor", watched.sensor))
    battery_mv = 3_560 + int(dice.uniform() * 100)
    rssi_dbm = -72 - int(dice.uniform() * 38)
    return watched.sensor, battery_mv, rssi_dbm, round(dice.normal(), 1)


def _climate(local_ms: int) -> float:
    """Degrees at an instant: warmest in the middle of July and at three in the afternoon."""
    of_year = math.cos(math.tau * (local_ms / _YEAR_MS - 0.54))
    of_day = math.cos(math.tau * (local_ms % _DAY_MS / _DAY_MS - 15 / 24))
    return 17.5 + 11.5 * of_year + 4.5 * of_day

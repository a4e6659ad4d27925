"""What befalls nobody in particular while a county runs: strangers' messages, and storms of reconnections."""

from collections.abc import Iterator, Sequence
from typing import Final

import structlog

from core.clock import instant, rfc3339
from simulator.dice import Dice, key_of
from simulator.faults import Fault, Faults
from simulator.faults.strangers import Intrusion, intrusions
from simulator.publisher import Publisher
from simulator.sensors import Watched
from simulator.storm import crowd
from simulator.truth import FaultLine, Line, TruthFile

log = structlog.get_logger()

_DAY_MS: Final = 86_400_000


class Trouble:
    """Makes it when its time has come, and tells the truth of it."""

    def __init__(
        self,
        watched: Sequence[Watched],
        faults: Faults,
        *,
        publisher: Publisher,
        truth: TruthFile,
        seed: int,
        begins_ms: int,
    ) -> None:
        self._publisher = publisher
        self._truth = truth
        self._intrusions: Iterator[Intrusion] = intrusions(
            watched, an_hour=faults.strangers_an_hour, seed=seed, begins_ms=begins_ms
        )
        self._intrusion = next(self._intrusions, None)
        self._storms_a_day = faults.storms_a_day
        self._dice = Dice(key_of(seed, "storms", begins_ms))
        self._storm_ms: int | None = None

    def make_until(self, at_ms: int) -> None:
        """Publish what strangers try up to an instant."""
        while self._intrusion is not None and self._intrusion.at_ms <= at_ms:
            tried = self._intrusion
            self._publisher.publish(tried.message.topic, tried.message.content, settles_ms=None)
            victim = tried.victim
            self._tell(
                FaultLine(
                    Fault.STRANGERS.value,
                    rfc3339(instant(tried.at_ms)),
                    space=victim.space if victim else None,
                    sensor_id=victim.sensor if victim else None,
                    lot=victim.lot if victim else None,
                    what=tried.what,
                )
            )
            self._intrusion = next(self._intrusions, None)

    def storm_until(self, at_ms: int) -> None:
        """Break all connections if that is due; storms that were missed are one."""
        if self._storms_a_day <= 0:
            return
        if self._storm_ms is None:
            self._storm_ms = self._next_storm_ms(at_ms)
        if self._storm_ms > at_ms:
            return
        self._storm_ms = self._next_storm_ms(at_ms)
        unacknowledged = self._publisher.in_flight
        self._publisher.lose()
        log.info("storm.passed", reconnected=crowd(self._publisher.url), unacknowledged=unacknowledged)
        self._tell(FaultLine(Fault.RECONNECT_STORM.value, rfc3339(instant(at_ms))))

    def _next_storm_ms(self, at_ms: int) -> int:
        return at_ms + int(self._dice.exponential() * _DAY_MS / self._storms_a_day)

    def _tell(self, line: FaultLine) -> None:
        self._truth.write(Line(fault=line))

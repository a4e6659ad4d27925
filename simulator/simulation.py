"""A county running: what happens is written down, what its sensors would say is sent, at the pace of a clock."""

import heapq
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from core.clock import Clock, instant, rfc3339
from core.occupancy import Kind
from core.wire import parse_instant
from simulator.faults import Fault, Faults
from simulator.faults.speaking import Said, Sensors, Utterance, utterances
from simulator.fingerprint import Fingerprint, reading_hash
from simulator.outbox import Outbox
from simulator.publisher import Publisher
from simulator.sensors import SensedCity
from simulator.sent import SentReading, pack
from simulator.slow_pricer import Changes, slow_fee
from simulator.status import Status
from simulator.trouble import Trouble
from simulator.truth import Checkpoint, FaultLine, Line, StayLine, TruthFile
from simulator.voices import Choir
from simulator.world import Event, events

LONGEST_TURN_SECONDS = 0.05
REPORT_SECONDS = 1.0
FINISH_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Everything that decides what happens."""

    city: SensedCity
    seed: int
    begins_ms: int
    zone: ZoneInfo
    faults: Faults
    prices: Changes = field(default_factory=dict)
    """Tariffs that change during the run."""
    weekdays: Mapping[int, int] = field(default_factory=dict)
    """Local days that are lived as another weekday (``simulator.crowds.days_off``)."""


class _Waiting(NamedTuple):
    """A copy that is not sent yet."""

    send_ms: int
    nth: int
    is_repeat: bool
    said: Said


class Simulation:
    """One run of a course, from its begin or from where its truth file ends."""

    def __init__(
        self, course: Course, *, clock: Clock, choir: Choir, outbox: Outbox, publisher: Publisher, truth: TruthFile
    ) -> None:
        """Find the present: events that the truth has settled have happened and are not sent again."""
        self._course = course
        self._clock = clock
        self._choir = choir
        self._outbox = outbox
        self._publisher = publisher
        self._truth = truth
        self._caught_up = False
        self._delayed: list[_Waiting] = []
        self._nth = 0
        self._unsettled: list[SentReading] = []
        self._entered: dict[int, int] = {}
        self._begun = self._ended = 0

        before = truth.checkpoint or Checkpoint(complete_until=rfc3339(instant(0)))
        self._complete_ms = parse_instant(before.complete_until)
        self._before = before
        drifts = course.faults.spell(Fault.DRIFTING_CLOCK) is not None
        self._clocks_apart_ms = course.faults.drift_up_to_ms if drifts else 0
        self._readings, self._fees_fen = before.readings, before.fees_fen
        self._fingerprint = Fingerprint(before.fingerprint)
        self._repeated, self._late, self._lost = before.repeated, before.late, before.lost
        self._utterances = _utterances(course)
        self._upcoming = next(self._utterances)
        while self._upcoming.at_ms <= self._complete_ms:
            self._count_stay(self._upcoming.event)
            if self._upcoming.said and self._upcoming.send_ms:
                self._await(self._upcoming.said)
            self._upcoming = next(self._utterances)
        self._trouble = Trouble(
            course.city.watched,
            course.faults,
            publisher=publisher,
            truth=truth,
            seed=course.seed,
            begins_ms=max(course.begins_ms, self._complete_ms),
        )

        self._phase = "connecting"
        self._rate_since = (time.monotonic(), publisher.published)
        self._rate_per_s = 0.0

    def run(self, *, until: Callable[[], bool], report: Callable[[Status], None]) -> Status:
        """Go on until told to stop, then settle what is in flight; the last status."""
        next_report = 0.0
        while not until():
            self._send_what_is_due()
            self._publisher.turn(self._seconds_to_next())
            if time.monotonic() >= next_report:
                next_report = time.monotonic() + REPORT_SECONDS
                self._settle()
                self._measure_rate()
                report(self.status())
        self._finish(report)
        return self.status()

    def status(self) -> Status:
        """How it goes."""
        now_ms = self._clock.now_ms()
        return Status(
            phase=self._phase,
            connected=self._publisher.connected,
            at=rfc3339(instant(now_ms)),
            complete_until=rfc3339(instant(self._complete_ms)) if self._complete_ms else None,
            behind_seconds=round(max(0, now_ms - self._next_ms()) / 1_000, 1),
            sensors=len(self._course.city.watched),
            occupied=len(self._entered),
            stays_begun=self._begun,
            stays_ended=self._ended,
            fees_fen=self._fees_fen,
            published=self._before.published + self._publisher.published,
            acknowledged=self._before.acknowledged + self._publisher.acknowledged,
            in_flight=self._publisher.in_flight,
            delayed=len(self._delayed),
            repeated=self._repeated,
            late=self._late,
            lost=self._lost,
            denied=self._publisher.denied,
            rate_per_s=self._rate_per_s,
        )

    def seconds_ahead(self) -> float:
        """How long, on the run's clock, until the settled truth is past: nothing happens before."""
        return max(0, self._complete_ms - self._clock.now_ms()) / 1_000

    # --- sending ------------------------------------------------------------------------------------------------------

    def _send_what_is_due(self) -> None:
        now_ms = self._clock.now_ms()
        while self._publisher.has_room:
            if self._delayed and self._delayed[0].send_ms <= min(now_ms, self._upcoming.at_ms):
                waiting = heapq.heappop(self._delayed)
                self._send(waiting.said, is_repeat=waiting.is_repeat)
            elif self._upcoming.at_ms <= now_ms:
                self._trouble.make_until(self._upcoming.at_ms)
                self._happen(self._upcoming)
                self._upcoming = next(self._utterances)
            else:
                break
        self._flush()
        if self._caught_up:
            self._trouble.storm_until(now_ms)
        self._caught_up = self._caught_up or self._next_ms() > now_ms
        if not self._publisher.connected:
            self._phase = "connecting"
        else:
            self._phase = "live" if self._caught_up else "history"

    def _happen(self, utterance: Utterance) -> None:
        self._write_down(utterance)
        said = utterance.said
        if said is None or not utterance.send_ms:
            self._lost += said is not None
            return
        self._await(said)
        self._repeated += len(utterance.send_ms) - 1
        self._late += utterance.send_ms[0] > said.due_ms
        for copy, send_ms in enumerate(utterance.send_ms):
            if send_ms <= said.due_ms:
                self._send(said, is_repeat=copy > 0)
            else:
                self._nth += 1
                heapq.heappush(self._delayed, _Waiting(send_ms, self._nth, copy > 0, said))

    def _send(self, said: Said, *, is_repeat: bool) -> None:
        for message in self._outbox.add(said, is_repeat=is_repeat):
            self._publisher.publish(message.topic, message.payload, settles_ms=message.settles_ms)

    def _flush(self) -> None:
        for message in self._outbox.flush():
            self._publisher.publish(message.topic, message.payload, settles_ms=message.settles_ms)

    def _next_ms(self) -> int:
        return min(self._upcoming.at_ms, self._delayed[0].send_ms) if self._delayed else self._upcoming.at_ms

    def _seconds_to_next(self) -> float:
        if not self._publisher.has_room:
            return LONGEST_TURN_SECONDS
        ahead_ms = self._next_ms() - self._clock.now_ms()
        return min(LONGEST_TURN_SECONDS, max(0.0, ahead_ms / 1_000 / self._clock.speed))

    # --- the truth ----------------------------------------------------------------------------------------------------

    def _write_down(self, utterance: Utterance) -> None:
        """What happened, and which faults touched what was said of it."""
        one = self._course.city.watched[utterance.number]
        for fault in utterance.faults:
            if fault in _COUNTED_ONLY and utterance.entered_ms is None:
                continue  # a heartbeat of an empty space that comes twice touches no stay
            entered_at = None if utterance.entered_ms is None else rfc3339(instant(utterance.entered_ms))
            at = rfc3339(instant(utterance.at_ms))
            self._truth.write(Line(fault=FaultLine(fault.value, at, one.space, one.sensor, one.lot, entered_at)))
        event = utterance.event
        entered_ms = self._count_stay(event)
        if event is None or entered_ms is None:
            return
        left_at, fee_fen = None, None
        if not event.occupied:
            left_at = rfc3339(instant(event.at_ms))
            fee_fen = slow_fee(one.tariff, entered_ms, event.at_ms, self._course.zone, self._course.prices)
            self._fees_fen += fee_fen or 0
        entered_at = rfc3339(instant(entered_ms))
        self._truth.write(Line(stay=StayLine(one.space, one.sensor, one.lot, entered_at, left_at, fee_fen)))

    def _count_stay(self, event: Event | None) -> int | None:
        """When the stay began that this event begins or ends; None when it does neither."""
        if event is None or event.kind is not Kind.CHANGE:
            return None
        if event.occupied:
            self._begun += 1
            self._entered[event.number] = event.at_ms
            return event.at_ms
        self._ended += 1
        return self._entered.pop(event.number)

    def _await(self, said: Said) -> None:
        """It is true that this was said once everything up to its instant is acknowledged.

        What is dated earlier than the truth is complete is in it already: a clock is wrong, and this is said once more
        by a simulator that was killed. What a clock that runs ahead dates later is not, though it was said before.
        """
        if said.at_ms <= self._complete_ms:
            return
        boot, seq, kind = self._choir.identity(said)
        heapq.heappush(self._unsettled, SentReading(said.at_ms, said.number, boot, seq, kind, said.occupied))

    def _settle(self, *, final: bool = False) -> None:
        """Move the instant forward up to which everything is written down, sent and acknowledged."""
        bounds = [self._clock.now_ms(), self._upcoming.at_ms - 1]
        bounds += [waiting.said.due_ms - 1 for waiting in self._delayed if not waiting.is_repeat]
        oldest_ms = self._publisher.oldest_unacknowledged_ms()
        if oldest_ms is not None:
            bounds.append(oldest_ms - 1)
        complete_ms = max(self._complete_ms, min(bounds) - self._clocks_apart_ms)
        settled = []
        while self._unsettled and self._unsettled[0].at_ms <= complete_ms:
            settled.append(heapq.heappop(self._unsettled))
        if not settled and not final:
            return
        self._tell_readings(settled)
        self._readings += len(settled)
        self._complete_ms = complete_ms
        self._truth.settle(
            Checkpoint(
                complete_until=rfc3339(instant(complete_ms)),
                readings=self._readings,
                fingerprint=str(self._fingerprint),
                published=self._before.published + self._publisher.published,
                acknowledged=self._before.acknowledged + self._publisher.acknowledged,
                repeated=self._repeated,
                late=self._late,
                lost=self._lost,
                fees_fen=self._fees_fen,
                final=final,
            )
        )

    def _tell_readings(self, settled: Sequence[SentReading]) -> None:
        for one in settled:
            sensor, kind = self._course.city.watched[one.number].sensor, one.kind.value
            self._fingerprint.add(reading_hash(sensor, one.at_ms, one.boot, one.seq, occupied=one.occupied, kind=kind))
        if settled and self._truth.header.readings_told:
            self._truth.write(Line(readings=pack(settled)))

    def _measure_rate(self) -> None:
        now, published = time.monotonic(), self._publisher.published
        since, before = self._rate_since
        self._rate_per_s = round((published - before) / max(now - since, 1e-3), 1)
        self._rate_since = (now, published)

    # --- the end ------------------------------------------------------------------------------------------------------

    def _finish(self, report: Callable[[Status], None]) -> None:
        """Nothing new happens; what did is sent now, late copies too, and the broker given time to say so."""
        self._phase = "stopping"
        report(self.status())
        for waiting in sorted(self._delayed):
            self._send(waiting.said, is_repeat=waiting.is_repeat)
        self._delayed.clear()
        self._flush()
        self._publisher.finish(FINISH_SECONDS)
        self._settle(final=True)
        self._phase = "done"
        report(self.status())


_COUNTED_ONLY = frozenset({Fault.REPEATED, Fault.LATE, Fault.LOST})


def _utterances(course: Course) -> Iterator[Utterance]:
    """All that happens in the course, as it is said and sent."""
    watched = course.city.watched
    offset = instant(course.begins_ms).astimezone(course.zone).utcoffset() or timedelta()
    sensors = Sensors(lots=[one.lot for one in watched], keeps_time=[one.keeps_time for one in watched])
    happening = events(
        course.city, seed=course.seed, begins_ms=course.begins_ms, zone=course.zone, weekdays=course.weekdays
    )
    zone_ms = offset // timedelta(milliseconds=1)
    return utterances(happening, sensors, course.faults, seed=course.seed, zone_ms=zone_ms)

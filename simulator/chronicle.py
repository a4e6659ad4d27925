"""What happens, told to the truth file: written down at once, settled once the broker has every reading of it."""

import heapq
from collections.abc import Sequence

from core.clock import instant, rfc3339
from core.occupancy import Kind
from core.wire import parse_instant
from simulator.courses import Course
from simulator.faults import Fault
from simulator.faults.speaking import Said, Utterance
from simulator.fingerprint import Fingerprint, reading_hash
from simulator.publisher import Publisher
from simulator.sent import SentReading, pack
from simulator.slow_pricer import slow_fee
from simulator.truth import Checkpoint, FaultLine, Line, StayLine, TruthFile
from simulator.voices import Choir
from simulator.world import Event

_COUNTED_ONLY = frozenset({Fault.REPEATED, Fault.LATE, Fault.LOST})


class Chronicle:
    """Counts and tells what happens in a course, from its begin or from where its truth file ends."""

    def __init__(self, course: Course, *, choir: Choir, publisher: Publisher, truth: TruthFile) -> None:
        """Nothing has happened but what the truth has settled."""
        self._course = course
        self._choir = choir
        self._publisher = publisher
        self._truth = truth
        self._unsettled: list[SentReading] = []
        self._entered: dict[int, int] = {}
        self._before = before = truth.checkpoint or Checkpoint(complete_until=rfc3339(instant(0)))
        self._readings = before.readings
        self._fingerprint = Fingerprint(before.fingerprint)
        self.complete_ms = parse_instant(before.complete_until)
        """Up to here everything is written down, sent and acknowledged."""
        self.stays_begun = self.stays_ended = 0
        self.fees_fen = before.fees_fen
        self.repeated, self.late, self.lost = before.repeated, before.late, before.lost

    @property
    def occupied(self) -> int:
        """How many vehicles stand there now."""
        return len(self._entered)

    @property
    def published(self) -> int:
        """Messages given to the broker since the truth began."""
        return self._before.published + self._publisher.published

    @property
    def acknowledged(self) -> int:
        """Those that it has."""
        return self._before.acknowledged + self._publisher.acknowledged

    def recall(self, utterance: Utterance) -> None:
        """Take in what the truth has settled already."""
        self._count_stay(utterance.event)
        if utterance.said and utterance.send_ms:
            self._await(utterance.said)

    def take(self, utterance: Utterance) -> None:
        """Write down what happened, and which faults touched what was said of it."""
        self._tell_faults(utterance)
        self._tell_stay(utterance.event, utterance.number)
        said = utterance.said
        if said is None or not utterance.send_ms:
            self.lost += said is not None
            return
        self._await(said)
        self.repeated += len(utterance.send_ms) - 1
        self.late += utterance.send_ms[0] > said.due_ms

    def settle(self, until_ms: int, *, final: bool = False) -> None:
        """Move the instant forward up to which everything is settled: never past what is still to be acknowledged.

        Args:
            until_ms: everything up to this instant was taken, and was sent or will never be.
            final: tell the truth of it even where there is nothing new.
        """
        oldest_ms = self._publisher.oldest_unacknowledged_ms()
        if oldest_ms is not None:
            until_ms = min(until_ms, oldest_ms - 1)
        complete_ms = max(self.complete_ms, until_ms - self._course.clocks_apart_ms)
        settled = []
        while self._unsettled and self._unsettled[0].at_ms <= complete_ms:
            settled.append(heapq.heappop(self._unsettled))
        if not settled and not final:
            return
        self._tell_readings(settled)
        self._readings += len(settled)
        self.complete_ms = complete_ms
        self._truth.settle(
            Checkpoint(
                complete_until=rfc3339(instant(complete_ms)),
                readings=self._readings,
                fingerprint=str(self._fingerprint),
                published=self.published,
                acknowledged=self.acknowledged,
                repeated=self.repeated,
                late=self.late,
                lost=self.lost,
                fees_fen=self.fees_fen,
                final=final,
            )
        )

    def _tell_faults(self, utterance: Utterance) -> None:
        one = self._course.city.watched[utterance.number]
        for fault in utterance.faults:
            if fault in _COUNTED_ONLY and utterance.entered_ms is None:
                continue  # a heartbeat of an empty space that comes twice touches no stay
            entered_at = None if utterance.entered_ms is None else rfc3339(instant(utterance.entered_ms))
            at = rfc3339(instant(utterance.at_ms))
            self._truth.write(Line(fault=FaultLine(fault.value, at, one.space, one.sensor, one.lot, entered_at)))

    def _tell_stay(self, event: Event | None, number: int) -> None:
        entered_ms = self._count_stay(event)
        if event is None or entered_ms is None:
            return
        one = self._course.city.watched[number]
        left_at, fee_fen = None, None
        if not event.occupied:
            left_at = rfc3339(instant(event.at_ms))
            fee_fen = slow_fee(one.tariff, entered_ms, event.at_ms, self._course.zone, self._course.prices)
            self.fees_fen += fee_fen or 0
        entered_at = rfc3339(instant(entered_ms))
        self._truth.write(Line(stay=StayLine(one.space, one.sensor, one.lot, entered_at, left_at, fee_fen)))

    def _count_stay(self, event: Event | None) -> int | None:
        """When the stay began that this event begins or ends; None when it does neither."""
        if event is None or event.kind is not Kind.CHANGE:
            return None
        if event.occupied:
            self.stays_begun += 1
            self._entered[event.number] = event.at_ms
            return event.at_ms
        self.stays_ended += 1
        return self._entered.pop(event.number)

    def _await(self, said: Said) -> None:
        """It is true that this was said once everything up to its instant is acknowledged.

        What is dated earlier than the truth is complete is in it already: a clock is wrong, and this is said once more
        by a simulator that was killed. What a clock that runs ahead dates later is not, though it was said before.
        """
        if said.at_ms <= self.complete_ms:
            return
        boot, seq, kind = self._choir.identity(said)
        heapq.heappush(self._unsettled, SentReading(said.at_ms, said.number, boot, seq, kind, said.occupied))

    def _tell_readings(self, settled: Sequence[SentReading]) -> None:
        for one in settled:
            sensor, kind = self._course.city.watched[one.number].sensor, one.kind.value
            self._fingerprint.add(reading_hash(sensor, one.at_ms, one.boot, one.seq, occupied=one.occupied, kind=kind))
        if settled and self._truth.header.readings_told:
            self._truth.write(Line(readings=pack(settled)))

"""A county running: what happens is sent as its sensors would say it, at the pace of a clock, and told to the truth."""

import heapq
import time
from collections.abc import Callable
from typing import NamedTuple

from core.clock import Clock, instant, rfc3339
from simulator.chronicle import Chronicle
from simulator.courses import Course
from simulator.faults.speaking import Said, Utterance
from simulator.orders import Order, Orders
from simulator.outbox import Outbox
from simulator.publisher import Publisher
from simulator.status import Status
from simulator.trouble import Trouble
from simulator.truth import TruthFile
from simulator.visits import Turn, Visited
from simulator.voices import Choir

LONGEST_TURN_SECONDS = 0.05
REPORT_SECONDS = 1.0
FINISH_SECONDS = 15.0


class _Waiting(NamedTuple):
    """A copy that is not sent yet."""

    send_ms: int
    nth: int
    is_repeat: bool
    said: Said


class Simulation:
    """One run of a course, from its begin or from where its truth file ends."""

    def __init__(
        self,
        course: Course,
        *,
        clock: Clock,
        choir: Choir,
        outbox: Outbox,
        publisher: Publisher,
        truth: TruthFile,
        orders: Orders | None = None,
    ) -> None:
        """Find the present: events that the truth has settled have happened and are not sent again."""
        self._clock = clock
        self._outbox = outbox
        self._publisher = publisher
        self._orders = orders
        self._sensors = len(course.city.watched)
        self._caught_up = False
        self._delayed: list[_Waiting] = []
        self._nth = 0
        self._chronicle = Chronicle(course, choir=choir, publisher=publisher, truth=truth)
        self._lives = Visited(
            course.utterances(),
            course.city.watched,
            orders.turns if orders else (),
            clocks_apart_ms=course.clocks_apart_ms,
        )
        while self._lives.next_ms <= self._chronicle.complete_ms:
            utterance = self._lives.take()
            if utterance is not None:
                self._chronicle.recall(utterance)
        self._trouble = Trouble(
            course.city.watched,
            course.faults,
            publisher=publisher,
            truth=truth,
            seed=course.seed,
            begins_ms=max(course.begins_ms, self._chronicle.complete_ms),
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
                self._chronicle.settle(self._taken_until_ms())
                self._measure_rate()
                report(self.status())
        self._finish(report)
        return self.status()

    def status(self) -> Status:
        """How it goes."""
        now_ms = self._clock.now_ms()
        told = self._chronicle
        return Status(
            phase=self._phase,
            connected=self._publisher.connected,
            at=rfc3339(instant(now_ms)),
            complete_until=rfc3339(instant(told.complete_ms)) if told.complete_ms else None,
            behind_seconds=round(max(0, now_ms - self._next_ms()) / 1_000, 1),
            sensors=self._sensors,
            occupied=told.occupied,
            stays_begun=told.stays_begun,
            stays_ended=told.stays_ended,
            fees_fen=told.fees_fen,
            published=told.published,
            acknowledged=told.acknowledged,
            in_flight=self._publisher.in_flight,
            delayed=len(self._delayed),
            repeated=told.repeated,
            late=told.late,
            lost=told.lost,
            denied=self._publisher.denied,
            rate_per_s=self._rate_per_s,
        )

    def seconds_ahead(self) -> float:
        """How long, on the run's clock, until the settled truth is past: nothing happens before."""
        return max(0, self._chronicle.complete_ms - self._clock.now_ms()) / 1_000

    # --- sending ------------------------------------------------------------------------------------------------------

    def _send_what_is_due(self) -> None:
        now_ms = self._clock.now_ms()
        self._happen_until(now_ms)
        if self._orders and self._phase == "live" and self._lives.next_ms > now_ms and self._publisher.has_room:
            self._orders.carry_out(lambda order: self._carry_out(order, now_ms))
            self._happen_until(now_ms)
        self._flush()
        if self._caught_up:
            self._trouble.storm_until(now_ms)
        self._caught_up = self._caught_up or self._next_ms() > now_ms
        if not self._publisher.connected:
            self._phase = "connecting"
        else:
            self._phase = "live" if self._caught_up else "history"

    def _happen_until(self, now_ms: int) -> None:
        while self._publisher.has_room:
            if self._delayed and self._delayed[0].send_ms <= min(now_ms, self._lives.next_ms):
                waiting = heapq.heappop(self._delayed)
                self._send(waiting.said, is_repeat=waiting.is_repeat)
            elif self._lives.next_ms <= now_ms:
                self._trouble.make_until(self._lives.next_ms)
                utterance = self._lives.take()
                if utterance is not None:
                    self._happen(utterance)
            else:
                break

    def _carry_out(self, order: Order, now_ms: int) -> Turn:
        """Somebody comes or goes at this moment: later than all that has happened, earlier than what is to come."""
        at_ms = max(now_ms, self._lives.past_ms + 1, self._chronicle.complete_ms + 1)
        if order.verb == "park":
            return self._lives.arrive(order.space, order.visit, at_ms)
        return self._lives.leave(order.space, order.visit, at_ms)

    def _happen(self, utterance: Utterance) -> None:
        self._chronicle.take(utterance)
        said = utterance.said
        if said is None:
            return
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
        return min(self._lives.next_ms, self._delayed[0].send_ms) if self._delayed else self._lives.next_ms

    def _seconds_to_next(self) -> float:
        if not self._publisher.has_room:
            return LONGEST_TURN_SECONDS
        ahead_ms = self._next_ms() - self._clock.now_ms()
        return min(LONGEST_TURN_SECONDS, max(0.0, ahead_ms / 1_000 / self._clock.speed))

    def _taken_until_ms(self) -> int:
        """Everything up to here was taken, and was sent or is not waiting for its time."""
        bounds = [self._clock.now_ms(), self._lives.next_ms - 1]
        bounds += [waiting.said.due_ms - 1 for waiting in self._delayed if not waiting.is_repeat]
        return min(bounds)

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
        self._chronicle.settle(self._taken_until_ms(), final=True)
        self._phase = "done"
        report(self.status())

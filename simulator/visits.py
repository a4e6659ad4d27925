"""People who choose a space themselves while a city lives: they park, and they leave. Pure.

Where somebody parks, the life that was drawn for the space waits: its vehicles do not come until he has left and the
next of them arrives. His sensor is well for as long: what it says meets no fault. Who came and went is remembered by
whoever runs the city, so that a run that begins again finds the visits as it finds everything else.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec.structs import replace

from core.errors import ConflictError, NotFoundError
from core.occupancy import Kind
from simulator.faults.speaking import Said, Utterance
from simulator.sensors import Watched
from simulator.world import FIRST_BOOT, Event

_MARGIN_SECONDS: Final = 2


class Turn(msgspec.Struct, frozen=True, order=True):
    """Somebody comes or goes."""

    at_ms: int
    number: int
    """Of the sensor."""
    occupied: bool
    visit: str
    """Whose: only he may leave."""


class NotSimulatedError(NotFoundError):
    """No simulated sensor watches such a space. Carries ``space_code``."""

    slug = "space-not-simulated"


class SpaceTakenError(ConflictError):
    """A vehicle stands there. Carries ``space_code``."""

    slug = "space-taken"


class NotYourVisitError(ConflictError):
    """Whoever asks did not park there, or has left. Carries ``space_code``."""

    slug = "not-your-visit"


class TooSoonError(ConflictError):
    """Faster than a vehicle comes or goes. Carries ``space_code``, and ``retry_after_seconds`` of the run's clock."""

    slug = "too-soon"


@dataclass(slots=True)
class _Visit:
    """Who stands in a space, or has left it while its own life is not back yet."""

    name: str
    entered_ms: int
    left_ms: int | None = None


class Visited:
    """The utterances of a city's life and those of visits, in order of time.

    A sensor numbers its messages itself, whoever makes it speak: its life's numbers are moved by what visits added to
    them and what they kept back.
    """

    def __init__(
        self,
        lives: Iterator[Utterance],
        watched: Sequence[Watched],
        turns: Iterable[Turn] = (),
        *,
        clocks_apart_ms: int = 0,
    ) -> None:
        """Nothing has happened yet.

        Args:
            lives: what happens by itself, oldest first, without end.
            watched: to whom.
            turns: visits of an earlier run of the same life.
            clocks_apart_ms: how wrong a sensor's clock may be in its own life: what it says then must not reach into
                a visit.
        """
        self._clocks_apart_ms = clocks_apart_ms
        self._lives = lives
        self._next = next(lives)
        self._watched = watched
        self._numbers = {one.space: number for number, one in enumerate(watched)}
        self._turns = sorted(turns)
        self._visits: dict[int, _Visit] = {}
        self._moved: dict[int, int] = {}
        """By how much a sensor's numbers are ahead of its life's; absent: by nothing."""
        self._said: list[Said | None] = [None] * len(watched)
        """The newest of each life."""
        self._changes: list[Event | None] = [None] * len(watched)
        """The newest of each space, whoever came or left."""
        self.past_ms = 0
        """Nothing more happens at this instant or before."""

    @property
    def next_ms(self) -> int:
        """When something happens next."""
        return min(self._next.at_ms, self._turns[0].at_ms) if self._turns else self._next.at_ms

    def take(self) -> Utterance | None:
        """What happens next; None where a visitor keeps it from happening."""
        self.past_ms = self.next_ms
        if self._turns and self._turns[0].at_ms <= self._next.at_ms:
            return self._turned(heapq.heappop(self._turns))
        life, self._next = self._next, next(self._lives)
        number, event, said = life.number, life.event, life.said
        if said is not None:
            before, self._said[number] = self._said[number], said
            if number in self._moved and before is not None and before.boot != said.boot:
                self._moved[number] = 0  # it counts from the beginning
        visit = self._visits.get(number)
        if visit is not None and not self._is_back(event, visit):
            return self._held(life, visit)
        if visit is not None:
            del self._visits[number]
        if event is not None and event.kind is Kind.CHANGE:
            self._changes[number] = event
        moved = self._moved.get(number, 0)
        return life if not moved or said is None else life._replace(said=replace(said, seq=said.seq + moved))

    def arrive(self, space: str, visit: str, at_ms: int) -> Turn:
        """Somebody parks; the same visit asked for again is the same.

        Raises:
            NotSimulatedError: see there.
            SpaceTakenError: see there.
            TooSoonError: the last vehicle has left so lately that the lot would take both for one.
        """
        number, changed = self._known(space)
        if changed is not None and changed.occupied:
            standing = self._visits.get(number)
            if standing is not None and standing.left_ms is None and standing.name == visit:
                return Turn(standing.entered_ms, number, True, visit)
            raise SpaceTakenError(f"a vehicle stands on {space}", space_code=space)
        if changed is not None:
            wait_ms = changed.at_ms + _believed_ms(self._watched[number].min_gap_seconds) - at_ms
            _refuse_to_hurry(wait_ms, space, "the last vehicle has only just left")
        said = self._said[number]
        if said is not None:
            _refuse_to_hurry(said.at_ms + 1 - at_ms, space, "its sensor's clock runs ahead")
        return self._turn(Turn(at_ms, number, True, visit))

    def leave(self, space: str, visit: str, at_ms: int) -> Turn:
        """The visitor leaves; asked for again he has left.

        Raises:
            NotSimulatedError: see there.
            NotYourVisitError: see there.
            TooSoonError: he has come so lately that the lot would take it for flapping.
        """
        number, _ = self._known(space)
        standing = self._visits.get(number)
        if standing is None or standing.name != visit:
            raise NotYourVisitError(f"the vehicle on {space} was not parked there by this visit", space_code=space)
        if standing.left_ms is not None:
            return Turn(standing.left_ms, number, False, visit)
        wait_ms = standing.entered_ms + _believed_ms(self._watched[number].min_stay_seconds) - at_ms
        _refuse_to_hurry(wait_ms, space, "the vehicle has only just come")
        return self._turn(Turn(at_ms, number, False, visit))

    def _turn(self, turn: Turn) -> Turn:
        heapq.heappush(self._turns, turn)
        return turn

    def _turned(self, turn: Turn) -> Utterance:
        number, at_ms = turn.number, turn.at_ms
        if turn.occupied:
            visit = self._visits[number] = _Visit(turn.visit, at_ms)
        else:
            visit = self._visits[number]
            visit.left_ms = at_ms
        changed = self._changes[number]
        before_ms = at_ms - changed.at_ms if changed is not None else 0
        seq = self._one_more(number)
        said = Said(at_ms, number, self._boot(number), seq, Kind.CHANGE, turn.occupied, at_ms, before_ms)
        event = Event(at_ms, number, seq, Kind.CHANGE, turn.occupied, visit.entered_ms, before_ms)
        self._changes[number] = event
        return Utterance(at_ms, number, event, said, (at_ms,), (), visit.entered_ms)

    def _is_back(self, event: Event | None, visit: _Visit) -> bool:
        """Whether the space's own life goes on: its next vehicle comes, and the visitor has left long enough ago."""
        if event is None or event.kind is not Kind.CHANGE or not event.occupied or visit.left_ms is None:
            return False
        gap_ms = self._watched[event.number].shortest_gap_ms + self._clocks_apart_ms
        return event.at_ms >= visit.left_ms + gap_ms

    def _held(self, life: Utterance, visit: _Visit) -> Utterance | None:
        """What is left of a life while a visitor has its space: its sensor says as often as ever what is so."""
        number, said = life.number, life.said
        if said is not None and said.kind is Kind.CHANGE:
            self._moved[number] -= 1
            return None
        if said is None and (life.event is None or life.event.kind is Kind.CHANGE):
            return None
        kind, seq = (Kind.HEARTBEAT, self._one_more(number)) if said is None else (said.kind, self._seq(number))
        is_there = visit.left_ms is None
        entered_ms = visit.entered_ms if is_there else None
        truly = Said(life.at_ms, number, self._boot(number), seq, kind, is_there, life.at_ms)
        return Utterance(life.at_ms, number, None, truly, (life.at_ms,), (), entered_ms)

    def _one_more(self, number: int) -> int:
        """The number of a message that a sensor's life knows nothing of."""
        self._moved[number] = self._moved.get(number, 0) + 1
        return self._seq(number)

    def _seq(self, number: int) -> int:
        said = self._said[number]
        return (said.seq if said is not None else 0) + self._moved[number]

    def _boot(self, number: int) -> int:
        said = self._said[number]
        return said.boot if said is not None else FIRST_BOOT

    def _known(self, space: str) -> tuple[int, Event | None]:
        """A space's sensor and its newest change."""
        number = self._numbers.get(space)
        if number is None:
            raise NotSimulatedError(f"no simulated sensor watches a space {space!r}", space_code=space)
        if any(turn.number == number for turn in self._turns):
            raise TooSoonError(f"somebody comes to {space} or leaves it now", space_code=space, retry_after_seconds=1)
        return number, self._changes[number]


def _believed_ms(seconds: int) -> int:
    """How long a stay or a gap is at least that its lot believes, and a little more."""
    return (seconds + _MARGIN_SECONDS) * 1_000


def _refuse_to_hurry(wait_ms: int, space: str, why: str) -> None:
    if wait_ms > 0:
        seconds = -(-wait_ms // 1_000)
        raise TooSoonError(f"{space}: {why}; again in {seconds} s", space_code=space, retry_after_seconds=seconds)

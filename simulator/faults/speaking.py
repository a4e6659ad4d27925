"""From what happens to what sensors say of it, when, and how often it is sent. Pure.

Without faults of sensors every event is said as it is. With them a sensor may notice nothing, say more than happened,
say it by a wrong clock, or be silent; each utterance names the faults that touched it, so that the truth can tell.
"""

import heapq
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from core.occupancy import Kind
from simulator.dice import Dice, key_of
from simulator.faults.air import send_times
from simulator.faults.description import Fault, Faults
from simulator.faults.spells import Spells, Turn
from simulator.world import FIRST_BOOT, Event

_BOOTS_APART: Final = 1 << 32
_BACKLOG_SPREAD_MS: Final = 5_000
_FADED_MV: Final = 900
"""How much lower a dying battery's voltage is in the end."""
_FLAPS: Final = 3
_FLAP_EVERY_MS, _FLAP_GAP_MS = 15_000, (800, 6_000)
"""Three gaps within the first minute, which every true stay lasts; each is below the 20 s that a lot closes."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """One reading as its sensor makes it."""

    due_ms: int
    """When it is made, on the run's clock."""
    number: int
    """Of the sensor, in ``SensedCity.watched``."""
    boot: int
    seq: int
    kind: Kind
    occupied: bool
    at_ms: int
    """When it is so, by the sensor's own clock."""
    before_ms: int = 0
    """How long it was the other way before, for a change."""
    faded_mv: int = 0
    """How much of its battery's voltage is gone."""


class Utterance(NamedTuple):
    """One occasion on which a sensor speaks, or should."""

    at_ms: int
    number: int
    event: Event | None
    """What happened; None where the sensor speaks though nothing did."""
    said: Said | None
    """None where it says nothing."""
    send_ms: tuple[int, ...]
    """When its copies are sent; none: lost, or nothing was said."""
    faults: tuple[Fault, ...]
    entered_ms: int | None
    """When the stay began that it belongs to."""


class Sensors(NamedTuple):
    """What faults need to know of a city's sensors, by their numbers."""

    lots: Sequence[str]
    keeps_time: Sequence[bool]
    """Whether a sensor dates its readings itself, so that its clock matters."""


def utterances(
    events: Iterator[Event], sensors: Sensors, faults: Faults, *, seed: int, zone_ms: int
) -> Iterator[Utterance]:
    """Everything that is said of everything that happens, in order of time, without end.

    Args:
        events: what happens, oldest first.
        sensors: whose.
        faults: what goes wrong.
        seed: decides when and to whom.
        zone_ms: how far local clocks are ahead of UTC: spells are of local days.
    """
    if faults.touches_sensors:
        yield from _Speakers(events, sensors, faults, seed, zone_ms).speak()
        return
    for event in events:
        said = Said(
            event.at_ms, event.number, FIRST_BOOT, event.seq, event.kind, event.occupied, event.at_ms, event.before_ms
        )
        yield sent(said, faults, seed=seed, event=event, entered_ms=event.entered_ms)


def sent(
    said: Said,
    faults: Faults,
    *,
    seed: int,
    event: Event | None,
    entered_ms: int | None,
    touched: tuple[Fault, ...] = (),
) -> Utterance:
    """What the air does to a reading."""
    counted = said.seq + (said.boot - FIRST_BOOT) * _BOOTS_APART
    send_ms = send_times(said.number, counted, said.due_ms, faults, seed=seed)
    if not send_ms:
        touched = (*touched, Fault.LOST)
    elif send_ms[0] > said.due_ms:
        touched = (*touched, Fault.LATE)
    elif len(send_ms) > 1:
        touched = (*touched, Fault.REPEATED)
    return Utterance(said.due_ms, said.number, event, said, send_ms, touched, entered_ms)


class _Speakers:
    """All sensors of a city, each with what it believes and what has befallen it."""

    def __init__(self, events: Iterator[Event], sensors: Sensors, faults: Faults, seed: int, zone_ms: int) -> None:
        count = len(sensors.lots)
        self._events = events
        self._sensors = sensors
        self._faults = faults
        self._seed = seed
        self._boots = [FIRST_BOOT] * count
        self._seqs = [0] * count
        self._is_so = [False] * count
        """What is true."""
        self._believed = [False] * count
        self._entered: list[int | None] = [None] * count
        self._flaps: list[tuple[int, int, bool]] = []
        members: dict[str, list[int]] = {}
        for number, lot in enumerate(sensors.lots):
            members.setdefault(lot, []).append(number)
        self._members = members
        self._spells = Spells(faults, count=count, lots=tuple(members), seed=seed, zone_ms=zone_ms)

    def speak(self) -> Iterator[Utterance]:
        for event in self._events:
            yield from self._until(event.at_ms)
            yield from self._happen(event)

    def _until(self, at_ms: int) -> Iterator[Utterance]:
        """What is said before an instant though nothing happens: flaps, and what follows when a spell is over."""
        while True:
            flap_ms = self._flaps[0][0] if self._flaps else at_ms
            spell_ms = self._spells.next_ms(at_ms)
            if min(flap_ms, spell_ms) >= at_ms:
                return
            if flap_ms <= spell_ms:
                flap_ms, number, occupied = heapq.heappop(self._flaps)
                if self._can_flap(number, occupied):
                    yield self._say(flap_ms, number, Kind.CHANGE, occupied, Fault.FLAPPING)
            else:
                turn = self._spells.turn()
                if turn is not None:
                    yield from self._turned(turn)

    def _turned(self, turn: Turn) -> Iterator[Utterance]:
        """What follows from the begin or end of a spell."""
        match turn.fault, turn.begins:
            case Fault.POWER_CUT, False:
                back = self._members[str(turn.subject)]
            case (Fault.RESET_COUNTER, True) | (Fault.DYING_BATTERY, False) | (Fault.STUCK, False):
                back = [int(turn.subject)]
            case _:
                back = []
        for number in back:
            if self._silence(number) is not None or not self._seqs[number]:
                continue
            if turn.fault is not Fault.STUCK:
                yield self._start(turn.at_ms, number, turn.fault)
            elif self._believed[number] is not self._is_so[number]:
                yield self._say(turn.at_ms, number, Kind.CHANGE, self._is_so[number], Fault.STUCK)

    def _happen(self, event: Event) -> Iterator[Utterance]:
        number = event.number
        self._is_so[number] = event.occupied
        if event.kind is Kind.CHANGE:
            self._entered[number] = event.at_ms if event.occupied else None
        silence = self._silence(number)
        if silence is not None:
            yield Utterance(event.at_ms, number, event, None, (), (silence,), event.entered_ms)
            return
        if self._spells.holds(Fault.STUCK, number):
            if event.kind is Kind.CHANGE:
                yield Utterance(event.at_ms, number, event, None, (), (Fault.STUCK,), event.entered_ms)
                return
            touched = () if self._believed[number] is event.occupied else (Fault.STUCK,)
            yield self._say(event.at_ms, number, event.kind, self._believed[number], *touched, event=event)
            return
        touched = ()
        if event.kind is Kind.CHANGE and event.occupied and self._spells.holds(Fault.FLAPPING, number):
            touched = (Fault.FLAPPING,)
            self._flap(event)
        kind = event.kind
        if kind is Kind.CHANGE and self._believed[number] is event.occupied:
            kind = Kind.HEARTBEAT  # it started in between and saw it already
        yield self._say(event.at_ms, number, kind, event.occupied, *touched, event=event)

    def _can_flap(self, number: int, occupied: bool) -> bool:
        """Whether a sensor that flaps says so now: a vehicle stands there, and it would say something else."""
        is_quiet = self._silence(number) is not None or self._spells.holds(Fault.STUCK, number)
        return self._is_so[number] and not is_quiet and self._believed[number] is not occupied

    def _silence(self, number: int) -> Fault | None:
        """Why a sensor says nothing at all; None when it does."""
        if self._spells.holds(Fault.POWER_CUT, self._sensors.lots[number]):
            return Fault.POWER_CUT
        return Fault.DYING_BATTERY if self._spells.is_dead(number) else None

    def _start(self, at_ms: int, number: int, fault: Fault) -> Utterance:
        self._boots[number] += 1
        self._seqs[number] = 0
        return self._say(at_ms, number, Kind.BOOT, self._is_so[number], fault)

    def _flap(self, event: Event) -> None:
        dice = Dice(key_of(self._seed, "flap", event.number, event.at_ms))
        for flap in range(_FLAPS):
            off_ms = event.at_ms + int((flap + dice.uniform() * 0.5) * _FLAP_EVERY_MS) + 1_000
            shortest, longest = _FLAP_GAP_MS
            heapq.heappush(self._flaps, (off_ms, event.number, False))
            on_ms = off_ms + shortest + int(dice.uniform() * (longest - shortest))
            heapq.heappush(self._flaps, (on_ms, event.number, True))

    def _say(
        self, at_ms: int, number: int, kind: Kind, occupied: bool, *touched: Fault, event: Event | None = None
    ) -> Utterance:
        self._believed[number] = occupied
        self._seqs[number] += 1
        clock_ms = at_ms
        off_ms = self._spells.drift_ms(number, at_ms) if self._sensors.keeps_time[number] else 0
        if off_ms:
            clock_ms += off_ms
            touched = (*touched, Fault.DRIFTING_CLOCK)
        before_ms = event.before_ms if event is not None else 0
        faded_mv = int(_FADED_MV * self._spells.progress(Fault.DYING_BATTERY, number, at_ms))
        said = Said(
            at_ms, number, self._boots[number], self._seqs[number], kind, occupied, clock_ms, before_ms, faded_mv
        )
        entered_ms = self._entered[number] if event is None else event.entered_ms
        utterance = sent(said, self._faults, seed=self._seed, event=event, entered_ms=entered_ms, touched=touched)
        kept_until_ms = self._spells.holds(Fault.GATEWAY_OUTAGE, self._sensors.lots[number])
        return self._kept(utterance, kept_until_ms) if kept_until_ms else utterance

    def _kept(self, utterance: Utterance, until_ms: int) -> Utterance:
        """A gateway without a way keeps what it hears and sends all of it when it has one."""
        spread = Dice(key_of(self._seed, "backlog", utterance.number, utterance.at_ms)).uniform() * _BACKLOG_SPREAD_MS
        send_ms = tuple(max(at_ms, until_ms + int(spread)) for at_ms in utterance.send_ms)
        return utterance._replace(send_ms=send_ms, faults=(*utterance.faults, Fault.GATEWAY_OUTAGE))

"""The clocks that run while a stay is charged, and the units they begin: where tiers and rounding happen. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from billing.engine.free import scope_of
from billing.engine.reach import Charge, Reach, Run
from billing.engine.timeline import AGAIN, OUTSIDE, RUNS, Piece
from billing.tariff.model import MS_IN_MINUTE, PERCENTS, Band, Rate


@dataclass(slots=True)
class Clock:
    """Where a clock stands while the engine walks along the stay."""

    scope: int
    occurrence: int
    band: int
    """The band of the unit under way."""
    tier: int = 0
    at_ms: int = 0
    """Counted time since it began or restarted."""
    unit_from_ms: int = 0
    unit_to_ms: int = -1
    """Not after ``at_ms``: no unit is under way."""
    due_ms: int = 0
    """The unit is charged when the clock reaches this."""
    charged: bool = True
    price: int = 0
    per_minute: int = 0
    run: int = -1
    began: Piece | None = None
    """The piece in which the unit began, and with it the day, window and period that the unit belongs to."""
    began_ms: int = 0
    reach: Reach | None = None
    """Where the tier that is reached prices the whole stay."""


@dataclass(slots=True)
class Walk:
    """One pass along a stay."""

    rate: Rate
    charges: list[Charge] = field(default_factory=list)
    """In the order of time, but that a unit is due some time after it began."""
    runs: list[Run] = field(default_factory=list)

    def along(self, pieces: Sequence[Piece]) -> None:
        """Let the clocks run through the stay, each in its bands."""
        clocks: list[Clock | None] = [None] * self.rate.clocks
        for piece in pieces:
            if piece.band == OUTSIDE:
                if piece.free == AGAIN:
                    clocks = [None] * self.rate.clocks
                continue
            band = self.rate.bands[piece.band]
            if not band.tiers:
                continue
            clock = _clock_for(clocks, band, piece, each_part=self.rate.across == "each_part")
            if not piece.free:
                self._charged(clock, band, piece)
            elif piece.free == RUNS:
                clock.at_ms += piece.to_ms - piece.from_ms
                _end_unit(clock)

    def _charged(self, clock: Clock, band: Band, piece: Piece) -> None:
        at_ms = clock.at_ms
        end_ms = at_ms + piece.to_ms - piece.from_ms
        offset_ms = piece.from_ms - at_ms
        steps = self.rate.steps
        if clock.reach is not None:
            clock.reach.enter(at_ms, piece)
        while at_ms < end_ms:
            if clock.unit_to_ms <= at_ms:
                self._begin_unit(clock, band, at_ms, offset_ms, cut=not steps)
                clock.began, clock.began_ms = piece, offset_ms + at_ms
            elif steps:
                self._reprice(clock, band, at_ms, offset_ms)
            run = self.runs[clock.run]
            stop_ms = min(clock.unit_to_ms, end_ms)
            if steps:
                stop_ms = min(stop_ms, band.tiers[_tier_at(band, at_ms)].to_ms)
            if not clock.charged and clock.due_ms <= stop_ms:
                clock.charged = True
                self._charge(clock, clock.run, offset_ms + clock.due_ms, clock.price)
                if clock.reach is not None:
                    clock.reach.charged(self.charges, self.runs, self.rate)
            if stop_ms == clock.unit_to_ms and not steps and clock.reach is None:
                stop_ms = self._whole_units(clock, band, piece, offset_ms, end_ms)
            run.counted_ms += stop_ms - at_ms
            run.to_ms = offset_ms + stop_ms
            run.assumed = run.assumed or piece.assumed
            at_ms = stop_ms
        clock.at_ms = end_ms

    def _whole_units(self, clock: Clock, band: Band, piece: Piece, offset_ms: int, end_ms: int) -> int:
        """Units that begin and end within the piece, in one go: the clock's position after them."""
        from_ms = clock.unit_to_ms
        if clock.band != band.index:  # the unit that ends here was begun in another band
            return from_ms
        tier = band.tiers[clock.tier]
        to_ms = from_ms + (min(end_ms, tier.to_ms) - from_ms) // tier.unit_ms * tier.unit_ms
        if to_ms <= from_ms:
            return from_ms
        amount = tier.price_of(0, tier.unit_ms) * self.rate.percent_before_cap // PERCENTS
        self.charges += [
            Charge(
                offset_ms + at_ms + tier.need_ms,
                amount,
                band.index,
                clock.run,
                offset_ms + at_ms,
                piece.occurrence,
                piece.day,
                piece.period,
            )
            for at_ms in range(from_ms, to_ms, tier.unit_ms)
        ]
        clock.unit_from_ms = to_ms - tier.unit_ms
        clock.unit_to_ms = to_ms
        return to_ms

    def _begin_unit(self, clock: Clock, band: Band, at_ms: int, offset_ms: int, *, cut: bool) -> None:
        index = clock.tier if clock.band == band.index else 0
        while at_ms >= band.tiers[index].to_ms:
            index += 1
        if clock.run < 0 or clock.band != band.index or clock.tier != index:
            self._begin_run(clock, band.index, index, offset_ms + at_ms)
        tier = band.tiers[index]
        clock.unit_from_ms = at_ms
        clock.unit_to_ms = min(at_ms + tier.unit_ms, tier.to_ms) if cut else at_ms + tier.unit_ms
        clock.due_ms = at_ms + tier.need_ms
        clock.charged = False
        clock.price = tier.price_of(at_ms, clock.unit_to_ms)
        clock.per_minute = tier.per_minute

    def _begin_run(self, clock: Clock, band: int, tier: int, from_ms: int) -> None:
        continues = clock.run >= 0
        clock.band, clock.tier, clock.run = band, tier, len(self.runs)
        self.runs.append(Run(band, tier, from_ms, continues))

    def _reprice(self, clock: Clock, band: Band, at_ms: int, offset_ms: int) -> None:
        """A step in which another price begins: what is left of it, rounding included, is paid at the new one."""
        index = _tier_at(band, at_ms)
        before = clock.run
        if clock.band == band.index and clock.tier == index:
            return
        if self.rate.across == "step_at_higher_price" and band.tiers[index].per_minute <= clock.per_minute:
            return
        self._begin_run(clock, band.index, index, offset_ms + at_ms)
        old, clock.per_minute = clock.per_minute, band.tiers[index].per_minute
        tick_ms = self.rate.tick_ms
        counted_ms = clock.unit_from_ms + (at_ms - clock.unit_from_ms) // tick_ms * tick_ms
        if not clock.charged:
            clock.price = clock.per_minute * (clock.unit_to_ms - clock.unit_from_ms) // MS_IN_MINUTE
            return
        left_ms = clock.unit_to_ms - counted_ms
        due_ms = offset_ms + counted_ms + tick_ms
        self._charge(clock, before, due_ms, -old * left_ms // MS_IN_MINUTE)
        self._charge(clock, clock.run, due_ms, clock.per_minute * left_ms // MS_IN_MINUTE)

    def _charge(self, clock: Clock, run: int, due_ms: int, amount: int) -> None:
        began = clock.began
        if began is None:
            raise AssertionError("a unit is charged that never began")
        self.charges.append(
            Charge(
                due_ms,
                amount * self.rate.percent_before_cap // PERCENTS,
                self.runs[run].band,
                run,
                clock.began_ms,
                began.occurrence,
                began.day,
                began.period,
            )
        )


def _clock_for(clocks: list[Clock | None], band: Band, piece: Piece, *, each_part: bool) -> Clock:
    """The band's clock, restarted or its unit ended where the notice says so."""
    scope = scope_of(band.restarts, piece.occurrence, piece.day, piece.period)
    clock = clocks[band.clock]
    if clock is None or clock.scope != scope:
        clock = clocks[band.clock] = Clock(scope, piece.occurrence, band.index)
        if band.reached_tier != "its_part":
            clock.reach = Reach(never_less=band.reached_tier == "whole_stay_never_less")
    elif (each_part and clock.band != band.index) or (band.ends_with_window and clock.occurrence != piece.occurrence):
        _end_unit(clock)
    clock.occurrence = piece.occurrence
    return clock


def _tier_at(band: Band, at_ms: int) -> int:
    index = 0
    while at_ms >= band.tiers[index].to_ms:
        index += 1
    return index


def _end_unit(clock: Clock) -> None:
    """What is not complete is rounded here."""
    clock.unit_to_ms = -1
    clock.charged = True
    clock.run = -1

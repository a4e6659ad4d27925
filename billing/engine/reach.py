"""Tiers that price the whole stay: what was charged before is replaced once a longer stay's tier is reached. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from billing.engine.timeline import Piece
from billing.tariff.model import FOREVER, PERCENTS, Rate

NEVER: Final = FOREVER


class Charge(NamedTuple):
    """An amount that falls due at an instant of the stay; a tuple because there is one for every unit."""

    due_ms: int
    """The departure from which on it is owed."""
    amount: int
    """In ``Rate.scale`` parts of a fen; below 0 only where a step turned out cheaper at the last price."""
    band: int
    run: int
    """Which of the runs it belongs to."""
    at_ms: int
    """Where its unit began; this, not when it falls due, is what caps and free minutes go by."""
    occurrence: int
    day: int
    period: int
    until_ms: int = NEVER
    """The departure from which on another charge stands in its place."""


@dataclass(slots=True)
class Run:
    """Units of one tier in a row: what a line of the bill will say."""

    band: int
    tier: int
    from_ms: int
    continues: bool
    """Whether it goes on where the clock's run before ended, so that their seconds are dropped together."""
    to_ms: int = 0
    counted_ms: int = 0
    assumed: bool = False
    waits: bool = False
    """Its units cost nothing yet, because the whole stay would cost less at their price than it did before."""
    replaced_by: int = -1
    """The run of the tier that was reached, which prices these minutes too."""
    replaced_ms: int = NEVER
    """From which departure on."""


@dataclass(slots=True)
class Reach:
    """Which tier a clock has reached, and what it owes at that tier's price."""

    never_less: bool
    tier: int = 0
    along: list[tuple[int, int, Piece]] = field(default_factory=list)
    """The pieces behind the clock: its position where each begins, what to add for the instant, the piece."""
    owed: list[int] = field(default_factory=list)
    """Charges at the tier's price, by their place in the walk."""
    held: list[int] = field(default_factory=list)
    """Charges of a later tier that is not reached yet."""
    held_tier: int = 0
    runs: set[int] = field(default_factory=set)

    def enter(self, at_ms: int, piece: Piece) -> None:
        """The clock comes to a piece."""
        self.along.append((at_ms, piece.from_ms - at_ms, piece))

    def charged(self, charges: list[Charge], runs: Sequence[Run], rate: Rate) -> None:
        """The newest charge is a unit's: its tier may be reached by it."""
        newest = len(charges) - 1
        run = charges[newest].run
        at_tier, tier = runs[run].tier, rate.bands[charges[newest].band].tiers[runs[run].tier]
        if at_tier == self.tier:
            self.owed.append(newest)
            self.runs.add(run)
            return
        if at_tier != self.held_tier:
            self.held, self.held_tier = [], at_tier
        self.held.append(newest)
        each = tier.price_of(0, tier.unit_ms) * rate.percent_before_cap // PERCENTS
        before = range(0) if tier.once else range(0, tier.from_ms, tier.unit_ms)
        now = sum(charges[index].amount for index in self.owed)
        then = len(before) * each + sum(charges[index].amount for index in self.held)
        if self.never_less and then < now:
            charges[newest] = charges[newest]._replace(due_ms=NEVER)
            runs[run].waits = True
            self.runs.add(run)
            return
        self._replace(charges, runs, [(at_ms, each) for at_ms in before])

    def _replace(self, charges: list[Charge], runs: Sequence[Run], units: Sequence[tuple[int, int]]) -> None:
        """From the newest charge on, units before it stand for what was owed: where each begins, and its amount."""
        newest = charges[-1]
        for index in self.owed:
            charges[index] = charges[index]._replace(until_ms=newest.due_ms)
        for index in self.held:
            charges[index] = charges[index]._replace(due_ms=newest.due_ms)
        self.owed, self.tier = self.held, self.held_tier
        for at_ms, amount in units:
            _, offset_ms, piece = self.along[bisect_right(self.along, at_ms, key=lambda one: one[0]) - 1]
            self.owed.append(len(charges))
            charges.append(
                newest._replace(
                    amount=amount,
                    at_ms=offset_ms + at_ms,
                    occurrence=piece.occurrence,
                    day=piece.day,
                    period=piece.period,
                )
            )
        for index in self.runs - {newest.run}:
            runs[index].replaced_by, runs[index].replaced_ms = newest.run, newest.due_ms
        runs[newest.run].waits = False
        self.held, self.runs = [], {newest.run}


def owed(charges: Sequence[Charge], at_ms: int) -> list[Charge]:
    """What is owed by who leaves at an instant."""
    return [charge for charge in charges if charge.due_ms <= at_ms < charge.until_ms]


def merged(runs: Sequence[Run], to_ms: int) -> list[Run | None]:
    """The runs of a stay that ends at an instant: one that was replaced by then is part of the one that did it."""
    now: list[Run | None] = list(runs)
    for index, run in enumerate(runs):
        if run.replaced_ms <= to_ms:
            by = runs[run.replaced_by]
            if run.from_ms < by.from_ms:
                by.from_ms, by.continues = run.from_ms, run.continues
            by.counted_ms += run.counted_ms
            by.assumed = by.assumed or run.assumed
            now[index] = None
    return now

"""One stay worked out under one rate: pieces, charges, caps, total, before any line is written. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from billing.calendar import Calendar
from billing.engine.caps import Cut, cuts_of
from billing.engine.clocks import Walk
from billing.engine.coupons import Offs, Taken, take_off, without
from billing.engine.covers import Covered, cover
from billing.engine.flats import Held, lowest
from billing.engine.free import Used, deduct, lost_at, scope_of
from billing.engine.reach import Charge, Run, merged, owed
from billing.engine.timeline import OUTSIDE, Piece, cut_at_periods, pieces_of
from billing.tariff.model import PERCENTS, Cap, Free, Rate
from core.money import round_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be priced, all but the departure."""

    rate: Rate
    before: tuple[tuple[int, int], ...]
    """Linked earlier spans that are priced along, milliseconds."""
    from_ms: int
    origin_ms: int
    """Where rolling periods begin."""
    free: tuple[Free, ...]
    """The free minutes this stay may have."""
    caps: tuple[Cap, ...]
    """The caps that hold for it."""
    zone: ZoneInfo
    calendar: Calendar
    free_used: Used
    cap_used: Used
    credit_fen: int
    """What linked earlier stays cost, already paid or owed."""
    credit_stays: int = 0
    flats: tuple[Held, ...] = ()
    """The flat prices that its arrival may have."""
    covers: tuple[Covered, ...] = ()
    """Time that is paid for otherwise, or never is."""
    offs: Offs | None = None
    """Coupons that take off money."""


class Settled(NamedTuple):
    """What is due in the end."""

    cuts: list[Cut]
    flat: Held | None
    """Whose price stands in place of bands and caps."""
    due: int
    """After caps and flat prices, in ``Rate.scale`` parts of a fen."""
    total_fen: int


class Working(NamedTuple):
    """Everything that is known of a stay once it is worked out."""

    pieces: list[Piece]
    ever: list[Charge]
    """Those that fall due by then, free ones left out."""
    charges: list[Charge]
    """Of them those that no later one stands for."""
    runs: list[Run | None]
    """None: part of the run whose tier prices the whole stay."""
    freed: dict[int, Free]
    """Runs that cost nothing because of free minutes."""
    settled: Settled

    @property
    def total_fen(self) -> int:
        """What the stay costs."""
        return self.settled.total_fen


def work(job: Job, to_ms: int, free_used: Used | None = None, cap_used: Used | None = None) -> Working:
    """The stay from the job's arrival to a departure.

    The two records, where given, are what earlier stays used up, and this one's use is added to them; else the job's
    own are taken and left as they are.
    """
    rate = job.rate
    free_used = dict(job.free_used) if free_used is None else free_used
    cap_used = dict(job.cap_used) if cap_used is None else cap_used
    pieces = pieces_of((*job.before, (job.from_ms, to_ms)), rate, job.zone, job.calendar)
    if job.covers:
        pieces = cover(pieces, job.covers)
    if rate.rolls:
        pieces = cut_at_periods(pieces, _origin_ms(job, pieces), rate.rolling_ms)
    touched_ms = job.from_ms
    if rate.counting != "inside_windows":
        pieces, touched_ms = _recount(pieces, rate)
    lost = [(free, lost_at(pieces, rate, free, free_used)) for free in job.free if not free.deducted]
    deducted = [free for free in job.free if free.deducted]
    if deducted:
        pieces = deduct(pieces, rate, deducted, free_used)
    walk = Walk(rate)
    walk.along(pieces)
    charges = walk.charges
    freed: dict[int, Free] = {}
    if lost or touched_ms > job.from_ms:
        charges, freed = _without_free(charges, lost, touched_ms + rate.tick_ms if touched_ms > job.from_ms else 0)
    ever = [charge for charge in charges if charge.due_ms <= to_ms]
    now = owed(ever, to_ms) if rate.replaces else ever
    return Working(pieces, ever, now, merged(walk.runs, to_ms), freed, settle(job, now, to_ms, cap_used))


def settle(job: Job, charges: Sequence[Charge], to_ms: int, cap_used: Used | None = None) -> Settled:
    """What caps and flat prices make of the charges that are owed by who leaves at ``to_ms``.

    The charges of a longer stay that are owed at an instant are those of the stay that ends there.
    """
    rate, flat = job.rate, None
    due = sum(charge.amount for charge in charges)
    cuts: list[Cut] = []
    if job.offs and rate.coupons_before_cap:
        charges = without(charges, sum(one.amount for one in take_off(job.offs, due, rate.scale)))
        due = sum(charge.amount for charge in charges)
    if job.caps and charges:
        cuts = cuts_of(charges, job.caps, dict(job.cap_used) if cap_used is None else cap_used, job.origin_ms)
        due -= sum(cut.amount for cut in cuts)
    if job.flats and due:
        flat = lowest(job.flats, to_ms, due)
        due = flat.amount if flat else due
    after = due * rate.percent_after_cap // PERCENTS
    if job.offs and not rate.coupons_before_cap:
        after = sum((due, *(part for _, part in after_cap(job, due))))
    total_fen = round_to(after, rate.scale * rate.to_fen, rate.rounding) * rate.to_fen
    return Settled(cuts, flat, due, max(total_fen - job.credit_fen, 0))


def after_cap(job: Job, due: int) -> list[tuple[Taken | int, int]]:
    """What percentages and coupons add to what is due after the caps, in their order: a share, or a coupon.

    A share is in percent; the amounts are in ``Rate.scale`` parts of a fen.
    """
    rate, parts = job.rate, list[tuple[Taken | int, int]]()
    first = rate.percent_before_coupons if job.offs and not rate.coupons_before_cap else rate.percent_after_cap
    if first != PERCENTS:
        parts.append((first // 100, due * first // PERCENTS - due))
    if job.offs and not rate.coupons_before_cap:
        left = due * first // PERCENTS
        taken = take_off(job.offs, left, rate.scale)
        parts += [(one, -one.amount) for one in taken]
        left -= sum(one.amount for one in taken)
        whole = rate.percent_after_cap * PERCENTS // first if first else PERCENTS
        if whole != PERCENTS:
            parts.append((whole // 100, left * whole // PERCENTS - left))
    return parts


def _origin_ms(job: Job, pieces: Sequence[Piece]) -> int:
    """Where rolling periods begin."""
    if job.rate.rolls_from_charge:
        for piece in pieces:
            if piece.band != OUTSIDE and job.rate.bands[piece.band].tiers:
                return piece.from_ms
    return job.origin_ms


def _without_free(
    charges: Sequence[Charge], lost: Sequence[tuple[Free, dict[int, int]]], earliest_ms: int
) -> tuple[list[Charge], dict[int, Free]]:
    """The charges as they fall due once the free minutes are lost, and the runs that those minutes cover.

    A charge that never falls due because of free minutes is due at the end of time.
    """
    after: list[Charge] = []
    freed: dict[int, Free] = {}
    for charge in charges:
        due_ms = max(charge.due_ms, earliest_ms)
        for free, at in lost:
            if free.bands and charge.band not in free.bands:
                continue
            lost_ms = at.get(scope_of(free.per, charge.occurrence, charge.day, charge.period), 0)
            if lost_ms > due_ms:
                due_ms = lost_ms
                freed[charge.run] = free
        after.append(charge._replace(due_ms=due_ms) if due_ms != charge.due_ms else charge)
    return after, freed


def _recount(pieces: list[Piece], rate: Rate) -> tuple[list[Piece], int]:
    """Pieces by the two readings that look beyond the windows, and the instant that decides about what came before."""
    charged = [piece for piece in pieces if piece.band != OUTSIDE and not rate.bands[piece.band].free]
    if not charged:
        return pieces, 0
    first = charged[0]
    if rate.counting == "price_at_arrival":
        priced = [
            p._replace(band=first.band) if p.band != OUTSIDE and not rate.bands[p.band].free else p for p in pieces
        ]
        return priced, 0
    counted: list[Piece] = []
    last = first
    for piece in pieces:
        if piece.free_by:  # a decree or a pass: nobody's time to count
            counted.append(piece)
            continue
        if piece.band == OUTSIDE:
            counted.append(piece._replace(band=last.band, occurrence=last.occurrence))
            continue
        if not rate.bands[piece.band].free:
            last = piece
        counted.append(piece)
    return counted, first.from_ms

"""A stay that is worked out becomes lines: what each rule covered, and amounts that add up to the fen. Pure."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from billing.covers import cover_kind
from billing.engine.coupons import Taken, take_off
from billing.engine.flats import Held
from billing.engine.reach import Run
from billing.engine.timeline import DECREE, OUTSIDE, Piece
from billing.engine.work import Job, Working, after_cap
from billing.lines import (
    CapReached,
    CouponTaken,
    CoveredBy,
    DecreedFree,
    FlatPrice,
    FreeBand,
    FreeMinutesDeducted,
    Label,
    Line,
    LinkedStaysCredited,
    LongerPriceWaits,
    OutsideWindows,
    PercentDue,
    ReachedTierCharged,
    Settled,
    TimeCharged,
    UnitsCharged,
    Why,
    WithinFreeMinutes,
)
from billing.tariff import document as doc
from billing.tariff.model import FOREVER, MS_IN_MINUTE, PERCENTS, Free, Rate
from core.clock import instant, rfc3339
from core.money import Fen, round_to

OWN_LABELS: Final[Mapping[str, Label]] = {
    "outside": ("非收费时段", "outside the charged hours"),
    "decree": ("免费日", "free day"),
    "exempt": ("免费车辆", "exempt vehicle"),
    "pass": ("停车卡", "pass"),
    "coupon": ("优惠券", "coupon"),
    "free": ("免费时长", "free minutes"),
    "cap": ("封顶", "cap"),
    "flat": ("一口价", "flat price"),
    "percent": ("优惠比例", "share due"),
    "rounding": ("取整", "rounding"),
    "reentry": ("前次停车已计费用", "charged for the linked stay before"),
}
"""Names of rules that a notice need not name."""


def lines_of(job: Job, working: Working) -> tuple[Line, ...]:
    """The lines of a bill in the order of time, then what is taken off or added at the end.

    Amounts are exact parts of a fen until here; each line takes the whole fen by which the running sum grows, so that
    they add up to the total whatever was rounded.
    """
    if not working.pieces:
        return ()
    return tuple(_Bill(job, working).lines())


class _Bill:
    """One bill being written."""

    def __init__(self, job: Job, working: Working) -> None:
        self._rate = job.rate
        self._job = job
        self._working = working
        self._labels = labels_of(job.rate)
        self._exact = 0
        self._fen = 0

    def lines(self) -> Iterable[Line]:
        """All lines."""
        timed = [*self._outside(), *self._deducted()]
        timed += self._charged()
        yield from sorted(timed, key=lambda line: line.from_at)
        yield from self._taken_off()

    def _outside(self) -> Iterable[Line]:
        """Time that nobody charges for: a line for all of it, one for each free band, one for whatever covers time."""
        groups: dict[tuple[int, str], list[Piece]] = {}
        for piece in self._working.pieces:
            if piece.band == OUTSIDE or not self._rate.bands[piece.band].tiers:
                groups.setdefault((piece.band, piece.free_by if ":" in piece.free_by else ""), []).append(piece)
        for (band, cover), pieces in groups.items():
            if cover:
                yield self._over(cover.partition(":")[0], pieces, self._why_covered(cover))
                continue
            rule = "outside" if band == OUTSIDE else self._rate.bands[band].name
            why: Why = OutsideWindows() if band == OUTSIDE else FreeBand()
            yield self._over(rule, pieces, why)

    def _why_covered(self, cover: str) -> Why:
        if cover.startswith(DECREE):
            return DecreedFree(reason=cover.removeprefix(DECREE))
        kind, _, note = cover.partition(":")
        return CoveredBy(kind=cover_kind(kind), note=note)

    def _deducted(self) -> Iterable[Line]:
        groups: dict[str, list[Piece]] = {}
        for piece in self._working.pieces:
            if piece.free_by and ":" not in piece.free_by:
                groups.setdefault(piece.free_by, []).append(piece)
        rules = {free.name: free for free in self._job.free}
        for name, pieces in groups.items():
            yield self._over(name, pieces, FreeMinutesDeducted(free_min=rules[name].minutes, per=rules[name].per))

    def _over(self, rule: str, pieces: list[Piece], why: Why) -> Line:
        ms = sum(piece.to_ms - piece.from_ms for piece in pieces)
        assumed = any(piece.assumed for piece in pieces)
        return self._line(rule, pieces[0].from_ms, pieces[-1].to_ms, ms // MS_IN_MINUTE, 0, why, assumed)

    def _charged(self) -> Iterable[Line]:
        """A line for each run of units, or for the free minutes that cover it."""
        amounts = [0] * len(self._working.runs)
        units = [0] * len(self._working.runs)
        for charge in self._working.charges:
            amounts[charge.run] += charge.amount
            units[charge.run] += 1
        rest_ms = 0
        for index, run in enumerate(self._working.runs):
            if run is None:
                continue
            counted, rest_ms = divmod(run.counted_ms + (rest_ms if run.continues else 0), MS_IN_MINUTE)
            free = self._working.freed.get(index)
            if free is not None and not units[index]:
                rule, why = free.name, _within(free)
            else:
                rule, why = (
                    f"{self._rate.bands[run.band].name}.{run.tier + 1}",
                    self._why(run, units[index], amounts[index]),
                )
            yield self._line(rule, run.from_ms, run.to_ms, counted, amounts[index], why, run.assumed)

    def _why(self, run: Run, units: int, amount: int) -> Why:
        tier = self._rate.bands[run.band].tiers[run.tier]
        percent = self._rate.percent_before_cap // 100
        if run.waits and not units:
            return LongerPriceWaits()
        if self._rate.bands[run.band].reached_tier != "its_part" and run.tier and units:
            return ReachedTierCharged(
                units=units,
                unit_min=self._written(run).unit_min,
                over_min=tier.from_ms // MS_IN_MINUTE,
                price_fen=tier.price_of(0, tier.unit_ms) // self._rate.scale,
                percent=percent,
            )
        if tier.per_minute:
            per_minute = tier.per_minute * self._rate.percent_before_cap // PERCENTS
            written = self._written(run)
            return TimeCharged(
                charged_min=amount // per_minute,
                step_min=tier.unit_ms // MS_IN_MINUTE,
                price_fen=written.price_fen,
                per_min=written.per_min or 1,
                percent=percent,
            )
        return UnitsCharged(
            units=units,
            unit_min=self._written(run).unit_min,
            from_min=tier.from_ms // MS_IN_MINUTE,
            to_min=None if tier.to_ms == FOREVER else tier.to_ms // MS_IN_MINUTE,
            price_fen=tier.price // self._rate.scale,
            percent=percent,
        )

    def _written(self, run: Run) -> doc.Tier:
        return self._rate.plan.bands[run.band].tiers[run.tier]

    def _taken_off(self) -> Iterable[Line]:
        """What the caps, the percentage, linked stays and the rounding make of the sum."""
        working, rate = self._working, self._rate
        first_ms, last_ms = working.pieces[0].from_ms, working.pieces[-1].to_ms
        offs = self._job.offs
        if offs and rate.coupons_before_cap:
            for one in take_off(offs, self._exact, rate.scale):
                yield self._line("coupon", first_ms, last_ms, 0, -one.amount, _why_off(one))
        for cut in sorted(working.settled.cuts, key=lambda one: one.from_ms):
            why: Why = CapReached(
                cap_fen=cut.cap.amount // rate.scale,
                per=cut.cap.per,
                rolling_min=(cut.cap.rolling_ms or rate.rolling_ms) // MS_IN_MINUTE,
            )
            yield self._line(cut.cap.name, cut.from_ms, cut.to_ms, 0, -cut.amount, why)
        if working.settled.flat is not None:
            why = _why_flat(working.settled.flat, rate)
            left = working.settled.due - self._exact
            yield self._line(working.settled.flat.flat.name, first_ms, last_ms, 0, left, why)
        for part, exact in after_cap(self._job, working.settled.due):
            if isinstance(part, int):
                yield self._line("percent", first_ms, last_ms, 0, exact, PercentDue(percent=part))
            else:
                yield self._line("coupon", first_ms, last_ms, 0, exact, _why_off(part))
        settled = round_to(self._exact, rate.scale * rate.to_fen, rate.rounding) * rate.to_fen
        if settled != self._fen:
            why = Settled(to_fen=rate.to_fen, mode=rate.rounding)
            yield self._whole("rounding", first_ms, last_ms, settled - self._fen, why)
        if self._job.credit_fen:
            taken = working.total_fen - settled
            why = LinkedStaysCredited(stays=self._job.credit_stays)
            yield self._whole("reentry", first_ms, self._job.from_ms, taken, why)

    def _line(  # noqa: PLR0917 - the fields of a line in their order
        self, rule: str, from_ms: int, to_ms: int, minutes: int, exact: int, why: Why, assumed: bool = False
    ) -> Line:
        """A line that takes the whole fen by which the exact sum grows."""
        self._exact += exact
        before, self._fen = self._fen, round_to(self._exact, self._rate.scale, self._rate.rounding)
        return Line(
            rule=rule,
            label=self._labels.get(rule.split(".", maxsplit=1)[0], (rule, rule)),
            from_at=instant(from_ms),
            to_at=instant(to_ms),
            minutes=minutes,
            amount_fen=Fen(self._fen - before),
            why=why,
            calendar_assumed=assumed,
        )

    def _whole(self, rule: str, from_ms: int, to_ms: int, amount_fen: int, why: Why) -> Line:
        return Line(
            rule=rule,
            label=self._labels.get(rule, (rule, rule)),
            from_at=instant(from_ms),
            to_at=instant(to_ms),
            minutes=0,
            amount_fen=Fen(amount_fen),
            why=why,
        )


def _why_off(taken: Taken) -> Why:
    coupon = taken.coupon
    return CouponTaken(kind=coupon.kind, value=coupon.value, bearer=coupon.bearer)


def _why_flat(held: Held, rate: Rate) -> Why:
    return FlatPrice(
        price_fen=held.flat.amount // rate.scale,
        leaves_by=rfc3339(instant(held.to_ms - rate.tick_ms)),
        percent=rate.percent_before_cap // 100,
    )


def _within(free: Free) -> Why:
    return WithinFreeMinutes(free_min=free.minutes, inclusive=free.inclusive, per=free.per)


@lru_cache(maxsize=1024)
def labels_of(rate: Rate) -> Mapping[str, Label]:
    """What each rule is called in either language; the rule's own word where the notice gives no name."""
    labels = dict(OWN_LABELS)
    parts: tuple[doc.Band | doc.Free | doc.Cap | doc.Flat, ...] = (
        *rate.plan.bands,
        *rate.plan.free,
        *rate.plan.caps,
        *rate.plan.flats,
        *rate.rules.free,
    )
    labels.update({part.name: (part.label.zh, part.label.en) for part in parts if part.label is not None})
    return labels

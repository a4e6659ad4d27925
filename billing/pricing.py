"""A stay priced by a tariff: one function for a quote, a running fee, a final bill and its recomputation. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from billing.calendar import Calendar, seeded
from billing.coupons import Coupon, stacked
from billing.covers import Cover
from billing.engine.coupons import Offs
from billing.engine.covers import Covered
from billing.engine.free import minutes_off
from billing.engine.history import job_for
from billing.engine.reach import Charge, owed
from billing.engine.work import Job, settle, work
from billing.itemise import lines_of
from billing.lines import Bill, Exempt, Line, Quote
from billing.tariff.model import MS_IN_MINUTE, Rate, Tariff
from billing.vehicles import class_of
from core.clock import instant, milliseconds
from core.money import Fen
from core.stay import Stay, VehicleClass

HORIZON: Final = timedelta(days=31)
"""How far ahead a quote looks for the next change of the fee."""
LOOKS_AHEAD: Final = (timedelta(hours=2), timedelta(hours=26), timedelta(days=9))


def price_stay(
    tariff: Tariff,
    stay: Stay,
    *,
    zone: ZoneInfo,
    vehicle: VehicleClass | None = None,
    history: Sequence[Stay] = (),
    calendar: Calendar | None = None,
    covers: Sequence[Cover] = (),
    coupons: Sequence[Coupon] = (),
) -> Bill:
    """What a stay costs, a line for each rule that made it.

    Args:
        tariff: the version that the notice says prices this stay (``billing.versions``).
        stay: half-open, to the millisecond; a running one ends now.
        zone: the lot's zone, which decides where windows open and days end.
        vehicle: one of the words of ``core.stay``, or of the notice; none where nothing is known.
        history: earlier stays of the same plate under this notice, in any order; only notices that look at them
            (re-entry, shared free minutes and caps) are changed by them.
        calendar: official holidays and free days; none: the holidays the installed package knows.
        covers: time that is paid for otherwise, or by nobody.
        coupons: in the order in which they were given. Neither these nor covers ever make a stay dearer.

    Raises:
        VehicleUnknownError: no notice knows the word.
        HistoryNotEarlierError: a stay of the history begins when this one does, or later.
    """
    classed = class_of(tariff, vehicle)
    if classed.rate is None:
        lines: tuple[Line, ...] = (_exempt(stay, classed.vehicle),)
        total = 0
    else:
        jobs = _jobs(
            tariff, classed.rate, stay, zone=zone, history=history, calendar=calendar, covers=covers, coupons=coupons
        )
        to_ms = _departure_ms(tariff, stay.left_at)
        job, working = min(((job, work(job, to_ms)) for job in jobs), key=lambda one: one[1].total_fen)
        lines, total = lines_of(job, working), working.total_fen
    return Bill(
        stay=stay,
        tariff_code=tariff.code,
        tariff_version=tariff.version,
        currency=tariff.currency,
        vehicle=classed.vehicle,
        class_assumed=classed.assumed,
        lines=lines,
        total_fen=Fen(total),
    )


def price_total(
    tariff: Tariff,
    stay: Stay,
    *,
    zone: ZoneInfo,
    vehicle: VehicleClass | None = None,
    history: Sequence[Stay] = (),
    calendar: Calendar | None = None,
) -> Fen:
    """The total of ``price_stay`` without its lines, for whoever prices stays by the million. Arguments as there."""
    rate = class_of(tariff, vehicle).rate
    if rate is None:
        return Fen(0)
    job = job_for(tariff, rate, stay, zone=zone, history=history, calendar=calendar or seeded())
    return Fen(work(job, _departure_ms(tariff, stay.left_at)).total_fen)


def quote(
    tariff: Tariff,
    stay: Stay,
    *,
    zone: ZoneInfo,
    vehicle: VehicleClass | None = None,
    history: Sequence[Stay] = (),
    calendar: Calendar | None = None,
    covers: Sequence[Cover] = (),
    coupons: Sequence[Coupon] = (),
    horizon: timedelta = HORIZON,
) -> Quote:
    """The bill of a stay that ended at ``left_at``, and when it would next be another if the stay went on.

    Between ``left_at`` and ``next_change_at`` the fee stays as it is; a departure at ``next_change_at`` costs
    ``next_total_fen``. Both are None where nothing changes within the horizon. Arguments as ``price_stay``; what
    covers time in the future is among the covers already.
    """
    bill = price_stay(
        tariff, stay, zone=zone, vehicle=vehicle, history=history, calendar=calendar, covers=covers, coupons=coupons
    )
    rate = class_of(tariff, vehicle).rate
    if rate is None:
        return Quote(bill=bill, next_change_at=None, next_total_fen=None)
    jobs = _jobs(tariff, rate, stay, zone=zone, history=history, calendar=calendar, covers=covers, coupons=coupons)
    found = _next_change(tariff, jobs, stay.left_at, horizon, bill.total_fen)
    at, total = found or (None, None)
    return Quote(bill=bill, next_change_at=at, next_total_fen=total)


def _jobs(
    tariff: Tariff,
    rate: Rate,
    stay: Stay,
    *,
    zone: ZoneInfo,
    history: Sequence[Stay],
    calendar: Calendar | None,
    covers: Sequence[Cover],
    coupons: Sequence[Coupon],
) -> list[Job]:
    """The stay with everything that reduces it and, where there is anything, without: the cheapest is what it costs."""
    plain = job_for(tariff, rate, stay, zone=zone, history=history, calendar=calendar or seeded())
    if not covers and not coupons:
        return [plain]
    rules = tariff.document.coupons
    counted = stacked(coupons, rules.stacking, rules.most)
    free = [one for one in counted if one.kind == "minutes"]
    offs = tuple(one for one in counted if one.kind in {"percent", "amount"})
    most = None if rules.most_off_fen is None else rules.most_off_fen * rate.scale
    reduced = replace(
        plain,
        covers=(*_covered(covers), *_freed(counted, stay)),
        free=(*plain.free, *(minutes_off(f"coupon.{number}", one.value) for number, one in enumerate(free, 1))),
        offs=Offs(coupons=offs, most=most) if offs else None,
    )
    return [reduced, plain]


def _covered(covers: Sequence[Cover]) -> tuple[Covered, ...]:
    return tuple(
        Covered(milliseconds(begin), milliseconds(end), f"{one.kind}:{one.note}", one.fresh)
        for one in covers
        for begin, end in one.spans
    )


def _freed(coupons: Sequence[Coupon], stay: Stay) -> list[Covered]:
    """The time from the arrival that coupons free."""
    begin_ms = milliseconds(stay.entered_at)
    return [
        Covered(begin_ms, milliseconds(one.until), f"coupon:{one.bearer}", fresh=True)
        for one in coupons
        if one.until is not None and one.until > stay.entered_at
    ]


def _next_change(
    tariff: Tariff, jobs: Sequence[Job], left_at: datetime, horizon: timedelta, now_fen: int
) -> tuple[datetime, Fen] | None:
    """The first departure after ``left_at`` with another fee.

    The fee can only change where a unit falls due. Fees do not fall (the checks see to it), so the first instant that
    differs is found by halving; where a step may become cheaper every instant is tried.
    """
    left_ms = _departure_ms(tariff, left_at)
    for ahead in (*(span for span in LOOKS_AHEAD if span < horizon), horizon):
        charges = [work(job, left_ms + ahead // timedelta(milliseconds=1)).ever for job in jobs]

        def total_at(at_ms: int, charges: Sequence[Sequence[Charge]] = charges) -> int:
            return min(settle(job, owed(of, at_ms), at_ms).total_fen for job, of in zip(jobs, charges, strict=True))

        instants = sorted(_instants(jobs, charges, left_ms, left_ms + ahead // timedelta(milliseconds=1)))
        if not instants:
            continue
        if jobs[0].rate.may_fall or total_at(instants[0]) != now_fen:
            changed = next((at_ms for at_ms in instants if total_at(at_ms) != now_fen), None)
        elif total_at(instants[-1]) != now_fen:
            changed = instants[bisect_left(instants, now_fen + 1, key=total_at)]
        else:
            changed = None
        if changed is not None:
            return instant(changed), Fen(total_at(changed))
    return None


def _instants(jobs: Sequence[Job], charges: Sequence[Sequence[Charge]], after_ms: int, until_ms: int) -> set[int]:
    """Every departure at which the fee may become another."""
    falls_due = {charge.due_ms for of in charges for charge in of}
    flat = {at_ms for job in jobs for one in job.flats for at_ms in (one.from_ms, one.to_ms)}
    return {at_ms for at_ms in falls_due | flat if after_ms < at_ms <= until_ms}


def _departure_ms(tariff: Tariff, left_at: datetime) -> int:
    at_ms = milliseconds(left_at)
    return at_ms // MS_IN_MINUTE * MS_IN_MINUTE if tariff.cuts_instants else at_ms


def _exempt(stay: Stay, vehicle: VehicleClass) -> Line:
    return Line(
        rule="exempt",
        label=("免费车辆", "exempt vehicle"),
        from_at=stay.entered_at,
        to_at=stay.left_at,
        minutes=(stay.left_at - stay.entered_at) // timedelta(minutes=1),
        amount_fen=Fen(0),
        why=Exempt(vehicle=vehicle),
    )

"""What earlier stays of the same plate mean for this one: links, credit, used-up free minutes and caps. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing.calendar import Calendar
from billing.engine.flats import flats_for
from billing.engine.free import Used
from billing.engine.timeline import open_on
from billing.engine.work import Job, work
from billing.tariff.model import MS_IN_MINUTE, Cap, Free, Rate, Reentry, Tariff
from core.clock import instant, milliseconds, rfc3339
from core.errors import InvalidError
from core.stay import Stay


class HistoryNotEarlierError(InvalidError):
    """The history of a stay is what came before it. Carries ``entered_at``."""

    slug = "history-not-earlier"


def job_for(
    tariff: Tariff, rate: Rate, stay: Stay, *, zone: ZoneInfo, history: Sequence[Stay], calendar: Calendar
) -> Job:
    """The stay with everything its history and its arrival change.

    Raises:
        HistoryNotEarlierError: a stay of the history does not begin before this one.
    """
    from_ms, _ = _span(tariff, stay)
    alone = Job(
        rate=rate,
        before=(),
        from_ms=from_ms,
        origin_ms=from_ms,
        free=rate.free,
        caps=rate.caps,
        zone=zone,
        calendar=calendar,
        free_used={},
        cap_used={},
        credit_fen=0,
    )
    if history and (latest := max(one.entered_at for one in history)) >= stay.entered_at:
        raise HistoryNotEarlierError(
            f"a stay that begins at {rfc3339(latest)} is no history of one that begins at {rfc3339(stay.entered_at)}",
            entered_at=rfc3339(latest),
        )
    if not history or not (tariff.reentry or rate.looks_back):
        return _as_arrived(alone, from_ms) if rate.looks_at_arrival else alone
    past = _Past(alone, tariff.reentry)
    for span in sorted(_span(tariff, earlier) for earlier in history):
        past.add(span)
    return past.job_from(from_ms)


def _as_arrived(job: Job, from_ms: int) -> Job:
    """The job without the rules that are for stays arriving at other times."""
    local = instant(from_ms).astimezone(job.zone)
    minute, ordinal = local.hour * 60 + local.minute, local.toordinal()

    def holds(rule: Free | Cap) -> bool:
        return not rule.arrives or any(
            start <= minute < end
            for window in rule.arrives
            for start, end, _ in open_on(window, job.rate.days, job.calendar, ordinal)
        )

    return replace(
        job,
        free=tuple(_by_disc(free, local) for free in job.free if holds(free)),
        caps=tuple(filter(holds, job.caps)),
        flats=flats_for(job.rate, from_ms, job.zone, job.calendar),
    )


def _by_disc(free: Free, arrived: datetime) -> Free:
    """The free minutes of a stay whose disc is set to the next full half hour, or whatever the notice says."""
    if not free.disc_ms:
        return free
    past_ms = milliseconds(arrived) + (arrived.utcoffset() or timedelta(0)) // timedelta(milliseconds=1)
    return replace(free, lost_from_ms=free.lost_from_ms + -past_ms % free.disc_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """Stays that are priced as one: a single one, or a chain linked by re-entry."""

    spans: tuple[tuple[int, int], ...]
    fen: int
    had: frozenset[str]
    """Names of the free minutes it was granted."""

    @property
    def from_ms(self) -> int:
        return self.spans[0][0]

    @property
    def to_ms(self) -> int:
        return self.spans[-1][1]


class _Past:
    """The stays of a plate worked through in their order, and what they leave to the next."""

    def __init__(self, alone: Job, reentry: Reentry | None) -> None:
        self._alone = alone
        self._reentry = reentry
        self._visits: list[_Visit] = []
        self._before: tuple[Used, Used] = ({}, {})
        """Free milliseconds and capped amounts used up before the last visit."""
        self._after: tuple[Used, Used] = ({}, {})
        """And with it."""
        self._origin_ms = self._covered_ms = -1
        """Shared rolling periods: where they began, and up to where stays have opened them."""

    def add(self, span: tuple[int, int]) -> None:
        """A stay that is over."""
        job = self.job_from(span[0])
        spans: tuple[tuple[int, int], ...] = (span,)
        if job.before:
            spans = (*self._visits.pop().spans, span)
        else:
            self._before = self._after
        self._after = (dict(job.free_used), dict(job.cap_used))
        working = work(job, span[1], *self._after)
        had = frozenset(free.name for free in job.free)
        self._visits.append(_Visit(spans=spans, fen=working.total_fen + job.credit_fen, had=had))
        self._origin_ms = job.origin_ms
        periods = max(span[1] - 1 - job.origin_ms, 0) // job.rate.rolling_ms + 1
        self._covered_ms = max(self._covered_ms, job.origin_ms + periods * job.rate.rolling_ms)

    def job_from(self, from_ms: int) -> Job:
        """The stay that begins at an instant, as what came before leaves it."""
        job, reentry = replace(self._alone, from_ms=from_ms), self._reentry
        last = self._visits[-1] if self._visits else None
        if last is None or reentry is None or from_ms - last.to_ms >= reentry.within_ms:
            return self._left_over(job, from_ms, self._visits, self._after)
        if not reentry.from_first_arrival:
            return replace(self._left_over(job, from_ms, self._visits, self._after), free=())
        chain = tuple((start, min(end, from_ms)) for start, end in last.spans)
        job = replace(
            job,
            before=((last.from_ms, from_ms),) if reentry.absence_counts else chain,
            credit_fen=last.fen if reentry.credit else 0,
            credit_stays=len(last.spans),
        )
        return self._left_over(job, last.from_ms, self._visits[:-1], self._before)

    def _left_over(self, job: Job, first_ms: int, earlier: Sequence[_Visit], used: tuple[Used, Used]) -> Job:
        """What earlier visits leave of free minutes and caps to one that first arrived at ``first_ms``."""
        job = _as_arrived(job, first_ms) if job.rate.looks_at_arrival else job
        origin_ms, free_used, cap_used = self._periods(first_ms, *used)
        free = tuple(rule for rule in job.free if self._is_granted(rule, first_ms, earlier))
        return replace(job, origin_ms=origin_ms, free=free, free_used=dict(free_used), cap_used=dict(cap_used))

    def _is_granted(self, free: Free, first_ms: int, earlier: Sequence[_Visit]) -> bool:
        """Whether a visit is among the first of its day or period that have these minutes."""
        match free.first_of:
            case "each":
                return True
            case "day":
                today = self._day(first_ms)
                return sum(self._day(visit.from_ms) == today for visit in earlier) < free.times
            case "period":
                since_ms = first_ms - self._alone.rate.rolling_ms
                had = [visit for visit in earlier if free.name in visit.had and visit.from_ms > since_ms]
                return len(had) < free.times

    def _periods(self, first_ms: int, free: Used, caps: Used) -> tuple[int, Used, Used]:
        """Where rolling periods begin, and what is used up in them: new ones begin with nothing used."""
        rolling = {rule.name for rule in self._alone.rate.limits if rule.shared and rule.per == "rolling"}
        if not rolling:
            return first_ms, free, caps
        if first_ms < self._covered_ms:
            return self._origin_ms, free, caps
        return (
            first_ms,
            {key: ms for key, ms in free.items() if key[0] not in rolling},
            {key: amount for key, amount in caps.items() if key[0] not in rolling},
        )

    def _day(self, at_ms: int) -> int:
        """The notice's calendar day of an arrival."""
        local = instant(at_ms).astimezone(self._alone.zone)
        early = local.hour * 60 + local.minute < self._alone.rate.day_begins
        return local.toordinal() - early


def _span(tariff: Tariff, stay: Stay) -> tuple[int, int]:
    from_ms, to_ms = milliseconds(stay.entered_at), milliseconds(stay.left_at)
    if tariff.cuts_instants:
        return from_ms // MS_IN_MINUTE * MS_IN_MINUTE, to_ms // MS_IN_MINUTE * MS_IN_MINUTE
    return from_ms, to_ms

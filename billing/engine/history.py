"""What earlier stays of the same plate mean for this one: links, credit, used-up free minutes and caps. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from billing.calendar import Calendar
from billing.engine.free import Used
from billing.engine.work import Job, work
from billing.tariff.model import MS_IN_MINUTE, Rate, Reentry, Tariff
from core.clock import instant, milliseconds, rfc3339
from core.errors import InvalidError
from core.stay import Stay


class HistoryNotEarlierError(InvalidError):
    """The history of a stay is what came before it. Carries ``entered_at``."""

    slug = "history-not-earlier"


def job_for(
    tariff: Tariff, rate: Rate, stay: Stay, *, zone: ZoneInfo, history: Sequence[Stay], calendar: Calendar
) -> Job:
    """The stay with everything its history changes.

    Raises:
        HistoryNotEarlierError: a stay of the history does not begin before this one.
    """
    spans = [_span(tariff, earlier) for earlier in sorted(history, key=lambda one: one.entered_at)]
    from_ms = milliseconds(stay.entered_at)
    if history and (latest := max(one.entered_at for one in history)) >= stay.entered_at:
        raise HistoryNotEarlierError(
            f"a stay that begins at {rfc3339(latest)} is no history of one that begins at {rfc3339(stay.entered_at)}",
            entered_at=rfc3339(latest),
        )
    if tariff.cuts_instants:
        from_ms = from_ms // MS_IN_MINUTE * MS_IN_MINUTE
    alone = Job(
        rate=rate,
        before=(),
        from_ms=from_ms,
        origin_ms=from_ms,
        free=rate.free,
        zone=zone,
        calendar=calendar,
        free_used={},
        cap_used={},
        credit_fen=0,
    )
    if not spans or not (tariff.reentry or rate.shares or any(free.first_of_day for free in rate.free)):
        return alone
    past = _Past(alone, tariff.reentry)
    for span in spans:
        past.add(span)
    return past.job_from(from_ms)


class _Past:
    """The stays of a plate worked through in their order, and what they leave to the next."""

    def __init__(self, alone: Job, reentry: Reentry | None) -> None:
        self._alone = alone
        self._reentry = reentry
        self._chain: list[tuple[int, int]] = []
        """The newest stays that are linked by re-entry."""
        self._chain_fen = 0
        self._arrival_days: set[int] = set()
        self._free: Used = {}
        self._caps: Used = {}
        """Used up before the chain."""
        self._free_with_chain: Used = {}
        self._caps_with_chain: Used = {}
        self._origin_ms = self._covered_ms = alone.from_ms
        """The shared rolling periods: where they began, and up to where stays have opened them."""
        self._any = False

    def job_from(self, from_ms: int) -> Job:
        """The next stay, as what came before leaves it."""
        return self._next(from_ms)[0]

    def add(self, span: tuple[int, int]) -> None:
        """A stay that is over."""
        job, linked = self._next(span[0])
        if not linked:
            self._free, self._caps = dict(job.free_used), dict(job.cap_used)
            self._arrival_days |= {self._day(first) for first, _ in self._chain}
            self._chain = []
        self._chain.append(span)
        self._free_with_chain, self._caps_with_chain = dict(job.free_used), dict(job.cap_used)
        working = work(job, span[1], self._free_with_chain, self._caps_with_chain)
        self._chain_fen = working.total_fen + job.credit_fen
        self._origin_ms = job.origin_ms
        length_ms = job.rate.rolling_ms
        periods = max(span[1] - 1 - job.origin_ms, 0) // length_ms + 1
        self._covered_ms = max(self._covered_ms if self._any else 0, job.origin_ms + periods * length_ms)
        self._any = True

    def _next(self, from_ms: int) -> tuple[Job, bool]:
        """The stay that begins at an instant, and whether it is priced as one with those it is linked to."""
        job = replace(self._alone, from_ms=from_ms)
        reentry = self._reentry
        linked = bool(self._chain and reentry and from_ms - self._chain[-1][1] < reentry.within_ms)
        joined = linked and reentry is not None and reentry.from_first_arrival
        free, caps = (self._free, self._caps) if joined else (self._free_with_chain, self._caps_with_chain)
        if joined and reentry is not None:
            first_ms = self._chain[0][0]
            job = replace(
                job,
                before=((first_ms, from_ms),) if reentry.absence_counts else tuple(self._chain),
                credit_fen=self._chain_fen if reentry.credit else 0,
                credit_stays=len(self._chain),
            )
        else:
            first_ms = from_ms
        days = self._arrival_days if joined else self._arrival_days | {self._day(first) for first, _ in self._chain}
        rules = tuple(free for free in job.free if not (free.first_of_day and self._day(first_ms) in days))
        if linked and not joined:
            rules = ()
        origin_ms, free, caps = self._periods(first_ms, free, caps)
        return replace(job, origin_ms=origin_ms, free=rules, free_used=dict(free), cap_used=dict(caps)), joined

    def _periods(self, first_ms: int, free: Used, caps: Used) -> tuple[int, Used, Used]:
        """Where rolling periods begin, and what is used up in them: new ones begin with nothing used."""
        rate = self._alone.rate
        rolling = {rule.name for rule in rate.limits if rule.shared and rule.per == "rolling"}
        if not rolling:
            return first_ms, free, caps
        if self._any and first_ms < self._covered_ms:
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

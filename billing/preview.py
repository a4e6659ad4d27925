"""What if: recorded stays priced under a draft beside what they were billed, summed by lot, hour and length. Pure.

Sums of parts add up to the sum of the whole, so that parts may be priced by several processes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from heapq import nlargest
from itertools import pairwise
from typing import Any, Final, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from billing.calendar import Calendar, seeded
from billing.phrases import Lang, minutes_text, said
from billing.pricing import price_total
from billing.tariff import Tariff
from core.clock import rfc3339
from core.money import Fen
from core.stay import VEHICLE_WORDS, Stay, VehicleClass

LENGTHS: Final = (0, 15, 30, 60, 120, 240, 480, 1440)
"""Minutes at which a length of stay begins; the last has no end."""
EXAMPLES: Final = 8
"""So many stays are named on either side, those that change most."""

Key = TypeVar("Key", str, int, date)


class Recorded(NamedTuple):
    """An ended stay and what it was billed."""

    session_id: str
    lot: str
    zone: str
    """Of the lot."""
    entered_at: datetime
    left_at: datetime
    billed_fen: int
    vehicle: str | None
    """The class that was billed; none where nothing was known."""


class Change(NamedTuple):
    """A stay that would cost something else."""

    difference_fen: int
    session_id: str
    lot: str
    entered_at: datetime
    left_at: datetime
    billed_fen: int
    draft_fen: int


@dataclass(slots=True)
class Sum:
    """Stays and money under both prices. Grows while stays are counted, therefore not frozen."""

    stays: int = 0
    billed_fen: int = 0
    draft_fen: int = 0
    dearer: int = 0
    cheaper: int = 0

    @property
    def difference_fen(self) -> Fen:
        """What the draft would bring more; below 0 when less."""
        return Fen(self.draft_fen - self.billed_fen)

    @property
    def same(self) -> int:
        """Stays that cost what they cost."""
        return self.stays - self.dearer - self.cheaper

    def count(self, billed_fen: int, draft_fen: int) -> None:
        """One more stay."""
        self.stays += 1
        self.billed_fen += billed_fen
        self.draft_fen += draft_fen
        self.dearer += draft_fen > billed_fen
        self.cheaper += draft_fen < billed_fen

    def add(self, other: "Sum") -> None:
        """The stays of another sum too."""
        self.stays += other.stays
        self.billed_fen += other.billed_fen
        self.draft_fen += other.draft_fen
        self.dearer += other.dearer
        self.cheaper += other.cheaper


class Sums(dict[Key, Sum], Generic[Key]):
    """A sum for each of something; one that is asked for first begins at nothing."""

    def __missing__(self, key: Key) -> Sum:
        self[key] = Sum()
        return self[key]

    def merge(self, other: "Sums[Key]") -> None:
        """The sums of another part added to these."""
        for key, one in other.items():
            self[key].add(one)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a number of stays amount to."""

    total: Sum = field(default_factory=Sum)
    by_lot: Sums[str] = field(default_factory=Sums)
    by_hour: Sums[int] = field(default_factory=Sums)
    """By the hour of arrival on the lot's wall, 0 to 23."""
    by_length: Sums[int] = field(default_factory=Sums)
    """By index in ``LENGTHS``."""
    by_day: Sums[date] = field(default_factory=Sums)
    """By the lot's local day of arrival."""
    dearest: list[Change] = field(default_factory=list)
    """The stays that would rise most, at most ``EXAMPLES``, the most first."""
    cheapest: list[Change] = field(default_factory=list)
    """And those that would fall most."""
    classes_unknown: int = 0
    """Stays of a class that only the billed notice knows: priced as the draft's default class."""

    def add(self, other: "Tally") -> None:
        """The stays of another part too."""
        self.total.add(other.total)
        self.by_lot.merge(other.by_lot)
        self.by_hour.merge(other.by_hour)
        self.by_length.merge(other.by_length)
        self.by_day.merge(other.by_day)
        self.dearest = _most(self.dearest + other.dearest, 1)
        self.cheapest = _most(self.cheapest + other.cheapest, -1)
        self.classes_unknown += other.classes_unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A draft laid over a time that is past."""

    draft: Tariff
    since: datetime
    until: datetime
    tally: Tally
    unbilled: int
    """Ended stays of that time which have no bill yet and are left out."""


def tally(stays: Iterable[Recorded], draft: Tariff, calendars: Mapping[str, Calendar] | None = None) -> Tally:
    """Price every stay under the draft and count it; the vehicle's class is the billed one, earlier stays unknown.

    ``calendars`` are the lots' own, by code; a lot without one has the holidays that the installed package knows.
    """
    calendars, package = calendars or {}, seeded()
    counted = Tally()
    words = {*VEHICLE_WORDS, *draft.rates, *draft.exempt}
    zones: dict[str, ZoneInfo] = {}
    changes: list[Change] = []
    for stay in stays:
        zone = zones.get(stay.zone) or zones.setdefault(stay.zone, ZoneInfo(stay.zone))
        known = stay.vehicle is None or stay.vehicle in words
        vehicle = VehicleClass(stay.vehicle) if stay.vehicle and known else None
        of = Stay(entered_at=stay.entered_at, left_at=stay.left_at)
        draft_fen = price_total(draft, of, zone=zone, vehicle=vehicle, calendar=calendars.get(stay.lot, package))
        local = stay.entered_at.astimezone(zone)
        for part in (
            counted.total,
            counted.by_lot[stay.lot],
            counted.by_hour[local.hour],
            counted.by_length[_length_of(stay)],
            counted.by_day[local.date()],
        ):
            part.count(stay.billed_fen, draft_fen)
        counted.classes_unknown += not known
        if difference := draft_fen - stay.billed_fen:
            changes.append(
                Change(
                    difference,
                    stay.session_id,
                    stay.lot,
                    stay.entered_at,
                    stay.left_at,
                    stay.billed_fen,
                    draft_fen,
                )
            )
    counted.dearest, counted.cheapest = _most(changes, 1), _most(changes, -1)
    return counted


def length_text(index: int, lang: Lang) -> str:
    """A length of stay: ``under 15 min``, ``1 hour to 2 hours``, ``24 hours or more``."""
    if index == 0:
        return said((f"不足 {minutes_text(LENGTHS[1], lang)}", f"under {minutes_text(LENGTHS[1], lang)}"), lang)
    begins = minutes_text(LENGTHS[index], lang)
    if index == len(LENGTHS) - 1:
        return said((f"{begins}及以上", f"{begins} or more"), lang)
    ends = minutes_text(LENGTHS[index + 1], lang)
    return said((f"{begins}至 {ends}", f"{begins} to {ends}"), lang)


def preview_object(preview: Preview) -> dict[str, Any]:
    """The preview in JSON's types."""
    counted = preview.tally
    return {
        "draft": {"code": preview.draft.code, "version": preview.draft.version},
        "currency": preview.draft.currency,
        "from": rfc3339(preview.since),
        "to": rfc3339(preview.until),
        "total": _sum_object(counted.total),
        "by_lot": {lot: _sum_object(counted.by_lot[lot]) for lot in sorted(counted.by_lot)},
        "by_hour": {f"{hour:02d}": _sum_object(counted.by_hour[hour]) for hour in sorted(counted.by_hour)},
        "by_length": [
            {"from_minutes": begins, "to_minutes": ends, **_sum_object(counted.by_length[index])}
            for index, (begins, ends) in enumerate(pairwise((*LENGTHS, None)))
            if index in counted.by_length
        ],
        "by_day": {day.isoformat(): _sum_object(counted.by_day[day]) for day in sorted(counted.by_day)},
        "dearest": [_change_object(change) for change in counted.dearest],
        "cheapest": [_change_object(change) for change in counted.cheapest],
        "classes_unknown": counted.classes_unknown,
        "unbilled": preview.unbilled,
    }


def _length_of(stay: Recorded) -> int:
    minutes = (stay.left_at - stay.entered_at).total_seconds() / 60
    return next(index for index in range(len(LENGTHS) - 1, -1, -1) if minutes >= LENGTHS[index])


def _most(changes: list[Change], sign: int) -> list[Change]:
    """Those that change most in one direction, the most first; of equal ones the earliest."""
    wanted = (change for change in changes if change.difference_fen * sign > 0)
    return nlargest(EXAMPLES, wanted, key=lambda one: (one.difference_fen * sign, -one.entered_at.timestamp()))


def _sum_object(one: Sum) -> dict[str, int]:
    return {
        "stays": one.stays,
        "billed_fen": one.billed_fen,
        "draft_fen": one.draft_fen,
        "difference_fen": one.difference_fen,
        "dearer": one.dearer,
        "cheaper": one.cheaper,
        "same": one.same,
    }


def _change_object(change: Change) -> dict[str, str | int]:
    return {
        **change._asdict(),
        "entered_at": rfc3339(change.entered_at),
        "left_at": rfc3339(change.left_at),
    }

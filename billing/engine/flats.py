"""Flat prices for stays that come and go by certain hours: which an arrival may have, and when each holds. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from billing.calendar import Calendar
from billing.engine.timeline import open_on, wall_ms
from billing.tariff.model import PERCENTS, Flat, Rate
from core.clock import instant


class Held(NamedTuple):
    """A flat price as one arrival may have it."""

    flat: Flat
    amount: int
    """In ``Rate.scale`` parts of a fen, with the class's percentage."""
    from_ms: int
    """The first departure that pays it."""
    to_ms: int
    """The first departure that no longer does."""

    def holds(self, to_ms: int) -> bool:
        """Whether who leaves then pays it."""
        return self.from_ms <= to_ms < self.to_ms


def flats_for(rate: Rate, from_ms: int, zone: ZoneInfo, calendar: Calendar) -> tuple[Held, ...]:
    """What an arrival may pay if it leaves in time."""
    return tuple(_held(rate, from_ms, zone, calendar))


def lowest(flats: Sequence[Held], to_ms: int, due: int) -> Held | None:
    """The flat price that a departure pays in place of what is due; None where that stands.

    Before ``leaves_from`` a price that is the most somebody pays is no more than that.
    """
    holding = [one for one in flats if one.holds(to_ms)]
    before = [one for one in flats if one.flat.holds_before and to_ms < one.from_ms]
    always = [one for one in holding if one.flat.always]
    found = min([*holding, *before], key=lambda one: one.amount, default=None)
    return found if found and (found.amount < due or (always and found.amount != due)) else None


def _held(rate: Rate, from_ms: int, zone: ZoneInfo, calendar: Calendar) -> Iterable[Held]:
    local = instant(from_ms).astimezone(zone)
    minute, ordinal = local.hour * 60 + local.minute, local.toordinal()
    for flat in rate.flats:
        opened = [
            opened
            for window in flat.arrives
            for start, end, opened in open_on(window, rate.days, calendar, ordinal)
            if start <= minute < end
        ]
        if opened:
            by_ms = _wall(zone, opened[0], flat.leaves_by) + rate.tick_ms
            since_ms = from_ms if flat.leaves_from is None else _wall(zone, opened[0], flat.leaves_from)
            if by_ms > from_ms:
                yield Held(flat, flat.amount * rate.percent_before_cap // PERCENTS, since_ms, by_ms)


def _wall(zone: ZoneInfo, ordinal: int, minutes: int) -> int:
    days, minute = divmod(minutes, 24 * 60)
    return wall_ms(zone, ordinal + days, minute)

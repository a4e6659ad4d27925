"""Minutes that cost nothing: deducted ones are taken out of the pieces, lost ones decide over charges. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from billing.engine.timeline import OUTSIDE, RUNS, WAITS, Piece
from billing.tariff.document import Scope
from billing.tariff.model import MS_IN_MINUTE, Free, Rate

NEVER: Final = 1 << 62

Used = dict[tuple[str, int], int]
"""What earlier stays of the plate have used up, by rule and scope: milliseconds, or an amount."""


def scope_of(rule_per: Scope, occurrence: int, day: int, period: int) -> int:
    """Which stay, window, day or period something belongs to, for a rule that goes by that."""
    match rule_per:
        case "stay":
            return 0
        case "window":
            return occurrence
        case "calendar_day":
            return day
        case "rolling":
            return period
        case "calendar_week":
            return (day - 1) // 7
        case "calendar_month":
            on = date.fromordinal(day)
            return on.year * 12 + on.month


def minutes_off(name: str, minutes: int) -> Free:
    """Minutes that a coupon takes from the beginning of what is charged; the tiers begin after them."""
    return Free(
        name=name,
        minutes=minutes,
        inclusive=True,
        lost_from_ms=minutes * MS_IN_MINUTE,
        deducted=True,
        per="stay",
        shared=False,
        first_of="each",
        times=1,
        whole=False,
        runs=False,
        bands=frozenset(),
        arrives=(),
        disc_ms=0,
    )


def measured(free: Free, rate: Rate, piece: Piece) -> bool:
    """Whether a piece of the stay is among what this rule measures."""
    if piece.free_by or (free.bands and piece.band not in free.bands):
        return False
    return free.whole or (piece.band != OUTSIDE and not rate.bands[piece.band].free)


def deduct(pieces: Sequence[Piece], rate: Rate, rules: Sequence[Free], used: Used) -> list[Piece]:
    """The pieces with the deducted minutes marked free; ``used`` is what earlier stays took, and is added to."""
    now = list(pieces)
    for free in rules:
        mark = RUNS if free.runs else WAITS
        taken: dict[int, int] = {}
        after: list[Piece] = []
        for piece in now:
            if piece.free or not measured(free, rate, piece):
                after.append(piece)
                continue
            scope = scope_of(free.per, piece.occurrence, piece.day, piece.period)
            left_ms = free.lost_from_ms - used.get((free.name, scope), 0) - taken.get(scope, 0)
            cut_ms = min(piece.to_ms, piece.from_ms + left_ms)
            if cut_ms > piece.from_ms:
                taken[scope] = taken.get(scope, 0) + cut_ms - piece.from_ms
                after.append(piece._replace(to_ms=cut_ms, free=mark, free_by=free.name))
            if cut_ms < piece.to_ms:
                after.append(piece._replace(from_ms=max(piece.from_ms, cut_ms)))
        if free.shared:
            for scope, ms in taken.items():
                used[free.name, scope] = used.get((free.name, scope), 0) + ms
        now = after
    return now


def lost_at(pieces: Sequence[Piece], rate: Rate, free: Free, used: Used) -> dict[int, int]:
    """When each scope's free minutes are exceeded and lost; ``NEVER`` where the stay keeps within them.

    ``used`` is what earlier stays measured within the same scopes, and is added to.
    """
    so_far: dict[int, int] = {}
    at: dict[int, int] = {}
    for piece in pieces:
        if not measured(free, rate, piece):
            continue
        scope = scope_of(free.per, piece.occurrence, piece.day, piece.period)
        before_ms = so_far.get(scope)
        if before_ms is None:
            before_ms = used.get((free.name, scope), 0) if free.shared else 0
            at[scope] = piece.from_ms if before_ms >= free.lost_from_ms else NEVER
        after_ms = before_ms + piece.to_ms - piece.from_ms
        if before_ms < free.lost_from_ms <= after_ms:
            at[scope] = piece.from_ms + free.lost_from_ms - before_ms
        so_far[scope] = after_ms
    if free.shared:
        for scope, ms in so_far.items():
            used[free.name, scope] = ms
    return at

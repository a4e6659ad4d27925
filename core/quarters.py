"""How a space was used, by the quarter of an hour: from its sessions and the instants at which it was heard. Pure.

A space is known from each reading on for as long as its sensor may be silent; what is known and not inside a session
is free. What is not known is neither free nor occupied.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

QUARTER_MS: Final = 15 * 60_000

Interval = tuple[int, int]
"""Half-open ``[from_ms, to_ms)``."""

_FAR_MS: Final = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    """The quarter of an hour from ``quarter_ms`` on, of one space."""

    quarter_ms: int
    occupied_ms: int = 0
    heard_ms: int = 0
    """Occupied or free; the rest is unknown."""
    begun: int = 0
    ended: int = 0


def quarter_of(at_ms: int) -> int:
    """When the quarter began that an instant lies in."""
    return at_ms - at_ms % QUARTER_MS


def known_until(heard: Sequence[int], silence_ms: int) -> int | None:
    """Until when a space is known without another reading; None when it was never heard."""
    return heard[-1] + silence_ms if heard else None


def quarters(
    stays: Sequence[tuple[int, int | None]], heard: Sequence[int], *, silence_ms: int, from_ms: int, until_ms: int
) -> list[Quarter]:
    """Every quarter of ``[from_ms, until_ms)``, the last one as far as it has come.

    Args:
        stays: sessions ``(begin_ms, end_ms)``, oldest first, not overlapping; None: open.
        heard: instants of readings, in order; of those before ``from_ms`` the last one matters.
        silence_ms: for how long after a reading a space is known.
        from_ms: where a quarter begins.
        until_ms: the present.
    """
    starts = range(from_ms, until_ms, QUARTER_MS)
    occupied, known, begun, ended = ([0] * len(starts) for _ in range(4))
    known_intervals = list(_clipped(_known(heard, silence_ms), from_ms, until_ms))
    standing = _clipped(((begin, _FAR_MS if end is None else end) for begin, end in stays), from_ms, until_ms)
    _spread(known, known_intervals, from_ms)
    _spread(occupied, _shared(list(standing), known_intervals), from_ms)
    for begin_ms, end_ms in stays:
        if from_ms <= begin_ms < until_ms:
            begun[(begin_ms - from_ms) // QUARTER_MS] += 1
        if end_ms is not None and from_ms <= end_ms < until_ms:
            ended[(end_ms - from_ms) // QUARTER_MS] += 1
    return [
        Quarter(quarter_ms=start, occupied_ms=occupied[n], heard_ms=known[n], begun=begun[n], ended=ended[n])
        for n, start in enumerate(starts)
    ]


def _known(heard: Iterable[int], silence_ms: int) -> Iterator[Interval]:
    """When a space was known: each reading is believed for ``silence_ms``."""
    begin_ms: int | None = None
    end_ms = 0
    for at_ms in heard:
        if begin_ms is None:
            begin_ms = at_ms
        elif at_ms > end_ms:
            yield begin_ms, end_ms
            begin_ms = at_ms
        end_ms = at_ms + silence_ms
    if begin_ms is not None:
        yield begin_ms, end_ms


def _clipped(intervals: Iterable[Interval], from_ms: int, until_ms: int) -> Iterator[Interval]:
    for begin_ms, end_ms in intervals:
        if begin_ms < until_ms and end_ms > from_ms:
            yield max(begin_ms, from_ms), min(end_ms, until_ms)


def _shared(one: Sequence[Interval], other: Sequence[Interval]) -> Iterator[Interval]:
    """What lies in an interval of both; each in order and not overlapping."""
    first = 0
    for begin_ms, end_ms in one:
        while first < len(other) and other[first][1] <= begin_ms:
            first += 1
        for other_begin_ms, other_end_ms in other[first:]:
            if other_begin_ms >= end_ms:
                break
            yield max(begin_ms, other_begin_ms), min(end_ms, other_end_ms)


def _spread(sums: list[int], intervals: Iterable[Interval], from_ms: int) -> None:
    """Add the length of intervals to the quarters they lie in."""
    for begin_ms, end_ms in intervals:
        at_ms = begin_ms
        while at_ms < end_ms:
            index = (at_ms - from_ms) // QUARTER_MS
            next_ms = min(end_ms, from_ms + (index + 1) * QUARTER_MS)
            sums[index] += next_ms - at_ms
            at_ms = next_ms

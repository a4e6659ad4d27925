"""Readings as the truth tells them: packed, because a day has a hundred thousand, and unpacked again. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from core.clock import instant, rfc3339
from core.occupancy import Kind
from core.wire import parse_instant

_KINDS: Final = {kind.value[0]: kind for kind in Kind}


class SentReading(NamedTuple):
    """One reading that was sent, in the order of ``at``; ``boot`` and ``seq`` as far as its make says them, else -1."""

    at_ms: int
    number: int
    """Of the space: its place among the truth's ``space`` lines, from 0."""
    boot: int
    seq: int
    kind: Kind
    occupied: bool


class Packed(NamedTuple):
    """The same, as it is written."""

    number: int
    after_ms: int
    """After the line's ``since``."""
    boot: int
    seq: int
    says: str
    """The kind's first letter (``change``, ``heartbeat``, ``boot``, ``report``), then 1 for occupied or 0 for free."""


class ReadingsLine(msgspec.Struct, frozen=True):
    """Readings that arrived, each once however often it was sent; those lost on purpose are in none."""

    since: str
    sent: list[Packed]


def pack(readings: Sequence[SentReading]) -> ReadingsLine:
    """A line of one reading at least, the oldest first."""
    since_ms = readings[0].at_ms
    return ReadingsLine(
        since=rfc3339(instant(since_ms)),
        sent=[
            Packed(one.number, one.at_ms - since_ms, one.boot, one.seq, f"{one.kind.value[0]}{one.occupied:d}")
            for one in readings
        ],
    )


def unpack(line: ReadingsLine) -> Iterator[SentReading]:
    """The readings of a line.

    Raises:
        ValueError: the line was not written by ``pack``.
    """
    since_ms = parse_instant(line.since)
    for one in line.sent:
        kind, occupied = _KINDS.get(one.says[:1]), one.says[1:]
        if kind is None or occupied not in {"0", "1"}:
            raise ValueError(f"{one.says!r} is no kind of reading")
        yield SentReading(since_ms + one.after_ms, one.number, one.boot, one.seq, kind, occupied == "1")

"""Pieces of a stay that are covered are cut out: nothing is charged there. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from billing.engine.timeline import AGAIN, OUTSIDE, WAITS, Piece


class Covered(NamedTuple):
    """A span that is not charged."""

    from_ms: int
    to_ms: int
    by: str
    """Its kind, a colon, and what the bill says of it."""
    fresh: bool
    """The tiers begin again after it."""


def cover(pieces: Sequence[Piece], covers: Iterable[Covered]) -> list[Piece]:
    """The pieces with covered time outside every band; where several cover the same, the first does.

    Time that is free anyway stays what it is, so that nothing is taken from a pass that nobody would have charged.
    """
    now = list(pieces)
    for one in covers:
        mark = AGAIN if one.fresh else WAITS
        after: list[Piece] = []
        for piece in now:
            begin_ms, end_ms = max(piece.from_ms, one.from_ms), min(piece.to_ms, one.to_ms)
            if begin_ms >= end_ms or piece.free_by:
                after.append(piece)
                continue
            if piece.from_ms < begin_ms:
                after.append(piece._replace(to_ms=begin_ms))
            after.append(
                piece._replace(
                    from_ms=begin_ms, to_ms=end_ms, band=OUTSIDE, occurrence=0, free=mark, free_by=one.by, assumed=False
                )
            )
            if end_ms < piece.to_ms:
                after.append(piece._replace(from_ms=end_ms))
        now = after
    return now

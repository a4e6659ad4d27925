"""Quarters of an hour, against walking every minute."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from core.quarters import QUARTER_MS, Quarter, quarter_of, quarters

MINUTE = 60_000
SILENCE_MS = 20 * MINUTE
UNTIL_MS = 190 * MINUTE

minutes = st.integers(-60, 200).map(lambda minute: minute * MINUTE)
hearings = st.lists(minutes, max_size=12).map(sorted)
edges = st.lists(minutes, max_size=12, unique=True).map(sorted)


def stays_of(edges: list[int]) -> list[tuple[int, int | None]]:
    """Every other stretch between the edges, the last one open when its end is missing."""
    ends = [*edges, None] if len(edges) % 2 else edges
    return [(begin, end) for n, (begin, end) in enumerate(pairwise(ends)) if n % 2 == 0 and begin is not None]


def walk(stays: list[tuple[int, int | None]], heard: list[int]) -> list[Quarter]:
    result = []
    for start in range(0, UNTIL_MS, QUARTER_MS):
        inside = range(start, min(start + QUARTER_MS, UNTIL_MS))
        known = [at for at in inside[::MINUTE] if any(one <= at < one + SILENCE_MS for one in heard)]
        taken = [at for at in known if any(begin <= at and (end is None or at < end) for begin, end in stays)]
        result.append(
            Quarter(
                quarter_ms=start,
                occupied_ms=len(taken) * MINUTE,
                heard_ms=len(known) * MINUTE,
                begun=sum(begin in inside for begin, _ in stays),
                ended=sum(end in inside for _, end in stays),
            )
        )
    return result


@settings(deadline=None)
@given(edges, hearings)
def test_quarters_are_what_walking_every_minute_finds(edges: list[int], heard: list[int]) -> None:
    stays = stays_of(edges)
    found = quarters(stays, heard, silence_ms=SILENCE_MS, from_ms=0, until_ms=UNTIL_MS)
    assert found == walk(stays, heard)


@given(edges, hearings, st.integers(0, 12))
def test_beginning_later_finds_the_same_quarters(edges: list[int], heard: list[int], skipped: int) -> None:
    stays = stays_of(edges)
    whole = quarters(stays, heard, silence_ms=SILENCE_MS, from_ms=0, until_ms=UNTIL_MS)
    part = quarters(stays, heard, silence_ms=SILENCE_MS, from_ms=skipped * QUARTER_MS, until_ms=UNTIL_MS)
    assert part == whole[skipped:]


def test_a_quarter_begins_on_the_quarter() -> None:
    assert quarter_of(7 * QUARTER_MS + 1) == quarter_of(7 * QUARTER_MS) == 7 * QUARTER_MS

"""Waiting for a fact with a deadline, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

T = TypeVar("T")

PATIENCE_SECONDS: Final = 60.0
"""How long a test waits for what must come, on however crowded a machine; speed is for the bench to tell."""


async def until(fact: Callable[[], Awaitable[T | None]], *, within_seconds: float = PATIENCE_SECONDS) -> T:
    """Ask until the answer is true, and return it; fail with the last answer when it never is."""
    ends_at = time.monotonic() + within_seconds
    while True:
        answer = await fact()
        if answer:
            return answer
        assert time.monotonic() < ends_at, (
            f"not within {within_seconds} s: {getattr(fact, '__name__', fact)} is {answer!r}"
        )
        await asyncio.sleep(0.05)


async def until_still(count: Callable[[], Awaitable[int]], *, for_seconds: float = 3) -> int:
    """Ask until the answer, once it is more than nothing, has been the same for so long, and return it."""
    seen, since = 0, time.monotonic()

    async def is_still() -> bool:
        nonlocal seen, since
        now = await count()
        if now != seen:
            seen, since = now, time.monotonic()
        return seen > 0 and time.monotonic() - since >= for_seconds

    await until(is_still)
    return seen


def soon(is_so: Callable[[], bool], *, within_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a fact, where no loop runs."""
    ends_at = time.monotonic() + within_seconds
    while not is_so():
        assert time.monotonic() < ends_at, f"not within {within_seconds} s"
        time.sleep(0.02)

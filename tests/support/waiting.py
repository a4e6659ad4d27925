"""Waiting for a fact with a deadline, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(fact: Callable[[], Awaitable[T]], *, within_seconds: float = 60) -> T:
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

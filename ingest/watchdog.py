"""Connected but no progress: seen, said, counted, and ended by beginning anew.

What cannot happen is watched too: a connection that never greets, acknowledgements that were never sent, a broker that
holds messages and sends none, a database that neither answers nor fails, a loop that does not come back.
"""

import asyncio
import faulthandler
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from ingest import metrics

log = structlog.get_logger()

LOOK_EVERY_SECONDS: Final = 1.0
GREETED_WITHIN_SECONDS: Final = 15.0
ACKNOWLEDGED_WITHIN_SECONDS: Final = 10.0
"""With an empty inbox and nothing being written, whatever was received has been acknowledged for as long as this."""
DELIVERED_WITHIN_SECONDS: Final = 60.0
"""What the broker holds for longer is asked for by a new connection; what that does not bring is not for us."""
WRITTEN_WITHIN_SECONDS: Final = 120.0
LOOP_BACK_WITHIN_SECONDS: Final = 60.0
LOOP_LATE_SECONDS: Final = 2.0
EXIT_STALLED: Final = 70


class Trouble(StrEnum):
    """Why there is no progress."""

    NOT_GREETED = "not-greeted"
    NOT_ACKNOWLEDGED = "not-acknowledged"
    NOT_DELIVERED = "not-delivered"
    NOT_WRITTEN = "not-written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How things stand at one instant. Ages in seconds, None where there is nothing that has one."""

    connection_age: float | None
    """Of the connection to the broker; None while there is none."""
    is_subscribed: bool
    idle_age: float | None
    """Since the inbox was emptied and written; None while there is work."""
    silent_age: float
    """Since the last message, or since the connection was made."""
    unacknowledged: int
    held_by_broker: int | None
    attempt_age: float | None
    """Of the transaction being tried; None while none is."""


def diagnose(facts: Facts, *, in_vain: int = 0) -> Trouble | None:
    """What is wrong, if anything. Pure.

    Args:
        facts: as they are.
        in_vain: so many of the messages that the broker holds did not come on a new connection either.
    """
    if facts.attempt_age is not None and facts.attempt_age > WRITTEN_WITHIN_SECONDS:
        return Trouble.NOT_WRITTEN
    if facts.connection_age is None:
        return None
    if not facts.is_subscribed:
        return Trouble.NOT_GREETED if facts.connection_age > GREETED_WITHIN_SECONDS else None
    quiet_age = min(facts.idle_age or 0.0, facts.silent_age)  # what has just come is no idler's
    if facts.unacknowledged and quiet_age > ACKNOWLEDGED_WITHIN_SECONDS:
        return Trouble.NOT_ACKNOWLEDGED
    if (facts.held_by_broker or 0) > in_vain and quiet_age > DELIVERED_WITHIN_SECONDS:
        return Trouble.NOT_DELIVERED
    return None


async def watch(
    look: Callable[[], Facts], *, drop: Callable[[str], None], break_off: Callable[[], None], guard: "LoopGuard"
) -> None:
    """Look every second, and act: a new connection to whoever has stopped answering."""
    in_vain = 0
    while True:
        asked = time.monotonic()
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        late = time.monotonic() - asked - LOOK_EVERY_SECONDS
        guard.beat()
        metrics.loop_late_seconds.set(max(0.0, late))
        if late > LOOP_LATE_SECONDS:
            log.warning("loop.was_late", seconds=round(late, 1))
        facts = look()
        in_vain = min(in_vain, facts.held_by_broker or 0)
        trouble = diagnose(facts, in_vain=in_vain)
        if trouble is None:
            continue
        log.error("watchdog.acted", trouble=trouble, held_by_broker=facts.held_by_broker, open=facts.unacknowledged)
        if trouble is Trouble.NOT_WRITTEN:
            break_off()
            continue
        if trouble is Trouble.NOT_DELIVERED:
            in_vain = facts.held_by_broker or 0
        drop(trouble)


class LoopGuard:
    """Ends the process when its loop does not come back: what was not acknowledged comes again to the next one."""

    def __init__(self, *, within_seconds: float = LOOP_BACK_WITHIN_SECONDS) -> None:
        self._within_seconds = within_seconds
        self._beats = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._guard, name="loop guard", daemon=True)

    def start(self) -> None:
        """Begin to guard; the loop must beat from now on."""
        self._thread.start()

    def beat(self) -> None:
        """The loop is alive."""
        self._beats += 1

    def stop(self) -> None:
        """The loop may end."""
        self._ended.set()

    def _guard(self) -> None:
        """Two looks in a row without a beat: after one alone the whole process may just have been asleep."""
        seen, missed = -1, 0
        while not self._ended.wait(self._within_seconds / 2):
            beats = self._beats
            missed = missed + 1 if beats == seen else 0
            seen = beats
            if missed > 1:
                log.critical("loop.stalled", seconds=self._within_seconds)
                faulthandler.dump_traceback()
                os._exit(EXIT_STALLED)

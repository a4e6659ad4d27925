"""The promise while it is being kept: verify's own comparisons of what is new since the last look, and the books.

What was found equal once is let go, so that a look costs what has happened meanwhile and not what ever happened. A
difference counts when it has stayed for a while: before that a message is on its way, or a process is just starting.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.clock import Clock, instant, rfc3339
from core.db import Database
from core.wire import parse_instant
from ops.verify.compare import compare
from ops.verify.money import broken_books
from ops.verify.report import Difference, Readings, Why
from ops.verify.stored import count_readings, fetch_readings, fetch_sessions
from ops.verify.tail import TruthTail
from ops.verify.truth import Truth
from simulator.faults.description import OF_LOTS, OF_SENSORS
from simulator.truth import Checkpoint, Header

PATIENCE_SECONDS: Final = 60.0
"""A kill costs a few seconds, a bill ten; what lasts longer than this is a fault."""
LEDGER_SECONDS: Final = 15.0

_WITHOUT_STAY: Final = frozenset({Why.EXTRA, Why.VOID_CHARGED})

_BEGIN: Final = Checkpoint(complete_until="1970-01-01T00:00:00.000Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """How it stands: three figures that are to be nought, and how far they reach."""

    lost: int
    """Readings that the broker acknowledged and nobody stored."""
    counted_twice: int
    """Readings and stays that are stored though nothing like them was sent or happened."""
    unexplained_fen: int
    """Between what stays cost by the notice and what was billed."""
    wrong_stays: int
    """Stays whose session is missing or says something else."""
    broken: tuple[str, ...]
    """Invariants of the books that do not hold, by number."""
    proved_until: str | None
    """Every reading up to then is stored exactly once."""
    stays: int
    """So many stays were found equal, with their fees, and let go."""

    @property
    def is_kept(self) -> bool:
        """Whether all of it is nought."""
        return not (self.lost or self.counted_twice or self.unexplained_fen or self.wrong_stays or self.broken)

    def __str__(self) -> str:
        """The words of the live line."""
        words = f"readings lost {self.lost}, counted twice {self.counted_twice}, fen unexplained {self.unexplained_fen}"
        if self.wrong_stays:
            words += f", stays that differ {self.wrong_stays}"
        if self.broken:
            words += f", books broken: {' '.join(self.broken)}"
        return f"{words} · {self.stays:,} stays proved"


@dataclass(slots=True, kw_only=True)
class PromiseWatch:
    """Looks again and again at an installation whose city is simulated."""

    truth: Path
    clock: Clock
    patience_seconds: float = PATIENCE_SECONDS
    _tail: TruthTail = field(init=False)
    _proved: Checkpoint = _BEGIN
    _behind_since: float | None = None
    """Since when readings that were acknowledged are not all stored."""
    _missing: int = 0
    _first_seen: dict[tuple[Why, str | None, str | None], float] = field(default_factory=dict)
    _left_ms: int = 0
    _stays: int = 0
    _broken: tuple[str, ...] = ()
    _next_ledger: float = 0.0

    def __post_init__(self) -> None:
        """Begin at the file's begin, whenever it will be written."""
        self._tail = TruthTail(self.truth)

    async def look(self, database: Database) -> Promise | None:
        """Compare what is new; None while the file has no checkpoint yet.

        Raises:
            SQLAlchemyError, OSError: the database is away.
        """
        self._tail.advance()
        window = self._tail.window(self._proved, self._left_ms)
        if window is None or self._tail.checkpoint is None:
            return None
        async with database.transaction() as db:
            readings = await self._fetch_readings(db, window)
            sessions = await fetch_sessions(db, window)
        report = compare(window, sessions, readings)
        self._take_readings(self._tail.checkpoint, window, readings, report.differences)
        is_rough = says_less_than_is_so(window.header)
        lasting = [] if is_rough else self._lasting(report.differences)
        self._let_go(window, report.differences, is_rough=is_rough)
        if time.monotonic() >= self._next_ledger:
            self._next_ledger = time.monotonic() + LEDGER_SECONDS
            self._broken = await self._broken_books(database)
        return self._promise(lasting)

    async def _fetch_readings(self, db: AsyncConnection, window: Truth) -> Readings:
        """Counted first; looked at one by one where the number is right."""
        span = replace(window, since_ms=parse_instant(self._proved.complete_until) + 1)
        counted = await count_readings(db, span)
        return await fetch_readings(db, span) if counted.count == window.checkpoint.readings else counted

    def _take_readings(
        self, checkpoint: Checkpoint, window: Truth, readings: Readings, differences: Iterable[Difference]
    ) -> None:
        if not any(one.why is Why.READINGS for one in differences):
            self._proved, self._behind_since, self._missing = checkpoint, None, 0
            return
        self._missing = window.checkpoint.readings - readings.count
        self._behind_since = self._behind_since or time.monotonic()

    def _lasting(self, differences: Iterable[Difference]) -> list[Difference]:
        """Those that were there the whole time of our patience."""
        now = time.monotonic()
        found = {(one.why, one.space, one.entered_at): one for one in differences if one.why is not Why.READINGS}
        self._first_seen = {key: self._first_seen.get(key, now) for key in found}
        return [one for key, one in found.items() if now - self._first_seen[key] > self.patience_seconds]

    def _let_go(self, window: Truth, differences: Iterable[Difference], *, is_rough: bool) -> None:
        """Stays that are over and equal need no second look, up to the first that is not and the first that never was.

        Where sensors say less than is so, stays that differ are let go too, uncounted.
        """
        differing = {(one.space, one.entered_at) for one in differences}
        over = [
            (stay.left_ms, (stay.space, rfc3339(instant(stay.entered_ms))) in differing)
            for stays in window.stays.values()
            for stay in stays
            if stay.left_ms
        ]
        waiting = [] if is_rough else [left_ms for left_ms, differs in over if differs]
        if not is_rough:
            waiting += [
                parse_instant(one.entered_at) for one in differences if one.why in _WITHOUT_STAY and one.entered_at
            ]
        until_ms = min([*waiting, window.until_ms]) - 1
        self._stays += sum(left_ms <= until_ms and not differs for left_ms, differs in over)
        self._tail.let_go(until_ms)
        self._left_ms = max(self._left_ms, until_ms)

    def _promise(self, lasting: list[Difference]) -> Promise:
        is_late = self._behind_since is not None and time.monotonic() - self._behind_since > self.patience_seconds
        of_fees = [one for one in lasting if one.why in {Why.FEE, Why.VOID_CHARGED}]
        extra = sum(one.why is Why.EXTRA for one in lasting)
        return Promise(
            lost=max(self._missing, 0) if is_late else 0,
            counted_twice=max(-self._missing, 0) + extra,
            unexplained_fen=sum(abs(one.apart_fen) for one in of_fees),
            wrong_stays=len(lasting) - len(of_fees) - extra,
            broken=self._broken,
            proved_until=self._proved.complete_until if self._proved is not _BEGIN else None,
            stays=self._stays,
        )

    async def _broken_books(self, database: Database) -> tuple[str, ...]:
        async with database.transaction() as db:
            await db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            return tuple(number for number, *_ in await broken_books(db, now=self.clock.now()))


def says_less_than_is_so(header: Header) -> bool:
    """Whether what is sent cannot tell everything that happens: then stays may differ, and readings may not."""
    return header.lost > 0 or any(fault.value in header.faults for fault in (*OF_SENSORS, *OF_LOTS))

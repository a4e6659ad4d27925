"""What is still to be told to merchants, and the schedule on which it is told again. Persisted beside the trades."""

import sqlite3
from datetime import datetime, timedelta
from typing import Any, Final

from core.clock import instant, milliseconds
from simulator.gateway.book import Book
from simulator.gateway.trades import Notice, ProviderName

MINUTE: Final = 60
HOUR: Final = 3_600
SCHEDULE: Final[dict[ProviderName, tuple[int, ...]]] = {
    "wechat": (
        *(15, 15, 30, 3 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, 30 * MINUTE, 30 * MINUTE, HOUR),
        *(3 * HOUR, 3 * HOUR, 3 * HOUR, 6 * HOUR, 6 * HOUR),
    ),
    "alipay": (4 * MINUTE, 10 * MINUTE, 10 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 15 * HOUR),
}
"""Seconds from one attempt to the next, as both providers publish them; after the last it is given up."""
_NOTICE: Final = tuple(Notice.__dataclass_fields__)
_TIMES: Final = frozenset({"created_at", "next_at", "acknowledged_at"})


class Outbox:
    """Notices in the order in which they are due."""

    def __init__(self, book: Book) -> None:
        self._db = book.db

    def due(self, at: datetime) -> list[Notice]:
        """Those to be told by now, the longest due first."""
        rows = self._db.execute(
            "SELECT * FROM notice WHERE next_at <= ? ORDER BY next_at, created_at", (milliseconds(at),)
        )
        return [_notice(row) for row in rows]

    def next_at(self) -> datetime | None:
        """When the next one is due."""
        (found,) = self._db.execute("SELECT min(next_at) FROM notice").fetchone()
        return None if found is None else instant(found)

    def acknowledged(self, notice: Notice, answer: str, at: datetime) -> None:
        """The merchant took it: it is not told again."""
        self._db.execute(
            "UPDATE notice SET attempts = attempts + 1, next_at = NULL, acknowledged_at = ?, answer = ? WHERE id = ?",
            (milliseconds(at), answer, notice.id),
        )

    def refused(self, notice: Notice, answer: str, at: datetime) -> None:
        """The merchant did not take it: it is told again when the schedule says so, or given up."""
        waits = SCHEDULE[notice.provider]
        next_at = at + timedelta(seconds=waits[notice.attempts]) if notice.attempts < len(waits) else None
        self._db.execute(
            "UPDATE notice SET attempts = attempts + 1, next_at = ?, answer = ? WHERE id = ?",
            (None if next_at is None else milliseconds(next_at), answer, notice.id),
        )

    def again(self, order_no: str, at: datetime) -> int:
        """Make all notices of an order due now, acknowledged ones too; how many they are."""
        return self._db.execute(
            "UPDATE notice SET next_at = ? WHERE order_no = ?", (milliseconds(at), order_no)
        ).rowcount

    def of_order(self, order_no: str) -> list[Notice]:
        """All of one order, oldest first."""
        rows = self._db.execute("SELECT * FROM notice WHERE order_no = ? ORDER BY created_at", (order_no,))
        return [_notice(row) for row in rows]


def _notice(row: sqlite3.Row) -> Notice:
    values: dict[str, Any] = {
        name: instant(row[name]) if name in _TIMES and row[name] is not None else row[name] for name in _NOTICE
    }
    return Notice(**values)

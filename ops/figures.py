"""The figures of a running installation that the live line shows, read where they are kept."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Final

import asyncpg
import httpx
from prometheus_client.parser import text_string_to_metric_families

from core.db import plain_url
from core.money import Fen, yuan_text

STORED: Final = "parking_ingest_readings_stored_total"
LAG_SUM: Final = "parking_ingest_lag_seconds_sum"
LAG_COUNT: Final = "parking_ingest_lag_seconds_count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One moment of an installation."""

    readings_per_second: float | None
    occupied: int
    spaces: int
    open_sessions: int
    bills: int
    billed_fen: Fen
    paid_fen: Fen
    """Collected by the payment providers, less what went back."""
    lag_seconds: float | None
    """Event to commit, mean since the moment before."""

    def __str__(self) -> str:
        """The live line."""
        rate = "–" if self.readings_per_second is None else f"{self.readings_per_second:,.0f}"
        lag = "–" if self.lag_seconds is None else f"{self.lag_seconds:.1f} s"
        return (
            f"{rate} readings/s · {self.occupied:,} of {self.spaces:,} occupied · {self.open_sessions:,} open sessions"
            f" · {self.bills:,} bills, {yuan_text(self.billed_fen)}, {yuan_text(self.paid_fen)} paid"
            f" · lag {lag}"
        )


@dataclass(slots=True, kw_only=True)
class FigureReader:
    """Reads them again and again, over one connection."""

    database_url: str
    ingest_metrics_port: int
    _db: asyncpg.Connection | None = None
    _before: dict[str, float] = field(default_factory=dict)
    _before_at: float = 0.0

    async def read(self) -> Figures:
        """The figures now; rates since the read before.

        Raises:
            OSError, asyncpg.PostgresError, asyncpg.InterfaceError: the database is away.
        """
        if self._db is None or self._db.is_closed():
            self._db = await asyncpg.connect(plain_url(self.database_url), timeout=5)
        row = await self._db.fetchrow(
            """
            SELECT (SELECT count(*) FROM space WHERE retired_at IS NULL) AS spaces,
                   (SELECT count(*) FROM space_state WHERE occupancy = 'occupied') AS occupied,
                   (SELECT count(*) FROM parking_session WHERE status = 'open') AS open_sessions,
                   (SELECT count(*) FROM parking_session WHERE billed_revision > 0) AS bills,
                   (SELECT coalesce(sum(total_fen), 0) FROM current_bill)::bigint AS billed_fen,
                   (SELECT coalesce(sum(debit_fen - credit_fen), 0) FROM journal_line
                     WHERE account LIKE 'provider:%:clearing' AND payment_id IS NOT NULL)::bigint AS paid_fen
            """
        )
        now, counters = monotonic(), await self._ingest_counters()
        rate, lag = self._rates(counters, now - self._before_at)
        self._before, self._before_at = counters, now
        return Figures(
            readings_per_second=rate,
            occupied=row["occupied"],
            spaces=row["spaces"],
            open_sessions=row["open_sessions"],
            bills=row["bills"],
            billed_fen=Fen(row["billed_fen"]),
            paid_fen=Fen(row["paid_fen"]),
            lag_seconds=lag,
        )

    async def _ingest_counters(self) -> dict[str, float]:
        try:
            async with httpx.AsyncClient(timeout=2) as client:
                answer = await client.get(f"http://127.0.0.1:{self.ingest_metrics_port}/metrics")
        except httpx.TransportError:
            return {}
        return {
            sample.name: sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if sample.name in {STORED, LAG_SUM, LAG_COUNT}
        }

    def _rates(self, counters: dict[str, float], seconds: float) -> tuple[float | None, float | None]:
        if STORED not in counters or STORED not in self._before or counters[STORED] < self._before[STORED]:
            return None, None  # the first look, or ingest has started again
        batches = counters[LAG_COUNT] - self._before[LAG_COUNT]
        lag = (counters[LAG_SUM] - self._before[LAG_SUM]) / batches if batches else None
        return (counters[STORED] - self._before[STORED]) / seconds, lag


def read_status(path: Path) -> dict[str, Any]:
    """The simulator's newest status, empty before its first."""
    try:
        status: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return status

"""What the map says of prices: the notices in force for its lots, in short words, and what an hour costs now."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.calendar import Calendar
from billing.calendar_table import fetch_calendar
from billing.pricing import price_stay
from billing.tariff import Tariff
from billing.tariffs_in_force import fetch_tariff
from core.clock import instant
from core.errors import ParkingError
from core.stay import Stay

log = structlog.get_logger()

MINUTE_MS = 60_000


class Prices:
    """Notices by code; the price of an hour is computed once a minute."""

    def __init__(self, tariffs: dict[str, Tariff] | None = None, calendars: dict[str, Calendar] | None = None) -> None:
        """Keep these notices, each with the working days, holidays and free days that hold for it."""
        self.tariffs = tariffs or {}
        self._calendars = calendars or {}
        self.texts = {code: short_text(tariff) for code, tariff in self.tariffs.items()}
        self._minute = -1
        self._hour_fen: dict[str, int] = {}

    def hour_fen(self, now_ms: int) -> dict[str, int]:
        """What a stay of one hour from now would cost under each notice."""
        minute = now_ms // MINUTE_MS
        if minute != self._minute:
            begins = instant(minute * MINUTE_MS)
            hour = Stay(entered_at=begins, left_at=begins + timedelta(hours=1))
            self._minute = minute
            self._hour_fen = {
                code: price_stay(tariff, hour, zone=tariff.zone, calendar=self._calendars.get(code)).total_fen
                for code, tariff in self.tariffs.items()
            }
        return self._hour_fen


async def fetch_prices(db: AsyncConnection, codes: Iterable[str], at: datetime) -> Prices:
    """The notices in force; one that is missing leaves its lots without a price, and is logged."""
    tariffs: dict[str, Tariff] = {}
    calendars: dict[str, Calendar] = {}
    for code in sorted(codes):
        try:
            _, tariffs[code] = await fetch_tariff(db, code, at)
            calendars[code] = await fetch_calendar(db, tariff=code)
        except ParkingError as error:
            log.warning("tariff.missing", tariff=code, error=error.message)
    return Prices(tariffs, calendars)


def short_text(tariff: Tariff) -> dict[str, str]:
    """A notice in a few words, in both languages."""
    return {"zh": tariff.price_summary("zh"), "en": tariff.price_summary("en")}


def in_words(tariff: Tariff) -> dict[str, object]:
    """A notice in plain words, as a board beside the lot would put it."""
    return {
        "code": tariff.code,
        "version": tariff.version,
        "name": {"zh": tariff.document.name.zh, "en": tariff.document.name.en},
        "summary": {"zh": tariff.summary("zh"), "en": tariff.summary("en")},
    }

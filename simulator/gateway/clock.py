"""The gateway's own time: real, but it can be set forward, so that a day of repetitions takes a moment."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import InvalidError

CALENDAR: Final = ZoneInfo("Asia/Shanghai")
"""Both providers write their times, and cut their bills, by this zone."""
SECOND: Final = timedelta(seconds=1)


class GatewayClock:
    """Schedules, expiries and bills go by it; signatures are always dated by the machine's own time."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        """Let so much time pass at once.

        Raises:
            InvalidError: time does not go back.
        """
        if seconds < 0:
            raise InvalidError("the gateway's clock only goes forward")
        self._ahead += seconds * SECOND


def real_now() -> datetime:
    """The machine's own time."""
    return datetime.now(UTC)

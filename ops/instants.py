"""Instants that people type: a date, a time on the wall, or one with its offset."""

from datetime import UTC, date, datetime, time

from core.errors import InvalidError
from core.settings import Settings

DATE_LENGTH = len("2026-11-22")


def instant_of(words: str) -> datetime:
    """The instant that ``2026-11-22``, ``2026-11-22T09:30`` or the same with an offset means.

    Without an offset it is on the wall of the installation's zone, a date its first moment there.

    Raises:
        InvalidError: it is none.
    """
    zone = Settings().zone
    try:
        if len(words) <= DATE_LENGTH:
            return datetime.combine(date.fromisoformat(words), time(), zone).astimezone(UTC)
        at = datetime.fromisoformat(words)
    except ValueError as error:
        raise InvalidError(f"{words!r} is no instant; one is written like 2026-11-22T09:30+08:00") from error
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)

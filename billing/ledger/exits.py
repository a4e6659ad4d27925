"""Until when a vehicle whose fee is paid may leave, and what that is worth. Pure."""

from datetime import datetime, timedelta


def exit_by_of(covered_to: datetime | None, window_minutes: int) -> datetime | None:
    """Until when a vehicle whose fee was paid up to ``covered_to`` may leave; None where there is no such window."""
    if covered_to is None or window_minutes == 0:
        return None
    return covered_to + timedelta(minutes=window_minutes)


def allowance_fen(*, total_fen: int, covered_fen: int, left_at: datetime, exit_by: datetime | None) -> int:
    """What of a fee is not asked for because the vehicle left in time.

    Args:
        total_fen: the fee from arrival to departure.
        covered_fen: the fee up to the instant that was paid for.
        left_at: the departure.
        exit_by: see ``exit_by_of``.
    """
    if exit_by is None or left_at > exit_by:
        return 0
    return max(0, total_fen - covered_fen)

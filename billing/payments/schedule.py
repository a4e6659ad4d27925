"""When a provider is asked what became of a payment or a refund, in real time. Pure.

A notification usually comes first. While the driver waits, the questions are close together; afterwards an order that
nobody paid is closed, and asked about once more.
"""

from datetime import datetime, timedelta
from typing import Final

LIVES: Final = timedelta(minutes=5)
"""How long an order may be paid: so long a quoted fee is honoured."""
CLOSES_AFTER: Final = timedelta(seconds=20)
"""An order is closed only so long after it has run out: a payer who was typing a password is let through."""
AGES: Final = tuple(timedelta(seconds=seconds) for seconds in (3, 6, 12, 30, 60, 120, 300, 900, 1_800))
LATER_EVERY: Final = timedelta(minutes=30)
"""And so often after that, until the provider gives a final answer."""
DRIVER_WAITS: Final = timedelta(minutes=2)
"""Payments younger than this are asked about by the api itself, too."""
REFUND_PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 60, 300, 900, 1_800))
REFUND_EVERY: Final = timedelta(hours=1)


def next_poll(created_at: datetime, expires_at: datetime, at: datetime) -> datetime:
    """The first instant after ``at`` at which the provider is to be asked about a payment; there always is one."""
    wanted = sorted({expires_at + CLOSES_AFTER, *(created_at + age for age in AGES)})
    return next((instant for instant in wanted if instant > at), at + LATER_EVERY)


def is_to_be_closed(expires_at: datetime, at: datetime) -> bool:
    """Whether an order that is still not paid is given up."""
    return at >= expires_at + CLOSES_AFTER


def next_refund_poll(polls: int, at: datetime) -> datetime:
    """When a refund is sent or asked about again, having been so ``polls`` times."""
    return at + (REFUND_PAUSES[polls] if polls < len(REFUND_PAUSES) else REFUND_EVERY)

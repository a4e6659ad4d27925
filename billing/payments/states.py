"""What an attempt to collect money may become, and what it is called outside. Pure.

Paid is final, and every other state may still become paid: money that came is never argued away. ``unknown`` is not
failed: the provider did not answer, so it may have done what we asked.
"""

from enum import StrEnum
from typing import Final

from core.errors import ConflictError


class PaymentStatus(StrEnum):
    """As it is stored."""

    CREATED = "created"
    """Written down; the provider has perhaps not been asked yet."""
    SENT = "sent"
    """The provider has the order."""
    UNKNOWN = "unknown"
    """The provider was asked and gave no answer that proves anything."""
    PAID = "paid"
    CLOSED = "closed"
    """Can no longer be paid; if it is nevertheless, it becomes paid and late."""
    FAILED = "failed"


class PublicStatus(StrEnum):
    """As a driver sees it."""

    PENDING = "pending"
    PAID = "paid"
    CLOSED = "closed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REFUNDED = "refunded"
    """All of what came went back."""


ACTIVE: Final = frozenset({PaymentStatus.CREATED, PaymentStatus.SENT, PaymentStatus.UNKNOWN})
"""Money may come without anything else having to happen."""

_NEXT: Final[dict[PaymentStatus, frozenset[PaymentStatus]]] = {
    PaymentStatus.CREATED: frozenset(PaymentStatus) - {PaymentStatus.CREATED},
    PaymentStatus.SENT: frozenset({PaymentStatus.PAID, PaymentStatus.CLOSED, PaymentStatus.FAILED}),
    PaymentStatus.UNKNOWN: frozenset(
        {PaymentStatus.SENT, PaymentStatus.PAID, PaymentStatus.CLOSED, PaymentStatus.FAILED}
    ),
    PaymentStatus.CLOSED: frozenset({PaymentStatus.PAID}),
    PaymentStatus.FAILED: frozenset({PaymentStatus.PAID}),
    PaymentStatus.PAID: frozenset(),
}


class IllegalTransitionError(ConflictError):
    """A payment never goes that way. Carries ``before`` and ``after``."""

    slug = "illegal-transition"


def may_become(before: PaymentStatus, after: PaymentStatus) -> bool:
    """Whether this step exists; to stay as it is is none."""
    return after in _NEXT[before]


def sources_of(after: PaymentStatus) -> tuple[PaymentStatus, ...]:
    """From where a payment may get there; what a guarded update asks for."""
    return tuple(before for before in PaymentStatus if may_become(before, after))


def step(before: PaymentStatus, after: PaymentStatus) -> PaymentStatus:
    """The state afterwards.

    Raises:
        IllegalTransitionError: there is no such step.
    """
    if not may_become(before, after):
        raise IllegalTransitionError(f"a {before} payment does not become {after}", before=before, after=after)
    return after


def public_status(status: PaymentStatus, *, received_fen: int | None, refunded_fen: int) -> PublicStatus:
    """What is shown; ``refunded_fen`` is what the provider has confirmed to have given back."""
    match status:
        case PaymentStatus.CREATED | PaymentStatus.SENT:
            return PublicStatus.PENDING
        case PaymentStatus.UNKNOWN:
            return PublicStatus.UNKNOWN
        case PaymentStatus.CLOSED:
            return PublicStatus.CLOSED
        case PaymentStatus.FAILED:
            return PublicStatus.FAILED
        case PaymentStatus.PAID:
            is_all_back = received_fen is not None and refunded_fen >= received_fen
            return PublicStatus.REFUNDED if is_all_back else PublicStatus.PAID

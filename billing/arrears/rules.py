"""Where a debt belongs: with its stay, with a vehicle that was seen, or with nobody known. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.ledger import accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """What is known of a stay that owes something."""

    status: str
    left_at: datetime | None
    is_billed_as_it_is: bool
    """Its bill is of its newest revision."""
    unsure: bool
    is_held: bool
    """Its bill waits for a person."""
    is_released: bool
    """A person looked at it and let it go."""
    is_seen: bool
    """A warden, or a camera that read clearly, saw the vehicle; what its driver typed is not enough."""


def account_of(debt: Debt, *, now: datetime, grace: timedelta) -> str:
    """The account in which it is owed.

    A stay with a gap in its evidence, or on thin evidence, stays where it is until a person has looked at it.
    """
    if debt.status != "ended" or debt.left_at is None or not debt.is_billed_as_it_is:
        return accounts.RECEIVABLE
    if debt.is_held or (debt.unsure and not debt.is_released):
        return accounts.RECEIVABLE
    if now < debt.left_at + grace:
        return accounts.RECEIVABLE
    return accounts.ARREARS if debt.is_seen else accounts.UNIDENTIFIED

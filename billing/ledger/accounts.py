"""The journal's accounts by name. Pure.

A name is ``class`` or ``class:detail``; balances are sums over a class. Assets and expenses grow by debits, the rest by
credits.
"""

from typing import Final

RECEIVABLE: Final = "receivable:stay"
"""What stays still owe: never below 0 of any session."""
ARREARS: Final = "receivable:arrears"
"""What is asked for later, of a vehicle that a warden or a camera saw."""
UNIDENTIFIED: Final = "receivable:unidentified"
"""What nobody known owes: asked of nobody, paid by whoever comes back, given up by a rule."""
LATER: Final = (ARREARS, UNIDENTIFIED)
"""Where the debt of a stay goes that nobody paid in time; money and corrections take from there first."""
OVERPAID: Final = "overpaid"
"""What payers get back: on its way at once, or claimed by a refund that failed."""
SUSPENSE: Final = "suspense"
"""Money that arrived and answers to nothing yet: a person decides."""
REFUND_PENDING: Final = "refund:pending"
"""On its way back, not confirmed."""
RETURNED_TWICE: Final = "receivable:returned-twice"
"""Paid out by hand because a provider could not, then given back by the provider after all: asked from the payer."""
PREPAID: Final = "prepaid:pass"
"""Days of passes that are paid for and not over."""
REVENUE_OF_PASSES: Final = "revenue:pass"
BANK: Final = "bank"
PROVIDER_FEE: Final = "fee:provider"
WRITE_OFF: Final = "writeoff"

REVENUE: Final = "revenue:"
COUPON: Final = "discount:coupon"
"""What the operator's own coupons took off."""
FUNDED: Final = "funded:coupons"
"""Fees that somebody else than the payer bears: the other side of ``discount:coupon`` and of merchants' debts."""
DISCOUNT: Final = "discount:"
EXIT_WINDOW: Final = "discount:exit-window"
"""Minutes between the payment and a departure in time."""
WAIVER: Final = "discount:waiver"
"""Given up by an operator, with a reason."""
GOODWILL: Final = "discount:refund"
"""Given back by an operator though it was owed."""
GIVEN_UP: Final = (WAIVER, WRITE_OFF, GOODWILL)
"""What is taken back first where a corrected fee needs less of it."""


def revenue(lot_code: str) -> str:
    """Fees of a lot."""
    return f"revenue:parking:{lot_code}"


def validation(bearer: str) -> str:
    """What a merchant owes for the stays it has validated, and for its coupons."""
    return f"merchant:validation:{bearer}"


def clearing(provider: str) -> str:
    """What a provider has collected for us and not yet paid out."""
    return f"provider:{provider}:clearing"

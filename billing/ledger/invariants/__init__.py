"""What always holds in the books, as one question each: an answer with rows is a fault. Pure.

I1 to I12, in the numbering of ``docs/ledger.md``. I8's seals and I11 (bills compute again) need more than a statement:
see ``billing.ledger.checking``.
"""

from billing.ledger.invariants.journal import BALANCED, IMMUTABLE, POSTED_ONCE, TRIAL_BALANCE
from billing.ledger.invariants.money import BOOKED_ONCE, ENDED, HELD_BY_PROVIDERS, NO_MORE_THAN_CAME
from billing.ledger.invariants.shape import Invariant
from billing.ledger.invariants.stays import CHARGED_AS_BILLED, NONE_BELOW_NOTHING, NONE_IN_LIMBO

INVARIANTS = (
    BALANCED,
    TRIAL_BALANCE,
    BOOKED_ONCE,
    POSTED_ONCE,
    NO_MORE_THAN_CAME,
    CHARGED_AS_BILLED,
    NONE_BELOW_NOTHING,
    IMMUTABLE,
    HELD_BY_PROVIDERS,
    ENDED,
    NONE_IN_LIMBO,
)

__all__ = ["INVARIANTS", "Invariant"]

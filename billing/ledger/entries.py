"""What happens to money, as balanced entries. Pure.

Each function turns one event into one entry, or into None where nothing moves. The business key names the event, so
the same event posted twice is posted once.
"""

from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

from billing.ledger import accounts

Later = tuple[tuple[str, int], ...]
"""Debts by account: arrears, and those of nobody known."""
CNY: Final = "CNY"
OWED_ELSEWHERE: Final = "owed-elsewhere"
"""The kind of entry by which a debt becomes an arrear, one of nobody known, or a stay's again."""
SUSPENSE_PAID_OUT: Final = "suspense-paid-out"
"""The kind of entry by which money leaves suspense for the bank account of whoever paid it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One side of an entry; exactly one of the amounts is above 0."""

    account: str
    debit_fen: int = 0
    credit_fen: int = 0
    session_id: UUID | None = None
    payment_id: UUID | None = None

    @classmethod
    def of(cls, account: str, signed_fen: int, *, session_id: UUID | None, payment_id: UUID | None = None) -> Self:
        """A debit where the amount is above 0, else a credit."""
        return cls(
            account=account,
            debit_fen=max(0, signed_fen),
            credit_fen=max(0, -signed_fen),
            session_id=session_id,
            payment_id=payment_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that happened to money, once."""

    business_key: str
    kind: str
    lines: tuple[Line, ...]
    currency: str = CNY

    @property
    def is_balanced(self) -> bool:
        """Whether debits are credits; the database refuses what is not."""
        return sum(line.debit_fen - line.credit_fen for line in self.lines) == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What the journal says of a session before an event."""

    charged_fen: int = 0
    exit_window_fen: int = 0
    """Of the allowed: for leaving in time."""
    due_fen: int = 0
    """In whichever account it is owed."""
    later: Later = ()
    """Of the due, by account: what was not paid in time."""
    given_up: tuple[tuple[str, int], ...] = ()
    """Of the allowed: by account what was waived, written off or given back though it was owed."""


def charge(
    key: str, session_id: UUID, lot_code: str, stand: Stand, *, total_fen: int, exit_window_fen: int = 0
) -> Entry | None:
    """A session costs ``total_fen`` from now on, ``exit_window_fen`` of it allowed; the difference moves.

    No receivable falls below 0: what was given up before is taken back first, the rest is overpaid.
    """
    charged = total_fen - stand.charged_fen
    allowed = exit_window_fen - stand.exit_window_fen
    due = stand.due_fen + charged - allowed
    taken_back = []
    for account, fen in stand.given_up:
        back = min(fen, max(0, -due))
        due += back
        taken_back.append((account, -back))
    too_much = max(0, -due)
    return _entry(
        key,
        "charge",
        *_owed(due + too_much - stand.due_fen, stand.later),
        (accounts.EXIT_WINDOW, allowed),
        *taken_back,
        (accounts.revenue(lot_code), -charged),
        (accounts.OVERPAID, -too_much),
        session_id=session_id,
    )


def receive(
    provider: str,
    transaction_id: str,
    *,
    payment_id: UUID,
    session_id: UUID | None,
    amount_fen: int,
    due_fen: int,
    later: Later = (),
) -> Entry | None:
    """A payment arrived: it settles what is due, and the rest is overpaid. Without a session it buys a pass."""
    settled = amount_fen if session_id is None else min(amount_fen, due_fen)
    too_much = amount_fen - settled
    bought = [(accounts.PREPAID, -settled)] if session_id is None else _owed(-settled, later)
    return _entry(
        payment_key(provider, transaction_id),
        "payment",
        (accounts.clearing(provider), amount_fen),
        *bought,
        (accounts.OVERPAID, -too_much),
        session_id=session_id,
        payment_id=payment_id,
    )


def receive_again(
    provider: str, transaction_id: str, *, payment_id: UUID, session_id: UUID | None, amount_fen: int
) -> Entry | None:
    """An order was paid once more, and nothing is due: all of it goes back."""
    return _entry(
        payment_key(provider, transaction_id),
        "payment",
        (accounts.clearing(provider), amount_fen),
        (accounts.OVERPAID, -amount_fen),
        session_id=session_id,
        payment_id=payment_id,
    )


def receive_odd(
    provider: str, transaction_id: str, *, payment_id: UUID, session_id: UUID | None, amount: int, currency: str
) -> Entry | None:
    """Another amount, or another currency, than was asked for: kept in suspense, settling nothing."""
    return _entry(
        payment_key(provider, transaction_id),
        "payment",
        (accounts.clearing(provider), amount),
        (accounts.SUSPENSE, -amount),
        session_id=session_id,
        payment_id=payment_id,
        currency=currency,
    )


def settle_from_suspense(
    decision_id: UUID,
    *,
    payment_id: UUID | None,
    session_id: UUID | None,
    amount_fen: int,
    currency: str = CNY,
    later: Later = (),
) -> Entry | None:
    """A person says that this money counts: it pays what its stay owes. ``amount_fen`` is at most what is due."""
    return _entry(
        f"suspense:{decision_id}",
        "suspense-settled",
        (accounts.SUSPENSE, amount_fen),
        *_owed(-amount_fen, later),
        session_id=session_id,
        payment_id=payment_id,
        currency=currency,
    )


def pay_out_of_suspense(
    decision_id: UUID, *, payment_id: UUID | None, session_id: UUID | None, amount_fen: int, currency: str = CNY
) -> Entry | None:
    """A person gave it back from the bank."""
    return _entry(
        f"suspense:{decision_id}",
        SUSPENSE_PAID_OUT,
        (accounts.SUSPENSE, amount_fen),
        (accounts.BANK, -amount_fen),
        session_id=session_id,
        payment_id=payment_id,
        currency=currency,
    )


def start_refund(
    refund_id: UUID, account: str, *, payment_id: UUID, session_id: UUID | None, amount_fen: int, currency: str = CNY
) -> Entry | None:
    """Money is on its way back; ``account`` says whose it was."""
    return _entry(
        f"refund:{refund_id}",
        "refund",
        (account, amount_fen),
        (accounts.REFUND_PENDING, -amount_fen),
        session_id=session_id,
        payment_id=payment_id,
        currency=currency,
    )


def finish_refund(
    refund_id: UUID,
    provider: str,
    *,
    account: str = accounts.REFUND_PENDING,
    payment_id: UUID,
    session_id: UUID | None,
    amount_fen: int,
    currency: str = CNY,
) -> Entry | None:
    """The provider gave it back.

    ``account`` says where it waited: on its way, owed because the provider had said that it could not, or nowhere any
    more, as a person had paid it out meanwhile.
    """
    return _entry(
        f"refund-done:{refund_id}",
        "refund-done",
        (account, amount_fen),
        (accounts.clearing(provider), -amount_fen),
        session_id=session_id,
        payment_id=payment_id,
        currency=currency,
    )


def fail_refund(
    refund_id: UUID, *, payment_id: UUID, session_id: UUID | None, amount_fen: int, currency: str = CNY
) -> Entry | None:
    """The provider cannot give it back: it is still owed, and a person has to pay it out."""
    return _entry(
        f"refund-failed:{refund_id}",
        "refund-failed",
        (accounts.REFUND_PENDING, amount_fen),
        (accounts.OVERPAID, -amount_fen),
        session_id=session_id,
        payment_id=payment_id,
        currency=currency,
    )


def pay_out(
    refund_id: UUID, *, payment_id: UUID, session_id: UUID | None, amount_fen: int, currency: str = CNY
) -> Entry | None:
    """What the provider could not give back was paid from the bank, by a person, once."""
    return _entry(
        payout_key(refund_id),
        "payout",
        (accounts.OVERPAID, amount_fen),
        (accounts.BANK, -amount_fen),
        session_id=session_id,
        payment_id=payment_id,
        currency=currency,
    )


def give_up(key: str, kind: str, account: str, *, session_id: UUID, amount_fen: int, later: Later = ()) -> Entry | None:
    """A waiver or a write-off: what is due is asked for no more. ``amount_fen`` is at most what is due."""
    return _entry(key, kind, (account, amount_fen), *_owed(-amount_fen, later), session_id=session_id)


def owe_elsewhere(key: str, session_id: UUID, stand: Stand, target: str) -> Entry | None:
    """All that a stay owes is owed in another account from now on; None where it is there already."""
    owed = {accounts.RECEIVABLE: stand.due_fen - sum(fen for _, fen in stand.later), **dict(stand.later)}
    moved = sum(fen for account, fen in owed.items() if account != target)
    away = [(account, -fen) for account, fen in owed.items() if account != target]
    return _entry(key, OWED_ELSEWHERE, (target, moved), *away, session_id=session_id)


def earn_pass(order_id: UUID, days: int, *, payment_id: UUID, amount_fen: int) -> Entry | None:
    """The first so many days of a pass are over: what they cost is ours."""
    return _entry(
        f"pass-earned:{order_id}:{days}",
        "pass-earned",
        (accounts.PREPAID, amount_fen),
        (accounts.REVENUE_OF_PASSES, -amount_fen),
        session_id=None,
        payment_id=payment_id,
    )


def bear_coupon(key: str, account: str, amount_fen: int) -> Entry | None:
    """A coupon took off so much more (or, below 0, less) than was posted; ``account`` is its bearer's.

    The stay itself is charged what is left; hence neither line is one of the stay's.
    """
    return _entry(key, "coupon", (account, amount_fen), (accounts.FUNDED, -amount_fen), session_id=None)


def payment_key(provider: str, transaction_id: str) -> str:
    """One booking for one provider's transaction (M2)."""
    return f"payment:{provider}:{transaction_id}"


def payout_key(refund_id: UUID) -> str:
    """A refund is paid out by hand once."""
    return f"payout:{refund_id}"


def _owed(change_fen: int, later: Later) -> list[tuple[str, int]]:
    """The lines of a debt that changes: more is owed as a stay's, less is taken from what was owed longest."""
    lines = []
    left = change_fen
    for account, fen in later if change_fen < 0 else ():
        less = min(fen, -left)
        lines.append((account, -less))
        left += less
    return [*lines, (accounts.RECEIVABLE, left)]


def _entry(
    key: str,
    kind: str,
    *amounts: tuple[str, int],
    session_id: UUID | None,
    payment_id: UUID | None = None,
    currency: str = CNY,
) -> Entry | None:
    lines = tuple(
        Line.of(account, signed, session_id=session_id, payment_id=payment_id) for account, signed in amounts if signed
    )
    return Entry(business_key=key, kind=kind, lines=lines, currency=currency) if lines else None

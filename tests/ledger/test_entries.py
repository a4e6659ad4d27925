"""Every entry balances, whatever the amounts, and nothing falls below 0 that must not."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.ledger import accounts, entries
from billing.ledger.entries import Entry, Stand

SESSION, PAYMENT, REFUND = UUID(int=1), UUID(int=2), UUID(int=3)
FEN = st.integers(0, 20_000)
POSITIVE = st.integers(1, 20_000)


@st.composite
def stands(draw: st.DrawFn) -> Stand:
    """A session as the journal may know it: what is charged is allowed, given up, due or paid."""
    exit_window, waived, goodwill, due, paid = (draw(FEN) for _ in range(5))
    return Stand(
        charged_fen=exit_window + waived + goodwill + due + paid,
        exit_window_fen=exit_window,
        due_fen=due,
        given_up=((accounts.WAIVER, waived), (accounts.GOODWILL, goodwill)),
    )


def moved(entry: Entry | None) -> Counter[str]:
    """What each account gains by debits."""
    sums: Counter[str] = Counter()
    for line in entry.lines if entry else ():
        sums[line.account] += line.debit_fen - line.credit_fen
    return sums


@given(stand=stands(), total_fen=FEN, share=st.integers(0, 100))
def test_a_charge_balances_and_leaves_no_debt_below_zero(stand: Stand, total_fen: int, share: int) -> None:
    allowed = total_fen * share // 100
    entry = entries.charge("bill:1", SESSION, "KL", stand, total_fen=total_fen, exit_window_fen=allowed)
    assert entry is None or entry.is_balanced
    sums = moved(entry)
    due = stand.due_fen + sums[accounts.RECEIVABLE]
    overpaid = -sums[accounts.OVERPAID]
    given_up = {account: fen + sums[account] for account, fen in stand.given_up}
    assert due >= 0
    assert overpaid >= 0
    assert not (due and overpaid)
    assert all(0 <= given_up[account] <= fen for account, fen in stand.given_up)
    assert stand.charged_fen - sums[accounts.revenue("KL")] == total_fen
    assert stand.exit_window_fen + sums[accounts.EXIT_WINDOW] == allowed
    paid = stand.charged_fen - stand.exit_window_fen - stand.due_fen - sum(fen for _, fen in stand.given_up)
    assert total_fen - allowed - due - sum(given_up.values()) == paid - overpaid


@given(stand=stands(), total_fen=FEN)
def test_the_same_fee_again_moves_nothing(stand: Stand, total_fen: int) -> None:
    entry = entries.charge("k", SESSION, "KL", stand, total_fen=total_fen)
    sums = moved(entry)
    after = Stand(
        charged_fen=total_fen,
        due_fen=stand.due_fen + sums[accounts.RECEIVABLE],
        given_up=tuple((account, fen + sums[account]) for account, fen in stand.given_up),
    )
    assert entries.charge("again", SESSION, "KL", after, total_fen=total_fen) is None


@given(amount_fen=POSITIVE, due_fen=FEN)
def test_a_payment_settles_what_is_due_and_not_a_fen_more(amount_fen: int, due_fen: int) -> None:
    entry = entries.receive(
        "wechat", "42", payment_id=PAYMENT, session_id=SESSION, amount_fen=amount_fen, due_fen=due_fen
    )
    assert entry is not None
    assert entry.is_balanced
    assert moved(entry)[accounts.clearing("wechat")] == amount_fen
    assert -moved(entry)[accounts.RECEIVABLE] == min(due_fen, amount_fen)
    assert entry.business_key == "payment:wechat:42"


@given(amount_fen=POSITIVE)
@pytest.mark.parametrize("fails", [False, True])
def test_a_refund_comes_to_its_end_with_nothing_pending(amount_fen: int, fails: bool) -> None:
    about: dict[str, Any] = {"payment_id": PAYMENT, "session_id": SESSION, "amount_fen": amount_fen}
    steps = [entries.start_refund(REFUND, accounts.OVERPAID, **about)]
    if fails:
        steps.append(entries.fail_refund(REFUND, **about))
    account = accounts.OVERPAID if fails else accounts.REFUND_PENDING
    steps.append(entries.finish_refund(REFUND, "alipay", account=account, **about))
    assert all(step is not None and step.is_balanced for step in steps)
    sums: Counter[str] = Counter()
    for step in steps:
        sums.update(moved(step))
    assert sums[accounts.REFUND_PENDING] == 0
    assert sums[accounts.OVERPAID] == -sums[accounts.clearing("alipay")] == amount_fen


def test_money_of_another_amount_waits_in_suspense() -> None:
    entry = entries.receive_odd("wechat", "1", payment_id=PAYMENT, session_id=SESSION, amount=5, currency="USD")
    assert moved(entry) == {accounts.clearing("wechat"): 5, accounts.SUSPENSE: -5}
    assert entry is not None
    assert entry.currency == "USD"


def test_a_pass_is_paid_ahead() -> None:
    entry = entries.receive("alipay", "9", payment_id=PAYMENT, session_id=None, amount_fen=12_000, due_fen=0)
    assert moved(entry) == {accounts.clearing("alipay"): 12_000, accounts.PREPAID: -12_000}

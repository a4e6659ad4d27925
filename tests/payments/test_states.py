"""The states of a payment and the times at which it is asked about, alone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.payments.schedule import AGES, LATER_EVERY, LIVES, is_to_be_closed, next_poll, next_refund_poll
from billing.payments.states import (
    ACTIVE,
    IllegalTransitionError,
    PaymentStatus,
    PublicStatus,
    may_become,
    public_status,
    sources_of,
    step,
)

BEGAN = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
statuses = st.sampled_from(PaymentStatus)


@given(st.lists(statuses, max_size=20))
def test_whatever_happens_paid_stays_paid_and_money_can_always_arrive(wanted: list[PaymentStatus]) -> None:
    status = PaymentStatus.CREATED
    for after in wanted:
        if may_become(status, after):
            assert status is not PaymentStatus.PAID
            status = step(status, after)
        else:
            with pytest.raises(IllegalTransitionError):
                step(status, after)
    assert status is PaymentStatus.PAID or may_become(status, PaymentStatus.PAID)


@given(statuses, statuses)
def test_nothing_final_becomes_open_again(before: PaymentStatus, after: PaymentStatus) -> None:
    if may_become(before, after):
        assert before in sources_of(after)
        assert before in ACTIVE or after is PaymentStatus.PAID


@given(statuses, st.none() | st.integers(1, 10_000), st.integers(0, 10_000))
def test_unknown_is_never_shown_as_failed(status: PaymentStatus, received: int | None, refunded: int) -> None:
    shown = public_status(status, received_fen=received, refunded_fen=refunded)
    assert (shown is PublicStatus.FAILED) == (status is PaymentStatus.FAILED)
    assert (shown is PublicStatus.REFUNDED) == (
        status is PaymentStatus.PAID and received is not None and refunded >= received
    )


def test_a_payment_is_asked_about_often_at_first_and_for_ever() -> None:
    at, ages = BEGAN, []
    while at < BEGAN + timedelta(hours=3):
        at = next_poll(BEGAN, BEGAN + LIVES, at)
        ages.append(at - BEGAN)
    assert ages[: len(AGES) - 2] == [*AGES[:7]]
    assert LIVES + timedelta(seconds=20) in ages, "when it has run out it is closed"
    assert {later - earlier for earlier, later in pairwise(ages[-4:])} == {LATER_EVERY}


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30)))
def test_the_next_question_is_always_ahead(age: timedelta) -> None:
    assert next_poll(BEGAN, BEGAN + LIVES, BEGAN + age) > BEGAN + age
    assert next_poll(BEGAN, BEGAN + LIVES, BEGAN + age) <= BEGAN + age + LATER_EVERY
    assert is_to_be_closed(BEGAN + LIVES, BEGAN + age) == (age >= LIVES + timedelta(seconds=20))


@given(st.integers(0, 500))
def test_a_refund_is_never_given_up(polls: int) -> None:
    assert BEGAN < next_refund_poll(polls, BEGAN) <= BEGAN + timedelta(hours=1)

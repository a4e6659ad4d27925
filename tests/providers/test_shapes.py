"""Genuine but strange: whatever stands where in an answer or a bill, it is read rightly or refused, never half."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.providers.alipay.bills import read_bill as read_alipay
from billing.providers.alipay.orders import UnreadableAnswerError as AlipayUnreadable
from billing.providers.alipay.orders import order_state as alipay_state
from billing.providers.alipay.orders import refund_content, refund_found
from billing.providers.port import BillNotReadyError, OrderStatus
from billing.providers.wechat.bills import read_bill as read_wechat
from billing.providers.wechat.orders import UnreadableAnswerError as WechatUnreadable
from billing.providers.wechat.orders import order_state as wechat_state
from billing.providers.wechat.orders import refund_document, refund_state
from tests.providers.strangers import (
    ORDER_NO,
    REFUND_NO,
    alipay_merchant,
    refund_order,
    wechat_merchant,
    wechat_refund,
    wechat_transaction,
)
from tests.providers.test_alipay_calls import PAID
from tests.providers.test_bills import BOTH, DAY, WHOLE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
STRANGE_TIMES = st.sampled_from(
    ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "0001-01-01 00:00:00", "2026-02-30 00:00:00", "24"]
)
VALUES = JSON | STRANGE_TIMES


def with_one_changed(document: Mapping[str, Any], data: st.DataObject) -> dict[str, Any]:
    """One member replaced by anything, or taken out; of ``amount`` perhaps one of its own."""
    name = data.draw(st.sampled_from(sorted(document)))
    changed = dict(document)
    if isinstance(changed[name], dict) and data.draw(st.booleans()):
        changed[name] = with_one_changed(changed[name], data)
    elif data.draw(st.booleans()):
        changed[name] = data.draw(VALUES)
    else:
        del changed[name]
    return changed


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_an_order_of_wechats_is_read_or_refused(data: st.DataObject) -> None:
    try:
        state = wechat_state(with_one_changed(wechat_transaction(), data), wechat_merchant())
    except WechatUnreadable:
        return
    if state.status in (OrderStatus.PAID, OrderStatus.REFUNDED):
        assert state.transaction_id
        assert state.paid_at is not None
        assert isinstance(state.total_fen, int)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_refund_of_wechats_is_read_or_refused(data: st.DataObject) -> None:
    try:
        state = refund_state(with_one_changed(wechat_refund(), data))
    except WechatUnreadable:
        return
    assert state.amount_fen is None or state.amount_fen >= 0


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_an_order_of_alipays_is_read_or_refused(data: st.DataObject) -> None:
    try:
        state = alipay_state(with_one_changed(PAID, data))
    except AlipayUnreadable:
        return
    if state.status in (OrderStatus.PAID, OrderStatus.REFUNDED):
        assert state.transaction_id
        assert isinstance(state.total_fen, int)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_refund_of_alipays_is_read_or_refused(data: st.DataObject) -> None:
    found = {
        "out_trade_no": ORDER_NO,
        "out_request_no": REFUND_NO,
        "refund_status": "REFUND_SUCCESS",
        "refund_amount": "2.00",
        "trade_no": "2026",
    }
    try:
        state = refund_found(with_one_changed(found, data), ORDER_NO, REFUND_NO)
    except AlipayUnreadable:
        return
    assert (state.order_no, state.refund_no) == (ORDER_NO, REFUND_NO)


def test_f54_no_beginning_of_a_bill_passes_for_less_than_the_whole() -> None:
    whole = read_wechat(WHOLE, DAY, wechat_merchant())
    for end in range(len(WHOLE)):
        try:
            assert read_wechat(WHOLE[:end], DAY, wechat_merchant()) == whole
        except BillNotReadyError:
            continue
    table = read_alipay(BOTH, DAY, alipay_merchant())
    for end in range(len(BOTH)):
        try:
            assert read_alipay(BOTH[:end], DAY, alipay_merchant()) == table
        except BillNotReadyError:
            continue


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=4))
def test_f54_a_bill_with_a_splinter_in_it_is_read_or_refused(at: int, splinter: bytes) -> None:
    try:
        bill = read_wechat(WHOLE[:at] + splinter + WHOLE[at + len(splinter) :], DAY, wechat_merchant())
    except BillNotReadyError:
        return
    assert sum(line.amount_fen for line in bill.lines if line.refund_no is None) == 600


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31)])
def test_a_bill_of_an_impossible_day_is_another_days(day: date) -> None:
    with pytest.raises(BillNotReadyError):
        read_wechat(WHOLE, day, wechat_merchant())


def test_a_refund_of_one_of_two_transactions_names_it_and_its_currency() -> None:
    again = replace(refund_order(), transaction_id="42-second", currency="USD")
    wechat_asks = refund_document(again)
    assert (wechat_asks["transaction_id"], wechat_asks["amount"]["currency"]) == ("42-second", "USD")
    assert "out_trade_no" not in wechat_asks
    alipay_asks = refund_content(again)
    assert (alipay_asks["trade_no"], alipay_asks["refund_currency"]) == ("42-second", "USD")
    once = refund_order()
    assert "transaction_id" not in refund_document(once)
    assert refund_content(once).keys() == {"out_trade_no", "out_request_no", "refund_amount", "refund_reason"}

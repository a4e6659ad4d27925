"""Alipay's notifications: theirs are understood, everything else is refused by name."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.providers.port import ForgedError, NotReadableError, OrderState, OrderStatus, RefundState, RefundStatus
from tests.providers.strangers import NOW, ORDER_NO, REFUND_NO, AlipayStranger, alipay, alipay_notification

BODY = alipay_notification()


async def heard(body: bytes) -> OrderState | RefundState:
    return (await alipay(AlipayStranger()).read_notification({}, body)).about


async def refused(body: bytes) -> tuple[type[Exception], object]:
    with pytest.raises((ForgedError, NotReadableError)) as refusal:
        await heard(body)
    return refusal.type, refusal.value.facts["why"]


async def test_a_payment_is_understood() -> None:
    notification = await alipay(AlipayStranger()).read_notification({}, BODY)
    assert notification.key == "2026112300222115940000000001"
    state = notification.about
    assert isinstance(state, OrderState)
    assert (state.order_no, state.status, state.total_fen) == (ORDER_NO, OrderStatus.PAID, 600)


async def test_a_refund_is_understood() -> None:
    body = alipay_notification(gmt_refund="2026-11-23 11:59:39.120", refund_fee="2.00", out_biz_no=REFUND_NO)
    state = await heard(body)
    assert isinstance(state, RefundState)
    assert (state.refund_no, state.status, state.amount_fen) == (REFUND_NO, RefundStatus.SUCCEEDED, None)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"trade_status": "TRADE_FINISHED"}, OrderStatus.PAID),
        ({"trade_status": "TRADE_CLOSED"}, OrderStatus.REFUNDED),
        ({"trade_status": "TRADE_CLOSED", "gmt_payment": None}, OrderStatus.CLOSED),
        ({"trade_status": "WAIT_BUYER_PAY", "gmt_payment": None}, OrderStatus.PENDING),
        ({"refund_fee": "1.00"}, OrderStatus.REFUNDED),
    ],
)
async def test_f41_f42_each_state_has_its_word(changed: dict[str, str | None], status: OrderStatus) -> None:
    assert (await heard(alipay_notification(**changed))).status is status


async def test_f01_a_repetition_has_the_same_key_whether_renewed_or_not() -> None:
    provider = alipay(AlipayStranger())
    first = await provider.read_notification({}, BODY)
    assert await provider.read_notification({}, BODY) is first
    renewed = alipay_notification(notify_time="2026-11-23 11:59:59")
    assert (await provider.read_notification({}, renewed)).key == first.key


@pytest.mark.parametrize("hours", [1, 25])
async def test_the_providers_own_repetitions_are_heard(hours: int) -> None:
    provider = alipay(AlipayStranger(), now=NOW + timedelta(hours=hours))
    assert (await provider.read_notification({}, BODY)).key


@pytest.mark.parametrize("written", ["2026-11-22 09:00:00", "2026-11-23 12:06:00"])
async def test_f20_older_or_future_ones_are_refused(written: str) -> None:
    assert await refused(alipay_notification(notify_time=written)) == (ForgedError, "age")


@pytest.mark.parametrize(
    "changed", [{"app_id": "2021000000000002"}, {"seller_id": "2088000000000016"}, {"seller_id": None}]
)
async def test_f16_another_merchants_notification_is_refused(changed: dict[str, str | None]) -> None:
    assert await refused(alipay_notification(**changed)) == (ForgedError, "merchant")


@pytest.mark.parametrize(
    "changed",
    [
        {"total_amount": "6.001"},
        {"total_amount": None},
        {"trade_status": "X"},
        {"notify_id": None},
        {"notify_time": "soon"},
    ],
)
async def test_a_genuine_notification_in_a_strange_shape_is_ours_to_look_at(changed: dict[str, str | None]) -> None:
    assert await refused(alipay_notification(**changed)) == (NotReadableError, "shape")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"sign=QUJD",
        b"\xff\xfe",
        BODY.replace(b"sign_type=RSA2", b"sign_type=RSA"),
        BODY.replace(b"&sign_type=RSA2", b""),
        BODY + b"&total_amount=6.00",
        BODY.replace(b"%E5", b"%FF"),
    ],
)
async def test_f18_what_carries_no_signature_is_refused(body: bytes) -> None:
    assert (await refused(body))[0] is ForgedError


@pytest.mark.parametrize(
    ("name", "value"), [("total_amount", "0.01"), ("out_trade_no", "P1"), ("more", "x"), ("body", "x")]
)
async def test_f22_no_field_may_differ(name: str, value: str) -> None:
    form = dict(parse_qsl(BODY.decode(), keep_blank_values=True))
    assert await refused(urlencode({**form, name: value}).encode()) == (ForgedError, "signature")


async def test_the_order_of_fields_does_not_matter() -> None:
    form = parse_qsl(BODY.decode(), keep_blank_values=True)
    assert (await heard(urlencode(form[::-1]).encode())).order_no == ORDER_NO


@settings(max_examples=400, deadline=None)
@given(place=st.integers(min_value=0, max_value=8 * len(BODY) - 1))
async def test_no_bit_may_differ(place: int) -> None:
    changed = bytearray(BODY)
    changed[place // 8] ^= 1 << place % 8
    before = dict(parse_qsl(BODY.decode(), keep_blank_values=True))
    try:
        after = dict(parse_qsl(bytes(changed).decode("ascii"), keep_blank_values=True))
    except UnicodeDecodeError:
        after = {}
    if before != after:  # %3A and %3a are the same character
        assert (await refused(bytes(changed)))[0] is ForgedError


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=400))
async def test_noise_is_refused_by_name(body: bytes) -> None:
    await refused(body)


def test_only_the_word_success_ends_repetitions() -> None:
    provider = alipay(AlipayStranger())
    assert provider.acknowledge(taken=True).body == b"success"
    assert provider.acknowledge(taken=False).body != b"success"
    assert provider.acknowledge(taken=False).status == 500

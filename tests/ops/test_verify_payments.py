"""What people paid against what is stored: each once, with its fen, by its way, and none beside."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InvalidError
from ops.verify.payments import Received, compare_payments, ways
from ops.verify.report import Way, Why
from simulator.drivers.told import DriversHeader, PaymentLine, Told, whose_drivers

AT = "2026-03-10T04:00:00.000Z"
STORED = Received(
    payment_id="a",
    purpose="stay",
    session_id="s",
    space="KL-001",
    entered_at=AT,
    channel="wechat",
    status="paid",
    amount_fen=300,
    received_fen=300,
    bookings=1,
    booked_fen=300,
)
TOLD = PaymentLine(
    payment_id="a", session_id="s", space="KL-001", channel="wechat", amount_fen=300, habit="x", at=AT, state="paid"
)
PRESSED = PaymentLine(
    payment_id="a", session_id="s", space="KL-001", channel="wechat", amount_fen=300, habit="x", at=AT, state="pressed"
)


def found(
    told: PaymentLine | None, stored: Received | None, *, visited: frozenset[tuple[str, str]] = frozenset()
) -> list[tuple[Why, str]]:
    lines = {} if told is None else {told.payment_id: told}
    rows = [] if stored is None else [stored]
    return [(one.why, one.detail) for one in compare_payments(lines, rows, known=lines, visited=visited)]


def test_what_was_paid_is_there_once() -> None:
    assert found(TOLD, STORED) == []
    assert found(TOLD, replace(STORED, purpose="arrear")) == []
    assert found(TOLD, replace(STORED, channel="wechat_native")) == []


@pytest.mark.parametrize("stored", [None, replace(STORED, status="sent", received_fen=None, bookings=0, booked_fen=0)])
def test_what_was_paid_and_is_not_there_is_missing(stored: Received | None) -> None:
    ((why, detail),) = found(TOLD, stored)
    assert why is Why.PAYMENT_MISSING
    assert detail.startswith("300 fen paid by wechat at the phone: payment a is")
    assert found(PRESSED, stored) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"received_fen": 600, "booked_fen": 600}, "amount 600, paid was 300"),
        ({"channel": "alipay"}, "way alipay, paid was wechat"),
        ({"session_id": "t"}, "stay t, paid was s"),
        ({"purpose": "pass"}, "purpose pass, paid was a session"),
    ],
)
def test_what_was_paid_otherwise_differs(change: dict[str, str | int], words: str) -> None:
    assert found(TOLD, replace(STORED, **change)) == [(Why.PAYMENT_DIFFERS, f"payment a: {words}")]  # type: ignore[arg-type]  # some of its fields


def test_what_nobody_paid_is_not_ours_unless_a_visitor_stood_there() -> None:
    assert [why for why, _ in found(None, STORED)] == [Why.PAID_BY_NOBODY]
    assert found(None, STORED, visited=frozenset({("KL-001", AT)})) == []
    assert found(None, replace(STORED, status="closed", bookings=0)) == []


@pytest.mark.parametrize("booked", [(0, 0), (2, 600), (1, 200)])
def test_a_payment_is_booked_once_and_whole(booked: tuple[int, int]) -> None:
    bookings, booked_fen = booked
    (one,) = found(TOLD, replace(STORED, bookings=bookings, booked_fen=booked_fen))
    assert one[0] is Why.NOT_BOOKED


def test_ways_are_summed_and_one_cut_off_counts_where_money_moved() -> None:
    assert list(ways({"a": TOLD}, [STORED])) == [Way(way="wechat", told=1, told_fen=300, stored=1, stored_fen=300)]
    assert list(ways({"a": PRESSED}, [STORED])) == [Way(way="wechat", told=1, told_fen=300, stored=1, stored_fen=300)]
    assert list(ways({"a": PRESSED}, [])) == [Way(way="wechat", told=0, told_fen=0, stored=0, stored_fen=0)]


def test_a_file_of_people_says_whose_they_are(tmp_path: Path) -> None:
    path = tmp_path / "drivers.jsonl"
    with Told(path, DriversHeader(installation="here", seed=1)):
        pass
    assert whose_drivers(path) == "here"
    with pytest.raises(InvalidError, match="there is no file of drivers"):
        whose_drivers(tmp_path / "nowhere.jsonl")

"""Every way in which three books can differ has its own cause, and no two books that agree have one."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from billing.closing.importing import digest_of, settlement
from billing.closing.matching import Books, Cause, Difference, Movement, compare, missing_here, outcome_of, sums_of
from billing.providers.port import BillLine
from core.money import Fen

DAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)


def paid(key: str, fen: int = 600, at: datetime = NOON, journal_fen: int | None = None) -> Movement:
    booked = fen if journal_fen is None else journal_fen
    return Movement(kind="payment", key=key, order_no=f"P{key}", order_fen=Fen(fen), journal_fen=Fen(booked), at=at)


def line(key: str, fen: int = 600, at: datetime = NOON, refund_no: str | None = None) -> BillLine:
    return BillLine(
        order_no=f"P{key}", transaction_id=key, refund_no=refund_no, amount_fen=Fen(fen), fee_fen=Fen(4), at=at
    )


def books(ours: list[Movement], bill: list[BillLine], **more: object) -> Books:
    plain = Books(
        day=DAY,
        zone=ZoneInfo("Asia/Shanghai"),
        ours=ours,
        bill=bill,
        billed={one.refund_no or one.transaction_id: DAY for one in bill},
        has_bill_before=True,
        has_bill_after=False,
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # fields by name


def causes(found: tuple[Difference, ...]) -> list[Cause]:
    return [one.cause for one in found]


def test_books_that_agree_have_nothing_to_say() -> None:
    agreeing = books([paid("1"), paid("2")], [line("2"), line("1")])
    assert compare(agreeing) == ()
    assert outcome_of(compare(agreeing)) == "balanced"
    assert sums_of(agreeing) == {
        "orders": {"paid": 1200, "refunded": 0},
        "journal": {"paid": 1200, "refunded": 0},
        "bill": {"paid": 1200, "refunded": 0, "fee": 8},
    }


def test_f52_what_only_the_bill_has_needs_a_person_until_it_is_booked() -> None:
    lacking = books([], [line("1")])
    assert missing_here(lacking.ours, lacking.bill) == [line("1")]
    assert causes(compare(lacking)) == [Cause.MISSING_HERE]
    booked = books([paid("1")], [line("1")], booked_now=frozenset({"1"}))
    assert causes(compare(booked)) == [Cause.BOOKED_LATE]
    assert outcome_of(compare(booked)) == "explained"


def test_f53_what_the_bill_lacks_is_held_for_a_day_and_then_an_alarm() -> None:
    lacking = books([paid("1")], [])
    assert causes(compare(lacking)) == [Cause.HELD]
    assert outcome_of(compare(lacking)) == "explained"
    assert causes(compare(replace(lacking, has_bill_after=True))) == [Cause.MISSING_THERE]
    next_day = replace(lacking, day=DAY + timedelta(days=1))
    assert causes(compare(next_day)) == [Cause.MISSING_THERE]
    assert outcome_of(compare(next_day)) == "open"
    assert compare(replace(next_day, has_bill_before=False)) == (), "nobody looked at that day's bill"


def test_f55_a_payment_at_midnight_is_found_on_the_other_day_and_only_listed() -> None:
    last = paid("1", at=MIDNIGHT - timedelta(milliseconds=100))
    here = books([last], [], billed={"1": DAY + timedelta(days=1)}, has_bill_after=True)
    there = books([last], [line("1", at=MIDNIGHT)], day=DAY + timedelta(days=1))
    for found in (compare(here), compare(there)):
        assert causes(found) == [Cause.OTHER_DAY]
        assert outcome_of(found) == "explained"
    assert sums_of(here)["journal"]["paid"] == 600
    assert sums_of(there)["journal"]["paid"] == 0


def test_amounts_that_differ_are_never_explained() -> None:
    assert causes(compare(books([paid("1", 600)], [line("1", 6)]))) == [Cause.AMOUNT]
    assert causes(compare(books([paid("1", journal_fen=0)], [line("1")]))) == [Cause.NOT_IN_JOURNAL]


def test_a_refund_is_recognised_by_its_own_number() -> None:
    back = replace(paid("R1", 100), kind="refund")
    assert compare(books([paid("1"), back], [line("1"), line("1", 100, refund_no="R1")])) == ()


@given(st.lists(st.tuples(st.integers(1, 10_000), st.booleans(), st.booleans(), st.integers(0, 47)), max_size=20))
def test_every_fen_that_two_books_do_not_share_is_in_a_difference(
    facts: list[tuple[int, bool, bool, int]],
) -> None:
    """Sums over the bill and over the orders differ by exactly what the differences say."""
    start = datetime(2026, 11, 21, 16, tzinfo=UTC)
    ours = [paid(str(n), fen, start + timedelta(hours=h % 24)) for n, (fen, here, _, h) in enumerate(facts) if here]
    bill = [line(str(n), fen) for n, (fen, _, there, _) in enumerate(facts) if there]
    day = books(ours, bill)
    found, sums = compare(day), sums_of(day)
    told = sum((one.bill_fen or 0) - (one.order_fen or 0) for one in found)
    assert sums["bill"]["paid"] - sums["orders"]["paid"] == told
    assert (not found) == ({one.key for one in ours} == {one.transaction_id for one in bill})
    assert all(Difference.from_json(one.to_json()) == one for one in found)


@given(st.lists(st.tuples(st.integers(1, 10_000), st.integers(0, 50), st.booleans()), max_size=20))
def test_a_settlement_balances_whatever_is_on_the_bill(facts: list[tuple[int, int, bool]]) -> None:
    lines = [
        BillLine(
            order_no=str(n),
            transaction_id=str(n),
            refund_no=f"R{n}" if back else None,
            amount_fen=Fen(fen),
            fee_fen=Fen(-fee if back else fee),
            at=NOON,
        )
        for n, (fen, fee, back) in enumerate(facts)
    ]
    entry = settlement("wechat", DAY, lines)
    assert entry is None or entry.is_balanced
    assert digest_of(lines) == digest_of(lines[::-1])

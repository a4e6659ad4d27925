"""A day closed against a provider's bill, in a real database: booked late, held, alarmed, refused whole."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from billing.closing import BillChangedError, Cause, close_day, fetch_close, import_bill
from billing.closing.wording import close_csv
from billing.ledger import accounts
from billing.providers.calendar import PROVIDERS_ZONE
from billing.providers.port import BillLine, BillNotReadyError, ProviderBill
from core.money import Fen
from ops.closing import close_days, finished_days
from ops.ledger import prove
from tests.payments.conftest import Desk

pytestmark = pytest.mark.services

PAID_AT = "SELECT paid_at FROM payment WHERE id = :id"


async def paid(desk: Desk, code: str = "KA-001") -> tuple[dict[str, Any], BillLine]:
    """A stay of 6 yuan that was paid, and how the provider's bill names it."""
    payment = await desk.begin(await desk.ended(code=code))
    state = await desk.pay(payment)
    assert state.transaction_id is not None
    at = await desk.one(PAID_AT, id=payment["id"])
    return payment, BillLine(
        order_no=state.order_no,
        transaction_id=state.transaction_id,
        refund_no=None,
        amount_fen=Fen(600),
        fee_fen=Fen(4),
        at=at,
    )


def day_of(line: BillLine) -> date:
    return line.at.astimezone(PROVIDERS_ZONE).date()


def billed(desk: Desk, day: date, *lines: BillLine) -> None:
    desk.wechat.bills[day] = ProviderBill(day=day, lines=lines)


async def closed(desk: Desk, day: date) -> Any:
    return await close_day(desk.till, "wechat", day, by="worker")


async def test_a_day_that_agrees_is_balanced_and_its_money_is_in_the_bank(desk: Desk) -> None:
    _, line = await paid(desk)
    billed(desk, day_of(line), line)
    close = await closed(desk, day_of(line))
    assert (close.outcome, close.differences) == ("balanced", ())
    books = await desk.books()
    assert books[accounts.BANK] == 596
    assert books[accounts.PROVIDER_FEE] == 4
    assert accounts.clearing("wechat") not in books, "nothing is left there"
    again = await closed(desk, day_of(line))
    assert again.outcome == "balanced"
    assert await desk.books() == books, "closing again moves nothing"
    assert await desk.one("SELECT count(*) FROM day_close") == 2
    assert all(finding.is_kept for finding in await prove(desk.town.database, desk.till.clock))


async def test_f52_a_payment_that_only_the_bill_knows_is_asked_about_and_booked_late(desk: Desk) -> None:
    session_id = await desk.ended()
    payment = await desk.begin(session_id)
    state = desk.wechat.pay(await desk.order_no(payment))  # and nobody told us
    assert state.transaction_id is not None
    assert state.paid_at is not None
    line = BillLine(
        order_no=state.order_no,
        transaction_id=state.transaction_id,
        refund_no=None,
        amount_fen=Fen(600),
        fee_fen=Fen(0),
        at=state.paid_at,
    )
    billed(desk, day_of(line), line)
    close = await closed(desk, day_of(line))
    assert [one.cause for one in close.differences] == [Cause.BOOKED_LATE]
    assert close.outcome == "explained"
    assert (await desk.session(session_id))["due_fen"] == 0
    assert (await desk.payment(payment))["status"] == "paid"
    assert await desk.bookings() == 1
    assert await desk.one("SELECT source FROM journal_entry WHERE business_key LIKE 'payment:%'") == "bill"
    assert (await closed(desk, day_of(line))).outcome == "balanced"


async def test_f52_money_for_an_order_of_nobody_is_kept_in_suspense(desk: Desk) -> None:
    _, line = await paid(desk)
    stranger = replace(line, order_no="SOMEBODYELSES01", transaction_id="4299999")
    billed(desk, day_of(line), line, stranger)
    desk.wechat.states[stranger.order_no] = replace(
        desk.wechat.states[line.order_no], order_no=stranger.order_no, transaction_id=stranger.transaction_id
    )
    close = await closed(desk, day_of(line))
    assert [(one.cause, one.key) for one in close.differences] == [(Cause.MISSING_HERE, "4299999")]
    assert close.outcome == "open"
    assert (await desk.books())[accounts.SUSPENSE] == -600
    assert await desk.one("SELECT count(*) FROM provider_message WHERE outcome = 'unknown-order'") == 1
    await closed(desk, day_of(line))
    assert (await desk.books())[accounts.SUSPENSE] == -600, "once"
    assert all(finding.is_kept for finding in await prove(desk.town.database, desk.till.clock))


async def test_f53_a_payment_the_bill_lacks_waits_for_a_day_and_then_alarms(desk: Desk) -> None:
    payment, line = await paid(desk)
    _, other = await paid(desk, "KA-002")
    day, next_day = day_of(line), day_of(line) + timedelta(days=1)
    billed(desk, day, other)
    assert [one.cause for one in (await closed(desk, day)).differences] == [Cause.HELD]
    billed(desk, next_day)
    assert [one.cause for one in (await closed(desk, next_day)).differences] == [Cause.MISSING_THERE]
    again = await closed(desk, day)
    assert (again.outcome, again.differences[0].cause) == ("open", Cause.MISSING_THERE)
    assert (await desk.payment(payment))["status"] == "paid", "never reversed on silence"


async def test_f54_a_bill_that_is_not_whole_is_refused_whole(desk: Desk) -> None:
    _, line = await paid(desk)
    before = await desk.books()
    day = day_of(line)
    with pytest.raises(BillNotReadyError):
        await closed(desk, day)
    desk.wechat.bills[day] = ProviderBill(day=day, lines=(line, line))
    with pytest.raises(BillNotReadyError, match="more than once"):
        await closed(desk, day)
    desk.wechat.bills[day] = ProviderBill(day=day - timedelta(days=1), lines=(line,))
    with pytest.raises(BillNotReadyError, match="is for"):
        await closed(desk, day)
    assert await desk.books() == before
    for table in ("provider_bill", "provider_bill_line", "day_close"):
        assert await desk.one(f"SELECT count(*) FROM {table}") == 0  # noqa: S608 - our own words


async def test_f54_an_empty_bill_of_a_day_on_which_we_were_paid_is_not_believed_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, line = await paid(desk)
    day = day_of(line)
    billed(desk, day)
    with pytest.raises(BillNotReadyError, match="empty"):
        await closed(desk, day)
    assert await desk.one("SELECT count(*) FROM provider_bill") == 0
    later = datetime(day.year, day.month, day.day, tzinfo=PROVIDERS_ZONE) + timedelta(days=3)
    monkeypatch.setattr("billing.closing.closing.real_now", lambda: later)
    assert [one.cause for one in (await closed(desk, day)).differences] == [Cause.HELD]


async def test_another_bill_for_a_day_is_noticed(desk: Desk) -> None:
    _, line = await paid(desk)
    day = day_of(line)
    billed(desk, day, line)
    await closed(desk, day)
    other = ProviderBill(day=day, lines=(replace(line, amount_fen=Fen(700)),))
    with pytest.raises(BillChangedError):
        async with desk.town.database.transaction() as db:
            await import_bill(db, "wechat", day, other, at=desk.till.clock.now())


async def test_f55_a_payment_of_the_last_second_may_be_on_the_next_bill(desk: Desk) -> None:
    _, line = await paid(desk)
    _, other = await paid(desk, "KA-002")
    day, next_day = day_of(line), day_of(line) + timedelta(days=1)
    billed(desk, day, other)
    billed(desk, next_day, line)
    await closed(desk, day)
    assert [one.cause for one in (await closed(desk, next_day)).differences] == [Cause.OTHER_DAY]
    assert (await closed(desk, day)).outcome == "explained"


async def test_amounts_that_differ_are_an_alarm_and_a_row_for_the_bookkeeper(desk: Desk) -> None:
    _, line = await paid(desk)
    day = day_of(line)
    billed(desk, day, replace(line, amount_fen=Fen(60_000)))
    close = await closed(desk, day)
    assert (close.outcome, close.differences[0].cause) == ("open", Cause.AMOUNT)
    async with desk.town.database.transaction() as db:
        (stored,) = await fetch_close(db, day)
    assert replace(stored, closed_at=close.closed_at) == close
    table = close_csv([stored], "en").splitlines()
    assert len(table) == 5
    assert f"{line.transaction_id},{line.order_no},60000,600,600" in table[-1]


async def test_the_worker_closes_each_day_once_and_looks_again_at_what_waited(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, line = await paid(desk)
    _, other = await paid(desk, "KA-002")
    day, next_day = day_of(line), day_of(line) + timedelta(days=1)
    run = at_noon_after(desk, monkeypatch)
    await run(day)
    assert await desk.one("SELECT count(*) FROM day_close") == 0, "its bill is not there"
    billed(desk, day, other)
    await run(day)
    await run(day)
    assert await desk.one("SELECT count(*) FROM day_close") == 1
    billed(desk, next_day, line)
    await run(next_day)
    await run(next_day)
    outcomes = "SELECT string_agg(outcome, ',' ORDER BY id) FROM day_close WHERE day = :day"
    assert await desk.one(outcomes, day=next_day) == "explained"
    assert await desk.one(outcomes, day=day) == "explained,explained", "held, then found on the other day's bill"


def at_noon_after(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[[date], Any]:
    """The worker's run at noon of the day after."""

    async def run(day: date) -> None:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=PROVIDERS_ZONE) + timedelta(days=1)
        monkeypatch.setattr("ops.closing.real_now", lambda: noon)
        await close_days(desk.till, desk.town.database, desk.till.clock)

    return run


def test_yesterday_is_finished_from_a_quarter_past_ten() -> None:
    early = datetime(2026, 11, 23, 10, 0, tzinfo=PROVIDERS_ZONE)
    assert list(finished_days(early))[-1] == date(2026, 11, 21)
    assert list(finished_days(early + timedelta(minutes=15)))[-1] == date(2026, 11, 22)

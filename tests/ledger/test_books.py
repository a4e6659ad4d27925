"""The books after anything that can happen, in any order: every invariant holds, every fen is in one place."""

import contextlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update

from billing.bills import bill_ended_sessions
from billing.ledger import accounts, entries
from billing.ledger.balances import balance_of
from billing.ledger.booking import Booked, UnknownOrderError, book_payment, book_refund
from billing.ledger.checking import check_ledger
from billing.ledger.digests import digest_days, find_broken_seals
from billing.ledger.journal import post
from billing.ledger.refunds import (
    RefundExceedsPaymentError,
    RefundNotHeldError,
    reject_refund,
    release_refund,
    request_refund,
)
from billing.providers.port import OrderState, OrderStatus, RefundState, RefundStatus
from core.money import Fen
from core.tables import ParkingSession, Payment, Refund
from tests.api.town import Town
from tests.support.county import SHANGHAI
from tests.support.paid import paid_stay

pytestmark = pytest.mark.services

ARRIVAL = datetime(2026, 11, 20, 1, tzinfo=UTC)  # nine in the morning: the kerb is charged
LATER = ARRIVAL + timedelta(days=1)


@dataclass
class Till:
    """Does to the books of a town what the flow, the worker and a provider do."""

    town: Town
    paid: dict[UUID, OrderState] = field(default_factory=dict)

    async def stay(self, minutes: int | None, *, arrival: datetime = ARRIVAL, space: str = "KA-001") -> UUID:
        return await self.town.session(space, arrival, arrival + timedelta(minutes=minutes) if minutes else None)

    async def ask(self, session_id: UUID, *, minutes: int, arrival: datetime = ARRIVAL, **values: Any) -> UUID:
        """An attempt to collect the fee of so many minutes."""
        values = {"status": "sent", "created_at": datetime.now(UTC), **values}
        return await paid_stay(self.town, entered_at=arrival, minutes=minutes, session_id=session_id, **values)

    async def book(self, payment_id: UUID, *, total_fen: int | None = None, source: str = "notification") -> Booked:
        async with self.town.database.transaction() as db:
            row = (await db.execute(select(Payment.__table__).where(Payment.id == payment_id))).one()
            state = self.paid.setdefault(
                payment_id,
                OrderState(
                    order_no=row.order_no,
                    status=OrderStatus.PAID,
                    transaction_id=f"T{uuid4().hex}",
                    total_fen=Fen(total_fen or row.amount_fen),
                    paid_at=LATER,
                ),
            )
            return await book_payment(db, state, provider=row.provider, source=source, at=LATER)

    async def bill(self) -> None:
        async with self.town.database.transaction() as db:
            await bill_ended_sessions(db, at=LATER + timedelta(days=9), limit=500)

    async def change(self, session_id: UUID, **values: Any) -> None:
        """What a refold does to a session."""
        async with self.town.database.transaction() as db:
            revised = {"revision": ParkingSession.revision + 1, **values}
            await db.execute(update(ParkingSession).where(ParkingSession.id == session_id).values(revised))

    async def end(self, session_id: UUID, minutes: int, *, arrival: datetime = ARRIVAL) -> None:
        left_at = arrival + timedelta(minutes=minutes)
        await self.change(session_id, status="ended", left_at=left_at, end_why="change")

    async def refunds(self, payment_id: UUID) -> list[tuple[int, str, str]]:
        async with self.town.database.transaction() as db:
            query = select(Refund.amount_fen, Refund.cause, Refund.status).where(Refund.payment_id == payment_id)
            return [(row.amount_fen, row.cause, row.status) for row in await db.execute(query)]

    async def answer(self, status: RefundStatus) -> None:
        """The providers say this of every refund that is under way."""
        async with self.town.database.transaction() as db:
            query = (
                select(Refund.refund_no, Payment.order_no, Payment.provider)
                .join(Payment, Payment.id == Refund.payment_id)
                .where(Refund.status.in_(("requested", "accepted", "failed", "abnormal")))
            )
            for row in (await db.execute(query)).all():
                state = RefundState(order_no=row.order_no, refund_no=row.refund_no, status=status)
                await book_refund(db, state, provider=row.provider, source="query", at=LATER)

    async def money(self, session_id: UUID) -> tuple[int, int, int]:
        """Paid, due and overpaid."""
        async with self.town.database.transaction() as db:
            balance = await balance_of(db, session_id)
        return balance.paid_fen, balance.due_fen, balance.overpaid_fen

    async def prove(self) -> None:
        async with self.town.database.transaction() as db:
            findings = await check_ledger(db, now=LATER)
        assert [finding for finding in findings if not finding.is_kept] == []
        assert [finding.number for finding in findings] == [f"I{number}" for number in range(1, 13)]


@pytest.fixture
def till(town: Town) -> Till:
    return Till(town)


async def test_an_ended_stay_is_owed_and_its_payment_settles_it(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    assert await till.money(session) == (0, 600, 0)
    booked = await till.book(await till.ask(session, minutes=75))
    assert booked.new
    assert await till.money(session) == (600, 0, 0)
    await till.prove()


async def test_paid_before_leaving_and_gone_in_time_costs_no_more(till: Till) -> None:
    session = await till.stay(None)
    payment = await till.ask(session, minutes=110, quote={"total_fen": 600, "exit_window_minutes": 15})
    await till.book(payment)
    assert await till.money(session) == (600, 0, 0)
    await till.end(session, 125)  # 09:00 to 11:05, which by itself would cost 9.00
    await till.bill()
    assert await till.money(session) == (600, 0, 0)
    await till.prove()


async def test_f30_who_stays_beyond_the_exit_window_pays_the_difference(till: Till) -> None:
    session = await till.stay(None)
    await till.book(await till.ask(session, minutes=110, quote={"total_fen": 600, "exit_window_minutes": 15}))
    await till.end(session, 126)
    await till.bill()
    assert await till.money(session) == (600, 300, 0)
    await till.prove()


async def test_f31_a_departure_before_the_payment_gives_the_difference_back(till: Till) -> None:
    session = await till.stay(None)
    payment = await till.ask(session, minutes=110)
    await till.book(payment)
    await till.end(session, 50)
    await till.bill()
    assert await till.refunds(payment) == [(300, "correction", "requested")]
    assert await till.money(session) == (300, 0, 0)
    await till.answer(RefundStatus.SUCCEEDED)
    await till.prove()


async def test_a_session_that_turns_out_to_be_none_gives_everything_back(till: Till) -> None:
    session = await till.stay(None)
    payment = await till.ask(session, minutes=110)
    await till.book(payment)
    await till.change(session, status="void")
    await till.bill()
    assert await till.refunds(payment) == [(600, "correction", "requested")]
    assert await till.money(session) == (0, 0, 0)
    await till.prove()


async def test_a_payment_that_comes_for_a_void_session_goes_back(till: Till) -> None:
    session = await till.stay(None)
    payment = await till.ask(session, minutes=110)
    await till.change(session, status="void")
    assert (await till.book(payment)).overpaid_fen == 600
    assert await till.refunds(payment) == [(600, "overpaid", "requested")]
    await till.prove()


async def test_what_was_said_before_moves_nothing(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    payment = await till.ask(session, minutes=75)
    await till.book(payment)
    for source in ("notification", "query", "bill"):
        again = await till.book(payment, source=source)
        assert (again.new, again.status) == (False, "paid")
    assert await till.money(session) == (600, 0, 0)
    await till.prove()


async def test_a_second_payment_is_overpaid_and_goes_back(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    await till.book(await till.ask(session, minutes=75))
    second = await till.ask(session, minutes=75, provider="alipay")
    assert (await till.book(second)).overpaid_fen == 600
    assert await till.refunds(second) == [(600, "overpaid", "requested")]
    assert await till.money(session) == (600, 0, 0)
    await till.prove()


async def test_another_amount_waits_in_suspense_and_settles_nothing(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    payment = await till.ask(session, minutes=75)
    assert (await till.book(payment, total_fen=1)).suspense_fen == 1
    assert await till.money(session) == (0, 600, 0)
    async with till.town.database.transaction() as db:
        await request_refund(db, payment, 1, cause="operator", reason="odd", requested_by="operator:li", at=LATER)
    await till.answer(RefundStatus.SUCCEEDED)
    await till.prove()


async def test_money_nobody_asked_for_is_not_booked(till: Till) -> None:
    stranger = OrderState(order_no="P999999", status=OrderStatus.PAID, transaction_id="T1", total_fen=Fen(600))
    with pytest.raises(UnknownOrderError):
        async with till.town.database.transaction() as db:
            await book_payment(db, stranger, provider="wechat", source="notification", at=LATER)
    await till.prove()


async def test_a_refund_that_fails_is_still_owed_and_may_succeed_after_all(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    await till.book(await till.ask(session, minutes=75))
    second = await till.ask(session, minutes=75)
    await till.book(second)
    await till.answer(RefundStatus.ABNORMAL)
    assert await till.refunds(second) == [(600, "overpaid", "abnormal")]
    assert await till.money(session) == (600, 0, 600)
    await till.prove()
    await till.answer(RefundStatus.SUCCEEDED)
    assert await till.money(session) == (600, 0, 0)
    await till.answer(RefundStatus.FAILED)
    assert await till.refunds(second) == [(600, "overpaid", "succeeded")]
    await till.prove()


async def test_f36_no_more_goes_back_than_came(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    payment = await till.ask(session, minutes=75)
    await till.book(payment)
    about: dict[str, Any] = {"cause": "operator", "reason": "a rude meter", "requested_by": "operator:li", "at": LATER}
    async with till.town.database.transaction() as db:
        await request_refund(db, payment, 400, **about)
        with pytest.raises(RefundExceedsPaymentError) as refused:
            await request_refund(db, payment, 201, **about)
        assert refused.value.facts["refundable_fen"] == 200
    assert await till.money(session) == (200, 0, 0)
    await till.prove()


async def test_a_held_refund_moves_nothing_until_a_second_person_agrees(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    payment = await till.ask(session, minutes=75)
    await till.book(payment)
    about: dict[str, Any] = {"cause": "operator", "reason": "much", "requested_by": "operator:li", "at": LATER}
    async with till.town.database.transaction() as db:
        agreed = await request_refund(db, payment, 400, held=True, **about)
        refused = await request_refund(db, payment, 200, held=True, **about)
    assert await till.money(session) == (600, 0, 0)
    async with till.town.database.transaction() as db:
        await release_refund(db, agreed, approved_by="operator:wu", at=LATER)
        await reject_refund(db, refused, rejected_by="operator:wu")
        with pytest.raises(RefundNotHeldError):
            await release_refund(db, agreed, approved_by="operator:wu", at=LATER)
    assert await till.money(session) == (200, 0, 0)
    await till.prove()


async def test_a_waived_fee_that_is_corrected_to_nothing_gives_nobody_money(till: Till) -> None:
    session = await till.stay(75)
    await till.bill()
    async with till.town.database.transaction() as db:
        waiver = entries.give_up("waiver:1", "waiver", accounts.WAIVER, session_id=session, amount_fen=600)
        assert await post(db, waiver, source="operator:li", at=LATER)
        assert not await post(db, waiver, source="operator:li", at=LATER)
    assert await till.money(session) == (0, 0, 0)
    await till.end(session, 10)
    await till.bill()
    assert await till.money(session) == (0, 0, 0)
    await till.prove()


async def test_a_seal_shows_that_the_past_was_touched(till: Till) -> None:
    await till.stay(75)
    await till.bill()
    posted_at = LATER + timedelta(days=9)
    async with till.town.database.transaction() as db:
        assert await digest_days(db, now=posted_at + timedelta(days=1, hours=1), zone=SHANGHAI)
        assert not await digest_days(db, now=posted_at + timedelta(days=1, hours=2), zone=SHANGHAI)
        assert await find_broken_seals(db) == []
        await db.execute(text("ALTER TABLE journal_line DISABLE TRIGGER USER"))
        await db.execute(text("UPDATE journal_line SET debit_fen = debit_fen * 2, credit_fen = credit_fen * 2"))
        assert len(await find_broken_seals(db)) == 1
        findings = {finding.number: finding for finding in await check_ledger(db, now=LATER)}
        assert not findings["I8"].is_kept
        assert not findings["I6"].is_kept
        assert findings["I1"].is_kept


class Life:
    """Anything that can happen to the money of a town, by dice."""

    def __init__(self, till: Till, seed: int) -> None:
        self.till = till
        self.dice = random.Random(seed)
        self.arrivals: dict[UUID, datetime] = {}
        self.payments: list[UUID] = []

    async def arrive(self) -> None:
        free = list(self.till.town.spaces)[len(self.arrivals) :]
        if free:  # those that came last are still there
            self.arrivals[await self.till.stay(None, space=free[0])] = ARRIVAL
        else:
            at = ARRIVAL - timedelta(days=len(self.arrivals))
            self.arrivals[await self.till.stay(self.dice.choice((20, 75, 240)), arrival=at)] = at

    async def ask(self) -> None:
        session = self.dice.choice(list(self.arrivals))
        about = {
            "provider": self.dice.choice(("wechat", "alipay")),
            "status": self.dice.choice(("sent", "unknown", "closed")),
        }
        minutes = self.dice.choice((45, 75, 110, 300))
        self.payments.append(await self.till.ask(session, minutes=minutes, arrival=self.arrivals[session], **about))

    async def hear(self) -> None:
        odd = self.dice.choice((None, None, None, 1, 5_000))
        for payment in self.dice.choices(self.payments, k=self.dice.choice((1, 1, 3))) if self.payments else ():
            await self.till.book(payment, total_fen=odd)

    async def refold(self) -> None:
        session = self.dice.choice(list(self.arrivals))
        if self.dice.random() < 0.2:
            await self.till.change(session, status="void")
        else:
            minutes = self.dice.choice((15, 46, 75, 118, 500))
            await self.till.end(session, minutes, arrival=self.arrivals[session])

    async def bill(self) -> None:
        await self.till.bill()

    async def give_back(self) -> None:
        if not self.payments:
            return
        payment, amount = self.dice.choice(self.payments), self.dice.choice((1, 300))
        with contextlib.suppress(RefundExceedsPaymentError):
            async with self.till.town.database.transaction() as db:
                await request_refund(
                    db, payment, amount, cause="operator", reason="-", requested_by="operator:li", at=LATER
                )

    async def answer(self) -> None:
        await self.till.answer(self.dice.choice(tuple(RefundStatus)))


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_in_whatever_order(till: Till, seed: int) -> None:
    life = Life(till, seed)
    steps = (life.ask, life.ask, life.hear, life.hear, life.refold, life.bill, life.bill, life.give_back, life.answer)
    await life.arrive()
    for _ in range(60):
        await life.dice.choice((life.arrive, *steps))()
    await till.bill()
    await till.prove()
    assert await till.town.scalar("SELECT count(*) FROM journal_entry") > 10

"""Does to the books of a town what the flow, the worker and a provider do."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text, update

from billing.bills import bill_ended_sessions
from billing.ledger.balances import balance_of
from billing.ledger.booking import Booked, book_payment, book_refund
from billing.ledger.checking import check_ledger
from billing.ledger.refunds import request_refund
from billing.ledger.totals import totals_of
from billing.providers.port import OrderState, OrderStatus, RefundState, RefundStatus
from core.money import Fen
from core.tables import ParkingSession, Payment, Refund
from tests.api.town import Town
from tests.support.paid import paid_stay

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

    async def book(
        self, payment_id: UUID, *, total_fen: int | None = None, currency: str = "CNY", source: str = "notification"
    ) -> Booked:
        async with self.town.database.transaction() as db:
            row = (await db.execute(select(Payment.__table__).where(Payment.id == payment_id))).one()
            state = self.paid.setdefault(
                payment_id,
                OrderState(
                    order_no=row.order_no,
                    status=OrderStatus.PAID,
                    transaction_id=f"T{uuid4().hex}",
                    total_fen=Fen(total_fen or row.amount_fen),
                    currency=currency,
                    paid_at=LATER,
                ),
            )
            return await book_payment(db, state, provider=row.provider, source=source, at=LATER)

    async def book_again(self, payment_id: UUID, *, total_fen: int | None = None) -> Booked:
        """The provider names another transaction of an order that was paid."""
        said = self.paid[payment_id]
        other = replace(said, transaction_id=f"T{uuid4().hex}", total_fen=Fen(total_fen or said.total_fen or 0))
        async with self.town.database.transaction() as db:
            provider = (await db.execute(select(Payment.provider).where(Payment.id == payment_id))).scalar_one()
            return await book_payment(db, other, provider=provider, source="query", at=LATER)

    async def give_back(self, payment_id: UUID, amount_fen: int) -> UUID:
        """An operator does."""
        async with self.town.database.transaction() as db:
            return await request_refund(
                db, payment_id, amount_fen, cause="operator", reason="-", requested_by="operator:li", at=LATER
            )

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

    async def value(self, statement: str, **values: Any) -> Any:
        """One value, by SQL."""
        async with self.town.database.transaction() as db:
            return (await db.execute(text(statement), values)).scalar()

    async def held(self, account: str, currency: str = "CNY") -> int:
        """An account's debits less its credits."""
        query = "SELECT coalesce(sum(debit_fen - credit_fen), 0) FROM journal_line WHERE account = :a AND currency = :c"
        return int(await self.value(query, a=account, c=currency))

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
            totals = await totals_of(db)
        assert [finding for finding in findings if not finding.is_kept] == []
        assert totals.is_whole, totals
        assert [finding.number for finding in findings] == [f"I{number}" for number in range(1, 13)]

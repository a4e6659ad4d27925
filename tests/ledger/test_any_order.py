"""The books after anything that can happen, in any order: after each step every invariant holds."""

import contextlib
import random
from datetime import datetime, timedelta
from uuid import UUID  # noqa: TC003

import pytest

from billing.ledger.refunds import RefundExceedsPaymentError
from billing.providers.port import RefundStatus
from tests.ledger.till import ARRIVAL, Till

pytestmark = pytest.mark.services


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
        if self.payments:
            with contextlib.suppress(RefundExceedsPaymentError):
                await self.till.give_back(self.dice.choice(self.payments), self.dice.choice((1, 300)))

    async def hear_again(self) -> None:
        if self.till.paid:
            await self.till.book_again(self.dice.choice(list(self.till.paid)))

    async def answer(self) -> None:
        await self.till.answer(self.dice.choice(tuple(RefundStatus)))


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_in_whatever_order(till: Till, seed: int) -> None:
    life = Life(till, seed)
    often = (life.ask, life.hear, life.bill)
    steps = (*often, *often, life.refold, life.give_back, life.answer, life.hear_again)
    await life.arrive()
    for _ in range(60):
        await life.dice.choice((life.arrive, *steps))()
        await till.prove()
    await till.bill()
    await till.prove()
    assert await till.town.scalar("SELECT count(*) FROM journal_entry") > 10

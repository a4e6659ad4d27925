"""The people of a rough day: drivers with a telephone, and an operator who gives money back."""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
from sqlalchemy import insert, select

from api.passwords import hash_password
from core.db import Database
from core.tables import Operator, Payment
from ops.bench.rough_day.plan import Habit
from ops.bench.rough_day.processes import Crew

TRIES: Final = 120
NEW_KEY_EVERY: Final = 8
"""After so many tries with one key the page is loaded again."""
PATIENCE_SECONDS: Final = 240.0
PAUSE_SECONDS: Final = 0.3
LONGEST_PAUSE_SECONDS: Final = 3.0
"""A page that asks more often than the limits allow is only told to wait."""
GROWS: Final = 1.15
TRY_AGAIN: Final = frozenset({409, 429, 500, 502, 503, 504})
LOOKS: Final = 20
OPERATOR: Final = "rough-day"


@dataclass(slots=True, kw_only=True)
class People:
    """All of them, and what happened to them."""

    crew: Crew
    database: Database
    seen: Counter[str] = field(default_factory=Counter)
    """How often what was done, and which answers were no good."""
    begun: set[str] = field(default_factory=set)
    """Payments."""

    async def drive(self, session_id: UUID, number: int, habit: Habit, dice: Random) -> None:
        """One driver's day."""
        address = f"198.18.{number // 250 % 250}.{number % 250 + 1}"
        for channel, pays in zip(habit.channels, habit.pays, strict=True):
            key = uuid4().hex
            asked = [self.begin(session_id, channel, key, address) for _ in range(2 if habit.is_impatient else 1)]
            payment = (await asyncio.gather(*asked))[0]
            if payment is None:
                self.seen["nothing due"] += 1
                continue
            self.begun.add(payment["id"])
            if pays:
                await asyncio.sleep(dice.uniform(0, 0.5))
                await self.pay(payment, habit.odd_fen)

    async def begin(self, session_id: UUID, channel: str, key: str, address: str) -> dict[str, Any] | None:
        """As stubbornly as a page does; None where nothing is due, or nobody answered for a very long time."""
        last, gives_up_at = "nothing", time.monotonic() + PATIENCE_SECONDS
        for attempt in count(1):
            if attempt % NEW_KEY_EVERY == 0:
                key = uuid4().hex
            if time.monotonic() > gives_up_at:
                break
            with suppress(httpx.HTTPError):
                answer = await self.crew.http.post(
                    f"{self.crew.api_url}/api/v1/sessions/{session_id}/payments",
                    json={"channel": channel},
                    headers={"Idempotency-Key": key, "X-Forwarded-For": address},
                )
                if answer.json().get("type") == "/problems/nothing-due":
                    return None
                if answer.status_code not in TRY_AGAIN:
                    answer.raise_for_status()
                    found: dict[str, Any] = answer.json()
                    return found
                self.seen[f"answers of {answer.status_code}"] += 1
                last = f"{answer.status_code} {answer.json().get('type')}"
            await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, PAUSE_SECONDS * GROWS**attempt))
        self.seen[f"could not begin: {last}"] += 1
        return None

    async def pay(self, payment: dict[str, Any], odd_fen: int) -> None:
        """At the gateway, if the order ever got there."""
        async with self.database.transaction() as db:
            query = select(Payment.order_no).where(Payment.id == UUID(payment["id"]))
            order_no = (await db.execute(query)).scalar_one()
        with suppress(httpx.HTTPError):
            answer = await self.crew.http.post(
                f"{self.crew.gateway_url}/control/pay/{order_no}",
                params={"provider": payment["provider"]},
                json={"amount_fen": odd_fen} if odd_fen else None,
            )
            self.seen["paid" if answer.is_success else "not payable any more"] += 1
            self.seen["paid another amount"] += bool(odd_fen and answer.is_success)

    async def give_back(self, session_id: UUID, amount_fen: int, browser: httpx.AsyncClient) -> None:
        """An operator gives some of the first payment that arrived back, asking again until there is an answer."""
        payment_id = await self._paid(session_id)
        if payment_id is None:
            return
        key = uuid4().hex
        for _ in range(TRIES):
            with suppress(httpx.HTTPError):
                answer = await browser.post(
                    f"/api/v1/operator/payments/{payment_id}/refunds",
                    json={"amount_fen": amount_fen, "reason": "a rough day"},
                    headers={"Idempotency-Key": key},
                )
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    self.seen["given back" if answer.is_success else "not given back"] += 1
                    return
                self.seen[f"answers of {answer.status_code}"] += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _paid(self, session_id: UUID) -> UUID | None:
        """The first payment that arrived, waited for a little."""
        paid = select(Payment.id).where(Payment.session_id == session_id, Payment.status == "paid")
        for _ in range(LOOKS):
            async with self.database.transaction() as db:
                found = (await db.execute(paid.order_by(Payment.changed_at).limit(1))).scalar_one_or_none()
            if found is not None:
                return found
            await asyncio.sleep(PAUSE_SECONDS)
        return None

    async def operator(self) -> httpx.AsyncClient:
        """A browser that is logged in; whoever asks closes it."""
        password = uuid4().hex
        person = {"login": OPERATOR, "name": OPERATOR, "role": "finance", "password_hash": hash_password(password)}
        async with self.database.transaction() as db:
            await db.execute(insert(Operator).values(person))
        browser = httpx.AsyncClient(
            base_url=self.crew.api_url, headers={"X-Requested-With": "bench"}, timeout=20, trust_env=False
        )
        answer = await browser.post("/api/v1/operator/login", json={"login": OPERATOR, "password": password})
        answer.raise_for_status()
        return browser

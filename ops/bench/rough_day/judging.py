"""After the day: everything is brought to its end, and the books are held against what the gateway has."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from billing.bills import bill_ended_sessions
from billing.ledger.checking import check_ledger
from billing.ledger.totals import Totals, totals_of
from billing.payments.sweeping import sweep
from billing.payments.till import Till, real_now
from billing.providers.configured import build_providers
from core.clock import RealClock
from core.db import Database
from core.settings import Settings
from ops.bench.rough_day.plan import CHANNELS
from ops.bench.rough_day.processes import Crew

A_STEP: Final = timedelta(minutes=61)
"""Whatever is open is due again after it."""
STEPS: Final = 400
BILLS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How the books stand."""

    totals: Totals
    broken: tuple[str, ...]
    """What is not as it must be, in words; empty: all is well."""
    proved: int
    """Invariants that hold."""


async def settle_everything(crew: Crew, database: Database, *, after: int = 0, steps: int = STEPS) -> None:
    """Let the days pass in which the worker bills, asks, closes and gives back.

    Args:
        crew: whose gateway is asked.
        database: the books.
        after: so many steps have passed before.
        steps: stop after so many more, if not everything has come to its end before.
    """
    given = {name.removeprefix("PARKING_").lower(): value for name, value in crew.settings.items()}
    given.pop("trusted_proxies")
    till = Till(
        providers=build_providers(Settings.model_validate(given)),
        database=database,
        clock=RealClock(),
        notify_base_url=crew.api_url,
    )
    await _bill(database)
    for step in range(after, after + steps):
        await sweep(till, real_now() + step * A_STEP)
        if not await _open(database):
            break
    await till.aclose()


async def judge(crew: Crew, database: Database) -> Verdict:
    """Prove the invariants, and compare with the gateway's own books."""
    async with database.transaction() as db:
        await db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        findings = await check_ledger(db, now=datetime.now(UTC))
        totals = await totals_of(db)
        ours = {row.provider: row for row in await db.execute(_OURS)}
        unacknowledged = (await db.execute(_OPEN)).scalar_one()
    theirs: dict[str, Any] = (await crew.http.get(f"{crew.gateway_url}/control/totals")).json()
    broken = [
        f"{one.number} {one.holds}: {one.offences[0].what}, {one.offences[0].why}" for one in findings if one.count
    ]
    if unacknowledged:
        broken.append(f"{unacknowledged} payments or refunds are still open")
    if not totals.is_whole:
        broken.append(f"received {totals.received_fen}, found {totals.found_fen}")
    for provider in CHANNELS:
        known, told = ours.get(provider), theirs.get(provider, {})
        here = (int(known.received_fen), int(known.refunded_fen)) if known else (0, 0)
        there = (told.get("received_fen", 0), told.get("refunded_fen", 0))
        if here != there:
            broken.append(f"{provider}: received and refunded by us {here}, by the gateway {there}")
    if totals.overpaid_fen or totals.on_its_way_fen:
        broken.append(f"overpaid {totals.overpaid_fen}, on its way {totals.on_its_way_fen}: all of it should be back")
    return Verdict(totals=totals, broken=tuple(broken), proved=sum(one.is_kept for one in findings))


async def _bill(database: Database) -> None:
    while True:
        async with database.transaction() as db:
            done = await bill_ended_sessions(db, at=datetime.now(UTC) + timedelta(hours=1), limit=BILLS_AT_ONCE)
        if done.bills == 0:
            return


async def _open(database: Database) -> int:
    async with database.transaction() as db:
        return int((await db.execute(_OPEN)).scalar_one())


_OPEN: Final = text(
    """
    SELECT (SELECT count(*) FROM payment WHERE status IN ('created', 'sent', 'unknown'))
        + (SELECT count(*) FROM refund WHERE status IN ('requested', 'accepted'))
    """
)
_OURS: Final = text(
    """
    SELECT provider, sum(received_fen) AS received_fen, coalesce(sum(back.fen), 0) AS refunded_fen
    FROM payment LEFT JOIN (
        SELECT payment_id, sum(amount_fen) AS fen FROM refund WHERE status = 'succeeded' GROUP BY payment_id
    ) AS back ON back.payment_id = payment.id
    WHERE status = 'paid' GROUP BY provider
    """
)

"""What runs when: every job, its rhythm in the installation's own time, and the database work it does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from billing.bills import bill_ended_sessions
from billing.calendar_table import seed_calendar
from billing.evidence.following import follow_stays
from billing.pass_sales.earning import AT_ONCE as PASSES_A_TRANSACTION
from billing.pass_sales.earning import earn_passes
from billing.pass_sales.orders import close_old_orders
from billing.payments.till import Till, real_now
from core.clock import Clock
from core.db import Database
from ops.arrears import move_arrears
from ops.closing import close_days
from ops.ledger import prove_ledger, seal_ledger
from ops.payments import forget_keys, sweep_payments
from ops.plates import forget_plates
from ops.retention import retain
from ops.rollups import roll_up
from ops.sensor_watch import watch_sensors

log = structlog.get_logger()

BILLS_A_TRANSACTION: Final = 500
EVIDENCE_A_TRANSACTION: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of scheduled work; safe to run twice, so a leader's death costs nothing but time."""

    name: str
    every_seconds: float
    """On the installation's clock; with a virtual one it runs as often as the real second allows."""
    run: Callable[[Database, Clock], Awaitable[None]]
    is_on_real_time: bool = False
    """Its rhythm is that of the world outside, whatever clock the city runs on."""


async def bill_sessions(database: Database, clock: Clock) -> None:
    """Bill whatever has ended or changed, in transactions of a bounded size, until nothing is left.

    Before that evidence goes where it belongs now, so that a bill is priced by it.
    """
    async with database.transaction() as db:
        moved = await follow_stays(db, at=clock.now(), limit=EVIDENCE_A_TRANSACTION)
    if moved:
        log.info("evidence.moved", moved=moved)
    while True:
        async with database.transaction() as db:
            billed = await bill_ended_sessions(db, at=clock.now(), limit=BILLS_A_TRANSACTION)
        if billed.bills:
            log.info(
                "bills.issued",
                bills=billed.bills,
                corrections=billed.corrections,
                total_fen=billed.total_fen,
                unpriced=billed.unpriced,
            )
        if billed.bills < BILLS_A_TRANSACTION:
            return


async def seed_days(database: Database, clock: Clock) -> None:
    """Bring what the installed calendar package knows into the table that operators correct."""
    async with database.transaction() as db:
        changed = await seed_calendar(db, at=clock.now())
    if changed:
        log.info("calendar.seeded", changed=changed)


async def earn_pass_days(database: Database, clock: Clock) -> None:
    """Make revenue of the days of passes that are over, and close orders that nobody paid."""
    async with database.transaction() as db:
        closed = await close_old_orders(db, at=real_now())
    earned = 0
    while True:
        async with database.transaction() as db:
            moved = await earn_passes(db, at=clock.now())
        earned += moved
        if moved < PASSES_A_TRANSACTION:
            break
    if earned or closed:
        log.info("passes.earned", passes=earned, orders_closed=closed)


JOBS: Final = (
    Job(name="bill-sessions", every_seconds=10, run=bill_sessions),
    Job(name="watch-sensors", every_seconds=60, run=watch_sensors),
    Job(name="roll-up", every_seconds=300, run=roll_up),
    Job(name="seed-calendar", every_seconds=3_600, run=seed_days),
    Job(name="earn-passes", every_seconds=3_600, run=earn_pass_days),
    Job(name="retain", every_seconds=3_600, run=retain),
    Job(name="forget-plates", every_seconds=3_600, run=forget_plates),
    Job(name="move-arrears", every_seconds=1_800, run=move_arrears),
    Job(name="seal-ledger", every_seconds=3_600, run=seal_ledger),
    Job(name="prove-ledger", every_seconds=86_400, run=prove_ledger),
)


def jobs_of(till: Till) -> tuple[Job, ...]:
    """All of them; what has to do with payment providers is done through this till."""
    sweeping = partial(sweep_payments, till)
    return (
        *JOBS,
        Job(name="sweep-payments", every_seconds=5, run=sweeping, is_on_real_time=True),
        Job(name="close-days", every_seconds=900, run=partial(close_days, till), is_on_real_time=True),
        Job(name="forget-keys", every_seconds=3_600, run=forget_keys, is_on_real_time=True),
    )

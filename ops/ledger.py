"""The nightly proof of the books, and their daily seal."""

import structlog
from prometheus_client import Gauge
from sqlalchemy import text

from billing.ledger.checking import Finding, check_ledger
from billing.ledger.digests import digest_days
from core.clock import Clock
from core.db import Database
from core.settings import Settings

log = structlog.get_logger()

BILLS_A_NIGHT = 20_000
"""So many of the newest bills are computed again each night; ``parking ledger check`` does all."""

broken = Gauge("parking_ledger_broken_invariants", "Invariants of the books that the last nightly proof found broken")


async def prove_ledger(database: Database, clock: Clock) -> None:
    """The job: prove the invariants; what is broken is an error in the log and in the metrics."""
    findings = await prove(database, clock, bills=BILLS_A_NIGHT)
    faults = [finding for finding in findings if not finding.is_kept]
    broken.set(len(faults))
    for fault in faults:
        first = fault.offences[0]
        log.error("ledger.broken", invariant=fault.number, holds=fault.holds, count=fault.count, first=first.what)
    log.info("ledger.proved", invariants=len(findings), broken=len(faults))


async def seal_ledger(database: Database, clock: Clock) -> None:
    """The job: seal the day that is over, and publish the seal where it cannot be taken back."""
    async with database.transaction() as db:
        for seal in await digest_days(db, now=clock.now(), zone=Settings().zone):
            log.info("ledger.sealed", day=str(seal.day), last_entry=seal.last_entry_id, digest=seal.digest.hex())


async def prove(database: Database, clock: Clock, *, bills: int | None = None) -> list[Finding]:
    """Prove all of it in one snapshot that changes nothing."""
    async with database.transaction() as db:
        await db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        return await check_ledger(db, now=clock.now(), bills=bills)

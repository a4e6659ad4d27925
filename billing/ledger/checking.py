"""Proving the invariants on a live database: each is asked in one snapshot, and an answer names the offenders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.again import is_equal_again
from billing.ledger.digests import find_broken_seals
from billing.ledger.invariants import INVARIANTS
from billing.ledger.invariants.journal import IMMUTABLE
from billing.tariffs_in_force import fetch_version
from core.tables import Bill

SHOWN: Final = 20
"""Offenders named of each invariant."""
BILLS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Offence:
    """Somebody who breaks an invariant."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One invariant's proof."""

    number: str
    holds: str
    offences: Sequence[Offence]
    """At most ``SHOWN`` of them."""
    count: int

    @property
    def is_kept(self) -> bool:
        """Whether nothing breaks it."""
        return self.count == 0


async def check_ledger(
    db: AsyncConnection, *, now: datetime, bills: int | None = None, done: Callable[[str], None] = lambda _: None
) -> list[Finding]:
    """Prove I1 to I12, in their order.

    Args:
        db: a transaction; ``REPEATABLE READ`` gives one picture of all.
        now: on the installation's clock.
        bills: how many of the newest bills are computed again; None: all.
        done: told the number of each invariant before it is proved.
    """
    findings = []
    parameters = {"now": now, "real_now": datetime.now(UTC)}
    for invariant in INVARIANTS:
        done(invariant.number)
        rows = (await db.execute(text(invariant.broken_by), parameters)).all()
        offences = [Offence(what=str(what), why=str(why)) for what, why in rows]
        if invariant is IMMUTABLE:
            offences += [Offence(what=f"day {day}", why="its seal is broken") for day in await find_broken_seals(db)]
        findings.append(_finding(invariant.number, invariant.holds, offences))
    done("I11")
    findings.append(
        _finding(
            "I11", "each bill computes again from what it keeps, line by line, to the fen", await _not_again(db, bills)
        )
    )
    return sorted(findings, key=lambda finding: int(finding.number[1:]))


def _finding(number: str, holds: str, offences: Sequence[Offence]) -> Finding:
    return Finding(number=number, holds=holds, offences=offences[:SHOWN], count=len(offences))


async def _not_again(db: AsyncConnection, bills: int | None) -> list[Offence]:
    query = select(Bill.id, Bill.fee, Bill.total_fen, Bill.tariff_version_id).order_by(Bill.issued_at.desc())
    offences = []
    result = await db.stream(query.limit(bills), execution_options={"yield_per": BILLS_AT_ONCE})
    async for rows in result.partitions():
        for row in rows:
            if "bill" not in row.fee:
                is_equal = row.total_fen == 0
            else:
                is_equal = is_equal_again(row.fee, row.total_fen, await fetch_version(db, row.tariff_version_id))
            if not is_equal:
                offences.append(
                    Offence(what=f"bill {row.id}", why=f"says {row.total_fen} fen, computes to another fee")
                )
    return offences

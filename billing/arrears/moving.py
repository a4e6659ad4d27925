"""The worker's part: debts move to where they belong, by journal entries, and back when more is known.

Whatever may move a debt leaves a trace with a time: a bill, evidence, somebody's release of a held bill, the end of the
grace. So a run looks at what happened since some days before the grace; one a day looks at everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.arrears.rules import Debt, account_of
from billing.ledger import accounts
from billing.ledger.balances import SessionBalance, balances_of
from billing.ledger.entries import OWED_ELSEWHERE, owe_elsewhere
from billing.ledger.journal import post_all
from billing.vehicle_of_plate import Vehicle
from billing.who import vehicles_of
from core.audit import AuditEntry, write_audit
from core.tables import Arrear, JournalEntry, JournalLine, ParkingSession

AT_ONCE: Final = 500
LOOKS_BACK: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a run did."""

    arrears: int = 0
    unidentified: int = 0
    withdrawn: int = 0
    last: UUID | None = None
    """The last session that was looked at; None: there are no more."""


async def move_debts(
    db: AsyncConnection, *, at: datetime, grace: timedelta, after: UUID | None = None, everything: bool = False
) -> Moved:
    """Move the next debts in the order of their sessions' ids.

    Args:
        db: one transaction.
        at: on the installation's clock.
        grace: so long after the departure a stay may be paid first.
        after: where the last call ended.
        everything: look at every stay that owes something, not only where something happened lately.
    """
    since = at - grace - LOOKS_BACK if not everything else datetime.min.replace(tzinfo=at.tzinfo)
    session_ids = await _candidates(db, since=since, after=after)
    if not session_ids:
        return Moved()
    facts = await _facts(db, session_ids)
    balances = {one: balance for one, balance in (await balances_of(db, session_ids)).items() if balance.due_fen > 0}
    vehicles = await vehicles_of(db, list(balances))
    targets = {one: account_of(_debt(facts[one], vehicles[one]), now=at, grace=grace) for one in balances}
    await _post(db, balances, targets, at=at)
    counts = [0, 0, 0]
    for session_id, target in targets.items():
        changed = await _store(db, facts[session_id], vehicles[session_id], target, at=at)
        if changed:
            counts[(accounts.ARREARS, accounts.UNIDENTIFIED, accounts.RECEIVABLE).index(target)] += 1
    return Moved(
        arrears=counts[0],
        unidentified=counts[1],
        withdrawn=counts[2],
        last=session_ids[-1] if len(session_ids) == AT_ONCE else None,
    )


async def _candidates(db: AsyncConnection, *, since: datetime, after: UUID | None) -> Sequence[UUID]:
    query = _CANDIDATES if since.year > 1 else _EVERYTHING
    values = {"after": after or UUID(int=0), "limit": AT_ONCE} | ({"since": since} if since.year > 1 else {})
    return list((await db.execute(query, values)).scalars())


async def _facts(db: AsyncConnection, session_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """The stays, locked, with what holds their bills."""
    locked = select(ParkingSession.id).where(ParkingSession.id.in_(session_ids)).order_by(ParkingSession.id)
    await db.execute(locked.with_for_update(key_share=True))
    rows = await db.execute(_FACTS.bindparams(bindparam("ids", expanding=True)), {"ids": list(session_ids)})
    return {row.id: row for row in rows}


def _debt(row: Any, vehicle: Vehicle) -> Debt:
    return Debt(
        status=row.status,
        left_at=row.left_at,
        is_billed_as_it_is=row.is_billed_as_it_is,
        unsure=row.unsure,
        is_held=row.is_held,
        is_released=row.is_released,
        is_seen=vehicle.is_confirmed,
    )


async def _post(
    db: AsyncConnection, balances: dict[UUID, SessionBalance], targets: dict[UUID, str], *, at: datetime
) -> None:
    """One entry for each debt that is elsewhere; numbered, as a debt may move more than once."""
    if not balances:
        return
    numbered = (
        select(JournalLine.session_id, func.count(JournalEntry.id.distinct()).label("times"))
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(JournalEntry.kind == OWED_ELSEWHERE, JournalLine.session_id.in_(list(balances)))
        .group_by(JournalLine.session_id)
    )
    times = {row.session_id: int(row.times) for row in await db.execute(numbered)}
    entries = [
        owe_elsewhere(f"owed:{one}:{times.get(one, 0) + 1}", one, balance.stand, targets[one])
        for one, balance in balances.items()
    ]
    await post_all(db, entries, source="worker", at=at)


async def _store(db: AsyncConnection, row: Any, vehicle: Vehicle, target: str, *, at: datetime) -> bool:
    """Keep whose debt it is; whether that is new."""
    if target == accounts.RECEIVABLE:
        if row.arrear_id is None or row.withdrawn_at is not None:
            return False
        values: dict[str, Any] = {"withdrawn_at": at, "changed_at": at}
    else:
        seen = target == accounts.ARREARS
        values = {
            "plate_id": vehicle.plate_id if seen else None,
            "colour": vehicle.colour if seen else None,
            "left_at": row.left_at,
            "withdrawn_at": None,
        }
        known = {"plate_id": row.plate_id, "colour": row.colour, "left_at": row.debt_left_at}
        if row.arrear_id is not None and values == known | {"withdrawn_at": row.withdrawn_at}:
            return False
        values["changed_at"] = at
    made = insert(Arrear).values(session_id=row.id, made_at=at, **({"left_at": row.left_at} | values))
    await db.execute(made.on_conflict_do_update(index_elements=["session_id"], set_=values))
    after = {"account": target, "left_at": row.left_at.isoformat() if row.left_at else None}
    await write_audit(
        db, AuditEntry(at=at, actor="worker", action="arrear.moved", subject=f"session:{row.id}", after=after)
    )
    return True


_CANDIDATES: Final = text(
    """
    SELECT session_id FROM (
        SELECT session_id FROM bill WHERE issued_at >= :since
        UNION SELECT session_id FROM bill_hold WHERE released_at >= :since
        UNION SELECT session_id FROM plate_evidence
            WHERE recorded_at >= :since AND is_sure AND session_id IS NOT NULL
    ) AS candidate
    WHERE session_id > :after AND EXISTS (
        SELECT FROM journal_line AS line
        WHERE line.session_id = candidate.session_id AND line.account LIKE 'receivable:%'
        HAVING sum(debit_fen - credit_fen) > 0
    )
    ORDER BY session_id LIMIT :limit
    """
)
_EVERYTHING: Final = text(
    """
    SELECT session_id FROM journal_line
    WHERE account IN ('receivable:stay', 'receivable:arrears', 'receivable:unidentified') AND session_id > :after
    GROUP BY session_id HAVING sum(debit_fen - credit_fen) > 0
    ORDER BY session_id LIMIT :limit
    """
)
_FACTS: Final = text(
    """
    SELECT session.id, session.status, session.left_at, session.unsure,
           session.billed_revision IS NOT DISTINCT FROM session.revision AS is_billed_as_it_is,
           coalesce(hold.bill_id IS NOT NULL AND hold.released_at IS NULL, false) AS is_held,
           EXISTS (SELECT FROM bill_hold WHERE session_id = session.id AND released_at IS NOT NULL) AS is_released,
           arrear.id AS arrear_id, arrear.plate_id, arrear.colour, arrear.left_at AS debt_left_at,
           arrear.withdrawn_at
    FROM parking_session AS session
        LEFT JOIN current_bill AS bill ON bill.session_id = session.id
        LEFT JOIN bill_hold AS hold ON hold.bill_id = bill.id
        LEFT JOIN arrear ON arrear.session_id = session.id
    WHERE session.id IN :ids
    """
)

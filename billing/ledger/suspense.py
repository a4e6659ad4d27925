"""Money that answers to nothing yet, and how people let it go: to its stay, or back from the bank.

What the provider can give back is refunded like any payment; here is the rest: an odd amount that is to count, and
money that no order of ours explains.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID, uuid4

from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import entries
from billing.ledger.balances import balance_of
from billing.ledger.entries import CNY
from billing.ledger.journal import post
from billing.ledger.refunds import lock_money
from core.errors import ConflictError, DeniedError, NotFoundError
from core.money import Fen
from core.tables import SuspenseDecision

Outcome = Literal["stay", "paid-out"]
OUTCOMES: Final = ("stay", "paid-out")


class SuspenseNotFoundError(NotFoundError):
    """No money waits under this number. Carries ``entry_id`` or ``decision_id``."""

    slug = "suspense-not-found"


class SuspenseFitsNoStayError(ConflictError):
    """It cannot pay a stay: it came for none, in another currency, or its stay owes nothing."""

    slug = "suspense-fits-no-stay"


class SuspenseNotHeldError(ConflictError):
    """Nobody's decision is awaited (any more). Carries ``status``."""

    slug = "suspense-not-held"


class SameDecisionPersonError(DeniedError):
    """Whoever asked for it cannot decide about it."""

    slug = "same-person"


@dataclass(frozen=True, slots=True, kw_only=True)
class InSuspense:
    """Money that waits."""

    entry_id: int
    posted_at: datetime
    provider: str
    transaction_id: str
    payment_id: UUID | None
    """None: no order of ours explains it."""
    session_id: UUID | None
    amount_fen: Fen
    """What is left of it."""
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decided, or wants a second person to decide."""

    id: UUID
    entry_id: int
    outcome: Outcome
    amount_fen: Fen
    reason: str
    requested_by: str
    decided_by: str | None
    status: Literal["held", "rejected", "done"]
    created_at: datetime


async def list_suspense(db: AsyncConnection) -> list[InSuspense]:
    """All of it, what waits longest first."""
    return [InSuspense(**row) for row in (await db.execute(_WAITING, {"entry_id": None})).mappings()]


async def list_held(db: AsyncConnection) -> list[Decision]:
    """Decisions that wait for a second person, oldest first."""
    query = select(*_DECISION).where(SuspenseDecision.status == "held").order_by(SuspenseDecision.created_at)
    return [_decision(row) for row in await db.execute(query)]


async def decide_suspense(
    db: AsyncConnection, entry_id: int, outcome: Outcome, *, reason: str, by: str, limit_fen: int, at: datetime
) -> Decision:
    """Let what is left of one entry's money go, at once or, above ``limit_fen``, once a second person agrees.

    ``stay`` moves as much as its stay owes; ``paid-out`` says that all of it was given back from the bank.

    Raises:
        SuspenseNotFoundError: nothing is left of it, or it never was.
        SuspenseFitsNoStayError: see there.
    """
    waiting = await _lock(db, entry_id)
    amount = await _movable(db, waiting, outcome)
    now = datetime.now(UTC)
    values = {
        "id": uuid4(),
        "entry_id": entry_id,
        "outcome": outcome,
        "amount_fen": amount,
        "reason": reason,
        "requested_by": by,
        "status": "held" if amount > limit_fen else "done",
        "created_at": now,
        "changed_at": now,
    }
    row = (await db.execute(insert(SuspenseDecision).values(values).returning(*_DECISION))).one()
    if row.status == "done":
        await _move(db, waiting, row, amount, by=by, at=at)
    return _decision(row)


async def decide_held(db: AsyncConnection, decision_id: UUID, *, approve: bool, by: str, at: datetime) -> Decision:
    """A second person agrees to what was asked for, or refuses it.

    Raises:
        SuspenseNotFoundError, SuspenseNotHeldError, SameDecisionPersonError, SuspenseFitsNoStayError: see there.
    """
    asked = select(*_DECISION).where(SuspenseDecision.id == decision_id).with_for_update()
    row = (await db.execute(asked)).first()
    if row is None:
        raise SuspenseNotFoundError("there is no such decision", decision_id=str(decision_id))
    if row.status != "held":
        raise SuspenseNotHeldError(f"this decision is {row.status}", status=row.status)
    if row.requested_by == by:
        raise SameDecisionPersonError("a second person has to decide: you asked for this yourself")
    if approve:
        waiting = await _lock(db, row.entry_id)
        await _move(db, waiting, row, await _movable(db, waiting, row.outcome), by=by, at=at)
    values = {"status": "done" if approve else "rejected", "decided_by": by, "changed_at": datetime.now(UTC)}
    changed = update(SuspenseDecision).where(SuspenseDecision.id == decision_id).values(values)
    return _decision((await db.execute(changed.returning(*_DECISION))).one())


async def _lock(db: AsyncConnection, entry_id: int) -> InSuspense:
    """What is left of it, and nobody else moves it until the transaction ends."""
    await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"suspense:{entry_id}", 0))))
    found = (await db.execute(_WAITING, {"entry_id": entry_id})).mappings().first()
    if found is not None and found["payment_id"] is not None:
        await lock_money(db, found["payment_id"])
        found = (await db.execute(_WAITING, {"entry_id": entry_id})).mappings().first()
    if found is None:
        raise SuspenseNotFoundError("no money is in suspense under this number", entry_id=entry_id)
    return InSuspense(**found)


async def _movable(db: AsyncConnection, waiting: InSuspense, outcome: Outcome) -> Fen:
    if outcome == "paid-out":
        return waiting.amount_fen
    if waiting.session_id is None or waiting.currency != CNY:
        raise SuspenseFitsNoStayError("this money was paid for no stay, or in another currency")
    due_fen = (await balance_of(db, waiting.session_id)).due_fen
    if due_fen == 0:
        raise SuspenseFitsNoStayError("its stay owes nothing: give it back instead")
    return Fen(min(due_fen, waiting.amount_fen))


async def _move(db: AsyncConnection, waiting: InSuspense, row: Row[Any], amount: int, *, by: str, at: datetime) -> None:
    about: dict[str, Any] = {
        "payment_id": waiting.payment_id,
        "session_id": waiting.session_id,
        "amount_fen": amount,
        "currency": waiting.currency,
    }
    if row.outcome == "stay" and waiting.session_id is not None:
        later = (await balance_of(db, waiting.session_id)).later
        entry = entries.settle_from_suspense(row.id, later=later, **about)
    else:
        entry = entries.pay_out_of_suspense(row.id, **about)
    await post(db, entry, source=by, at=at)
    if waiting.payment_id is not None:
        await db.execute(select(func.pg_notify("parking_payment", str(waiting.payment_id))))


def _decision(row: Row[Any]) -> Decision:
    return Decision(**row._asdict())


_DECISION: Final = (
    SuspenseDecision.id,
    SuspenseDecision.entry_id,
    SuspenseDecision.outcome,
    SuspenseDecision.amount_fen,
    SuspenseDecision.reason,
    SuspenseDecision.requested_by,
    SuspenseDecision.decided_by,
    SuspenseDecision.status,
    SuspenseDecision.created_at,
)
_WAITING: Final = text(
    r"""
    WITH came AS (
        SELECT entry.id AS entry_id, entry.posted_at, entry.business_key, line.payment_id, line.session_id,
               line.credit_fen AS came, line.currency
        FROM journal_entry AS entry JOIN journal_line AS line ON line.entry_id = entry.id
        WHERE line.account = 'suspense' AND line.credit_fen > 0 AND entry.kind IN ('payment', 'unknown-payment')
            AND (CAST(:entry_id AS bigint) IS NULL OR entry.id = CAST(:entry_id AS bigint))
    )
    SELECT entry_id, posted_at, split_part(business_key, '\:', 2) AS provider,
           substring(business_key FROM '^[^\:]+\:[^\:]+\:(.*)$') AS transaction_id,
           payment_id, session_id, came - gone.fen AS amount_fen, currency
    FROM came CROSS JOIN LATERAL (
        SELECT coalesce(sum(line.debit_fen), 0)::bigint AS fen
        FROM journal_line AS line
        WHERE line.account = 'suspense' AND line.debit_fen > 0 AND (
            line.payment_id = came.payment_id
            OR (came.payment_id IS NULL AND EXISTS (
                SELECT FROM suspense_decision AS decision
                    JOIN journal_entry AS moved ON moved.business_key = 'suspense\:' || decision.id
                WHERE decision.entry_id = came.entry_id AND moved.id = line.entry_id
            ))
        )
    ) AS gone
    WHERE came - gone.fen > 0 ORDER BY posted_at, entry_id
    """
)

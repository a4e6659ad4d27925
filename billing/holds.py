"""Bills on thin evidence: which are held, and how a person lets them go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import ConflictError, NotFoundError
from core.tables import Bill, BillHold, Lot, ParkingSession, Space

Reason = Literal["unsure", "late_arrival", "long_stay", "large_amount"]


class BillNotHeldError(ConflictError):
    """The bill is not held, or was released before. Carries ``session_id``."""

    slug = "bill-not-held"


class HeldSessionNotFoundError(NotFoundError):
    """There is no such session. Carries ``session_id``."""

    slug = "session-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRules:
    """When a lot wants a person to look first; 0 switches a rule off."""

    late_minutes: int
    """The arrival was heard of so long after it is dated."""
    stay_hours: int
    """The stay is longer."""
    above_fen: int
    """The bill is higher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A bill that waits for a person."""

    session_id: UUID
    space_code: str
    lot_code: str
    entered_at: datetime
    left_at: datetime | None
    total_fen: int
    reasons: tuple[Reason, ...]
    held_at: datetime


def reasons_to_hold(
    rules: HoldRules, *, unsure: bool, entered_at: datetime, left_at: datetime, heard_at: datetime, total_fen: int
) -> list[Reason]:
    """Why a bill should wait for a person, the plainest reason first; nothing to pay is never held. Pure."""
    if total_fen == 0:
        return []
    found: list[Reason] = ["unsure"] if unsure else []
    if rules.late_minutes and heard_at - entered_at > timedelta(minutes=rules.late_minutes):
        found.append("late_arrival")
    if rules.stay_hours and left_at - entered_at > timedelta(hours=rules.stay_hours):
        found.append("long_stay")
    if rules.above_fen and total_fen > rules.above_fen:
        found.append("large_amount")
    return found


async def hold_bills(db: AsyncConnection, bills: Sequence[Mapping[str, Any]], *, at: datetime) -> int:
    """Hold those of the bills that stand on thin evidence; called in the transaction that writes them.

    What somebody released is not held again for a correction that costs no more.
    """
    rows = {row.id: row for row in await db.execute(_of_sessions([bill["session_id"] for bill in bills]))}
    released = await _released(db, [bill["session_id"] for bill in bills if bill["replaces_id"] is not None])
    holds = []
    for bill in bills:
        row = rows.get(bill["session_id"])
        if row is None or bill["total_fen"] <= released.get(bill["session_id"], -1):
            continue
        rules = HoldRules(
            late_minutes=row.hold_late_minutes, stay_hours=row.hold_stay_hours, above_fen=row.hold_above_fen
        )
        reasons = reasons_to_hold(
            rules,
            unsure=row.unsure,
            entered_at=row.entered_at,
            left_at=row.left_at,
            heard_at=row.recorded_at,
            total_fen=bill["total_fen"],
        )
        if reasons:
            hold = {"bill_id": bill["id"], "session_id": row.id, "reasons": reasons, "held_at": at}
            holds.append(hold)
    if holds:
        await db.execute(insert(BillHold), holds)
    return len(holds)


async def is_held(db: AsyncConnection, session_id: UUID) -> bool:
    """Whether a session's current bill waits for a person: then nothing is made of it but what its driver pays."""
    return (await db.execute(_held().where(BillHold.session_id == session_id))).first() is not None


async def list_held(db: AsyncConnection, *, limit: int = 200) -> list[Held]:
    """Current bills that wait for a person, those held longest first."""
    rows = (await db.execute(_held().order_by(BillHold.held_at, BillHold.bill_id).limit(limit))).all()
    return [_shown(row) for row in rows]


async def release_bill(db: AsyncConnection, session_id: UUID, *, reason: str, actor: str, at: datetime) -> Held:
    """Let a session's current bill go its way: somebody has looked at the evidence.

    Raises:
        HeldSessionNotFoundError: there is no such session.
        BillNotHeldError: its current bill is not held.
    """
    row = (await db.execute(_held().where(BillHold.session_id == session_id).with_for_update(of=BillHold))).first()
    if row is None:
        known = select(ParkingSession.id).where(ParkingSession.id == session_id)
        if (await db.execute(known)).first() is None:
            raise HeldSessionNotFoundError("no session has this id", session_id=str(session_id))
        raise BillNotHeldError("the bill of this session is not held", session_id=str(session_id))
    released = {"released_at": at, "released_by": actor, "release_reason": reason}
    await db.execute(update(BillHold).where(BillHold.bill_id == row.bill_id).values(released))
    return _shown(row)


async def _released(db: AsyncConnection, session_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Up to which amount somebody has released a session's bills."""
    if not session_ids:
        return {}
    query = (
        select(BillHold.session_id, Bill.total_fen)
        .join(Bill, Bill.id == BillHold.bill_id)
        .where(BillHold.session_id.in_(session_ids), BillHold.released_at.is_not(None))
        .order_by(Bill.total_fen)
    )
    return {row.session_id: row.total_fen for row in await db.execute(query)}


def _of_sessions(session_ids: Sequence[UUID]) -> Any:
    return (
        select(
            ParkingSession.id,
            ParkingSession.unsure,
            ParkingSession.entered_at,
            ParkingSession.left_at,
            ParkingSession.recorded_at,
            Lot.hold_late_minutes,
            Lot.hold_stay_hours,
            Lot.hold_above_fen,
        )
        .join(Space, Space.id == ParkingSession.space_id)
        .join(Lot, Lot.id == Space.lot_id)
        .where(ParkingSession.id.in_(session_ids), ParkingSession.status == "ended")
    )


def _shown(row: Row[Any]) -> Held:
    return Held(
        session_id=row.session_id,
        space_code=row.space_code,
        lot_code=row.lot_code,
        entered_at=row.entered_at,
        left_at=row.left_at,
        total_fen=row.total_fen,
        reasons=tuple(row.reasons),
        held_at=row.held_at,
    )


def _held() -> Any:
    later = Bill.__table__.alias("later")
    return (
        select(
            BillHold.bill_id,
            BillHold.session_id,
            Space.code.label("space_code"),
            Lot.code.label("lot_code"),
            ParkingSession.entered_at,
            ParkingSession.left_at,
            Bill.total_fen,
            BillHold.reasons,
            BillHold.held_at,
        )
        .join(Bill, Bill.id == BillHold.bill_id)
        .join(ParkingSession, ParkingSession.id == BillHold.session_id)
        .join(Space, Space.id == ParkingSession.space_id)
        .join(Lot, Lot.id == Space.lot_id)
        .where(BillHold.released_at.is_(None), ~select(later.c.id).where(later.c.replaces_id == Bill.id).exists())
    )

"""Who pays what for a session: its vehicle by the best evidence, and everything else that its fee depends on."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.calendar_table import fetch_calendar
from billing.circumstances import Circumstances
from billing.coupons import Coupon
from billing.covers import Cover
from billing.passes import passes_for
from billing.tariff import Tariff
from billing.vehicle_of_plate import Evidence, Vehicle, vehicle_by
from core.clock import FOR_EVER
from core.stay import Stay
from core.tables import CouponRow, ExemptVehicle, Lot, ParkingSession, PlateEvidence, Space

LOOKS_BACK: Final = timedelta(days=62)
"""How far earlier stays of a plate may change this one: beyond the longest month."""


async def vehicle_of(db: AsyncConnection, session_id: UUID) -> Vehicle:
    """The vehicle that the best evidence of a session names; ``UNKNOWN`` where there is none."""
    return (await vehicles_of(db, [session_id]))[session_id]


async def vehicles_of(db: AsyncConnection, session_ids: Sequence[UUID]) -> dict[UUID, Vehicle]:
    """The same for many sessions; all of them are answered."""
    query = select(
        PlateEvidence.session_id,
        PlateEvidence.plate_id,
        PlateEvidence.source,
        PlateEvidence.colour,
        PlateEvidence.confidence_percent,
        PlateEvidence.is_sure,
        PlateEvidence.recorded_at,
    ).where(PlateEvidence.session_id.in_(session_ids))
    evidence: defaultdict[UUID, list[Evidence]] = defaultdict(list)
    for session_id, *facts in await db.execute(query):
        plate_id, source, colour, confidence_percent, is_sure, recorded_at = facts
        evidence[session_id].append(
            Evidence(
                plate_id=plate_id,
                source=source,
                colour=colour,
                confidence_percent=confidence_percent,
                is_sure=is_sure,
                recorded_at=recorded_at,
            )
        )
    return {session_id: vehicle_by(evidence[session_id]) for session_id in session_ids}


async def circumstances_of(
    db: AsyncConnection, session_id: UUID, stay: Stay, tariff: Tariff, *, lot: str
) -> Circumstances:
    """What a session's fee depends on beside its notice, as it is known now.

    Args:
        db: the transaction.
        session_id: the session.
        stay: its time, to now where it is open.
        tariff: the version that prices it.
        lot: the code of its lot.
    """
    calendar = await fetch_calendar(db, lot=lot, tariff=tariff.code)
    known = await vehicle_of(db, session_id)
    coupons = await _coupons(db, session_id)
    if known.plate_id is None:
        return Circumstances(calendar=calendar, coupons=coupons)
    history: tuple[Stay, ...] = ()
    covers: tuple[Cover, ...] = ()
    if known.is_confirmed:
        if tariff.asks_history:
            history = await _history(db, known.plate_id, stay, tariff.code)
        exempt = await exempt_time(db, known.plate_id, stay, lot)
        passes = await passes_for(db, session_id, known.plate_id, stay, lot=lot, calendar=calendar)
        covers = (*exempt, *passes)
    return Circumstances(
        calendar=calendar,
        vehicle=known.vehicle,
        evidence=known.source,
        history=history,
        covers=covers,
        coupons=coupons,
    )


async def with_something_known(db: AsyncConnection, session_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of the sessions that have evidence or a coupon: the others depend on the calendar alone."""
    seen = select(PlateEvidence.session_id).where(PlateEvidence.session_id.in_(session_ids))
    given = select(CouponRow.session_id).where(CouponRow.session_id.in_(session_ids))
    return frozenset(session_id for session_id in await db.scalars(seen.union(given)) if session_id is not None)


async def exempt_time(db: AsyncConnection, plate_id: UUID, stay: Stay, lot: str) -> tuple[Cover, ...]:
    """The stay's time in which the plate is exempt, in an open stay also the time to come."""
    begins, ends = ExemptVehicle.valid_from, ExemptVehicle.valid_to
    query = (
        select(begins, ends, ExemptVehicle.ended_at, ExemptVehicle.reason, ExemptVehicle.lots)
        .where(ExemptVehicle.plate_id == plate_id, or_(ends.is_(None), ends > stay.entered_at))
        .order_by(ExemptVehicle.id)
    )
    covers = []
    for valid_from, valid_to, ended_at, reason, lots in await db.execute(query):
        until = min([at for at in (valid_to, ended_at) if at is not None], default=FOR_EVER)
        since = max(valid_from, stay.entered_at)
        if since < until and (not lots or lot in lots):
            covers.append(Cover(kind="exempt", note=reason, spans=((since, until),)))
    return tuple(covers)


async def price_again_later(db: AsyncConnection, session_id: UUID, *, at: datetime) -> None:
    """Have an ended session billed once more, because something its fee depends on is known better now.

    For a session that is open or was never billed nothing is needed: its bill will look at what is known then.
    """
    billed = update(ParkingSession).where(ParkingSession.id == session_id, ParkingSession.billed_revision.is_not(None))
    await db.execute(billed.values(revision=ParkingSession.revision + 1, revised_at=at))


async def _coupons(db: AsyncConnection, session_id: UUID) -> tuple[Coupon, ...]:
    """What was given to the session, oldest first."""
    query = (
        select(CouponRow.kind, CouponRow.value, CouponRow.until, CouponRow.bearer)
        .where(CouponRow.session_id == session_id)
        .order_by(CouponRow.attached_at, CouponRow.id)
    )
    return tuple(Coupon(**row) for row in (await db.execute(query)).mappings())


async def _history(db: AsyncConnection, plate_id: UUID, stay: Stay, tariff: str) -> tuple[Stay, ...]:
    """Earlier stays of the plate under the notice that was surely seen, oldest first."""
    query = (
        select(ParkingSession.entered_at, ParkingSession.left_at)
        .join(PlateEvidence, PlateEvidence.session_id == ParkingSession.id)
        .join(Space, Space.id == ParkingSession.space_id)
        .join(Lot, Lot.id == Space.lot_id)
        .where(PlateEvidence.plate_id == plate_id, PlateEvidence.is_sure, Lot.tariff == tariff)
        .where(ParkingSession.status == "ended", ParkingSession.left_at <= stay.entered_at)
        .where(ParkingSession.entered_at >= stay.entered_at - LOOKS_BACK)
        .order_by(ParkingSession.entered_at)
        .distinct()
    )
    rows = await db.execute(query)
    return tuple(Stay(entered_at=entered_at, left_at=left_at) for entered_at, left_at in rows)

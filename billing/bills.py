"""Ended sessions become bills: load, price, store once; a session that changed afterwards gets a correcting bill.

Work is found in the business rows themselves: a session whose ``billed_revision`` is not its ``revision``. Bill and
mark are written in one transaction that holds the session's row, so any number of workers, killed at any moment, make
exactly one current bill for each revision (B1).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.bearing import bear_coupons
from billing.calendar import Calendar
from billing.calendar_table import fetch_calendar
from billing.circumstances import Circumstances, kept_with
from billing.holds import hold_bills
from billing.ledger.charging import charge_bills
from billing.lines import bill_to_json
from billing.tariff import Tariff
from billing.tariffs_in_force import Validity, fetch_tariff_for, fetch_validities
from billing.who import circumstances_of, with_something_known
from core.errors import TariffNotFoundError
from core.money import Fen
from core.stay import Stay
from core.tables import Bill, Lot, ParkingSession, Space
from core.tables.sessions import TO_BILL

ENGINE: Final = 1
"""Version of the pricing engine, kept with each bill; raised when the same inputs may give another fee."""

SETTLES_AFTER: Final = timedelta(seconds=30)
"""A session that has just ended is left alone: a short gap may yet close and make it go on. Below a minute (B1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What one run did."""

    bills: int
    corrections: int
    total_fen: Fen
    unpriced: int
    """Lots without a notice in force: their stays are billed with 0, and say so."""
    held: int
    """On evidence so thin that a person has to look at them."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the sessions of one run are priced by, read once for all of them."""

    calendars: dict[tuple[str, str], Calendar] = field(default_factory=dict)
    validities: dict[str, list[Validity]] = field(default_factory=dict)

    async def calendar(self, db: AsyncConnection, lot: str, tariff: str) -> Calendar:
        if (lot, tariff) not in self.calendars:
            self.calendars[lot, tariff] = await fetch_calendar(db, lot=lot, tariff=tariff)
        return self.calendars[lot, tariff]

    async def tariff_for(self, db: AsyncConnection, code: str, stay: Stay) -> tuple[int, Tariff]:
        if code not in self.validities:
            self.validities[code] = await fetch_validities(db, code)
        return await fetch_tariff_for(db, code, stay, self.validities[code])


async def bill_ended_sessions(db: AsyncConnection, *, at: datetime, limit: int) -> Billed:
    """Bill at most ``limit`` sessions that want it, those that ended first first; 0 bills when none is left."""
    rows = (await db.execute(_due(at - SETTLES_AFTER, limit))).all()
    if not rows:
        return Billed(bills=0, corrections=0, total_fen=Fen(0), unpriced=0, held=0)
    before = await _current_bills(db, [row.id for row in rows])
    known = await with_something_known(db, [row.id for row in rows])
    shared = _Shared()
    bills = [
        _bill(row, await _price(db, row, shared, is_known=row.id in known), replaces_id=before.get(row.id), at=at)
        for row in rows
    ]
    await db.execute(insert(Bill), bills)
    await db.execute(
        update(ParkingSession)
        .where(ParkingSession.id.in_([row.id for row in rows]))
        .values(billed_revision=ParkingSession.revision)
    )
    await charge_bills(db, bills, at=at)
    if known:
        await bear_coupons(db, [bill for bill in bills if bill["session_id"] in known], at=at)
    held = await hold_bills(db, bills, at=at)
    return Billed(
        bills=len(bills),
        corrections=sum(bill["replaces_id"] is not None for bill in bills),
        total_fen=Fen(sum(bill["total_fen"] for bill in bills)),
        unpriced=sum(bill["tariff_version_id"] is None for bill in bills),
        held=held,
    )


def _due(ended_before: datetime, limit: int) -> Select[Any]:
    return (
        select(
            ParkingSession.id,
            ParkingSession.status,
            ParkingSession.revision,
            ParkingSession.entered_at,
            ParkingSession.left_at,
            Lot.code.label("lot"),
            Lot.tariff,
            Lot.zone,
        )
        .join(Space, Space.id == ParkingSession.space_id)
        .join(Lot, Lot.id == Space.lot_id)
        .where(text(f"({TO_BILL})"))
        .where(func.coalesce(ParkingSession.left_at, ParkingSession.entered_at) <= ended_before)
        .order_by(ParkingSession.left_at)
        .limit(limit)
        .with_for_update(of=ParkingSession, skip_locked=True)
    )


async def _current_bills(db: AsyncConnection, session_ids: list[UUID]) -> dict[UUID, UUID]:
    later = Bill.__table__.alias("later")
    query = select(Bill.session_id, Bill.id).where(
        Bill.session_id.in_(session_ids), ~select(later.c.id).where(later.c.replaces_id == Bill.id).exists()
    )
    return {row.session_id: row.id for row in await db.execute(query)}


Priced = tuple[int | None, int, dict[str, Any]]
"""The version that prices a stay, what it costs, and what the bill keeps."""


def _bill(row: Row[Any], priced: Priced, *, replaces_id: UUID | None, at: datetime) -> dict[str, Any]:
    version_id, total_fen, fee = priced
    return {
        "id": uuid4(),
        "session_id": row.id,
        "session_revision": row.revision,
        "replaces_id": replaces_id,
        "tariff_version_id": version_id,
        "total_fen": total_fen,
        "fee": fee,
        "issued_at": at,
    }


async def _price(db: AsyncConnection, row: Row[Any], shared: _Shared, *, is_known: bool) -> Priced:
    if row.status == "void":
        return None, 0, {"engine": ENGINE, "reason": "void"}
    if row.tariff is None:
        return None, 0, {"engine": ENGINE, "reason": "no-notice"}
    stay = Stay(entered_at=row.entered_at, left_at=row.left_at)
    try:
        version_id, tariff = await shared.tariff_for(db, row.tariff, stay)
    except TariffNotFoundError:
        return None, 0, {"engine": ENGINE, "reason": "no-notice-in-force", "tariff": row.tariff}
    zone = ZoneInfo(row.zone)
    if is_known:
        circumstances = await circumstances_of(db, row.id, stay, tariff, lot=row.lot)
    else:
        circumstances = Circumstances(calendar=await shared.calendar(db, row.lot, tariff.code))
    bill = circumstances.bill(tariff, stay, zone)
    inputs = kept_with(circumstances, stay, zone)
    fee = {"engine": ENGINE, "zone": row.zone, "bill": bill_to_json(bill), "inputs": inputs}
    return version_id, bill.total_fen, fee

"""How a session stands at an instant: what is counted, what it costs so far, by which version of which notice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.lines import Bill as PricedBill
from billing.lines import Quote, bill_from_json
from billing.tariffs_in_force import fetch_tariff_for
from billing.who import circumstances_of
from core.errors import NotFoundError, TariffNotFoundError
from core.money import Fen
from core.sensor import silent_after_ms
from core.stay import Stay
from core.tables import Assignment, Bill, Lot, ParkingSession, Sensor, Space, SpaceState


class SessionNotFoundError(NotFoundError):
    """No session has this id, or it turned out to be none. Carries ``session_id``."""

    slug = "session-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A session as it stands at one instant."""

    session_id: UUID
    space_code: str
    lot_code: str
    status: str
    entered_at: datetime
    left_at: datetime | None
    counted_to: datetime
    """Where the fee stops counting: now, the departure, or where the evidence ends."""
    unsure: bool
    fee: Quote | PricedBill | None
    """None where nothing is charged: the lot has no notice in force."""
    is_billed: bool
    """The fee is that of its current bill."""
    tariff_version_id: int | None
    exit_window_minutes: int

    @property
    def bill(self) -> PricedBill | None:
        """The fee so far, without what it will become."""
        return self.fee.bill if isinstance(self.fee, Quote) else self.fee

    @property
    def minutes(self) -> int:
        """Whole minutes that the fee counts from and to."""
        return (self.counted_to - self.entered_at) // timedelta(minutes=1)

    @property
    def total_fen(self) -> Fen:
        """What it costs so far."""
        return self.bill.total_fen if self.bill else Fen(0)


async def fetch_standing(db: AsyncConnection, session_id: UUID, now: datetime) -> Standing:
    """How one session stands.

    Raises:
        SessionNotFoundError: there is none of this id, or it is void.
    """
    row = (await db.execute(_sessions(now).where(ParkingSession.id == session_id))).first()
    if row is None:
        raise SessionNotFoundError("no session has this id", session_id=str(session_id))
    return await _standing(db, row, now)


async def find_newest_standing(db: AsyncConnection, space_id: int, now: datetime) -> Standing | None:
    """The newest session of a space that may be shown.

    One that is younger than the lot's shortest stay is not announced, as it may turn out to be none; until then the
    one before it is the newest.
    """
    query = (
        _sessions(now).where(ParkingSession.space_id == space_id).order_by(ParkingSession.entered_at.desc()).limit(2)
    )
    for row in (await db.execute(query)).all():
        if row.status != "open" or row.entered_at <= now - timedelta(seconds=row.min_stay_seconds):
            return await _standing(db, row, now)
    return None


def _sessions(now: datetime) -> Any:
    of_its_revision = (Bill.session_id == ParkingSession.id) & (Bill.session_revision == ParkingSession.revision)
    watching = (Assignment.space_id == ParkingSession.space_id) & Assignment.during.contains(now)
    return (
        select(
            ParkingSession.id,
            ParkingSession.status,
            ParkingSession.entered_at,
            ParkingSession.left_at,
            ParkingSession.unsure,
            Space.code.label("space_code"),
            Lot.code.label("lot_code"),
            Lot.tariff,
            Lot.zone,
            Lot.min_stay_seconds,
            Sensor.heartbeat_seconds,
            SpaceState.last_heard_at,
            SpaceState.last_occupied_at,
            Bill.id.label("bill_id"),
            Bill.fee.label("bill"),
        )
        .join(Space, Space.id == ParkingSession.space_id)
        .join(Lot, Lot.id == Space.lot_id)
        .outerjoin(Bill, of_its_revision)
        .outerjoin(SpaceState, SpaceState.space_id == ParkingSession.space_id)
        .outerjoin(Assignment, watching)
        .outerjoin(Sensor, Sensor.id == Assignment.sensor_id)
        .where(ParkingSession.status != "void")
    )


async def _standing(db: AsyncConnection, row: Row[Any], now: datetime) -> Standing:
    counted_to, unsure = _counted_to(row, now)
    version_id, exit_window, fee = await _fee(db, row, counted_to, runs=row.status == "open" and not unsure)
    return Standing(
        session_id=row.id,
        space_code=row.space_code,
        lot_code=row.lot_code,
        status=row.status,
        entered_at=row.entered_at,
        left_at=row.left_at,
        counted_to=counted_to,
        unsure=unsure,
        fee=fee,
        is_billed=row.bill_id is not None,
        tariff_version_id=version_id,
        exit_window_minutes=exit_window,
    )


async def _fee(
    db: AsyncConnection, row: Row[Any], counted_to: datetime, *, runs: bool
) -> tuple[int | None, int, Quote | PricedBill | None]:
    """What the session costs as far as it is counted: by its bill, else by the notice in force when it began."""
    billed = bill_from_json(row.bill["bill"]) if row.bill is not None and "bill" in row.bill else None
    if row.tariff is None:
        return None, 0, billed
    stay = Stay(entered_at=row.entered_at, left_at=counted_to)
    try:
        version_id, tariff = await fetch_tariff_for(db, row.tariff, stay)
    except TariffNotFoundError:
        return None, 0, billed
    if billed is not None:
        return version_id, tariff.exit_window_minutes, billed
    circumstances = await circumstances_of(db, row.id, stay, tariff, lot=row.lot_code)
    price = circumstances.quote if runs else circumstances.bill
    return version_id, tariff.exit_window_minutes, price(tariff, stay, ZoneInfo(row.zone))


def _counted_to(row: Row[Any], now: datetime) -> tuple[datetime, bool]:
    if row.status != "open":
        return row.left_at, row.unsure
    if _is_silent(row, now):
        return max(row.entered_at, row.last_occupied_at or row.entered_at), True
    return max(row.entered_at, now), False


def _is_silent(row: Row[Any], now: datetime) -> bool:
    if row.heartbeat_seconds is None or row.last_heard_at is None:
        return True
    return bool(now - row.last_heard_at > timedelta(milliseconds=silent_after_ms(row.heartbeat_seconds)))

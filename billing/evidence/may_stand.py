"""May this plate stand here now, until when, and by which right?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.calendar_table import fetch_calendar
from billing.covers import Cover
from billing.lines import DecreedFree, FreeBand, OutsideWindows, Quote
from billing.passes import passes_for
from billing.payments.owing import owing_of
from billing.phrases import Lang, said
from billing.plates import PlateVault, find_plate_id
from billing.pricing import price_stay, quote
from billing.standing import Standing, fetch_standing, find_newest_standing
from billing.tariffs_in_force import fetch_tariff_for
from billing.vehicle_of_plate import CLASS_OF_COLOUR, colour_of_form
from billing.who import exempt_time, vehicle_of
from core.clock import FOR_EVER
from core.errors import InvalidError, LotNotFoundError, SpaceNotFoundError, TariffNotFoundError
from core.money import Fen
from core.plate import Plate
from core.stay import Stay, VehicleClass
from core.tables import Lot, ParkingSession, PlateEvidence, Space

Right = Literal["exempt", "pass", "paid", "free-hours", "free-minutes", "none"]

MOMENT: Final = timedelta(minutes=1)
"""A stay of this length tells what the notice says of an arrival now."""
WHY: Final[dict[str, tuple[str, str]]] = {
    "exempt": ("该车辆免费停放", "the vehicle is exempt"),
    "pass": ("持有效停车证", "a pass is valid here now"),
    "paid": ("已付费", "the stay is paid for"),
    "free-hours": ("当前为免费时段", "nothing is charged here at this hour"),
    "free-minutes": ("仍在免费时长内", "the stay is within its free minutes"),
    "none": ("未付费，也无其他停放权利", "the stay is not paid for, and no other right is known"),
    "closed": ("该车位已停用", "the space is out of use"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MayStand:
    """The answer to a warden."""

    right: Right
    until: datetime | None
    """When the right ends as far as is known; None: there is none, or it has no end."""
    why: str
    """A key of ``WHY``."""
    lot_code: str
    space_code: str | None
    due_fen: Fen
    """What the stay owes now; 0 where no stay is known."""

    @property
    def may(self) -> bool:
        """Whether it may stand there."""
        return self.right != "none"

    def words(self, lang: Lang) -> str:
        """Why, in words."""
        return said(WHY[self.why], lang)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    lot_code: str
    tariff: str | None
    zone: ZoneInfo
    space_id: int | None = None
    space_code: str | None = None
    is_closed: bool = False


async def may_stand(  # the facts of one question
    db: AsyncConnection,
    vault: PlateVault,
    plate: Plate,
    *,
    colour: str | None,
    space: str | None,
    lot: str | None,
    now: datetime,
) -> MayStand:
    """Whether a plate may stand on a space, or in a lot, now. A right without an end outranks one that ends.

    Args:
        db: the transaction.
        vault: of the installation.
        plate: as the warden reads it: his own eyes are the evidence, so passes and exemptions count.
        colour: of the plate, where the notice's free time goes by the vehicle; None: what its form tells.
        space: the code of a space.
        lot: the code of a lot; one of the two is needed, and a space must lie in its lot.
        now: the present, on the installation's clock.

    Raises:
        InvalidError: neither a space nor a lot, or a space of another lot.
        SpaceNotFoundError, LotNotFoundError: there is none of this code.
    """
    place = await _place(db, space, lot)
    plate_id = await find_plate_id(db, vault, plate)
    standing = await _standing(db, place, plate_id, now)
    owing = await owing_of(db, standing) if standing else None

    def answer(right: Right, until: datetime | None = None, why: str | None = None) -> MayStand:
        return MayStand(
            right=right,
            until=None if until == FOR_EVER else until,
            why=why or right,
            lot_code=place.lot_code,
            space_code=place.space_code,
            due_fen=owing.due_fen if owing else Fen(0),
        )

    if place.is_closed:
        return answer("none", why="closed")
    if plate_id is not None:
        for cover in await _covers(db, plate_id, standing, place, now):
            for begins, ends in cover.spans:
                if begins <= now < ends:
                    return answer("pass" if cover.kind == "pass" else "exempt", ends)
    if owing and owing.paid_fen and owing.exit_by is not None and now <= owing.exit_by:
        return answer("paid", owing.exit_by)
    right, until = await _free(db, place, standing, CLASS_OF_COLOUR.get(colour or colour_of_form(plate) or ""), now)
    if right == "none" and owing and owing.paid_fen and not owing.due_fen:
        return answer("paid", _next_change(standing))
    return answer(right, until)


async def _place(db: AsyncConnection, space: str | None, lot: str | None) -> _Place:
    columns = (Lot.code.label("lot_code"), Lot.tariff, Lot.zone)
    if space is not None:
        query = select(*columns, Space.id, Space.code, Space.closed_since).join(Lot, Lot.id == Space.lot_id)
        row = (await db.execute(query.where(Space.code == space, Space.retired_at.is_(None)))).one_or_none()
        if row is None:
            raise SpaceNotFoundError(f"no space has the code {space!r}", space_code=space)
        if lot is not None and lot != row.lot_code:
            raise InvalidError(f"the space {space} lies in {row.lot_code}, not in {lot}")
        return _Place(
            lot_code=row.lot_code,
            tariff=row.tariff,
            zone=ZoneInfo(row.zone),
            space_id=row.id,
            space_code=row.code,
            is_closed=row.closed_since is not None,
        )
    if lot is None:
        raise InvalidError("name a space or a lot")
    found = (await db.execute(select(*columns).where(Lot.code == lot, Lot.retired_at.is_(None)))).one_or_none()
    if found is None:
        raise LotNotFoundError(f"no lot has the code {lot!r}", lot_id=lot)
    return _Place(lot_code=found.lot_code, tariff=found.tariff, zone=ZoneInfo(found.zone))


async def _standing(db: AsyncConnection, place: _Place, plate_id: UUID | None, now: datetime) -> Standing | None:
    """The open stay of this vehicle: on the space, unless another is known there; in the lot, where it was seen."""
    if place.space_id is not None:
        standing = await find_newest_standing(db, place.space_id, now)
        if standing is None or standing.status != "open":
            return None
        known = await vehicle_of(db, standing.session_id)
        return None if known.is_confirmed and known.plate_id != plate_id else standing
    seen = (
        select(ParkingSession.id)
        .join(PlateEvidence, PlateEvidence.session_id == ParkingSession.id)
        .join(Space, Space.id == ParkingSession.space_id)
        .join(Lot, Lot.id == Space.lot_id)
        .where(Lot.code == place.lot_code, PlateEvidence.plate_id == plate_id, PlateEvidence.is_sure)
        .where(ParkingSession.status == "open")
        .order_by(ParkingSession.entered_at.desc())
        .limit(1)
    )
    session_id = (await db.scalars(seen)).one_or_none()
    return None if session_id is None else await fetch_standing(db, session_id, now)


async def _covers(
    db: AsyncConnection, plate_id: UUID, standing: Standing | None, place: _Place, now: datetime
) -> list[Cover]:
    """Exemptions first, then passes; a pass that another of its vehicles uses stands for nothing here."""
    stay = Stay(entered_at=standing.entered_at if standing else now, left_at=now + MOMENT)
    calendar = await fetch_calendar(db, lot=place.lot_code, tariff=place.tariff or "")
    session_id = standing.session_id if standing else uuid4()
    exempt = await exempt_time(db, plate_id, stay, place.lot_code)
    return [*exempt, *await passes_for(db, session_id, plate_id, stay, lot=place.lot_code, calendar=calendar)]


async def _free(
    db: AsyncConnection, place: _Place, standing: Standing | None, vehicle: VehicleClass | None, now: datetime
) -> tuple[Right, datetime | None]:
    """By the notice alone: the hour is free, or the stay has not cost anything yet."""
    if place.tariff is None:
        return "free-hours", None
    fresh = Stay(entered_at=now, left_at=now + MOMENT)
    try:
        _, tariff = await fetch_tariff_for(db, place.tariff, fresh)
    except TariffNotFoundError:
        return "free-hours", None
    calendar = await fetch_calendar(db, lot=place.lot_code, tariff=tariff.code)
    lines = price_stay(tariff, fresh, zone=place.zone, vehicle=vehicle, calendar=calendar).lines
    is_free_hour = all(isinstance(line.why, OutsideWindows | FreeBand | DecreedFree) for line in lines)
    if standing is None:
        arrived = Stay(entered_at=now, left_at=now)
        ahead = quote(tariff, arrived, zone=place.zone, vehicle=vehicle, calendar=calendar)
        if is_free_hour:
            return "free-hours", ahead.next_change_at
        return ("none", None) if ahead.bill.total_fen else ("free-minutes", ahead.next_change_at)
    if is_free_hour:
        return "free-hours", _next_change(standing)
    return ("none", None) if standing.total_fen else ("free-minutes", _next_change(standing))


def _next_change(standing: Standing | None) -> datetime | None:
    return standing.fee.next_change_at if standing and isinstance(standing.fee, Quote) else None

"""Passes: sold, listed, ended, and the time of a stay that they stand for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.calendar import Calendar
from billing.covers import Cover
from billing.exempt import check_lots
from billing.pass_time import pass_time
from billing.plates import PlateVault, masked, store_plate
from billing.tariff.document import Window
from core.errors import ConflictError, InvalidError, NotFoundError
from core.plate import Plate
from core.stay import Stay
from core.tables import Lot, ParkingPass, ParkingSession, PassPlate, PlateEvidence, PlateRow, Space

PassKind = Literal["monthly", "off_peak"]
Rest = Literal["fresh_tiers", "clock_goes_on"]

AHEAD: Final = timedelta(days=32)
"""How far beyond a stay its windows are worked out: a quote looks 31 days ahead."""


class PassNotFoundError(NotFoundError):
    """No pass has this number. Carries ``pass_number``."""

    slug = "pass-not-found"


class PassEndedError(ConflictError):
    """It is over. Carries ``pass_number``."""

    slug = "pass-ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTerms:
    """What is sold: valid for one vehicle at a time."""

    kind: PassKind
    lots: tuple[str, ...] = ()
    """Codes; empty: everywhere."""
    windows: tuple[Window, ...] = ()
    """Empty: always; an off-peak pass has some."""
    rest: Rest = "fresh_tiers"
    """What prices the time after it: tiers from their beginning, or the clock from where it stood."""
    valid_from: datetime
    valid_to: datetime
    price_fen: int

    def __post_init__(self) -> None:
        """Refuse a pass that is none."""
        if self.valid_to <= self.valid_from:
            raise InvalidError("a pass ends after it begins")
        if self.price_fen < 0:
            raise InvalidError("a pass costs nothing or more")
        if (self.kind == "off_peak") != bool(self.windows):
            raise InvalidError("an off-peak pass names its windows, a monthly one has none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A pass as it is stored; plates masked."""

    id: int
    plates: tuple[str, ...]
    terms: PassTerms
    added_by: str
    ended_by: str | None
    ended_at: datetime | None


async def add_pass(
    db: AsyncConnection, vault: PlateVault, plates: Sequence[Plate], terms: PassTerms, *, actor: str, at: datetime
) -> Pass:
    """Give some plates a pass; counts for bills made from now on, where a warden or a camera saw the plate.

    Raises:
        InvalidError: it is for no plate.
        LotNotFoundError: there is no such lot.
    """
    if not plates:
        raise InvalidError("a pass is for at least one plate")
    await check_lots(db, terms.lots)
    plate_ids = [await store_plate(db, vault, plate, at=at) for plate in plates]
    (made,) = await _select(db, vault, await store_pass(db, plate_ids, terms, actor=actor, at=at))
    return made


async def store_pass(
    db: AsyncConnection, plate_ids: Sequence[UUID], terms: PassTerms, *, actor: str, at: datetime
) -> int:
    """Write a pass for plates that are stored; its number."""
    values = {
        "kind": terms.kind,
        "lots": list(terms.lots),
        "windows": [window.model_dump(mode="json") for window in terms.windows],
        "rest": terms.rest,
        "valid_from": terms.valid_from,
        "valid_to": terms.valid_to,
        "price_fen": terms.price_fen,
        "added_by": actor,
        "added_at": at,
    }
    number: int = (await db.execute(insert(ParkingPass).values(values).returning(ParkingPass.id))).scalar_one()
    await db.execute(insert(PassPlate), [{"pass_id": number, "plate_id": plate_id} for plate_id in set(plate_ids)])
    return number


async def end_pass(db: AsyncConnection, vault: PlateVault | None, number: int, *, actor: str, at: datetime) -> Pass:
    """End a pass now; stays before keep it.

    Raises:
        PassNotFoundError: there is none.
        PassEndedError: it had been ended before.
    """
    found = await _select(db, vault, number)
    if not found:
        raise PassNotFoundError(f"there is no pass {number}", pass_number=number)
    if found[0].ended_at is not None:
        raise PassEndedError(f"pass {number} was ended by {found[0].ended_by}", pass_number=number)
    await db.execute(update(ParkingPass).where(ParkingPass.id == number).values(ended_by=actor, ended_at=at))
    (ended,) = await _select(db, vault, number)
    return ended


async def list_passes(db: AsyncConnection, vault: PlateVault | None) -> list[Pass]:
    """Every pass, the newest first."""
    return await _select(db, vault)


async def passes_for(  # the facts of one stay
    db: AsyncConnection, session_id: UUID, plate_id: UUID, stay: Stay, *, lot: str, calendar: Calendar
) -> tuple[Cover, ...]:
    """The time of a stay for which passes of its plate stand, in an open stay also the time to come."""
    zone = ZoneInfo((await db.execute(select(Lot.zone).where(Lot.code == lot))).scalar_one())
    query = (
        select(
            ParkingPass.id,
            ParkingPass.lots,
            ParkingPass.windows,
            ParkingPass.rest,
            ParkingPass.valid_from,
            func.least(ParkingPass.valid_to, ParkingPass.ended_at).label("until"),
        )
        .join(PassPlate, PassPlate.pass_id == ParkingPass.id)
        .where(PassPlate.plate_id == plate_id, ParkingPass.valid_to > stay.entered_at)
        .order_by(ParkingPass.id)
    )
    covers = []
    for row in (await db.execute(query)).all():
        if row.lots and lot not in row.lots:
            continue
        spans = pass_time(
            [Window.model_validate(window) for window in row.windows],
            max(row.valid_from, stay.entered_at),
            min(row.until, stay.left_at + AHEAD),
            taken=await _taken(db, row.id, session_id, stay, row.lots),
            zone=zone,
            calendar=calendar,
        )
        if spans:
            covers.append(Cover(kind="pass", note=str(row.id), spans=spans, fresh=row.rest == "fresh_tiers"))
    return tuple(covers)


async def _taken(
    db: AsyncConnection, pass_id: int, session_id: UUID, stay: Stay, lots: Sequence[str]
) -> list[tuple[datetime, datetime]]:
    """When vehicles of the pass that came before this one were inside: the second pays."""
    ends = func.coalesce(ParkingSession.left_at, stay.left_at + AHEAD)
    query = (
        select(ParkingSession.entered_at, ends)
        .join(PlateEvidence, PlateEvidence.session_id == ParkingSession.id)
        .join(PassPlate, PassPlate.plate_id == PlateEvidence.plate_id)
        .join(Space, Space.id == ParkingSession.space_id)
        .join(Lot, Lot.id == Space.lot_id)
        .where(PassPlate.pass_id == pass_id, PlateEvidence.is_sure, ParkingSession.status != "void")
        .where(ParkingSession.id != session_id, ends > stay.entered_at)
        .where(
            or_(
                ParkingSession.entered_at < stay.entered_at,
                (ParkingSession.entered_at == stay.entered_at) & (ParkingSession.id < session_id),
            )
        )
        .distinct()
    )
    if lots:
        query = query.where(Lot.code.in_(lots))
    return [(entered_at, left_at) for entered_at, left_at in await db.execute(query)]


async def _select(db: AsyncConnection, vault: PlateVault | None, number: int | None = None) -> list[Pass]:
    query = select(ParkingPass.__table__).order_by(ParkingPass.id.desc())
    if number is not None:
        query = query.where(ParkingPass.id == number)
    rows = (await db.execute(query)).all()
    plates: dict[int, list[str]] = {}
    of_passes = (
        select(PassPlate.pass_id, PlateRow.ciphertext, PlateRow.key_number)
        .join(PlateRow, PlateRow.id == PassPlate.plate_id)
        .where(PassPlate.pass_id.in_([row.id for row in rows]))
    )
    for pass_id, ciphertext, key_number in await db.execute(of_passes):
        plates.setdefault(pass_id, []).append(masked(vault, ciphertext, key_number))
    return [_pass(row, plates[row.id]) for row in rows]


def _pass(row: Any, plates: Sequence[str]) -> Pass:
    terms = PassTerms(
        kind=row.kind,
        lots=tuple(row.lots),
        windows=tuple(Window.model_validate(window) for window in row.windows),
        rest=row.rest,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        price_fen=row.price_fen,
    )
    return Pass(
        id=row.id,
        plates=tuple(sorted(plates)),
        terms=terms,
        added_by=row.added_by,
        ended_by=row.ended_by,
        ended_at=row.ended_at,
    )

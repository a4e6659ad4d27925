"""Finding a stay at a kiosk: by its space, by a printed code, by a plate or the end of one.

Whoever knows the space or the whole plate that a warden or camera saw is shown the stay. Who knows only a part of a
plate is shown masked plates, no place and no time, and has to add what only the driver knows. What a kiosk was shown is
kept with the kiosk: it may go on with that, and with nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Select, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger.balances import balances_of
from billing.plates import FoundPlate, PlateVault, find_plates
from billing.who import vehicles_of
from core.errors import DeniedError, NotFoundError
from core.tables import KioskFind, ParkingSession, PlateEvidence, Space

By = Literal["space", "plate", "code"]

MATCHES: Final = 6
"""Most choices shown; more of a plate has to be typed."""
LOOKED_AT: Final = 40
"""Most plates whose stays are looked at."""
CHOICE_LASTS: Final = timedelta(minutes=3)
SHOWN_FOR: Final = timedelta(minutes=30)
"""So long a kiosk may go on with a stay it found."""
WRONG_ALLOWED: Final = 3
"""After so many wrong answers a choice is gone."""
LATELY: Final = timedelta(hours=24)
"""A stay that ended longer ago is no longer found by plate here: what it owes is asked for as an arrear."""
KEPT_FOR: Final = timedelta(days=7)


class ChoiceNotFoundError(NotFoundError):
    """No such choice was shown here lately."""

    slug = "choice-not-found"


class NotConfirmedError(DeniedError):
    """That is not the space, or not the plate, of the vehicle that was chosen. Carries ``tries_left``."""

    slug = "not-confirmed"


class NotFoundHereError(NotFoundError):
    """This kiosk has not found that stay lately. Carries ``session_id``."""

    slug = "not-found-here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A vehicle that may be meant."""

    session_id: UUID
    plate: str | None
    """Masked."""
    is_known: bool
    """Enough is known to show the stay; else it is a choice."""


async def find_by_plate(
    db: AsyncConnection, vault: PlateVault, typed: str, *, now: datetime
) -> tuple[Sequence[Match], bool]:
    """The vehicles that may be meant, and whether there are more than are shown.

    Raises:
        FragmentTooShortError: see ``find_plates``.
    """
    here = _here(now)
    among = select(PlateEvidence.plate_id).where(PlateEvidence.session_id.in_(here))
    found = {one.plate_id: one for one in await find_plates(db, vault, typed, limit=LOOKED_AT, among=among)}
    seen = (
        select(PlateEvidence.session_id, PlateEvidence.plate_id)
        .where(PlateEvidence.plate_id.in_(list(found)), PlateEvidence.session_id.in_(here))
        .distinct()
    )
    pairs = [(row.session_id, found[row.plate_id]) for row in await db.execute(seen)] if found else []
    matches = await _matches(db, pairs)
    exact = [one for one in matches if one.is_known]
    if exact:
        return exact[:1], False
    return matches[:MATCHES], len(matches) > MATCHES


async def keep_find(
    db: AsyncConnection, device_key_id: int, by: By, session_id: UUID | None, *, is_known: bool, at: datetime
) -> UUID:
    """Remember what a kiosk was shown; the id of it, which is what a choice is called. ``at`` in real time."""
    row = insert(KioskFind).values(
        device_key_id=device_key_id,
        by=by,
        session_id=session_id,
        found_at=at,
        confirmed_at=at if is_known and session_id is not None else None,
    )
    find_id: UUID = (await db.execute(row.returning(KioskFind.id))).scalar_one()
    return find_id


async def confirm_choice(
    db: AsyncConnection,
    vault: PlateVault | None,
    device_key_id: int,
    choice: UUID,
    *,
    space: str | None,
    plate: str | None,
    at: datetime,
) -> tuple[UUID | None, int]:
    """The stay of a choice whose chooser knows its space or its whole plate; None, and the tries left, if he does not.

    Raises:
        ChoiceNotFoundError: it was not shown at this kiosk within the last minutes, or is used up.
    """
    query = select(KioskFind.id, KioskFind.session_id, KioskFind.wrong).where(
        KioskFind.id == choice,
        KioskFind.device_key_id == device_key_id,
        KioskFind.session_id.is_not(None),
        KioskFind.found_at > at - CHOICE_LASTS,
        KioskFind.wrong < WRONG_ALLOWED,
    )
    row = (await db.execute(query.with_for_update())).first()
    if row is None:
        raise ChoiceNotFoundError("this choice has run out: look for the vehicle again")
    is_right = await _is_its_space(db, row.session_id, space) if space else False
    if plate and vault is not None and not is_right:
        is_right = await _is_its_plate(db, vault, row.session_id, plate)
    values: dict[str, Any] = {"confirmed_at": at} if is_right else {"wrong": row.wrong + 1}
    await db.execute(update(KioskFind).where(KioskFind.id == choice).values(values))
    return (row.session_id if is_right else None), WRONG_ALLOWED - row.wrong - 1


async def refuse_not_found_here(db: AsyncConnection, device_key_id: int, session_id: UUID, *, at: datetime) -> None:
    """Let a kiosk go on only with what it found.

    Raises:
        NotFoundHereError: it did not, or too long ago.
    """
    query = select(KioskFind.id).where(
        KioskFind.device_key_id == device_key_id,
        KioskFind.session_id == session_id,
        KioskFind.confirmed_at > at - SHOWN_FOR,
    )
    if (await db.execute(query.limit(1))).first() is None:
        raise NotFoundHereError(
            "this kiosk has not found that stay within the last half hour", session_id=str(session_id)
        )


async def forget_finds(db: AsyncConnection, *, at: datetime) -> int:
    """Forget searches of more than a week ago; how many."""
    return (await db.execute(delete(KioskFind).where(KioskFind.found_at < at - KEPT_FOR))).rowcount


def _here(now: datetime) -> Select[tuple[UUID]]:
    """Stays that somebody at a kiosk may mean: those that go on, and those that ended a short while ago."""
    return select(ParkingSession.id).where(
        or_(
            ParkingSession.status == "open",
            (ParkingSession.status == "ended") & (ParkingSession.left_at > now - LATELY),
        )
    )


async def _matches(db: AsyncConnection, pairs: Sequence[tuple[UUID, FoundPlate]]) -> list[Match]:
    """Of each stay the plate that its best evidence names, and only where it is still of interest."""
    vehicles = await vehicles_of(db, [session_id for session_id, _ in pairs])
    statuses = await _statuses(db, [session_id for session_id, _ in pairs])
    balances = await balances_of(db, [session_id for session_id, _ in pairs])
    matches = []
    for session_id, plate in pairs:
        vehicle = vehicles[session_id]
        owes = session_id in balances and balances[session_id].due_fen > 0
        if vehicle.plate_id != plate.plate_id or not (statuses[session_id] == "open" or owes):
            continue
        is_known = plate.is_whole and plate.is_exact and vehicle.is_confirmed
        matches.append(Match(session_id=session_id, plate=str(plate.plate), is_known=is_known))
    return sorted(matches, key=lambda one: (statuses[one.session_id] != "open", str(one.session_id)))


async def _statuses(db: AsyncConnection, session_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    query = select(ParkingSession.id, ParkingSession.status).where(ParkingSession.id.in_(session_ids))
    return {row.id: row.status for row in await db.execute(query)}


async def _is_its_space(db: AsyncConnection, session_id: UUID, typed: str) -> bool:
    query = (
        select(Space.code)
        .join(ParkingSession, ParkingSession.space_id == Space.id)
        .where(ParkingSession.id == session_id)
    )
    return bool((await db.execute(query)).scalar_one() == normal_code(typed))


async def _is_its_plate(db: AsyncConnection, vault: PlateVault, session_id: UUID, typed: str) -> bool:
    """Only a plate that a warden or a camera saw: what a driver typed proves nothing to another."""
    vehicle = (await vehicles_of(db, [session_id]))[session_id]
    if not vehicle.is_confirmed or vehicle.plate_id is None:
        return False
    among = select(PlateEvidence.plate_id).where(PlateEvidence.session_id == session_id)
    found = await find_plates(db, vault, typed, limit=LOOKED_AT, among=among)
    return any(one.plate_id == vehicle.plate_id and one.is_whole and one.is_exact for one in found)


def normal_code(typed: str) -> str:
    """A space's number as it is printed, however it was typed."""
    return typed.strip().upper().replace(" ", "").replace("_", "-")

"""What a plate owes, for whoever asks with the plate alone: amounts, oldest first, never a place or a time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger import accounts
from billing.plates import PlateVault, find_plate_id
from core.errors import ConflictError, NotFoundError
from core.money import Fen
from core.plate import Plate
from core.tables import Arrear, JournalLine


class ArrearNotFoundError(NotFoundError):
    """Nothing is owed under this id. Carries ``arrear_id``."""

    slug = "arrear-not-found"


class DisputedError(ConflictError):
    """This debt is disputed already, or was and somebody has answered. Carries ``arrear_id``."""

    slug = "disputed-already"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDebt:
    """One debt of a vehicle."""

    id: UUID
    amount_fen: Fen
    is_disputed: bool
    """Somebody says that it is not owed, and nobody has answered yet: nobody is reminded of it."""


async def list_debts(db: AsyncConnection, vault: PlateVault, plate: Plate, *, colour: str | None) -> list[OpenDebt]:
    """What a vehicle owes, oldest first; a colour that was seen and is another one means another vehicle."""
    plate_id = await find_plate_id(db, vault, plate)
    if plate_id is None:
        return []
    owed = _owed()
    query = select(Arrear.id, owed.label("amount_fen"), is_disputed().label("is_disputed")).where(
        Arrear.plate_id == plate_id, Arrear.withdrawn_at.is_(None), owed > 0
    )
    if colour is not None:
        query = query.where(or_(Arrear.colour.is_(None), Arrear.colour == colour))
    return [
        OpenDebt(id=row.id, amount_fen=Fen(int(row.amount_fen)), is_disputed=row.is_disputed)
        for row in await db.execute(query.order_by(Arrear.left_at, Arrear.id))
    ]


async def fetch_session_of(db: AsyncConnection, arrear_id: UUID) -> UUID:
    """The stay of an arrear that may be paid.

    Raises:
        ArrearNotFoundError: there is none, or nobody is asked for it.
    """
    query = select(Arrear.session_id).where(
        Arrear.id == arrear_id, Arrear.plate_id.is_not(None), Arrear.withdrawn_at.is_(None)
    )
    session_id: UUID | None = (await db.execute(query)).scalar_one_or_none()
    if session_id is None:
        raise ArrearNotFoundError("nothing is owed under this id", arrear_id=str(arrear_id))
    return session_id


async def dispute(db: AsyncConnection, arrear_id: UUID, reason: str, *, at: datetime) -> UUID:
    """Somebody says that this is not owed: until a person has answered nobody is reminded; the session's id.

    Raises:
        ArrearNotFoundError: see above.
        DisputedError: somebody said so before.
    """
    session_id = await fetch_session_of(db, arrear_id)
    new = update(Arrear).where(Arrear.id == arrear_id, Arrear.disputed_at.is_(None))
    done = await db.execute(new.values(disputed_at=at, dispute=reason, changed_at=at))
    if done.rowcount == 0:
        raise DisputedError("this debt is disputed already", arrear_id=str(arrear_id))
    return session_id


def is_disputed() -> ColumnElement[bool]:
    """Disputed, and nobody has answered."""
    return Arrear.disputed_at.is_not(None) & Arrear.answered_at.is_(None)


def _owed() -> ColumnElement[int]:
    return (
        select(func.coalesce(func.sum(JournalLine.debit_fen - JournalLine.credit_fen), 0))
        .where(JournalLine.session_id == Arrear.session_id, JournalLine.account == accounts.ARREARS)
        .scalar_subquery()
    )

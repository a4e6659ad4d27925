"""What people decide about arrears: answer a dispute, give up a debt; and what nobody known owes for too long."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.arrears.asking import ArrearNotFoundError, is_disputed
from billing.ledger import accounts, entries
from billing.ledger.balances import balances_of
from billing.ledger.journal import post_all
from billing.plates import PlateVault, masked
from core.audit import AuditEntry, write_audit
from core.errors import ConflictError
from core.money import Fen
from core.tables import Arrear, JournalLine, Lot, ParkingSession, PlateRow, Space

AT_ONCE: Final = 500
Which = Literal["arrears", "unidentified", "disputed"]


class NotDisputedError(ConflictError):
    """Nobody disputes this debt, or somebody has answered. Carries ``arrear_id``."""

    slug = "not-disputed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDebt:
    """A debt as an operator sees it."""

    id: UUID
    session_id: UUID
    plate: str | None
    """Masked."""
    colour: str | None
    lot_code: str
    space_code: str
    entered_at: datetime
    left_at: datetime
    made_at: datetime
    amount_fen: Fen
    disputed_at: datetime | None
    dispute: str | None
    answered_by: str | None
    answer: str | None


async def list_open(db: AsyncConnection, vault: PlateVault | None, *, which: Which, limit: int) -> list[ShownDebt]:
    """Debts that are not settled, oldest first."""
    wanted: Select[Any] = _SHOWN.order_by(Arrear.left_at, Arrear.id).limit(limit)
    match which:
        case "arrears":
            wanted = wanted.where(Arrear.plate_id.is_not(None))
        case "unidentified":
            wanted = wanted.where(Arrear.plate_id.is_(None))
        case "disputed":
            wanted = wanted.where(is_disputed())
    return [_shown(row, vault) for row in await db.execute(wanted)]


async def fetch_open(db: AsyncConnection, vault: PlateVault | None, arrear_id: UUID) -> ShownDebt:
    """One of them.

    Raises:
        ArrearNotFoundError: nothing is owed under this id.
    """
    row = (await db.execute(_SHOWN.where(Arrear.id == arrear_id))).first()
    if row is None:
        raise ArrearNotFoundError("nothing is owed under this id", arrear_id=str(arrear_id))
    return _shown(row, vault)


async def answer_dispute(db: AsyncConnection, arrear_id: UUID, answer: str, *, by: str, at: datetime) -> None:
    """A person has looked at it: the debt stands. (One that does not is waived.)

    Raises:
        NotDisputedError: there is nothing to answer.
    """
    waiting = update(Arrear).where(Arrear.id == arrear_id, is_disputed())
    done = await db.execute(waiting.values(answered_at=at, answered_by=by, answer=answer, changed_at=at))
    if done.rowcount == 0:
        raise NotDisputedError("nobody waits for an answer about this debt", arrear_id=str(arrear_id))


async def write_off_unidentified(
    db: AsyncConnection, *, before: datetime, by: str, at: datetime, limit: int = AT_ONCE
) -> tuple[int, Fen]:
    """Give up what nobody known owes for stays that ended before an instant, oldest first; how many, and how much."""
    due = _SHOWN.where(Arrear.plate_id.is_(None), Arrear.left_at < before).order_by(Arrear.left_at, Arrear.id)
    session_ids = sorted(row.session_id for row in await db.execute(due.limit(limit)))
    locked = select(ParkingSession.id).where(ParkingSession.id.in_(session_ids)).order_by(ParkingSession.id)
    await db.execute(locked.with_for_update(key_share=True))
    balances = await balances_of(db, session_ids)
    owed = {one: dict(balances[one].later).get(accounts.UNIDENTIFIED, 0) for one in session_ids if one in balances}
    posted = [
        entries.give_up(
            f"write-off:{one}:{balances[one].given_up[accounts.WRITE_OFF]}",
            "writeoff",
            accounts.WRITE_OFF,
            session_id=one,
            amount_fen=fen,
            later=((accounts.UNIDENTIFIED, fen),),
        )
        for one, fen in owed.items()
        if fen > 0
    ]
    await post_all(db, posted, source=by, at=at)
    for one, fen in owed.items():
        entry = AuditEntry(
            at=at, actor=by, action="arrear.written_off", subject=f"session:{one}", after={"amount_fen": fen}
        )
        await write_audit(db, entry)
    return len(owed), Fen(sum(owed.values()))


def _shown(row: Any, vault: PlateVault | None) -> ShownDebt:
    plate = None if row.ciphertext is None else masked(vault, row.ciphertext, row.key_number)
    facts = {name: value for name, value in row._asdict().items() if name not in {"ciphertext", "key_number"}}
    return ShownDebt(plate=plate, **(facts | {"amount_fen": Fen(int(row.amount_fen))}))


_AMOUNT: Final = (
    select(func.coalesce(func.sum(JournalLine.debit_fen - JournalLine.credit_fen), 0))
    .where(JournalLine.session_id == Arrear.session_id, JournalLine.account.in_(accounts.LATER))
    .scalar_subquery()
)
_SHOWN: Final = (
    select(
        Arrear.id,
        Arrear.session_id,
        PlateRow.ciphertext,
        PlateRow.key_number,
        Arrear.colour,
        Lot.code.label("lot_code"),
        Space.code.label("space_code"),
        ParkingSession.entered_at,
        Arrear.left_at,
        Arrear.made_at,
        _AMOUNT.label("amount_fen"),
        Arrear.disputed_at,
        Arrear.dispute,
        Arrear.answered_by,
        Arrear.answer,
    )
    .join(ParkingSession, ParkingSession.id == Arrear.session_id)
    .join(Space, Space.id == ParkingSession.space_id)
    .join(Lot, Lot.id == Space.lot_id)
    .outerjoin(PlateRow, PlateRow.id == Arrear.plate_id)
    .where(Arrear.withdrawn_at.is_(None), _AMOUNT > 0)
)

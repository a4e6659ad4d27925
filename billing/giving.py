"""Coupons issued, given to a stay, taken back: each on one stay at a time, whatever is asked at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any, cast
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.bearing import refuse_beyond_budget, set_worth
from billing.coupons import Coupon, CouponKind
from billing.exempt import check_lots
from billing.who import price_again_later
from core.errors import ConflictError, NotFoundError
from core.money import Fen
from core.tables import CouponRow, Lot, ParkingSession, Payment, Space


class CouponNotFoundError(NotFoundError):
    """No coupon has this code."""

    slug = "coupon-not-found"


class CouponRefusedError(ConflictError):
    """The coupon does not help this stay; says why."""

    slug = "coupon-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A coupon as it is stored."""

    code: str
    coupon: Coupon
    valid_to: datetime
    session_id: UUID | None
    worth_fen: int
    """What it came to by its stay's bill."""
    withdrawn_by: str | None


async def issue_coupon(
    db: AsyncConnection,
    coupon: Coupon,
    *,
    lots: Sequence[str],
    valid_to: datetime,
    after_payment: bool,
    actor: str,
    at: datetime,
) -> str:
    """A new coupon's code, which nobody can guess.

    Raises:
        LotNotFoundError: there is no such lot.
    """
    await check_lots(db, lots)
    values = {
        "code": token_hex(8),
        "kind": coupon.kind,
        "value": coupon.value,
        "until": coupon.until,
        "bearer": coupon.bearer,
        "lots": list(lots),
        "valid_to": valid_to,
        "after_payment": after_payment,
        "issued_by": actor,
        "issued_at": at,
    }
    code: str = (await db.execute(insert(CouponRow).values(values).returning(CouponRow.code))).scalar_one()
    return code


async def attach_coupon(db: AsyncConnection, code: str, session_id: UUID, *, actor: str, at: datetime) -> None:
    """Give a coupon to a stay; again to the same one changes nothing. A billed stay is billed once more.

    Raises:
        CouponNotFoundError: no coupon has the code, or there is no such session.
        CouponRefusedError: it is on another stay, over, withdrawn, for other lots, or too late.
        BudgetUsedUpError: whoever bears it has no budget left.
    """
    row = await _lock(db, code)
    if row.session_id == session_id:
        return
    if why := await _why_not(db, row, session_id, at):
        raise CouponRefusedError(why)
    await refuse_beyond_budget(db, row)
    given = {"session_id": session_id, "attached_by": actor, "attached_at": at}
    await db.execute(update(CouponRow).where(CouponRow.id == row.id).values(given))
    await price_again_later(db, session_id, at=at)


async def detach_coupon(db: AsyncConnection, code: str, *, at: datetime) -> None:
    """Take a coupon off its stay, so that another may have it; not once something was paid with it in the price.

    Raises:
        CouponNotFoundError: no coupon has the code.
        CouponRefusedError: the stay was paid, or has a payment under way.
    """
    await db.execute(
        select(ParkingSession.id)
        .join(CouponRow, CouponRow.session_id == ParkingSession.id)
        .where(CouponRow.code == code)
        .with_for_update(of=ParkingSession)
    )  # before the coupon, as whoever bills the stay does
    row = await _lock(db, code)
    if row.session_id is None:
        return
    used = select(Payment.id).where(
        Payment.session_id == row.session_id,
        Payment.status.not_in(("closed", "failed")),
        Payment.created_at >= row.attached_at,
    )
    if (await db.execute(used.limit(1))).first() is not None:
        raise CouponRefusedError("the stay was paid with this coupon, or is being paid")
    await set_worth(db, row, Fen(0), key=f"off:{at.timestamp()}", at=at)
    freed = {"session_id": None, "attached_by": None, "attached_at": None}
    await db.execute(update(CouponRow).where(CouponRow.id == row.id).values(freed))
    await price_again_later(db, row.session_id, at=at)


async def withdraw_coupon(db: AsyncConnection, code: str, *, actor: str, at: datetime) -> None:
    """Let nobody use a coupon any more.

    Raises:
        CouponNotFoundError: no coupon has the code.
        CouponRefusedError: it is on a stay.
    """
    row = await _lock(db, code)
    if row.session_id is not None:
        raise CouponRefusedError("it is on a stay: take it off first")
    gone = update(CouponRow).where(CouponRow.id == row.id, CouponRow.withdrawn_at.is_(None))
    await db.execute(gone.values(withdrawn_by=actor, withdrawn_at=at))


async def fetch_coupon(db: AsyncConnection, code: str) -> Coupon:
    """What a coupon gives.

    Raises:
        CouponNotFoundError: no coupon has the code.
    """
    row = (await db.execute(select(CouponRow.__table__).where(CouponRow.code == code))).first()
    if row is None:
        raise CouponNotFoundError("no coupon has this code")
    return _coupon(row)


async def list_coupons(db: AsyncConnection, *, limit: int = 200) -> list[Issued]:
    """Coupons, the newest first."""
    rows = await db.execute(select(CouponRow.__table__).order_by(CouponRow.id.desc()).limit(limit))
    return [
        Issued(
            code=row.code,
            coupon=_coupon(row),
            valid_to=row.valid_to,
            session_id=row.session_id,
            worth_fen=row.worth_fen,
            withdrawn_by=row.withdrawn_by,
        )
        for row in rows
    ]


def _coupon(row: Any) -> Coupon:
    return Coupon(kind=cast("CouponKind", row.kind), value=row.value, until=row.until, bearer=row.bearer)


async def _lock(db: AsyncConnection, code: str) -> Any:
    row = (await db.execute(select(CouponRow.__table__).where(CouponRow.code == code).with_for_update())).first()
    if row is None:
        raise CouponNotFoundError("no coupon has this code")
    return row


async def _why_not(db: AsyncConnection, row: Any, session_id: UUID, at: datetime) -> str | None:
    """Why a coupon cannot go to a stay; holds the stay's row."""
    if row.session_id is not None:
        return "it is on another stay"
    if row.withdrawn_at is not None or row.valid_to <= at:
        return "it is over" if row.withdrawn_at is None else "it was withdrawn"
    query = (
        select(ParkingSession.status, ParkingSession.billed_revision, Lot.code)
        .join(Space, Space.id == ParkingSession.space_id)
        .join(Lot, Lot.id == Space.lot_id)
        .where(ParkingSession.id == session_id)
        .with_for_update(of=ParkingSession)
    )
    stay = (await db.execute(query)).first()
    if stay is None or stay.status == "void":
        raise CouponNotFoundError("there is no such stay")
    if row.lots and stay.code not in row.lots:
        return f"it is not for lot {stay.code}"
    if stay.billed_revision is not None and not row.after_payment:
        return "the stay is billed already, and it is only for stays that are not"
    return None

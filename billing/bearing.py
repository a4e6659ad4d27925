"""Who bears what coupons take off: posted with each bill, corrected with each correction, counted against budgets."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.circumstances import circumstances_kept
from billing.coupon_worth import worths
from billing.ledger import accounts, entries
from billing.ledger.journal import post
from billing.lines import bill_from_json
from billing.tariffs_in_force import fetch_version
from core.errors import ConflictError
from core.money import Fen
from core.tables import CouponIssuer, CouponRow, ParkingSession


class BudgetUsedUpError(ConflictError):
    """Whoever bears the coupon has promised no more than was used. Carries ``bearer``."""

    slug = "coupon-budget-used-up"


async def bear_coupons(db: AsyncConnection, bills: Sequence[Mapping[str, Any]], *, at: datetime) -> None:
    """Post what the coupons of these bills' stays came to, or by how much that is another now."""
    query = (
        select(CouponRow.__table__)
        .where(CouponRow.session_id.in_([bill["session_id"] for bill in bills]))
        .order_by(CouponRow.attached_at, CouponRow.id)
    )
    given = defaultdict[UUID, list[Row[Any]]](list)
    for row in await db.execute(query):
        given[row.session_id].append(row)
    for bill in bills:
        if coupons := given.get(bill["session_id"]):
            came_to = await _worths(db, bill, len(coupons))
            for row, fen in zip(coupons, came_to, strict=True):
                await set_worth(db, row, fen, key=str(bill["id"]), at=at)


async def set_worth(db: AsyncConnection, row: Row[Any], fen: Fen, *, key: str, at: datetime) -> None:
    """A coupon has come to so much: the difference is borne by its bearer, or taken back."""
    if fen == row.worth_fen:
        return
    is_merchant = select(CouponIssuer.is_merchant).where(CouponIssuer.name == row.bearer)
    account = accounts.validation(row.bearer) if (await db.execute(is_merchant)).scalar() else accounts.COUPON
    await post(db, entries.bear_coupon(f"coupon:{row.id}:{key}", account, fen - row.worth_fen), source="worker", at=at)
    await db.execute(update(CouponRow).where(CouponRow.id == row.id).values(worth_fen=fen))


async def refuse_beyond_budget(db: AsyncConnection, row: Any) -> None:
    """Hold the bearer's budget and refuse a coupon that it has no room for.

    An amount is counted whole as soon as it is on a stay; minutes and shares count what they came to once the stay is
    billed, so stays under way may go beyond the budget by what they turn out to cost.

    Raises:
        BudgetUsedUpError: see there.
    """
    found = select(CouponIssuer.budget_fen).where(CouponIssuer.name == row.bearer).with_for_update()
    budget_fen = (await db.execute(found)).scalar()
    if budget_fen is None:
        return
    asked_fen = row.value if row.kind == "amount" else 1
    if await used_fen(db, row.bearer) + asked_fen > budget_fen:
        raise BudgetUsedUpError(f"{row.bearer} has no budget left", bearer=row.bearer)


async def used_fen(db: AsyncConnection, bearer: str) -> int:
    """What a bearer's coupons have come to, amounts on stays that are not billed yet counted whole."""
    waits = ParkingSession.billed_revision.is_distinct_from(ParkingSession.revision)
    each = case(((CouponRow.kind == "amount") & waits, CouponRow.value), else_=CouponRow.worth_fen)
    query = (
        select(func.coalesce(func.sum(each), 0))
        .join(ParkingSession, ParkingSession.id == CouponRow.session_id)
        .where(CouponRow.bearer == bearer)
    )
    return int((await db.execute(query)).scalar_one())


async def _worths(db: AsyncConnection, bill: Mapping[str, Any], count: int) -> list[Fen]:
    kept = bill["fee"].get("inputs")
    if kept is None or bill["tariff_version_id"] is None:  # void, or nobody prices it
        return [Fen(0)] * count
    tariff = await fetch_version(db, bill["tariff_version_id"])
    stay, zone = bill_from_json(bill["fee"]["bill"]).stay, ZoneInfo(bill["fee"]["zone"])
    return worths(circumstances_kept(kept), tariff, stay, zone)

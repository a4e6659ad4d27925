"""Coupons given to stays: one stay each, also when asked twice at once; after the bill the difference goes back."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from billing.again import is_equal_again
from billing.coupons import Coupon
from billing.giving import (
    CouponNotFoundError,
    CouponRefusedError,
    attach_coupon,
    detach_coupon,
    issue_coupon,
    list_coupons,
    withdraw_coupon,
)
from billing.ledger.balances import balance_of
from billing.tariffs_in_force import fetch_tariff
from core.db import Database
from tests.billing.test_who import NINE, NOW, bill_all, current, db, stay

pytestmark = pytest.mark.services

__all__ = ["db"]  # a fixture
LATER = NOW + timedelta(days=30)


async def issue(store: Database, coupon: Coupon, *, lots: tuple[str, ...] = (), after_payment: bool = True) -> str:
    async with store.transaction() as work:
        return await issue_coupon(
            work, coupon, lots=lots, valid_to=LATER, after_payment=after_payment, actor="chen", at=NOW
        )


async def attach(store: Database, code: str, session_id: UUID) -> bool:
    try:
        async with store.transaction() as work:
            await attach_coupon(work, code, session_id, actor="tea house", at=NOW)
    except CouponRefusedError:
        return False
    return True


def three_yuan() -> Coupon:
    return Coupon(kind="amount", value=300, bearer="tea house")


async def test_f46_a_coupon_asked_for_twice_at_once_is_on_one_stay(db: asyncpg.Connection, store: Database) -> None:
    sessions = [await stay(db, space) for space in (1, 2, 3)]
    code = await issue(store, three_yuan())
    given = await asyncio.gather(*(attach(store, code, session_id) for session_id in sessions * 2))
    assert len({session_id for session_id, had in zip(sessions * 2, given, strict=True) if had}) == 1
    await bill_all(store)
    assert sorted([(await current(db, one))[0] for one in sessions]) == [300, 600, 600]


async def test_f46_a_coupon_taken_off_its_stay_may_go_to_another(db: asyncpg.Connection, store: Database) -> None:
    first, second = await stay(db, 1), await stay(db, 2)
    code = await issue(store, three_yuan())
    assert await attach(store, code, first)
    async with store.transaction() as work:
        await detach_coupon(work, code, at=NOW)
    assert await attach(store, code, second)
    await bill_all(store)
    assert [(await current(db, one))[0] for one in (first, second)] == [600, 300]


async def test_f47_a_validation_after_the_bill_corrects_it_and_never_below_nothing(
    db: asyncpg.Connection, store: Database
) -> None:
    session_id = await stay(db, 1)
    await bill_all(store)
    code = await issue(store, Coupon(kind="amount", value=5_000, bearer="tea house"))
    assert await attach(store, code, session_id)
    await bill_all(store, NOW + timedelta(minutes=1))
    total_fen, fee = await current(db, session_id)
    assert total_fen == 0
    async with store.transaction() as work:
        assert (await balance_of(work, session_id)).due_fen == 0
        _, tariff = await fetch_tariff(work, "xinchang-kerb", NINE)
    assert is_equal_again(json.loads(json.dumps(fee)), 0, tariff)


async def test_f47_or_is_refused_where_the_coupon_says_so(db: asyncpg.Connection, store: Database) -> None:
    session_id = await stay(db, 1)
    await bill_all(store)
    assert not await attach(store, await issue(store, three_yuan(), after_payment=False), session_id)


async def test_a_coupon_for_other_lots_or_over_or_withdrawn_is_refused(db: asyncpg.Connection, store: Database) -> None:
    session_id = await stay(db, 1)
    await db.execute(
        """
        INSERT INTO lot (code, name, kind, zone, entrances, geometry)
        VALUES ('XX', 'another', 'on_street', 'Asia/Shanghai', '[]', '{}')
        """
    )
    assert not await attach(store, await issue(store, three_yuan(), lots=("XX",)), session_id)
    code = await issue(store, three_yuan())
    async with store.transaction() as work:
        await withdraw_coupon(work, code, actor="chen", at=NOW)
        assert (await list_coupons(work))[0].withdrawn_by == "chen"
        with pytest.raises(CouponNotFoundError):
            await attach_coupon(work, "nobody", session_id, actor="chen", at=NOW)
        with pytest.raises(CouponRefusedError):
            await attach_coupon(work, await _late(store), session_id, actor="chen", at=LATER)
    assert not await attach(store, code, session_id)


async def _late(store: Database) -> str:
    return await issue(store, three_yuan())

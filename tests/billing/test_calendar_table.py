"""The calendar as a table: seeded, corrected, freed by decree, and kept by the bills that used it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.again import is_equal_again
from billing.bills import bill_ended_sessions
from billing.calendar import Calendar, calendar_of, calendar_used, special_day, used_days
from billing.calendar_table import DayRow, fetch_calendar, list_days, reset_day, seed_calendar, set_days
from billing.decrees import DecreeEndedError, decree, end_decree
from billing.pricing import price_stay
from billing.tariffs_in_force import fetch_tariff
from core.db import Database
from core.errors import LotNotFoundError
from core.stay import Stay
from tests.support.street import plant
from tests.support.tariffs import shipped_tariff, stays
from tests.support.walking import CHINA, Meter, between, minutes_of

KERB = shipped_tariff("xinchang-kerb")
FRIDAY = date(2026, 11, 20)
NINE = datetime(2026, 11, 20, 1, tzinfo=UTC)
NOW = NINE + timedelta(days=1)


@given(stays(), st.sets(st.integers(0, 370), max_size=40))
def test_a_free_day_is_not_counted_and_the_rest_is_walked_as_before(stay: Stay, freed: set[int]) -> None:
    days = {date(2025, 12, 20) + timedelta(days=index): "decree" for index in freed}
    calendar = Calendar(special={}, years=frozenset(), free=days)
    bill = price_stay(KERB, stay, zone=KERB.zone, calendar=calendar)
    walked = minutes_of(stay.entered_at, stay.left_at, CHINA)
    paid = sum(between(at, 7.5, 21) and at.date() not in days for at in walked)
    assert bill.total_fen == (0 if paid <= 30 else Meter((10**9, 60, 300)).ticks(paid))
    assert sum(line.amount_fen for line in bill.lines) == bill.total_fen


@given(stays(), st.sets(st.integers(0, 370), max_size=10))
def test_the_days_a_bill_keeps_give_the_same_bill(stay: Stay, freed: set[int]) -> None:
    shenzhen = shipped_tariff("cn-sz-class1")
    days = {date(2025, 12, 20) + timedelta(days=index): "decree" for index in freed}
    full = Calendar(special=SEEDED.special, years=SEEDED.years, free=days)
    first = (stay.entered_at - timedelta(days=8)).astimezone(shenzhen.zone).date()
    kept = json.loads(json.dumps(used_days(full, first, stay.left_at.astimezone(shenzhen.zone).date())))
    bills = [price_stay(shenzhen, stay, zone=shenzhen.zone, calendar=one) for one in (full, calendar_used(kept))]
    assert bills[0] == bills[1]


SEEDED = calendar_of(
    [
        day
        for day in (
            special_day(date(2026, 2, 14), "workday", "spring_festival"),
            special_day(date(2026, 10, 1), "holiday", "national_day"),
            special_day(date(2026, 5, 4), "rest", "other_holiday"),
        )
        if day is not None
    ],
    [2026],
)


def test_a_rest_day_is_one_only_where_it_would_be_worked() -> None:
    assert special_day(date(2026, 11, 21), "rest", "other_holiday") is None
    assert special_day(FRIDAY, "workday", "other_holiday") is None
    rest = special_day(FRIDAY, "rest", "other_holiday")
    assert rest is not None
    assert rest.kind == "rest"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await plant(connection, "s", 5)
    yield connection
    await connection.close()


async def end_session(db: asyncpg.Connection, space: int) -> UUID:
    session_id = await db.fetchval(
        """
        INSERT INTO parking_session (space_id, sensor_id, status, entered_at, left_at, begin_why, end_why, recorded_at,
                                     revised_at)
        SELECT space.id, sensor.id, 'ended', $2, $3, 'change', 'change', $2, $3
        FROM space, sensor WHERE space.code = $1 AND sensor.code = 's-001' RETURNING id
        """,
        f"KL-{space:03}",
        NINE,
        NINE + timedelta(minutes=75),
    )
    assert isinstance(session_id, UUID)
    return session_id


async def test_seeding_twice_changes_nothing_and_an_operators_word_outlives_it(store: Database) -> None:
    async with store.transaction() as db:
        assert await seed_calendar(db, at=NOW) > 100
        assert await seed_calendar(db, at=NOW) == 0
        row = DayRow(day=date(2026, 10, 1), kind="workday", name="national_day", reason="typhoon week")
        ((before, _),) = await set_days(db, [row], actor="chen", at=NOW)
        assert before is not None
        assert before.kind == "holiday"
        assert await seed_calendar(db, at=NOW) == 0
        assert (await fetch_calendar(db)).find(date(2026, 10, 1)) is None
        await reset_day(db, date(2026, 10, 1), at=NOW)
        found = (await fetch_calendar(db)).find(date(2026, 10, 1))
        assert found is not None
        assert found.kind == "holiday"


async def test_a_year_is_known_once_its_notice_is_entered(store: Database) -> None:
    async with store.transaction() as db:
        await seed_calendar(db, at=NOW)
        assert not (await fetch_calendar(db)).knows(date(2031, 5, 5))
        rows = [DayRow(day=date(2031, 10, 1), kind="holiday", name="national_day", reason="notice")]
        await set_days(db, rows, years=[2031], actor="chen", at=NOW)
        calendar = await fetch_calendar(db)
        assert calendar.knows(date(2031, 5, 5))
        assert calendar is await fetch_calendar(db)
        days, known = await list_days(db, 2031)
        assert (len(days), known) == (1, True)


async def test_a_bill_under_a_decree_says_so_and_stays_when_the_decree_ends(
    db: asyncpg.Connection, store: Database
) -> None:
    first, second = await end_session(db, 1), await end_session(db, 2)
    await db.execute("UPDATE parking_session SET status = 'open', left_at = NULL WHERE id = $1", second)
    async with store.transaction() as work:
        made = await decree(work, FRIDAY, FRIDAY, lot="KL", tariff=None, reason="fair", actor="chen", at=NOW)
        await bill_ended_sessions(work, at=NOW, limit=100)
        await end_decree(work, made.id, actor="chen", at=NOW)
        with pytest.raises(DecreeEndedError):
            await end_decree(work, made.id, actor="chen", at=NOW)
    await db.execute("UPDATE parking_session SET status = 'ended', left_at = $2 WHERE id = $1", second, NOW)
    async with store.transaction() as work:
        await bill_ended_sessions(work, at=NOW + timedelta(hours=1), limit=100)
        _, tariff = await fetch_tariff(work, "xinchang-kerb", NINE)
    bills = {row["session_id"]: row for row in await db.fetch("SELECT * FROM current_bill")}
    freed = json.loads(bills[first]["fee"])
    assert (bills[first]["total_fen"], bills[second]["total_fen"] > 0) == (0, True)
    assert freed["bill"]["lines"][0]["why"] == {"code": "decreed-free", "reason": "fair"}
    for row in bills.values():
        assert is_equal_again(json.loads(row["fee"]), row["total_fen"], tariff)


async def test_a_decree_for_a_lot_that_is_not_there_is_refused(store: Database) -> None:
    async with store.transaction() as db:
        with pytest.raises(LotNotFoundError):
            await decree(db, FRIDAY, FRIDAY, lot="NO", tariff=None, reason="fair", actor="chen", at=NOW)


pytestmark = pytest.mark.services

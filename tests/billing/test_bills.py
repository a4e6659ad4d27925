"""Ended sessions become bills: each exactly once, at its revision, computable again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from billing.bills import bill_ended_sessions
from billing.lines import bill_from_json
from billing.pricing import price_stay
from billing.tariffs_in_force import fetch_tariff
from core.db import Database
from tests.support.street import plant
from tests.support.waiting import until

pytestmark = pytest.mark.services

NINE = datetime(2026, 11, 20, 1, tzinfo=UTC)  # 09:00 in Xinchang, a Friday
NOW = NINE + timedelta(hours=8)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await plant(connection, "s", 20)
    yield connection
    await connection.close()


async def end_session(db: asyncpg.Connection, space: int, begin: datetime, minutes: float) -> UUID:
    session_id = await db.fetchval(
        """
        INSERT INTO parking_session (space_id, sensor_id, status, entered_at, left_at, begin_why, end_why, recorded_at,
                                     revised_at)
        SELECT space.id, sensor.id, 'ended', $2, $3, 'change', 'change', $2, $3
        FROM space, sensor WHERE space.code = $1 AND sensor.code = 's-001' RETURNING id
        """,
        f"KL-{space:03}",
        begin,
        begin + timedelta(minutes=minutes),
    )
    assert isinstance(session_id, UUID)
    return session_id


async def bill_all(store: Database, at: datetime = NOW) -> int:
    async with store.transaction() as db:
        return (await bill_ended_sessions(db, at=at, limit=100)).bills


async def test_an_ended_session_gets_one_bill_with_lines_that_add_up(db: asyncpg.Connection, store: Database) -> None:
    session_id = await end_session(db, 1, NINE, 75)
    assert [await bill_all(store), await bill_all(store)] == [1, 0]
    bill = await db.fetchrow("SELECT * FROM current_bill WHERE session_id = $1", session_id)
    assert bill["total_fen"] == 600
    lines = bill_from_json(json.loads(bill["fee"])["bill"]).lines
    assert sum(line.amount_fen for line in lines) == 600


async def test_an_open_session_and_one_that_may_yet_go_on_are_left_alone(
    db: asyncpg.Connection, store: Database
) -> None:
    await end_session(db, 1, NOW - timedelta(minutes=60), 59.9)
    assert await bill_all(store) == 0
    assert await bill_all(store, NOW + timedelta(seconds=60)) == 1


async def test_a_session_that_changed_gets_a_bill_that_replaces_the_first(
    db: asyncpg.Connection, store: Database
) -> None:
    session_id = await end_session(db, 1, NINE, 75)
    await bill_all(store)
    await db.execute(
        "UPDATE parking_session SET left_at = $2, revision = revision + 1 WHERE id = $1",
        session_id,
        NINE + timedelta(minutes=20),
    )
    await bill_all(store)
    bills = await db.fetch("SELECT * FROM bill WHERE session_id = $1 ORDER BY session_revision", session_id)
    assert [bill["total_fen"] for bill in bills] == [600, 0]
    assert bills[1]["replaces_id"] == bills[0]["id"]
    assert await db.fetchval("SELECT count(*) FROM current_bill WHERE session_id = $1", session_id) == 1


async def test_a_void_session_is_corrected_to_nothing_and_one_never_billed_is_not(
    db: asyncpg.Connection, store: Database
) -> None:
    billed, never = await end_session(db, 1, NINE, 75), await end_session(db, 2, NINE, 75)
    await db.execute("UPDATE parking_session SET status = 'void' WHERE id = $1", never)
    await bill_all(store)
    await db.execute("UPDATE parking_session SET status = 'void', revision = revision + 1 WHERE id = $1", billed)
    await bill_all(store)
    assert await db.fetchval("SELECT total_fen FROM current_bill WHERE session_id = $1", billed) == 0
    assert await db.fetchval("SELECT count(*) FROM bill WHERE session_id = $1", never) == 0


async def test_a_bill_computed_again_from_what_is_stored_is_the_same(db: asyncpg.Connection, store: Database) -> None:
    for space in range(1, 11):
        await end_session(db, space, NINE + timedelta(minutes=space), 37.3 * space)
    assert await bill_all(store, NOW + timedelta(days=1)) == 10
    for row in await db.fetch("SELECT * FROM bill"):
        kept = json.loads(row["fee"])
        bill = bill_from_json(kept["bill"])
        async with store.transaction() as again:
            _, tariff = await fetch_tariff(again, bill.tariff_code, bill.stay.entered_at)
        assert price_stay(tariff, bill.stay, zone=ZoneInfo(kept["zone"])) == bill
        assert bill.total_fen == row["total_fen"]


async def test_a_lot_without_a_notice_is_billed_with_nothing_and_says_why(
    db: asyncpg.Connection, store: Database
) -> None:
    await db.execute("UPDATE lot SET tariff = 'nobody-knows-it'")
    session_id = await end_session(db, 1, NINE, 75)
    await bill_all(store)
    bill = await db.fetchrow("SELECT * FROM current_bill WHERE session_id = $1", session_id)
    assert (bill["total_fen"], json.loads(bill["fee"])["reason"]) == (0, "no-notice-in-force")


async def test_many_billing_at_once_make_no_bill_twice(db: asyncpg.Connection, store: Database) -> None:
    for space in range(1, 21):
        await end_session(db, space, NINE, 75)
    made = await asyncio.gather(*(bill_all(store) for _ in range(6)))
    assert sum(made) == 20
    assert await db.fetchval("SELECT count(*) FROM bill") == 20


async def test_the_worker_killed_again_and_again_makes_each_bill_once(
    db: asyncpg.Connection, database_url: str
) -> None:
    for hour in range(10):
        for space in range(1, 21):
            await end_session(db, space, NINE - timedelta(days=2) + timedelta(hours=hour), 50)
    environment = {**os.environ, "PARKING_DATABASE_URL": database_url, "PARKING_CLOCK": "0/0/1"}
    now_ms = int(datetime.now(UTC).timestamp() * 1_000)
    environment["PARKING_CLOCK"] = f"{now_ms}/{now_ms}/20"

    async def start_worker() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(sys.executable, "-m", "ops.worker", env=environment)

    worker, stand_by = await start_worker(), await start_worker()

    async def some_are_billed() -> bool:
        return bool(await db.fetchval("SELECT count(*) FROM bill"))

    await until(some_are_billed)
    worker.kill()
    await worker.wait()

    async def all_are_billed() -> bool:
        return int(await db.fetchval("SELECT count(*) FROM current_bill")) == 200

    await until(all_are_billed)
    await end_session(db, 1, NINE - timedelta(days=5), 50)

    async def the_stand_by_has_taken_over() -> bool:
        return int(await db.fetchval("SELECT count(*) FROM current_bill")) == 201

    await until(the_stand_by_has_taken_over)
    assert await db.fetchval("SELECT count(*) FROM bill") == 201
    stand_by.send_signal(signal.SIGTERM)
    assert await stand_by.wait() == 0

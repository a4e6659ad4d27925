"""The schema: up, down and up again, equal to the code's tables, and its invariants held by the database itself."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from core.db import async_url
from core.tables import Base
from ops import database
from ops.database import create_database, drop_database
from ops.services import RunningServices

pytestmark = pytest.mark.services

T0 = datetime(2026, 11, 22, 8, tzinfo=UTC)

CATALOGUE = """
SELECT relation.relname, 'constraint' AS what, part.conname AS name, pg_get_constraintdef(part.oid) AS definition
FROM pg_constraint AS part JOIN pg_class AS relation ON relation.oid = part.conrelid
WHERE relation.relnamespace = 'public'::regnamespace AND part.contype <> 't'
UNION ALL
SELECT tablename, 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT table_name, 'column', column_name,
       concat_ws(' ', udt_name, is_nullable, column_default, is_identity, identity_generation)
FROM information_schema.columns WHERE table_schema = 'public'
ORDER BY 1, 2, 3
"""


@pytest.fixture
async def empty_url(services: RunningServices) -> AsyncIterator[str]:
    server = services.endpoints.database_url
    yield await create_database(server, "parking_empty")
    await drop_database(server, "parking_empty")


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        """
        INSERT INTO lot (code, name, kind, zone, entrances, geometry)
        VALUES ('KL', 'a lot', 'on_street', 'Asia/Shanghai', '[]', '{}');
        INSERT INTO space (code, lot_id, geometry) SELECT 'KL-001', id, '{}' FROM lot;
        INSERT INTO sensor (code) VALUES ('s1'), ('s2');
        """
    )
    yield connection
    await connection.close()


async def catalogue(url: str) -> set[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(CATALOGUE)
    await connection.close()
    return {tuple(row) for row in rows if row["relname"] not in {"alembic_version", "current_bill"}}


async def open_session(db: asyncpg.Connection, begin: datetime, end: datetime | None, status: str = "") -> str:
    return str(
        await db.fetchval(
            """
            INSERT INTO parking_session (space_id, sensor_id, status, entered_at, left_at, begin_why, recorded_at,
                                         revised_at)
            SELECT space.id, sensor.id, $3, $1, $2, 'change', $1, $1 FROM space, sensor WHERE sensor.code = 's1'
            RETURNING id
            """,
            begin,
            end,
            status or ("open" if end is None else "ended"),
        )
    )


async def add_bill(db: asyncpg.Connection, session_id: str, revision: int, replaces: str | None = None) -> str:
    return str(
        await db.fetchval(
            """
            INSERT INTO bill (session_id, session_revision, replaces_id, total_fen, fee, issued_at)
            VALUES ($1, $2, $3, 300, '{}', $4) RETURNING id
            """,
            session_id,
            revision,
            replaces,
            T0,
        )
    )


def test_the_revisions_go_down_and_up_again(empty_url: str) -> None:
    database.upgrade(empty_url)
    database.downgrade(empty_url)
    database.upgrade(empty_url)
    database.check(empty_url)


async def test_migrated_tables_are_the_tables_of_the_code(
    empty_url: str, database_url: str, services: RunningServices
) -> None:
    engine = create_async_engine(async_url(empty_url))
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS timescaledb")
        await connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS btree_gist")
        await connection.exec_driver_sql("CREATE TYPE occupancy AS ENUM ('occupied', 'free', 'unknown')")
        await connection.exec_driver_sql("CREATE TYPE reading_kind AS ENUM ('boot', 'change', 'heartbeat', 'report')")
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()
    assert await catalogue(database_url) == await catalogue(empty_url)


async def test_a_reading_is_stored_once(db: asyncpg.Connection) -> None:
    row = """
        INSERT INTO reading (observed_at, sensor_id, boot, seq, occupancy, kind, space_id, received_at, topic, raw)
        SELECT $1, sensor.id, -1, -1, 'occupied', 'change', 1, $1, 't', '' FROM sensor WHERE code = 's1'
    """
    await db.execute(row, T0)
    with pytest.raises(asyncpg.UniqueViolationError):
        await db.execute(row, T0)
    hypertables = await db.fetch("SELECT hypertable_name FROM timescaledb_information.hypertables ORDER BY 1")
    assert {"reading", "sensor_telemetry"} <= {row[0] for row in hypertables}


async def test_sessions_of_a_space_never_overlap(db: asyncpg.Connection) -> None:
    await open_session(db, T0, T0 + timedelta(hours=1))
    await open_session(db, T0 + timedelta(hours=1), T0 + timedelta(hours=2))
    with pytest.raises(asyncpg.ExclusionViolationError):
        await open_session(db, T0 + timedelta(minutes=30), T0 + timedelta(minutes=40))
    await open_session(db, T0 + timedelta(minutes=30), T0 + timedelta(minutes=40), "void")


async def test_a_space_has_at_most_one_open_session(db: asyncpg.Connection) -> None:
    await open_session(db, T0, None)
    with pytest.raises(asyncpg.ExclusionViolationError):
        await open_session(db, T0 + timedelta(hours=1), None)


async def test_a_boundary_between_two_sessions_moves_in_one_transaction(db: asyncpg.Connection) -> None:
    first = await open_session(db, T0, T0 + timedelta(hours=1))
    second = await open_session(db, T0 + timedelta(hours=1), T0 + timedelta(hours=2))
    async with db.transaction():
        moved = T0 + timedelta(minutes=90)
        await db.execute("UPDATE parking_session SET left_at = $1 WHERE id = $2", moved, first)
        await db.execute("UPDATE parking_session SET entered_at = $1 WHERE id = $2", moved, second)


async def test_a_session_has_one_chain_of_bills_with_one_current(db: asyncpg.Connection) -> None:
    session_id = await open_session(db, T0, T0 + timedelta(hours=1))
    first = await add_bill(db, session_id, 1)
    with pytest.raises(asyncpg.UniqueViolationError):
        await add_bill(db, session_id, 2)
    second = await add_bill(db, session_id, 2, replaces=first)
    with pytest.raises(asyncpg.UniqueViolationError):
        await add_bill(db, session_id, 3, replaces=first)
    with pytest.raises(asyncpg.UniqueViolationError):
        await add_bill(db, session_id, 2, replaces=second)
    assert str(await db.fetchval("SELECT id FROM current_bill WHERE session_id = $1", session_id)) == second


async def test_a_bill_cannot_replace_one_of_another_session(db: asyncpg.Connection) -> None:
    one = await open_session(db, T0, T0 + timedelta(hours=1))
    other = await open_session(db, T0 + timedelta(hours=1), T0 + timedelta(hours=2))
    bill = await add_bill(db, one, 1)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await add_bill(db, other, 1, replaces=bill)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await add_bill(db, str(uuid4()), 1)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("bill", "UPDATE bill SET total_fen = 0"),
        ("bill", "DELETE FROM bill"),
        ("tariff_version", "UPDATE tariff_version SET valid_to = now()"),
        ("audit", "DELETE FROM audit"),
    ],
)
async def test_what_is_immutable_refuses_every_change(db: asyncpg.Connection, table: str, change: str) -> None:
    await add_bill(db, await open_session(db, T0, T0 + timedelta(hours=1)), 1)
    await db.execute("INSERT INTO audit (at, actor, action, subject) VALUES (now(), 'command', 'test', 'lot:1')")
    with pytest.raises(asyncpg.RestrictViolationError, match=f"rows of {table} are never changed"):
        await db.execute(change)


async def test_a_sensor_watches_one_space_at_a_time(db: asyncpg.Connection) -> None:
    assign = """
        INSERT INTO sensor_assignment (sensor_id, space_id, during)
        SELECT sensor.id, space.id, tstzrange($2, $3) FROM sensor, space WHERE sensor.code = $1
    """
    await db.execute(assign, "s1", None, T0)
    await db.execute(assign, "s2", T0, None)
    with pytest.raises(asyncpg.ExclusionViolationError):
        await db.execute(assign, "s1", T0, None)


class TestTheJournal:
    async def test_takes_no_entry_that_does_not_balance(self, db: asyncpg.Connection) -> None:
        entry = await self.entry(db, ("cash", 5, 0), ("revenue", 0, 5))
        with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
            await self.entry(db, ("cash", 5, 0), ("revenue", 0, 4))
        with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
            await self.entry(db)
        with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
            await db.execute("INSERT INTO journal_line (entry_id, account, debit_fen) VALUES ($1, 'cash', 1)", entry)
        assert await db.fetchval("SELECT count(*) FROM journal_line") == 2

    async def test_forgets_and_changes_nothing(self, db: asyncpg.Connection) -> None:
        await self.entry(db, ("cash", 5, 0), ("revenue", 0, 5))
        for statement in ("UPDATE journal_line SET debit_fen = 6", "DELETE FROM journal_entry"):
            with pytest.raises(asyncpg.RestrictViolationError):
                await db.execute(statement)

    async def entry(self, db: asyncpg.Connection, *lines: tuple[str, int, int]) -> int:
        async with db.transaction():
            number = await db.fetchval(
                """
                INSERT INTO journal_entry (posted_at, business_key, kind, source)
                VALUES ($1, $2, 'test', 'test') RETURNING id
                """,
                T0,
                str(uuid4()),
            )
            await db.executemany(
                "INSERT INTO journal_line (entry_id, account, debit_fen, credit_fen) VALUES ($1, $2, $3, $4)",
                [(number, *line) for line in lines],
            )
        return int(number)

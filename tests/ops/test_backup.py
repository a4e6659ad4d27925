"""Backup and restore: into an empty database, over a filled one, never from half a file, never by accident."""

import asyncio
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select

from billing.bills import bill_ended_sessions
from billing.ledger.booking import book_payment
from billing.providers.port import OrderState, OrderStatus
from core.clock import RealClock
from core.db import Database
from core.money import Fen
from core.tables import Payment
from ops import database
from ops.backup import Archive, BackupRefusedError, Keys, Manifest, dump, look_at, prepare, restore
from ops.backup.catalogue import in_order, list_tables, quoted
from ops.database import create_database, drop_database
from ops.ledger import prove
from ops.services import RunningServices
from tests.api.town import Town, built, now
from tests.support.paid import paid_stay

pytestmark = pytest.mark.services

NINE = datetime(2026, 11, 22, 1, tzinfo=UTC)
NEW = "parking_restored"


@pytest.fixture
async def target(services: RunningServices) -> AsyncIterator[str]:
    server = services.endpoints.database_url
    yield await create_database(server, NEW)
    await drop_database(server, NEW)


@pytest.fixture
async def filled(database_url: str) -> AsyncIterator[Town]:
    """Sessions, bills, a payment with its entry, and readings in several chunks."""
    async with built(database_url) as town:
        await town.session("KA-002", NINE, NINE + timedelta(minutes=75))
        payment_id = await paid_stay(town, entered_at=NINE, minutes=75, status="sent")
        async with town.database.transaction() as db:
            await bill_ended_sessions(db, at=now(), limit=10)
            order_no = await db.scalar(select(Payment.order_no).where(Payment.id == payment_id))
            paid = OrderState(order_no=str(order_no), status=OrderStatus.PAID, transaction_id="42", total_fen=Fen(600))
            await book_payment(db, paid, provider="wechat", source="query", at=now())
        await town.report("KA-001", occupied=True)
        connection = await asyncpg.connect(database_url)
        async with connection.transaction():
            await connection.execute(
                """
                INSERT INTO reading
                    (sensor_id, space_id, observed_at, received_at, occupancy, kind, boot, seq, topic, raw)
                SELECT sensor.id, space.id, at, at, 'free', 'heartbeat', -1, -1, E'a\\tb\\\\\\n中文', '\\x00ff0a'
                FROM (SELECT min(id) AS id FROM sensor) AS sensor, (SELECT min(id) AS id FROM space) AS space,
                     generate_series(now() - interval '60 days', now(), interval '1 hour') AS at
                """
            )
        await connection.close()
        yield town


async def whole(url: str) -> dict[str, tuple[int, str]]:
    """Each table's rows: how many, and a digest of all but the numbers of transactions."""
    db = await asyncpg.connect(url)
    found = {}
    for table in await list_tables(db):
        columns = quoted(name for name in table.columns if name != "written_xid")
        rows = f"SELECT {columns} FROM {quoted([table.name])}"  # noqa: S608 - names of the catalogue
        row = await db.fetchrow(
            f"SELECT count(*), coalesce(md5(string_agg(r::text, '|' ORDER BY r::text)), '') AS d FROM ({rows}) AS r"  # noqa: S608 - as above
        )
        found[table.name] = (row[0], row[1])
    await db.close()
    return found


async def backed_up(town: Town, path: Path) -> Manifest:
    return await dump(town.database.url, path, at=now(), keys=Keys(plate="a"), progress=lambda *_: None)


async def brought_back(path: Path, url: str, *, force: bool = False) -> None:
    with Archive.opened(path) as archive:
        seen = await look_at(url)
        await asyncio.to_thread(prepare, url, archive.manifest, seen, force=force)
        await restore(url, archive, progress=lambda *_: None)


@asynccontextmanager
async def closing(town: Town) -> AsyncIterator[Town]:
    yield town
    await town.database.close()


async def test_everything_is_there_again_to_the_fen(filled: Town, target: str, tmp_path: Path) -> None:
    manifest = await backed_up(filled, tmp_path / "all.backup")
    await brought_back(tmp_path / "all.backup", target)
    before, after = await whole(filled.database.url), await whole(target)
    assert after == before
    assert before["reading"][0] > 1_400
    assert before["journal_line"][0] >= 2
    assert manifest.rows == sum(rows for rows, _ in before.values())
    assert manifest.revision == database.newest_revision()
    await asyncio.to_thread(database.check, target)
    async with closing(replace(filled, database=Database(target, pool_size=1))) as town:
        assert [one for one in await prove(town.database, RealClock()) if not one.is_kept] == []


async def test_what_was_restored_goes_on_where_it_stopped(filled: Town, target: str, tmp_path: Path) -> None:
    await backed_up(filled, tmp_path / "all.backup")
    await brought_back(tmp_path / "all.backup", target)
    async with closing(replace(filled, database=Database(target, pool_size=1))) as town:
        await town.session("KB-001", NINE)
        await town.add_space("KA")
        journal = await asyncpg.connect(target)
        with pytest.raises(asyncpg.PostgresError, match="never changed"):
            await journal.execute("UPDATE journal_line SET debit_fen = 1 WHERE debit_fen > 0")
        with pytest.raises(asyncpg.CheckViolationError):
            await journal.execute(
                "INSERT INTO journal_entry (posted_at, business_key, kind, source) VALUES (now(), 'x', 'x', 'x')"
            )
        future = await journal.fetchval(
            "SELECT count(*) FROM space_state WHERE written_xid > pg_current_xact_id()::text::bigint"
        )
        assert future == 0
        await journal.close()


async def test_a_filled_database_is_replaced_only_when_that_is_said(
    filled: Town, services: RunningServices, target: str, tmp_path: Path
) -> None:
    await backed_up(filled, tmp_path / "all.backup")
    before = await whole(filled.database.url)
    await brought_back(tmp_path / "all.backup", target)
    with pytest.raises(BackupRefusedError, match="not empty"):
        await brought_back(tmp_path / "all.backup", target)
    db = await asyncpg.connect(target)
    await db.execute("INSERT INTO city (id, name) VALUES (1, 'other') ON CONFLICT (id) DO UPDATE SET name = 'other'")
    await db.close()
    await brought_back(tmp_path / "all.backup", target, force=True)
    assert await whole(target) == before


async def test_nothing_is_restored_under_running_processes(filled: Town, target: str, tmp_path: Path) -> None:
    await backed_up(filled, tmp_path / "all.backup")
    worker = await asyncpg.connect(target, server_settings={"application_name": "parking-worker"})
    with pytest.raises(BackupRefusedError, match="parking-worker work"):
        await brought_back(tmp_path / "all.backup", target, force=True)
    await worker.close()


async def test_half_a_file_and_a_changed_one_are_refused_and_change_nothing(
    filled: Town, target: str, tmp_path: Path
) -> None:
    good = tmp_path / "all.backup"
    await backed_up(filled, good)
    short, changed, newer = (tmp_path / name for name in ("short", "changed", "newer"))
    short.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(changed, "w") as new, zipfile.ZipFile(newer, "w") as later:
        for name in old.namelist():
            body = old.read(name)
            new.writestr(name, body.replace(b"\t600\t", b"\t900\t") if name == "payment.copy" else body)
            later.writestr(name, body.replace(b'"revision": "', b'"revision": "x') if name == "manifest.json" else body)
    with pytest.raises(BackupRefusedError, match="cannot be read"):
        await brought_back(short, target)
    with pytest.raises(BackupRefusedError, match="does not know"):
        await brought_back(newer, target)
    with pytest.raises(BackupRefusedError, match="payment are not those"):
        await brought_back(changed, target)
    assert (await look_at(target)).filled == ()
    with pytest.raises(BackupRefusedError, match="is there already"):
        await backed_up(filled, good)


def test_parents_come_before_their_children() -> None:
    order = in_order(["c", "b", "a", "d"], [("a", "b"), ("b", "c"), ("a", "elsewhere")])
    assert order.index("c") < order.index("b") < order.index("a")


def test_another_key_is_noticed() -> None:
    here = Keys.of({"PARKING_PLATE_KEY": "one", "PARKING_SECRET_KEY": "same"})
    there = Keys.of({"PARKING_PLATE_KEY": "two", "PARKING_SECRET_KEY": "same"})
    assert here.differing(there) == ["PARKING_PLATE_KEY"]
    assert here.differing(Keys()) == []

"""Plates at rest: moved to a newer key beside what runs, erased in time, and never in the clear anywhere."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs
from typer.testing import CliRunner

from billing.evidence.photos import PhotoFolder
from billing.plates import PlateKey, PlateVault, find_plate_id, store_plate, vault_of
from billing.plates.erasing import erase_plates
from billing.plates.rotating import count_by_key, move_some
from core.clock import RealClock
from core.db import Database, plain_url
from core.plate import parse_plate
from ops.cli import build
from ops.database import create_database, drop_database
from ops.jobs import bill_sessions
from ops.plates import forget_plates
from ops.services import RunningServices
from tests.api.town import now
from tests.plates.conftest import PLATE_KEY, Beat, picture
from tests.support.shell import run

pytestmark = pytest.mark.services

NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)
OLD, NEW = PlateKey("an older key of this installation..."), PlateKey("a newer key of this installation....", 2)
BEFORE, BOTH, AFTER = PlateVault((OLD,)), PlateVault((NEW, OLD)), PlateVault((NEW,))
ONE, TWO, THREE = (parse_plate(text) for text in ("浙D12345", "浙D54321", "浙DD12345"))


async def test_plates_move_to_a_newer_key_keep_their_ids_and_one_stored_twice_becomes_one(store: Database) -> None:
    async with store.transaction() as db:
        ids = [await store_plate(db, BEFORE, plate, at=NOW) for plate in (ONE, TWO, THREE)]
        twin = await store_plate(db, AFTER, ONE, at=NOW)  # by a process that knows the newer key alone
        await db.execute(text("INSERT INTO exempt_vehicle (plate_id, lots, valid_from, reason, added_by, added_at)"
                              " VALUES (:id, '[]', now(), 'on duty', 'chen', now())"), {"id": ids[0]})  # fmt: skip
    async with store.transaction() as db:
        assert (await move_some(db, BOTH, limit=2)).rows == 2
        assert await count_by_key(db) == {1: 1, 2: 2} or await count_by_key(db) == {1: 1, 2: 3}
    async with store.transaction() as db:
        await move_some(db, BOTH, limit=9)
        assert (await move_some(db, BOTH, limit=9)).rows == 0
    async with store.transaction() as db:
        assert await count_by_key(db) == {2: 3}
        assert [await find_plate_id(db, AFTER, plate) for plate in (ONE, TWO, THREE)] == [twin, *ids[1:]]
        assert (await db.execute(text("SELECT plate_id FROM exempt_vehicle"))).scalar_one() == twin
        sealed = (await db.execute(text("SELECT ciphertext FROM plate WHERE id = :id"), {"id": ids[1]})).scalar_one()
        assert AFTER.open(sealed, 2) == TWO


async def test_a_plate_held_by_somebody_is_left_for_later(store: Database) -> None:
    async with store.transaction() as db:
        await store_plate(db, BEFORE, ONE, at=NOW)
    async with store.transaction() as holding, store.transaction() as db:
        await store_plate(holding, BEFORE, ONE, at=NOW)
        assert (await move_some(db, BOTH, limit=9)).rows == 0
    async with store.transaction() as db:
        assert (await move_some(db, BOTH, limit=9)).rows == 1


def test_photos_move_too_and_are_read_before_and_after(tmp_path: Path) -> None:
    folder = PhotoFolder(tmp_path)
    name = folder.keep(BEFORE, b"a picture")
    assert folder.read(BOTH, name) == b"a picture"
    assert [folder.reseal(BOTH, name), folder.reseal(BOTH, name)] == [True, False]
    assert folder.read(AFTER, name) == b"a picture"
    assert (folder.key_number(name), list(folder.names())) == (2, [name])
    folder.erase(name)
    folder.erase(name)
    assert (folder.read(AFTER, name), folder.reseal(AFTER, name)) == (None, False)


def test_the_commands_add_a_key_move_everything_and_drop_the_old_one(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARKING_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("PARKING_PLATE_KEY", raising=False)
    ring = tmp_path / "state" / "secrets" / "plate-key"

    def parking(*words: str, status: int = 0) -> str:
        monkeypatch.setenv("PARKING_DATABASE_URL", database_url)
        if ring.exists():
            monkeypatch.setenv("PARKING_PLATE_KEY", ring.read_text())
        if words[0] in {"add-key", "drop-key"}:
            monkeypatch.delenv("PARKING_PLATE_KEY", raising=False)
        answer = CliRunner().invoke(build("plate"), ["plate", *words])
        assert answer.exit_code == status, (answer.output, answer.exception)
        return answer.output

    parking("add-key")
    parking("add-key")
    assert [word.partition(":")[0] for word in ring.read_text().split()] == ["3", "2", "1"]
    parking("rotate-key")
    assert "seals" in parking("keys")
    parking("drop-key", "1")
    parking("drop-key", "3", status=1)
    vault = vault_of(ring.read_text())
    assert vault is not None
    assert [key.number for key in vault.keys] == [3, 2]


async def test_a_backup_says_that_photos_are_apart_and_a_restore_which_are_missing(
    beat: Beat, services: RunningServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARKING_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PARKING_PHOTO_DIR", str(beat.photos))
    file = tmp_path / "all.backup"

    async def parking(url: str, *words: str) -> str:
        monkeypatch.setenv("PARKING_DATABASE_URL", url)
        return await run(CliRunner(), build(words[0]), *words)

    for space, plate in (("KA-001", "浙D11111"), ("KA-002", "浙D22222")):
        session_id = await beat.town.session(space, now() - timedelta(hours=1))
        assert (await beat.attach(session_id, plate, photo=picture())).status_code == 201
    said = await parking(beat.town.database.url, "backup", str(file))
    assert "photos of plates (2)" in said
    assert str(beat.photos) in said
    next(beat.photos.glob("??/*")).unlink()
    server = services.endpoints.database_url
    empty = await create_database(server, "parking_photos_restored")
    try:
        assert "photos of plates that are missing: 1;" in await parking(empty, "restore", str(file))
    finally:
        await drop_database(server, "parking_photos_restored")


async def test_a_plate_nobody_needs_is_erased_and_one_that_is_needed_is_not(beat: Beat) -> None:
    then = now() - timedelta(days=400)
    gone = await beat.town.session("KA-001", then, then + timedelta(hours=1))
    owing = await beat.town.session("KA-002", then, then + timedelta(hours=1))
    there = await beat.town.session("KA-003", then)
    plates = {gone: "浙D11111", owing: "浙D22222", there: "浙D33333"}
    for session_id, plate in plates.items():
        assert (await beat.attach(session_id, plate, photo=picture(), observed_at=then.isoformat())).status_code == 201
    vault = vault_of(PLATE_KEY)
    assert vault is not None
    async with beat.town.database.transaction() as db:
        exempt = await store_plate(db, vault, parse_plate("浙D44444"), at=then)
        passed = await store_plate(db, vault, parse_plate("浙D55555"), at=then)
    await beat.do("INSERT INTO exempt_vehicle (plate_id, lots, valid_from, reason, added_by, added_at)"
                  " VALUES (:id, '[]', now(), 'on duty', 'chen', now())", id=exempt)  # fmt: skip
    await beat.do("UPDATE plate SET first_seen_at = :then", then=then)
    await beat.do("UPDATE plate_evidence SET recorded_at = :then", then=then)
    await beat.do("WITH entry AS (INSERT INTO journal_entry (posted_at, business_key, kind, source)"
                  " VALUES (now(), 'k', 'charge', 'worker') RETURNING id)"
                  " INSERT INTO journal_line (entry_id, account, debit_fen, credit_fen, session_id)"
                  " SELECT id, account, debit, 600 - debit, :id FROM entry,"
                  " (VALUES ('receivable:stay', 600), ('revenue:parking:KA', 0)) AS side (account, debit)",
                  id=owing)  # fmt: skip
    for _ in range(2):
        async with beat.town.database.transaction() as db:
            erased = await erase_plates(db, unseen_since=now() - timedelta(days=180), at=now(), limit=100)
    assert erased == 0
    left = {one["plate"][-2:] for session_id in plates for one in (await beat.plates(session_id))["evidence"]}
    assert left == {"22", "33", "**"}
    async with beat.town.database.transaction() as db:
        assert await find_plate_id(db, vault, parse_plate("浙D11111")) is None
        assert await find_plate_id(db, vault, parse_plate("浙D55555")) is None
        assert await find_plate_id(db, vault, parse_plate("浙D44444")) == exempt
    assert passed is not None


async def test_photos_are_erased_in_time_and_files_that_belong_to_nothing_too(
    beat: Beat, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await beat.town.session("KA-001", now() - timedelta(hours=1))
    assert (await beat.attach(session_id, "浙D12345", photo=picture("PNG"))).status_code == 201
    stray = PhotoFolder(beat.photos).keep(BEFORE, b"of a transaction that never was")
    (path,) = beat.photos.glob(f"*/{stray}*")
    os.utime(path, (0, 0))
    monkeypatch.setenv("PARKING_PHOTO_DIR", str(beat.photos))
    await forget_plates(beat.town.database, RealClock())
    assert len(list(beat.photos.glob("*/*"))) == 1
    await beat.do("UPDATE plate_evidence SET recorded_at = now() - interval '91 days'")
    await forget_plates(beat.town.database, RealClock())
    assert list(beat.photos.glob("*/*")) == []
    (one,) = (await beat.plates(session_id))["evidence"]
    assert not one["has_photo"]
    assert (await beat.asks("GET", f"/evidence/{one['id']}/photo")).status_code == 404


async def test_no_plate_is_in_a_dump_a_log_a_metric_or_a_photo(beat: Beat, services: RunningServices) -> None:
    plates = ("浙D7K0X1", "浙D7K0X2", "浙DDX0003", "浙D7K0X4", "浙D7K0X5")
    with capture_logs() as logs:
        session_id = await beat.town.session("KA-001", now() - timedelta(hours=3))
        assert (await beat.claims(session_id, plates[0])).status_code == 201
        assert (await beat.attach(session_id, plates[1], photo=picture())).status_code == 201
        assert (await beat.sees("KA-001", plates[2], now() - timedelta(hours=1))).status_code == 202
        asked = await beat.asks("POST", "/may-stand", json={"plate": plates[3], "lot": "KA"})
        exempt = {"plate": plates[4], "reason": "on duty"}
        assert (await beat.asks("POST", "/exemptions", "chen", json=exempt)).status_code == 201
        odd = await beat.claims(session_id, f"{plates[0]}9")
        await bill_sessions(beat.town.database, RealClock())
    assert (asked.status_code, odd.status_code) == (200, 422)
    metrics = (await beat.api.get("/metrics")).text
    explained = (await beat.asks("GET", f"/sessions/{session_id}/explain", "chen")).text
    said = json.dumps(logs, default=str, ensure_ascii=False) + metrics + explained + odd.text
    dumped = dump(services, beat.town.database.url).decode()
    assert "plate_evidence" in dumped
    files = b"".join(path.read_bytes() for path in beat.photos.glob("*/*"))
    for plate in plates:
        for part in (plate, plate[1:], plate[-5:]):
            assert part not in dumped, part
            assert part not in said, part
            assert part.encode() not in files
            assert part.encode().hex() not in dumped
    assert "浙D***X2" in explained
    subject = await beat.one("SELECT subject FROM audit WHERE action = 'may-stand.asked'")
    assert subject.startswith("plate:1:")


def dump(services: RunningServices, url: str) -> bytes:
    """Everything in the database: by its server's own pg_dump where that is there, else row by row."""
    programs = [path for path in Path("/proc").glob("*/exe") if _is_postgres(path)]
    for program in programs:
        pg_dump = program.resolve().with_name("pg_dump")
        if pg_dump.exists():
            command = [str(pg_dump), "--data-only", "--inserts", plain_url(url)]
            return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    raise AssertionError("the database's server runs, so its pg_dump lies beside it")


def _is_postgres(path: Path) -> bool:
    try:
        return path.resolve().name == "postgres"
    except OSError:
        return False

"""The collection report adds up, per lot and day, with vehicles that wardens saw and that they missed."""

import asyncio
import json
import os
import sys
from datetime import timedelta

import pytest

from api.passwords import hash_password
from billing.arrears.collecting import collection_of
from core.errors import InvalidError
from core.settings import Settings
from tests.api.town import now
from tests.kiosk.conftest import gone, seen
from tests.kiosk.test_arrears import billed
from tests.payments.conftest import PLATE_KEY, Desk
from tests.payments.counter import NOON_IN_CHINA

pytestmark = pytest.mark.services

ZONE = Settings().zone


async def test_a_day_of_which_wardens_miss_some_adds_up_to_the_fen(desk: Desk) -> None:
    paid, seen_unpaid = await gone(desk, 3), await gone(desk, 3, "KA-002")
    await gone(desk, 3, "KB-001")
    for session_id in (paid, seen_unpaid):
        await seen(desk, session_id, "浙D12345" if session_id == paid else "浙D67890")
    await gone(desk, 5)
    await billed(desk)
    await desk.pay(await desk.begin(paid))
    day = (NOON_IN_CHINA - timedelta(days=2)).astimezone(ZONE).date()
    async with desk.town.database.transaction() as db:
        rows = await collection_of(db, since=day, until=day + timedelta(days=1), zone=ZONE)
        assert [(row.lot_code, row.ended, row.identified, row.billed) for row in rows] == [
            ("KA", 2, 2, 2),
            ("KB", 1, 0, 1),
        ]
        money = [(row.billed_fen, row.collected_fen, row.arrears_fen, row.unidentified_fen) for row in rows]
        assert money == [(1200, 600, 600, 0), (600, 0, 0, 600)]
        for row in await collection_of(db, since=day - timedelta(days=9), until=day + timedelta(days=9), zone=ZONE):
            parts = row.collected_fen + row.given_up_fen + row.stay_fen + row.arrears_fen + row.unidentified_fen
            assert row.billed_fen == parts
        for until in (day, day - timedelta(days=1), day + timedelta(days=900)):
            with pytest.raises(InvalidError):
                await collection_of(db, since=day, until=until, zone=ZONE)


async def test_a_stay_that_is_paid_before_its_bill_is_made_adds_up_too(desk: Desk) -> None:
    await desk.pay(await desk.begin(await gone(desk, 3)))
    day = (NOON_IN_CHINA - timedelta(days=2)).astimezone(ZONE).date()
    async with desk.town.database.transaction() as db:
        (row,) = await collection_of(db, since=day, until=day + timedelta(days=1), zone=ZONE)
    assert (row.ended, row.billed) == (1, 0)
    assert (row.billed_fen, row.collected_fen, row.stay_fen) == (600, 600, 0)


async def test_finance_reads_it_over_http_and_a_warden_does_not(desk: Desk) -> None:
    await gone(desk, 3)
    await billed(desk)
    client, path = desk.api.client, "/api/v1/operator/collection"
    assert (await client.get(path)).status_code == 401
    for role, status in (("warden", 403), ("finance", 200)):
        await desk.town.operator(role, role, hash_password("correct horse"))
        await client.post("/api/v1/operator/login", json={"login": role, "password": "correct horse"})
        answer = await client.get(path)
        assert answer.status_code == status, answer.text
    rows = answer.json()
    assert [(row["lot_id"], row["ended"], row["unidentified_fen"]) for row in rows] == [("KA", 1, 600)]
    assert json.dumps(rows)
    assert (await client.get(path, params={"from": "2026-01-01", "to": "2025-01-01"})).status_code == 422
    assert rows[0]["day"] < now().date().isoformat()


async def run(desk: Desk, *words: str) -> tuple[int, str]:
    """A command against this town's database."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ops.cli",
        *words,
        env={**os.environ, "PARKING_DATABASE_URL": desk.town.database.url, "PARKING_PLATE_KEY": PLATE_KEY},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_the_commands_list_move_give_up_and_report(desk: Desk) -> None:
    seen_stay = await gone(desk, 40)
    await seen(desk, seen_stay, "浙D12345")
    await gone(desk, 40, "KA-002")
    await billed(desk, grace=timedelta(days=400))
    assert (await run(desk, "arrears", "move"))[0] == 0
    status, listed = await run(desk, "arrears", "list")
    assert (status, "浙D" in listed, "12345" in listed) == (0, True, False), listed[-1500:]
    status, said = await run(desk, "arrears", "write-off", "--older-than", "30", "--yes")
    assert (status, "1 debts given up" in said) == (0, True)
    day = (NOON_IN_CHINA - timedelta(days=39)).astimezone(ZONE).date()
    span = ("--from", str(day), "--to", str(day + timedelta(days=1)))
    status, written = await run(desk, "report", "collection", *span, "--format", "json")
    [row] = json.loads(written)
    assert (status, row["billed_fen"], row["arrears_fen"], row["given_up_fen"]) == (0, 1200, 600, 600)
    for form in ("csv", "table"):
        status, written = await run(desk, "report", "collection", *span, "--format", form)
        assert (status, "KA" in written) == (0, True)
    assert (await run(desk, "report", "collection", "--from", "yesterday"))[0] != 0

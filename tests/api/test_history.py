"""A lot's use over time: buckets in the lot's own days, silence apart from emptiness."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from api.history import QUARTER, lot_history
from core.clock import instant
from core.db import Database
from core.errors import InvalidError
from ops.rollups import count_quarters
from tests.support.desk import DAY, HOUR, MINUTE, open_desk, stay

pytestmark = pytest.mark.services

SHANGHAI = ZoneInfo("Asia/Shanghai")
MIDNIGHT_MS = 1_795_276_800_000  # 2026-11-22T00:00:00+08:00


async def test_what_was_heard_is_occupied_or_free_and_the_rest_unknown(database_url: str) -> None:
    database = Database(database_url)
    async with open_desk(database_url, now_ms=MIDNIGHT_MS + 10 * HOUR, spaces=2) as desk:
        await desk.send(*stay("s-001", MIDNIGHT_MS + HOUR, MIDNIGHT_MS + 90 * MINUTE))
        await count_quarters(desk.db, desk.clock.ms)
        (lot_id,) = await desk.db.fetchrow("SELECT id FROM lot")
        async with database.transaction() as db:
            since, until = instant(MIDNIGHT_MS), instant(desk.clock.ms)
            hours = await lot_history(db, lot_id, since=since, until=until, bucket=timedelta(hours=1), zone=SHANGHAI)
            (day,) = await lot_history(db, lot_id, since=since, until=until, bucket=timedelta(days=1), zone=SHANGHAI)
            quarters = await lot_history(db, lot_id, since=since, until=until, bucket=QUARTER, zone=SHANGHAI)
            with pytest.raises(InvalidError, match="quarters of an hour"):
                await lot_history(db, lot_id, since=since, until=until, bucket=timedelta(minutes=20), zone=SHANGHAI)
    await database.close()
    assert [(use.occupied_seconds, use.free_seconds, use.unknown_seconds) for use in hours[:6]] == [
        (0, 0, 7200),
        (1800, 1800, 3600),
        (0, 3600, 3600),
        (0, 3600, 3600),
        (0, 1800, 5400),
        (0, 0, 7200),
    ]
    assert (len(hours), len(quarters)) == (10, 40)
    assert (hours[1].begun, hours[1].ended) == (1, 1)
    assert day.begins_at == instant(MIDNIGHT_MS)
    assert (day.occupied_seconds, day.free_seconds, day.unknown_seconds) == (1800, 10_800, 72_000 - 12_600)


async def test_a_lot_without_quarters_was_silent(database_url: str) -> None:
    database = Database(database_url)
    async with open_desk(database_url, now_ms=MIDNIGHT_MS, spaces=1), database.transaction() as db:
        uses = await lot_history(
            db,
            1,
            since=instant(MIDNIGHT_MS - DAY),
            until=instant(MIDNIGHT_MS),
            bucket=timedelta(hours=6),
            zone=SHANGHAI,
        )
    await database.close()
    assert [use.unknown_seconds for use in uses] == [6 * 3600.0] * 4

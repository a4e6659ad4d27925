"""The public history of a lot: silent hours flagged, nothing finer than a quarter of an hour."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from api.histories import BadBucketError, bucket_of
from tests.api.conftest import Api
from tests.api.town import Town, now

pytestmark = pytest.mark.services

QUARTER_MS = 900_000


def hour_ago(hours: int) -> datetime:
    return now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)


@pytest.fixture
async def used(api: Api, town: Town) -> Api:
    """KA (three spaces): three hours ago one of three occupied, two hours ago one sensor silent, then nothing."""
    statement = text(
        "INSERT INTO lot_quarter (lot_id, quarter_at, spaces, occupied_ms, heard_ms, begun, ended)"
        " VALUES (:lot, :at, 3, :occupied, :heard, 1, 1)"
    )
    async with town.database.transaction() as db:
        for hours, heard in ((4, 3), (3, 2)):
            for quarter in range(4):
                at = hour_ago(hours) + timedelta(minutes=15 * quarter)
                row = {"lot": town.lots["KA"], "at": at, "occupied": QUARTER_MS, "heard": heard * QUARTER_MS}
                await db.execute(statement, row)
    return api


async def history(api: Api, **wish: Any) -> list[dict[str, Any]]:
    buckets: list[dict[str, Any]] = (await api.json("/api/v1/lots/KA/history", params=wish))["buckets"]
    return buckets


async def test_silent_hours_are_flagged_and_not_counted_as_empty(used: Api) -> None:
    wish = {"from": hour_ago(4).isoformat(), "to": hour_ago(1).isoformat(), "bucket": "1h"}
    heard, partly, silent = await history(used, **wish)
    assert (heard["occupied"], heard["free"], heard["unknown"], heard["silent"]) == (1, 2, 0, False)
    assert heard["occupancy"] == pytest.approx(1 / 3, abs=1e-3)
    assert (partly["occupied"], partly["free"], partly["unknown"], partly["silent"]) == (1, 1, 1, True)
    assert (silent["occupied"], silent["free"], silent["unknown"], silent["silent"]) == (0, 0, 3, True)
    assert silent["occupancy"] is None
    assert heard["complete"]


async def test_a_history_has_a_day_of_hours_unless_something_else_is_wished(used: Api) -> None:
    answer = await used.json("/api/v1/lots/KA/history")
    assert (answer["zone"], answer["capacity"], answer["bucket_minutes"]) == ("Asia/Shanghai", 3, 60)
    assert len(answer["buckets"]) in {24, 25}
    assert not answer["buckets"][-1]["complete"]
    assert len(await history(used, bucket="15m")) in {96, 97}
    assert await history(used, **{"from": "2090-01-01T00:00:00Z", "to": "2090-01-02T00:00:00Z"}) == []


async def test_what_makes_no_sense_is_refused(used: Api) -> None:
    for wish, slug in (
        ({"bucket": "20m"}, "bad-bucket"),
        ({"bucket": "soon"}, "bad-bucket"),
        ({"from": "2001-01-01T00:00:00Z"}, "history-too-long"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "invalid"),
    ):
        answer = await used.get("/api/v1/lots/KA/history", params=wish)
        assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{slug}"), wish
    assert (await used.get("/api/v1/lots/NONE/history")).status_code == 404


async def test_a_lot_that_only_counts_has_no_history_and_says_so(used: Api) -> None:
    answer = await used.json("/api/v1/lots/GS/history", params={"bucket": "6h"})
    assert all(one["silent"] and one["unknown"] == 100 and one["occupancy"] is None for one in answer["buckets"])


async def test_no_public_answer_tells_of_a_single_car(used: Api, town: Town) -> None:
    entered_at = datetime.now(UTC) - timedelta(hours=2)
    session_id = await town.session("KA-001", entered_at)
    await town.report("KA-001", occupied=True)
    await used.until_states("ouuuu")
    told = ""
    for path in ("lots", "lots/KA", "lots/KA/spaces", "lots/KA/history", "spaces", "spaces/state", "city"):
        told += (await used.get(f"/api/v1/{path}")).text
    told += (await used.get("/api/v1/lots/nearby", params={"lon": 120.9, "lat": 29.5})).text
    async with used.watching() as viewer:
        told += str(await viewer.event())
    for secret in (str(session_id), "s-ka-001", "entered_at", "plate", "begun", "sensor_id", "changed_at"):
        assert secret not in told


@pytest.mark.parametrize(
    ("words", "minutes"),
    [("quarter", 15), ("hour", 60), ("15m", 15), ("90min", 90), ("2h", 120), ("PT1H", 60), ("1d", 1440), ("60", 60)],
)
def test_a_bucket_has_many_names(words: str, minutes: int) -> None:
    assert bucket_of(words) == timedelta(minutes=minutes)


@pytest.mark.parametrize("words", ["", "0", "7m", "32d", "-1h", "1.5h", "99999d", "P1Y"])
def test_a_bucket_is_whole_quarters_up_to_a_month(words: str) -> None:
    with pytest.raises(BadBucketError):
        bucket_of(words)

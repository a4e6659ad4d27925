"""The worker's verdicts on a virtual clock, over a real database."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from sqlalchemy import text

from core.clock import VirtualClock, instant
from core.db import Database
from ops.sensor_watch import watch_sensors
from tests.support.street import Street
from tests.support.waiting import until

pytestmark = pytest.mark.services

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOW = 1_795_358_210_250


def clock_at(ms: int) -> VirtualClock:
    """A clock that shows this instant now."""
    return VirtualClock(real_start_ms=time.time_ns() // 1_000_000, virtual_start_ms=ms, speed=0.001)


@pytest.fixture
async def database(street: Street) -> AsyncIterator[Database]:
    database = Database(street.database_url)
    await street.db.execute("UPDATE sensor SET created_at = $1", instant(NOW - 90 * DAY))
    await street.db.execute("INSERT INTO space_state (space_id) SELECT id FROM space")
    yield database
    await database.close()


async def write(database: Database, statement: str, **values: Any) -> None:
    async with database.transaction() as db:
        await db.execute(text(statement), values)


async def heard(database: Database, street: Street, *spaces: str, at_ms: int, changed_ms: int | None = None) -> None:
    """What ingest writes when the sensors of these spaces are heard."""
    sensors = [street.sensor(space) for space in spaces]
    await write(
        database,
        """
        INSERT INTO sensor_state (sensor_id, last_heard_at, observed_at, boot, seq)
        SELECT id, :at, :at, -1, -1 FROM sensor WHERE code = ANY (:sensors)
        ON CONFLICT (sensor_id) DO UPDATE SET last_heard_at = excluded.last_heard_at
        """,
        at=instant(at_ms),
        sensors=sensors,
    )
    await write(
        database,
        "UPDATE space_state SET changed_at = :changed FROM space WHERE space.id = space_id AND code = ANY (:spaces)",
        changed=instant(at_ms if changed_ms is None else changed_ms),
        spaces=list(spaces),
    )


async def held(street: Street, space: str) -> list[tuple[str, int, int | None]]:
    """The verdicts on a space's sensor as they came: which, from when, until when."""
    rows = await street.db.fetch(
        """
        SELECT verdict, (extract(epoch FROM began_at) * 1000)::bigint, (extract(epoch FROM ended_at) * 1000)::bigint
        FROM sensor_verdict JOIN sensor ON sensor.id = sensor_id WHERE code = $1 ORDER BY sensor_verdict.id
        """,
        street.sensor(space),
    )
    return [tuple(row) for row in rows]


async def test_silence_is_kept_with_the_instant_it_began_and_ended(database: Database, street: Street) -> None:
    await heard(database, street, "KL-001", at_ms=NOW)
    for minutes in (1, 60, 91, 150, 181, 240):
        await watch_sensors(database, clock_at(NOW + minutes * MINUTE))
    await heard(database, street, "KL-001", at_ms=NOW + 250 * MINUTE)
    await watch_sensors(database, clock_at(NOW + 251 * MINUTE))

    history = await held(street, "KL-001")
    assert [verdict for verdict, *_ in history] == ["online", "late", "silent", "online"]
    online, late, silent, again = history
    assert online[1] == NOW
    assert late[1] == NOW + 90 * MINUTE, "when the limit was passed, not when somebody looked"
    assert silent[1] == NOW + 180 * MINUTE
    assert 0 <= (silent[2] or 0) - (NOW + 251 * MINUTE) < 1_000
    assert again == ("online", NOW + 250 * MINUTE, None)
    assert await held(street, "KL-002") == [("never-heard", NOW - 90 * DAY, None)]


async def test_looking_again_changes_nothing(database: Database, street: Street) -> None:
    await heard(database, street, "KL-001", at_ms=NOW)
    await watch_sensors(database, clock_at(NOW + MINUTE))
    before = await street.db.fetch("SELECT * FROM sensor_verdict ORDER BY id")
    await watch_sensors(database, clock_at(NOW + 2 * MINUTE))
    assert await street.db.fetch("SELECT * FROM sensor_verdict ORDER BY id") == before


async def test_a_sensor_that_says_the_same_while_its_street_lives_is_stuck(database: Database, street: Street) -> None:
    spaces = [f"KL-{n:03d}" for n in range(1, 11)]
    await heard(database, street, *spaces[:5], at_ms=NOW)
    await heard(database, street, *spaces[5:9], at_ms=NOW, changed_ms=NOW - 2 * DAY)
    await heard(database, street, spaces[9], at_ms=NOW, changed_ms=NOW - 4 * DAY)
    await watch_sensors(database, clock_at(NOW + MINUTE))
    assert await held(street, "KL-010") == [("stuck", NOW - DAY, None)]
    assert (await held(street, "KL-009"))[0][0] == "online"

    await heard(database, street, *spaces, at_ms=NOW, changed_ms=NOW - 5 * DAY)
    await watch_sensors(database, clock_at(NOW + 2 * MINUTE))
    assert [verdict for verdict, _, ended in await held(street, "KL-010") if ended is None] == ["online"], "a holiday"


async def test_a_new_sensor_is_not_blamed_for_what_the_one_before_it_said(database: Database, street: Street) -> None:
    spaces = [f"KL-{n:03d}" for n in range(1, 11)]
    await heard(database, street, *spaces[:9], at_ms=NOW)
    await heard(database, street, spaces[9], at_ms=NOW, changed_ms=NOW - 9 * DAY)
    await write(
        database,
        "UPDATE sensor_assignment SET during = tstzrange(:since, NULL) FROM sensor"
        " WHERE sensor.id = sensor_id AND code = :code",
        since=instant(NOW - DAY),
        code=street.sensor("KL-010"),
    )
    await watch_sensors(database, clock_at(NOW + MINUTE))
    assert [verdict for verdict, *_ in await held(street, "KL-010")] == ["online"]


async def test_a_sensor_that_changes_all_the_time_is_flapping(database: Database, street: Street) -> None:
    await heard(database, street, "KL-001", "KL-002", at_ms=NOW)
    for space, changes in (("KL-001", 22), ("KL-002", 21)):
        await write(
            database,
            """
            INSERT INTO reading (sensor_id, observed_at, boot, seq, occupancy, kind, space_id, received_at, topic, raw)
            SELECT watch.sensor_id, CAST(:now AS timestamptz) - n * interval '2 minutes', -1, -1,
                   CAST(CASE n % 2 WHEN 0 THEN 'occupied' ELSE 'free' END AS occupancy), 'change', watch.space_id,
                   :now, '', ''
            FROM sensor_assignment AS watch JOIN sensor ON sensor.id = watch.sensor_id,
                 generate_series(1, :changes) AS n
            WHERE sensor.code = :code
            """,
            now=instant(NOW),
            changes=changes,
            code=street.sensor(space),
        )
    await watch_sensors(database, clock_at(NOW + MINUTE))
    assert [verdict for verdict, *_ in await held(street, "KL-001")] == ["flapping"]
    assert [verdict for verdict, *_ in await held(street, "KL-002")] == ["online"]


async def test_a_sensor_that_watches_nothing_is_not_judged(database: Database, street: Street) -> None:
    await watch_sensors(database, clock_at(NOW))
    await write(database, "DELETE FROM sensor_assignment")
    await watch_sensors(database, clock_at(NOW + MINUTE))
    assert all(ended is not None for _, _, ended in await held(street, "KL-001"))


async def test_the_worker_judges_on_its_virtual_clock_and_counts_for_prometheus(
    database: Database, street: Street
) -> None:
    virtual = instant(NOW)
    await heard(database, street, "KL-001", at_ms=NOW - 175 * MINUTE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PARKING_DATABASE_URL": street.database_url,
        "PARKING_CLOCK": f"{time.time_ns() // 1_000_000}/{NOW}/600",
        "PARKING_METRICS_PORT": str(port),
    }
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ops.worker", env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:

        async def silent() -> bool:
            return any(verdict == "silent" for verdict, *_ in await held(street, "KL-001"))

        await until(silent)
        (began,) = [began for verdict, began, _ in await held(street, "KL-001") if verdict == "silent"]
        assert instant(began) == virtual + timedelta(minutes=5)

        async def counted() -> bool:
            try:
                figures = (await asyncio.to_thread(urlopen, f"http://127.0.0.1:{port}/metrics")).read().decode()
            except URLError:
                return False
            return 'parking_sensors{verdict="silent"} 1.0' in figures and (
                'parking_sensors{verdict="never-heard"} 9.0' in figures
            )

        await until(counted)
    finally:
        worker.terminate()
        await worker.wait()

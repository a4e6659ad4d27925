"""The README's tour, walked: its own street, its own messages, through the real broker to the bills it promises."""

import asyncio
import os
import re
import shlex
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from billing.bills import bill_ended_sessions
from core.db import Database
from ops.city import import_city
from ops.services import RunningServices
from tests.docs.reading import ROOT, page
from tests.support.street import Street, connect_publisher, forget_broker_session
from tests.support.waiting import until

pytestmark = pytest.mark.services

EXAMPLES = ROOT / "docs" / "examples"


def published() -> list[tuple[str, str]]:
    """Topic and payload of every message that the tour publishes, in its order."""
    shell = "\n".join(page("README.md").blocks("sh"))
    words = [shlex.split(line) for line in re.findall(r"^publish (?:[^'\n]*'[^']*')", shell, re.MULTILINE)]
    return [(topic, payload) for _, topic, payload in words]


@pytest.fixture
async def tour(services: RunningServices, database_url: str) -> AsyncIterator[Street]:
    """The example street, imported, with the real ingest behind the real broker."""
    database = Database(database_url)
    source = (EXAMPLES / "street.geojson").read_bytes()
    await import_city(database, source, now=datetime.now(UTC), zone=ZoneInfo("Asia/Shanghai"))
    await database.close()
    db = await asyncpg.connect(database_url)
    street = Street(
        db=db,
        database_url=database_url,
        endpoints=services.endpoints,
        prefix=uuid4().hex[:8],
        publisher=connect_publisher(services.endpoints.mqtt_tester_url),
    )
    await street.start_ingest()
    yield street
    await street.kill_ingest()
    street.publisher.disconnect()
    street.publisher.loop_stop()
    forget_broker_session(services.endpoints.mqtt_ingest_url, f"ingest-{street.prefix}")
    await db.close()


async def publish_by_example(street: Street, topic: str, payload: str) -> None:
    environment = {**os.environ, "PARKING_MQTT_URL": street.endpoints.mqtt_tester_url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / "publish.py"), topic, payload, env=environment
    )
    assert await process.wait() == 0


async def bill(street: Street) -> None:
    database = Database(street.database_url)
    async with database.transaction() as db:
        await bill_ended_sessions(db, at=datetime.now(UTC), limit=100)
    await database.close()


async def current_fees(street: Street) -> list[tuple[object, int]]:
    rows = await street.db.fetch("SELECT session_id, total_fen FROM current_bill ORDER BY issued_at")
    return [tuple(row) for row in rows]


async def test_the_tour_ends_in_the_bills_it_promises(tour: Street) -> None:
    arrival, departure, late, uplink = published()
    for message in (arrival, departure):
        await publish_by_example(tour, *message)
    await tour.until_readings(2)
    await bill(tour)
    ((session_id, fee),) = await current_fees(tour)
    assert fee == 600

    await publish_by_example(tour, *late)
    await tour.until_readings(3)
    await bill(tour)
    assert await current_fees(tour) == [(session_id, 300)]
    assert await tour.db.fetchval("SELECT count(*) FROM bill") == 2

    await publish_by_example(tour, *uplink)

    async def occupied() -> bool:
        return [session["space"] for session in await tour.sessions() if session["status"] == "open"] == ["MILL-002"]

    await until(occupied)

"""What the database alone can take: the same rows into the same table, by COPY, by a multi-row INSERT, one by one."""

import time
from collections.abc import Sequence
from typing import Final

import asyncpg

from core.clock import RealClock
from core.ids import SensorId, SpaceId
from core.occupancy import Reading, order_key
from ingest import statements as sql
from ingest.database import connect
from ingest.decode import decode
from ingest.registry import load_registry
from ingest.statements import Arrival, arrived
from ops.bench.load import Load

ROWS_A_COMMIT: Final = 1_000
ROWS_ONE_BY_ONE: Final = 2_000
"""Enough for a figure: they are slow."""


async def copy_limit(url: str, load: Load) -> float:
    """Rows a second by COPY, a commit every thousand."""
    db = await connect(url, application="parking-bench")
    arrivals = await _arrivals(db, load)
    began = time.perf_counter()
    for first in range(0, len(arrivals), ROWS_A_COMMIT):
        await sql.store_readings(db, arrivals[first : first + ROWS_A_COMMIT])
    seconds = time.perf_counter() - began
    await db.execute("TRUNCATE reading")
    await db.close()
    return len(arrivals) / seconds


async def insert_limit(url: str, load: Load) -> float:
    """Rows a second by INSERT from arrays that leaves out what is there, a commit every thousand."""
    db = await connect(url, application="parking-bench")
    arrivals = await _arrivals(db, load)
    began = time.perf_counter()
    for first in range(0, len(arrivals), ROWS_A_COMMIT):
        await sql.store_unless_repeated(db, arrivals[first : first + ROWS_A_COMMIT])
    seconds = time.perf_counter() - began
    await db.execute("TRUNCATE reading")
    await db.close()
    return len(arrivals) / seconds


async def one_by_one_limit(url: str, load: Load) -> float:
    """Rows a second by an INSERT and a commit each: the most that a callback which stores its message could do."""
    db = await connect(url, application="parking-bench")
    arrivals = (await _arrivals(db, load))[:ROWS_ONE_BY_ONE]
    began = time.perf_counter()
    for arrival in arrivals:
        await sql.store_unless_repeated(db, [arrival])
    seconds = time.perf_counter() - began
    await db.execute("TRUNCATE reading")
    await db.close()
    return len(arrivals) / seconds


async def _arrivals(db: asyncpg.Connection, load: Load) -> Sequence[Arrival]:
    """The distinct readings of a load, decoded beforehand."""
    registry = await load_registry(db)
    now_ms = RealClock().now_ms()
    arrivals: dict[object, Arrival] = {}
    for topic, payload in load.messages:
        for reading in decode(topic, payload, registry=registry):
            if isinstance(reading, Reading):
                sensor = registry.sensors[reading.sensor]
                space_id = sensor.space_at(reading.at_ms) or SpaceId(0)
                arrival = arrived(reading, SensorId(sensor.sensor_id), space_id, now_ms, topic)
                arrivals[order_key(reading)] = arrival
    return list(arrivals.values())

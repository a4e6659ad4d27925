"""Where a bench runs: services of its own in a folder that goes with it, or those that two settings name."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg

from core.clock import RealClock
from core.db import Database, plain_url
from ops import database
from ops.bench.load import sensor_code
from ops.city import import_city
from ops.services import Endpoints, start
from ops.state import State
from simulator.cities import demo_city


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """A database server and a broker that nobody else uses."""

    endpoints: Endpoints
    state: State
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @asynccontextmanager
    async def city(self, spaces: int) -> AsyncIterator[str]:
        """A database with a city of so many spaces, each watched by a sensor; its URL. Dropped afterwards."""
        async with self.empty() as url:
            db = await asyncpg.connect(plain_url(url))
            await plant(db, spaces)
            await db.close()
            yield url

    @asynccontextmanager
    async def demo_city(self) -> AsyncIterator[str]:
        """A database with the demo city, every sensor just heard, two spaces of three taken; its URL."""
        async with self.empty() as url:
            city = Database(url, application="bench")
            await import_city(city, demo_city(), now=RealClock().now(), zone=ZoneInfo("Asia/Shanghai"))
            await city.close()
            db = await asyncpg.connect(plain_url(url))
            await db.execute(_JUST_HEARD)
            await db.close()
            yield url

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[str]:
        """A migrated database without a city; its URL. Dropped afterwards."""
        server, name = self.endpoints.database_url, f"parking_bench_{next(self._numbers)}"
        await database.drop_database(server, name)
        url = await database.create_database(server, name)
        try:
            await asyncio.to_thread(database.upgrade, url)
            yield url
        finally:
            await database.drop_database(server, name)


@contextmanager
def surroundings(tell: Callable[[str], None]) -> Iterator[Surroundings]:
    """Services of the bench's own, ended and removed afterwards; those that both URLs name instead, where they do.

    Only the unpacked programs are shared with this user's own installation.
    """
    os.environ.setdefault("PARKING_SERVICES_DIR", str(State.find().root / "services"))
    folder = Path(tempfile.mkdtemp(prefix="parking-bench-"))
    folder.chmod(0o711)  # as root the services run as another user, who must pass
    state = State.find(folder / "state")
    try:
        with start(state, progress=tell) as services:
            yield Surroundings(endpoints=services.endpoints, state=state)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_JUST_HEARD = """
INSERT INTO space_state (space_id, occupancy, changed_at, last_heard_at, written_xid)
SELECT id, (CASE WHEN id % 3 = 0 THEN 'free' ELSE 'occupied' END)::occupancy, now(), now(),
    pg_current_xact_id()::text::bigint
FROM space
ON CONFLICT (space_id) DO UPDATE SET occupancy = excluded.occupancy, changed_at = excluded.changed_at,
    last_heard_at = excluded.last_heard_at, written_xid = excluded.written_xid
"""


async def plant(db: asyncpg.Connection, spaces: int) -> None:
    """Lots of fifty spaces, a native sensor on each, watching from ever, heard an hour ago.

    Their states have been written before, as in any city that runs: else the first write of every page, which goes
    into the log whole, would be measured. Every space is free and has a fold, of a reading a day old: a row without one
    is so short that it has to leave its page when its first reading comes.
    """
    assert sensor_code(1) == f"bench-{1:06}"  # noqa: S101 - the statement below spells it out
    await db.execute(
        """
        INSERT INTO lot (code, name, kind, zone, entrances, geometry)
        SELECT 'B' || n, 'lot ' || n, 'on_street', 'Asia/Shanghai', '[]', '{}'
        FROM generate_series(1, $1::int / 50 + 1) AS n
        """,
        spaces,
    )
    await db.execute(
        """
        INSERT INTO space (code, lot_id, geometry)
        SELECT lot.code || '-' || n, lot.id, '{}' FROM generate_series(1, $1::int) AS n
        JOIN lot ON lot.code = 'B' || (n / 50 + 1) ORDER BY n
        """,
        spaces,
    )
    await db.execute(
        "INSERT INTO sensor (code) SELECT 'bench-' || lpad(n::text, 6, '0') FROM generate_series(1, $1::int) AS n",
        spaces,
    )
    await db.execute(
        """
        INSERT INTO sensor_assignment (sensor_id, space_id, during)
        SELECT sensor.id, space.id, tstzrange(NULL, NULL)
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM sensor) AS sensor
        JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM space) AS space USING (n)
        """
    )
    await db.execute(
        """
        INSERT INTO space_state (space_id, occupancy, changed_at, last_heard_at, fold)
        SELECT watch.space_id, 'free', heard.at, heard.at,
               json_build_object('state', json_build_object(
                   'key', json_build_array(heard.ms, 1, 0, sensor.code, 1, 'heartbeat'), 'changed_ms', heard.ms))
        FROM sensor_assignment AS watch JOIN sensor ON sensor.id = watch.sensor_id, (
            SELECT now() - INTERVAL '1 day' AS at, floor(1000 * extract(epoch FROM now() - INTERVAL '1 day')) AS ms
        ) AS heard
        ORDER BY watch.space_id
        """
    )
    await db.execute("UPDATE space_state SET version = version + 1")
    await db.execute(
        """
        INSERT INTO sensor_state (sensor_id, last_heard_at, observed_at, boot, seq, battery_mv, rssi_dbm, temperature_c)
        SELECT id, now() - INTERVAL '1 hour', now() - INTERVAL '1 hour', 1, 0, 3612, -97, 21.5 FROM sensor ORDER BY id
        """
    )
    await db.execute("UPDATE sensor_state SET seq = seq")

"""A street of a few spaces with sensors, a real broker in front, and the real ingest process behind it."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import asyncpg
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from ops.services import Endpoints
from tests.support.waiting import until

LOT = {"code": "KL", "min_stay_seconds": 20, "min_gap_seconds": 20}


@dataclass(slots=True, kw_only=True)
class Street:
    """``count`` spaces ``KL-001`` ...; the sensor of ``KL-001`` is ``<prefix>-001``, so that tests share one broker."""

    db: asyncpg.Connection
    database_url: str
    endpoints: Endpoints
    prefix: str
    publisher: Client
    ingests: list[asyncio.subprocess.Process] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    """Every line that any ingest has logged."""

    def sensor(self, space: str) -> str:
        """The sensor watching a space."""
        return f"{self.prefix}-{space.rpartition('-')[2]}"

    def publish(self, topic: str, payload: bytes | str) -> None:
        """Publish with QoS 1 and wait until the broker has it."""
        self.publisher.publish(topic, payload, qos=1).wait_for_publish(15)

    def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Publish many and wait until the broker has them all."""
        sent = [self.publisher.publish(topic, payload, qos=1) for topic, payload in messages]
        for info in sent:
            if info.rc is MQTTErrorCode.MQTT_ERR_NO_CONN:
                info.rc = MQTTErrorCode.MQTT_ERR_AGAIN  # while the broker is away it is queued, and sent afterwards
            info.wait_for_publish(60)
            assert info.is_published(), "the broker is gone"

    def send(self, space: str, *, occupied: bool, at_ms: int | None = None, times: int = 1, **more: object) -> None:
        """One reading on the native topic."""
        at = int(time.time() * 1_000) if at_ms is None else at_ms
        payload = json.dumps({"at": at, "occupied": occupied, "kind": "change", **more})
        for _ in range(times):
            self.publish(f"parking/test/{self.sensor(space)}/up", payload)

    async def start_ingest(
        self, *, until_it_says: str = "broker.subscribed", **settings: object
    ) -> asyncio.subprocess.Process:
        """Start the real process; it goes on with the broker session of the one before."""
        environment = {
            **os.environ,
            "PARKING_DATABASE_URL": self.database_url,
            "PARKING_MQTT_URL": self.endpoints.mqtt_ingest_url,
            "PARKING_MQTT_CLIENT_ID": f"ingest-{self.prefix}",
            "PARKING_LOG_JSON": "true",
            **self.environment,
            **{f"PARKING_{name.upper()}": str(value) for name, value in settings.items()},
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ingest", env=environment, stderr=asyncio.subprocess.PIPE
        )
        self.ingests.append(process)
        assert process.stderr is not None
        seen = len(self.said)
        listening = asyncio.create_task(self._listen(process.stderr))
        await self.until_said(until_it_says, since=seen, unless=listening)
        return process

    async def until_said(
        self,
        event: str,
        *,
        since: int = 0,
        within_seconds: float = 60,
        unless: asyncio.Task[None] | None = None,
    ) -> str:
        """Wait for an event in the log, at the earliest so many lines from its beginning; the line."""

        async def said() -> str | None:
            assert unless is None or not unless.done(), "it ended: " + "".join(self.said[since:][-20:])
            return next((line for line in self.said[since:] if event in line), None)

        line = await until(said, within_seconds=within_seconds)
        assert line is not None
        return line

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            self.said.append(line.decode())
            if b'"error"' in line or not line.startswith(b"{"):
                sys.stderr.write(line.decode())

    async def kill_ingest(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill the newest ingest and wait until it is gone."""
        process = self.ingests[-1]
        if process.returncode is None:
            process.send_signal(number)
        await process.wait()

    async def readings(self) -> int:
        """How many readings are stored."""
        return int(await self.db.fetchval("SELECT count(*) FROM reading"))

    async def until_readings(self, count: int, *, within_seconds: float = 60) -> None:
        """Wait until just so many readings are stored."""

        async def stored() -> bool:
            return await self.readings() >= count

        await until(stored, within_seconds=within_seconds)
        assert await self.readings() == count

    async def until_refusals(self, count: int) -> list[asyncpg.Record]:
        """Wait until so many kinds of refused bytes are kept; returns them, oldest first."""

        async def kept() -> list[asyncpg.Record]:
            rows = await self.db.fetch("SELECT * FROM refusal ORDER BY id")
            return list(rows) if len(rows) >= count else []

        return await until(kept)

    async def sessions(self, *, with_void: bool = False) -> list[dict[str, Any]]:
        """Sessions by space and begin, in milliseconds."""
        rows = await self.db.fetch(
            """
            SELECT session.id, space.code AS space, session.status, session.revision, session.unsure_why,
                   (extract(epoch FROM entered_at) * 1000)::bigint AS entered_ms,
                   (extract(epoch FROM left_at) * 1000)::bigint AS left_ms
            FROM parking_session AS session JOIN space ON space.id = session.space_id
            WHERE $1 OR session.status <> 'void' ORDER BY space.code, entered_at
            """,
            with_void,
        )
        return [dict(row) for row in rows]

    async def times(self) -> list[tuple[str, int, int | None]]:
        """Space, begin and end of every session that is not void."""
        return [(row["space"], row["entered_ms"], row["left_ms"]) for row in await self.sessions()]


@asynccontextmanager
async def built_street(endpoints: Endpoints, database_url: str, count: int = 10) -> AsyncIterator[Street]:
    """Plant the street, connect a publisher; kill what was started at the end."""
    db = await asyncpg.connect(database_url)
    prefix = uuid4().hex[:8]
    await plant(db, prefix, count)
    publisher = connect_publisher(endpoints.mqtt_tester_url)
    street = Street(db=db, database_url=database_url, endpoints=endpoints, prefix=prefix, publisher=publisher)
    try:
        yield street
    finally:
        publisher.disconnect()
        publisher.loop_stop()
        for process in street.ingests:
            if process.returncode is None:
                process.kill()
                await process.wait()
        forget_broker_session(endpoints.mqtt_ingest_url, f"ingest-{prefix}")
        await db.close()


async def plant(db: asyncpg.Connection, prefix: str, count: int) -> None:
    """One lot, ``count`` spaces and a native sensor on each, watching from ever."""
    await db.execute(
        """
        INSERT INTO lot (code, name, kind, tariff, zone, entrances, geometry, min_stay_seconds, min_gap_seconds)
        VALUES ('KL', 'a street', 'on_street', 'xinchang-kerb', 'Asia/Shanghai', '[]', '{}', 20, 20)
        """
    )
    await db.execute(
        """
        INSERT INTO space (code, lot_id, geometry)
        SELECT 'KL-' || lpad(n::text, greatest(3, length(n::text)), '0'), lot.id, '{}'
        FROM lot, generate_series(1, $1::int) AS n
        """,
        count,
    )
    await db.execute(
        """
        INSERT INTO sensor (code, heartbeat_seconds)
        SELECT $1 || '-' || lpad(n::text, greatest(3, length(n::text)), '0'), 3600 FROM generate_series(1, $2::int) AS n
        """,
        prefix,
        count,
    )
    await db.execute(
        """
        INSERT INTO sensor_assignment (sensor_id, space_id, during)
        SELECT sensor.id, space.id, tstzrange(NULL, NULL)
        FROM sensor JOIN space ON split_part(space.code, '-', 2) = split_part(sensor.code, '-', 2)
        """
    )


def connect_publisher(url: str) -> Client:
    """A publisher with its own thread, connected."""
    parts = urlsplit(url)
    client = Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(1_000)
    client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
    client.connect(parts.hostname or "", parts.port or 1883)
    client.loop_start()
    return client


def forget_broker_session(url: str, client_id: str) -> None:
    """Let the broker drop a persistent session, so that later tests are not queued for."""
    parts = urlsplit(url)
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
    client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
    client.connect(parts.hostname or "", parts.port or 1883)
    client.loop_start()
    client.disconnect()
    client.loop_stop()

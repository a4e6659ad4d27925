"""Long outages under the county's ordinary load: nothing lost, nothing twice, memory bounded, and how fast it recovers.

The short ones are tests; these take as long as a nightly dump or a broken machine does.
"""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import asyncpg
import psutil
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from core.db import plain_url
from core.errors import UnavailableError
from ops.bench import broker
from ops.bench.load import Load, single_load
from ops.bench.report import Report, Row
from ops.bench.running import ingest_process
from ops.bench.surroundings import Surroundings
from ops.services import RunningServices, start
from ops.services.running import find_service
from ops.state import State

SETTLE_SECONDS: Final = 5.0
CAUGHT_UP_WITHIN_SECONDS: Final = 900.0
ACCEPTED_WITHIN_SECONDS: Final = 120.0
MEMORY_MIB: Final = 400
"""The process with a full inbox is wished to be no larger."""
SESSION: Final = "bench-faults"

Show = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """How long, and how much meanwhile."""

    minutes: float = 15
    names: Sequence[str] = ()
    """Which faults; none: all of them."""
    spaces: int = 2_300
    per_second: int = 40
    """Readings: the county sends four a second on an ordinary day."""


@dataclass(slots=True, kw_only=True)
class Scene:
    """One fault while it lasts."""

    services: RunningServices
    state: State
    url: str
    seconds: float
    peak_bytes: int = 0

    async def database_away(self) -> None:
        """Killed, and started again when the time is up."""
        service = find_service(self.state, "postgres")
        if service is not None:
            os.kill(service.pid, signal.SIGKILL)
        await asyncio.sleep(self.seconds)
        await asyncio.to_thread(self.services.restart, "postgres")

    async def table_locked(self) -> None:
        """Nobody may touch the readings, as while a dump or a migration holds them."""
        db = await asyncpg.connect(plain_url(self.url))
        await db.execute("SET idle_in_transaction_session_timeout = 0")  # a dump is not idle; ours only waits
        async with db.transaction():
            await db.execute("LOCK TABLE reading IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(self.seconds)
        await db.close()

    async def broker_restarted(self) -> None:
        """Cleanly, every half minute."""
        ends_at = time.monotonic() + self.seconds
        while time.monotonic() < ends_at:
            await asyncio.sleep(min(30.0, self.seconds))
            await asyncio.to_thread(self.services.restart, "mosquitto")


FAULTS: Final = {
    "database away": Scene.database_away,
    "table locked": Scene.table_locked,
    "broker restarted every 30 s": Scene.broker_restarted,
}


def run(plan: FaultPlan, show: Show) -> Report:
    """Every fault in turn, each over an empty city, with services of the bench's own."""
    report = Report(bench="faults")
    os.environ.setdefault("PARKING_SERVICES_DIR", str(State.find().root / "services"))
    folder = Path(tempfile.mkdtemp(prefix="parking-bench-"))
    folder.chmod(0o711)  # as root the services run as another user, who must pass
    state = State.find(folder / "state")
    try:
        with start(state, progress=show) as services:
            for name in plan.names or FAULTS:
                report.rows.extend(asyncio.run(_suffer(name, plan, services, state, show)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report


async def _suffer(
    name: str, plan: FaultPlan, services: RunningServices, state: State, show: Show
) -> tuple[Row, Row, Row]:
    """Load before, during and after one fault; how much was lost, how long it took to catch up, and the memory."""
    seconds = 60 * plan.minutes
    readings = int(plan.per_second * (seconds + 2 * SETTLE_SECONDS))
    load = single_load(spaces=plan.spaces, readings=readings, until_ms=time.time_ns() // 1_000_000)
    surroundings = Surroundings(endpoints=services.endpoints, state=state)
    async with surroundings.city(plan.spaces) as url:
        scene = Scene(services=services, state=state, url=url, seconds=seconds)
        settings = {
            "PARKING_DATABASE_URL": url,
            "PARKING_MQTT_URL": services.endpoints.mqtt_ingest_url,
            "PARKING_MQTT_CLIENT_ID": SESSION,
        }
        await asyncio.to_thread(broker.queue_up, _urls(services), SESSION, [], lambda _: None)
        async with ingest_process(settings, state.logs / "ingest.log") as (process, _), _measured(scene, process):
            publishing = asyncio.create_task(_publish(services.endpoints.mqtt_tester_url, load, plan, name, show))
            await asyncio.sleep(SETTLE_SECONDS)
            await FAULTS[name](scene)
            over_at = time.monotonic()
            await publishing
            stored = await _until_stored(url, load.distinct, process, show)
            caught_up = time.monotonic() - over_at
        await asyncio.to_thread(broker.forget, services.endpoints.mqtt_ingest_url, SESSION)
    what = f"{name}, {plan.minutes:g} min"
    note = f"sent {load.readings}, {load.readings - load.distinct} of them twice"
    return (
        Row(what=f"{what}: lost or doubled", value=abs(load.distinct - stored), unit="readings", at_most=0, note=note),
        Row(what=f"{what}: caught up after", value=caught_up, unit="s"),
        Row(what=f"{what}: ingest's memory", value=scene.peak_bytes / 2**20, unit="MiB", at_most=MEMORY_MIB),
    )


def _urls(services: RunningServices) -> tuple[str, str]:
    return services.endpoints.mqtt_ingest_url, services.endpoints.mqtt_tester_url


async def _publish(url: str, load: Load, plan: FaultPlan, name: str, show: Show) -> None:
    """At an even pace; what the broker has not acknowledged is kept by the client until it has."""
    parts = urlsplit(url)
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"{SESSION}-publisher", clean_session=False)
    client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
    client.max_inflight_messages_set(1_000)
    client.reconnect_delay_set(1, 2)
    loop, accepted, waiting = asyncio.get_running_loop(), asyncio.Event(), len(load.messages)

    def count(*_: object) -> None:
        nonlocal waiting
        waiting -= 1
        if not waiting:
            loop.call_soon_threadsafe(accepted.set)

    client.on_publish = count
    client.connect(parts.hostname or "", parts.port or 1883)
    client.loop_start()
    began = time.monotonic()
    for number, (topic, payload) in enumerate(load.messages):
        client.publish(topic, payload, qos=1)  # without a connection it waits for the next
        if number % plan.per_second == 0:
            show(name, number, len(load.messages))
            await asyncio.sleep(max(0.0, began + number / plan.per_second - time.monotonic()))
    try:
        async with asyncio.timeout(ACCEPTED_WITHIN_SECONDS):
            await accepted.wait()
    except TimeoutError:
        raise UnavailableError(f"the broker has not acknowledged {waiting} of {len(load.messages)} messages") from None
    client.disconnect()
    client.loop_stop()


async def _until_stored(url: str, count: int, process: psutil.Process, show: Show) -> int:
    """Wait until so many readings are stored and no more come; how many are."""
    ends_at = time.monotonic() + CAUGHT_UP_WITHIN_SECONDS
    db, stored = await asyncpg.connect(plain_url(url)), 0
    try:
        while time.monotonic() < ends_at and process.is_running():
            stored = await db.fetchval("SELECT count(*) FROM reading")
            show("catching up", stored, count)
            if stored >= count:
                await asyncio.sleep(1)
                return int(await db.fetchval("SELECT count(*) FROM reading"))
            await asyncio.sleep(0.2)
        raise UnavailableError(f"{stored} of {count} readings are stored, and no more come")
    finally:
        await db.close()


@asynccontextmanager
async def _measured(scene: Scene, process: psutil.Process) -> AsyncIterator[None]:
    """Keep the largest memory of a process."""

    async def look() -> None:
        while True:
            scene.peak_bytes = max(scene.peak_bytes, process.memory_info().rss)
            await asyncio.sleep(1)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()

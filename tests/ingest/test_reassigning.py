"""Assignments corrected after the fact: everything ends as if they had been right from the start."""

import json
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.audit import AuditEntry
from core.clock import instant
from core.db import Database
from core.registry import changing
from core.registry.entry import SensorEntry
from ops.city import import_city
from tests.support.cities import collection, lot, space
from tests.support.street import Street
from tests.support.waiting import until

pytestmark = pytest.mark.services

MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Somebody:
    """Writes audit entries in the name of the tests."""

    def entry(self, action: str, subject: str, **values: Any) -> AuditEntry:
        return AuditEntry(at=datetime.now(UTC), actor="tests", action=action, subject=subject, **values)


ME = Somebody()


@dataclass(slots=True)
class Registry:
    """Changes the registry of a street, each change in its own transaction."""

    database: Database
    street: Street

    def transaction(self) -> Any:
        return self.database.transaction()

    async def swap(self, old: str, new: str, at_ms: int) -> None:
        async with self.database.transaction() as db:
            await changing.swap(db, old, SensorEntry(code=new), ME, at=instant(at_ms), now=datetime.now(UTC))

    async def assign(self, sensor: str, space: str, at_ms: int | None) -> None:
        async with self.database.transaction() as db:
            at = None if at_ms is None else instant(at_ms)
            await changing.assign(db, sensor, space, ME, at=at, now=datetime.now(UTC))

    async def unassign(self, sensor: str, at_ms: int) -> None:
        async with self.database.transaction() as db:
            await changing.unassign(db, sensor, ME, at=instant(at_ms), now=datetime.now(UTC))

    async def adopt(self, sensor: str, space: str, at_ms: int | None = None) -> datetime | None:
        async with self.database.transaction() as db:
            at = None if at_ms is None else instant(at_ms)
            entry = SensorEntry(code=sensor)
            return await changing.adopt(db, entry, space, ME, at=at, now=datetime.now(UTC))

    async def until_done(self) -> None:
        async def nothing_pending() -> bool:
            return not await self.street.db.fetchval("SELECT count(*) FROM reassignment WHERE done_at IS NULL")

        await until(nothing_pending)


@pytest.fixture
async def registry(street: Street) -> AsyncIterator[Registry]:
    database = Database(street.database_url)
    yield Registry(database, street)
    await database.close()


@pytest.fixture
def now_ms() -> int:
    return int(time.time() * 1_000)


def say(street: Street, sensor: str, at_ms: int, *, occupied: bool, **more: object) -> None:
    payload = json.dumps({"at": at_ms, "occupied": occupied, "kind": "change", **more})
    street.publish(f"parking/test/{sensor}/up", payload)


async def facts(street: Street) -> dict[str, list[Any]]:
    """All that readings decide, without ids and instants of writing: what two histories are compared by."""
    sessions = await street.db.fetch(
        """
        SELECT space.code, sensor.code, status, entered_at, left_at, begin_why, end_why, unsure_why, closed_gap_ms
        FROM parking_session AS session JOIN space ON space.id = session.space_id
        JOIN sensor ON sensor.id = session.sensor_id WHERE status <> 'void' ORDER BY space.code, entered_at
        """
    )
    readings = await street.db.fetch(
        """
        SELECT sensor.code, space.code, observed_at, occupancy::text FROM reading
        JOIN sensor ON sensor.id = reading.sensor_id JOIN space ON space.id = reading.space_id ORDER BY 1, 3, 4
        """
    )
    states = await street.db.fetch(
        """
        SELECT space.code, occupancy::text, changed_at, last_occupied_at, last_heard_at IS NULL AS unheard,
               fold->'state' AS state
        FROM space_state JOIN space ON space.id = space_id WHERE fold->'state'->'key' IS NOT NULL ORDER BY 1
        """
    )
    refused = await street.db.fetch(
        "SELECT sensor, reason, observed_at FROM refusal WHERE resolved_at IS NULL ORDER BY 1, 3"
    )
    return {"sessions": sessions, "readings": readings, "states": states, "refused": refused}


async def test_a_swap_noted_hours_late_ends_as_if_it_had_been_known(
    street: Street, registry: Registry, now_ms: int
) -> None:
    await street.start_ingest()
    old, new = street.sensor("KL-001"), f"{street.prefix}-new"
    begin, swapped = now_ms - 600 * MINUTE, now_ms - 300 * MINUTE
    for n in range(6):
        say(street, old, begin + n * 40 * MINUTE, occupied=n % 2 == 0)
    for n in range(6):
        say(street, new, swapped + (10 + n * 40) * MINUTE, occupied=n % 2 == 0)
    await street.until_readings(6)
    assert len(await street.until_refusals(6)) == 6

    await registry.swap(old, new, swapped)

    await street.until_readings(12)
    await registry.until_done()
    assert [time[1:] for time in await street.times()] == [
        *((begin + n * 40 * MINUTE, begin + (n + 1) * 40 * MINUTE) for n in (0, 2, 4)),
        *((swapped + (10 + n * 40) * MINUTE, swapped + (50 + n * 40) * MINUTE) for n in (0, 2, 4)),
    ]
    assert not [row for row in await street.until_refusals(6) if row["resolved_at"] is None]
    first, stored = await street.db.fetchrow(
        "SELECT min(first_received_at), (SELECT min(received_at) FROM reading JOIN sensor ON sensor.id = sensor_id"
        " WHERE sensor.code = $1) FROM refusal WHERE sensor = $1",
        new,
    )
    assert stored == first, "a reading keeps the instant it was received first"
    assert await street.db.fetchval("SELECT moved + set_aside FROM reassignment WHERE taken_in = 6") == 0


async def test_readings_stored_under_the_wrong_space_move_with_their_sessions(
    street: Street, registry: Registry, now_ms: int
) -> None:
    await street.start_ingest()
    sensor = street.sensor("KL-003")
    await registry.unassign(street.sensor("KL-007"), now_ms - 900 * MINUTE)
    begin, moved = now_ms - 600 * MINUTE, now_ms - 300 * MINUTE
    for n in range(12):
        say(street, sensor, begin + n * 45 * MINUTE, occupied=n % 2 == 0)
    await street.until_readings(12)
    (*_, last) = await street.sessions()

    await registry.assign(sensor, "KL-007", moved)
    await registry.until_done()

    times = await street.times()
    assert [space for space, *_ in times] == ["KL-003"] * 4 + ["KL-007"] * 2
    assert times[3] == ("KL-003", begin + 270 * MINUTE, None), "nobody has seen that vehicle leave"
    voids = [row for row in await street.sessions(with_void=True) if row["status"] == "void"]
    assert last["id"] in {row["id"] for row in voids}, "a session does not change its space: it is void, another begins"
    assert all(row["revision"] > 1 for row in voids)


async def test_a_reading_outside_every_assignment_is_refused_and_taken_in_again_when_that_was_wrong(
    street: Street, registry: Registry, now_ms: int
) -> None:
    await street.start_ingest()
    sensor = street.sensor("KL-002")
    begin = now_ms - 300 * MINUTE
    for n in range(4):
        say(street, sensor, begin + n * 60 * MINUTE, occupied=n % 2 == 0)
    await street.until_readings(4)
    as_it_was = await facts(street)

    await registry.unassign(sensor, begin + 90 * MINUTE)
    await registry.until_done()
    await street.until_readings(2)
    assert [row["reason"] for row in await street.until_refusals(2)] == ["not-assigned"] * 2
    assert len(await street.times()) == 1

    await registry.assign(sensor, "KL-002", begin + 90 * MINUTE)
    await registry.until_done()
    await street.until_readings(4)
    assert await facts(street) == as_it_was


async def test_a_radio_frame_set_aside_is_no_repeat_of_itself(street: Street, registry: Registry, now_ms: int) -> None:
    await street.start_ingest()
    eui = "a81758fffe05" + street.prefix[:4]
    at = instant(now_ms - 30 * MINUTE).isoformat()
    uplink = {
        "deduplicationId": "d1",
        "time": at,
        "deviceInfo": {"devEui": eui},
        "devAddr": "01020304",
        "fCnt": 7,
        "fPort": 1,
        "data": "AQ==",
        "rxInfo": [{"rssi": -80}],
    }
    street.publish(f"application/1/device/{eui}/event/up", json.dumps(uplink))
    await street.until_refusals(1)
    async with registry.transaction() as db:
        entry = SensorEntry(code=eui, codec="bosch-tps110-fw0.39")
        await changing.add_sensor(db, entry, ME, now=datetime.now(UTC))
        await changing.unassign(
            db, street.sensor("KL-001"), ME, at=instant(now_ms - 900 * MINUTE), now=datetime.now(UTC)
        )
        await changing.assign(db, eui, "KL-001", ME, at=instant(now_ms - 900 * MINUTE), now=datetime.now(UTC))
    await street.until_readings(1)
    await registry.unassign(eui, now_ms - 60 * MINUTE)
    await registry.until_done()
    await street.until_readings(0)
    await registry.assign(eui, "KL-001", now_ms - 900 * MINUTE)
    await registry.until_done()
    await street.until_readings(1)


async def test_an_unknown_sender_is_adopted_with_all_it_said(street: Street, registry: Registry, now_ms: int) -> None:
    await street.start_ingest()
    stranger = f"{street.prefix}-stranger"
    begin = now_ms - 200 * MINUTE
    await registry.unassign(street.sensor("KL-005"), now_ms - 400 * MINUTE)
    for n in range(4):
        say(street, stranger, begin + n * 30 * MINUTE, occupied=n % 2 == 0)
    await street.until_refusals(4)
    since = await registry.adopt(stranger, "KL-005")
    assert since == instant(begin)
    await street.until_readings(4)
    assert len(await street.times()) == 2

    async def is_heard() -> bool:
        rows = await street.db.fetch(
            "SELECT FROM sensor_state JOIN sensor ON sensor.id = sensor_id WHERE code = $1", stranger
        )
        return len(rows) == 1

    await until(is_heard)


async def test_an_imported_city_takes_in_what_its_sensors_said_before(
    street: Street, registry: Registry, now_ms: int
) -> None:
    await street.start_ingest()
    stranger = f"{street.prefix}-stranger"
    begin = now_ms - 200 * MINUTE
    for n in range(4):
        say(street, stranger, begin + n * 30 * MINUTE, occupied=n % 2 == 0)
    await street.until_refusals(4)
    city = collection(lot(code="NL"), space("NL-001", stranger, lot="NL"))
    source = json.dumps(city).encode()
    now, zone = datetime.now(UTC), ZoneInfo("Asia/Shanghai")
    await import_city(registry.database, source, now=now, zone=zone)
    await street.until_readings(4)
    assert len(await street.times()) == 2

    city = collection(lot(code="NL"), space("NL-001", "another", lot="NL", installed_at=instant(begin).isoformat()))
    await import_city(registry.database, json.dumps(city).encode(), now=now, zone=zone)
    await registry.until_done()
    assert await street.readings() == 0
    assert await street.times() == []


async def test_a_change_made_while_ingest_is_away_is_done_at_its_start(
    street: Street, registry: Registry, now_ms: int
) -> None:
    await street.start_ingest()
    stranger = f"{street.prefix}-stranger"
    say(street, stranger, now_ms - 30 * MINUTE, occupied=True)
    await street.until_refusals(1)
    await street.kill_ingest()
    await registry.unassign(street.sensor("KL-005"), now_ms - 400 * MINUTE)
    await registry.adopt(stranger, "KL-005")
    assert await street.readings() == 0
    await street.start_ingest()
    await street.until_readings(1)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who watched what and when, and what everybody said."""

    swaps: list[tuple[str, str, int]]
    says: list[tuple[str, int, bool]]


def a_plan(prefix: str, now_ms: int, seed: int) -> Plan:
    """Three spaces whose sensors are swapped at random hours; all sensors speak all day, also while on no space."""
    dice = random.Random(seed)
    begin = now_ms - 2_000 * MINUTE
    swaps: list[tuple[str, str, int]] = []
    sensors = [f"{prefix}-00{n}" for n in (1, 2, 3)]
    for n in range(3):
        old, at_ms = sensors[n], begin
        for turn in range(2):
            at_ms += dice.randrange(200, 800) * MINUTE
            new = f"{prefix}-{n}-{turn}"
            swaps.append((old, new, at_ms))
            sensors.append(new)
            old = new
    says = [
        (sensor, begin + dice.randrange(0, 1_990) * MINUTE, dice.random() < 0.5)
        for sensor in sensors
        for _ in range(14)
    ]
    return Plan(swaps=swaps, says=sorted(set(says)))


async def test_a_sensor_is_heard_for_the_first_time_while_somebody_changes_it(
    street: Street, registry: Registry, now_ms: int
) -> None:
    """Its first reading makes rows that refer to it: these wait for no change, and so no change for them."""
    await street.start_ingest()
    sensor = street.sensor("KL-001")
    async with registry.database.transaction() as db:
        await changing.fetch_change(db, sensor)
        say(street, sensor, now_ms - MINUTE, occupied=True)

        async def is_stored() -> bool:
            return bool(await street.db.fetchval("SELECT count(*) FROM sensor_state"))

        await until(is_stored)


@pytest.mark.parametrize("seed", [1, 2])
async def test_sessions_are_a_function_of_readings_and_registry_whatever_was_known_when(
    street: Street, registry: Registry, now_ms: int, seed: int
) -> None:
    """S2 under swaps: right from the start and in order, against all of it late, wrong at first, and shuffled."""
    plan = a_plan(street.prefix, now_ms, seed)
    for old, new, at_ms in sorted(plan.swaps, key=lambda swap: swap[2]):
        await registry.swap(old, new, at_ms)
    await street.start_ingest()
    for sensor, at_ms, occupied in sorted(plan.says, key=lambda one: one[1]):
        say(street, sensor, at_ms, occupied=occupied)
    await until_settled(street, registry, len(plan.says))
    right = await facts(street)
    assert right["sessions"]
    assert right["refused"]

    await start_over(street)
    dice = random.Random(seed)
    shuffled = [*plan.says, *dice.sample(plan.says, 20)]
    dice.shuffle(shuffled)
    half = len(shuffled) // 2
    for sensor, at_ms, occupied in shuffled[:half]:
        say(street, sensor, at_ms, occupied=occupied)
    for old, new, at_ms in sorted(plan.swaps, key=lambda swap: swap[2]):
        await registry.swap(old, new, at_ms + dice.randrange(-90, 90) * MINUTE)  # noted wrongly
    for sensor, at_ms, occupied in shuffled[half:]:
        say(street, sensor, at_ms, occupied=occupied)
    for old, new, at_ms in sorted(plan.swaps, key=lambda swap: swap[2]):
        await registry.swap(old, new, at_ms)  # put right
    await until_settled(street, registry, len(plan.says))
    assert await facts(street) == right


async def until_settled(street: Street, registry: Registry, messages: int) -> None:
    """Wait until every message is a reading or a refusal, and no look at them is pending."""

    async def all_there() -> bool:
        refused = await street.db.fetchval("SELECT count(*) FROM refusal WHERE resolved_at IS NULL")
        return bool(await street.readings() + refused == messages)

    await until(all_there)
    await registry.until_done()
    await until(all_there)


async def start_over(street: Street) -> None:
    """As on the first day: the ten sensors on their spaces, nothing said."""
    await street.kill_ingest()
    await street.db.execute(
        "TRUNCATE reading, refusal, parking_session, space_state, reassignment, sensor_state CASCADE"
    )
    await street.db.execute("DELETE FROM sensor_telemetry")
    await street.db.execute("DELETE FROM sensor_assignment")
    await street.db.execute("DELETE FROM sensor WHERE code LIKE $1", f"{street.prefix}-_-_")
    await street.db.execute(
        """
        INSERT INTO sensor_assignment (sensor_id, space_id, during)
        SELECT sensor.id, space.id, tstzrange(NULL, NULL)
        FROM sensor JOIN space ON split_part(space.code, '-', 2) = split_part(sensor.code, '-', 2)
        """
    )
    await street.start_ingest()

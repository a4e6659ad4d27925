"""What sensors say of themselves: the newest is kept, never moved back, and its history is thin."""

import json
import signal
import time
from typing import Any

import msgspec
import pytest

from core.ids import SensorId, SpaceId
from core.occupancy import NO_TELEMETRY, Reading, Telemetry
from ingest.database import connect
from ingest.registry import KnownSensor
from ingest.statements import Arrival, arrived
from ingest.vital_rows import store_vitals
from ingest.vitals import News, Vitals
from tests.support.street import Street, plant
from tests.support.waiting import until

MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = 1_795_358_210_250
SENSORS = {
    "s": KnownSensor(sensor_id=SensorId(1), codec="native", heartbeat_seconds=3_600, watches=()),
    "quick": KnownSensor(sensor_id=SensorId(2), codec="native", heartbeat_seconds=60, watches=()),
}


def arrival(at_ms: int, received_ms: int | None = None, sensor: str = "s", **telemetry: Any) -> Arrival:
    said = Telemetry(**telemetry) if telemetry else NO_TELEMETRY
    reading = Reading(sensor=sensor, at_ms=at_ms, occupied=True, telemetry=said)
    return arrived(reading, SENSORS[sensor].sensor_id, SpaceId(1), at_ms if received_ms is None else received_ms, "t")


def told(vitals: Vitals, *arrivals: Arrival) -> list[News]:
    """What these bring, stored."""
    vitals.hear(arrivals, SENSORS)
    for _ in vitals.note():
        pass
    news = vitals.waiting()
    vitals.stored(news)
    return news


def test_a_first_reading_is_news_and_the_next_within_a_minute_is_none() -> None:
    vitals = Vitals()
    assert [len(one.history) for one in told(vitals, arrival(T0, battery_mv=3_600))] == [1]
    assert told(vitals, arrival(T0 + MINUTE - 1, battery_mv=3_600)) == []
    (later,) = told(vitals, arrival(T0 + MINUTE, battery_mv=3_590))
    assert not later.history
    assert later.vital.telemetry.battery_mv == 3_590


def test_news_that_comes_while_older_is_being_stored_waits_for_the_next_time() -> None:
    vitals = Vitals()
    vitals.hear([arrival(T0, battery_mv=3_600)], SENSORS)
    list(vitals.note())
    being_stored = vitals.waiting()
    vitals.hear([arrival(T0 + HOUR, battery_mv=3_590)], SENSORS)
    list(vitals.note())
    vitals.stored(being_stored)
    (news,) = vitals.waiting()
    assert (news.vital.at_ms, [row.at_ms for row in news.history]) == (T0 + HOUR, [T0, T0 + HOUR])
    vitals.stored([news])
    assert not vitals.has_news


def test_of_a_backlog_every_row_of_history_is_kept() -> None:
    (news,) = told(Vitals(), *(arrival(T0 + n * HOUR // 2, battery_mv=3_600 - n) for n in range(10)))
    assert [row.at_ms for row in news.history] == [T0 + n * HOUR for n in range(5)]
    assert news.vital.telemetry.battery_mv == 3_591


def test_a_sensor_that_speaks_often_is_heard_more_exactly() -> None:
    vitals = Vitals()
    told(vitals, arrival(T0, sensor="quick"))
    assert told(vitals, arrival(T0 + 2_999, sensor="quick")) == []
    assert told(vitals, arrival(T0 + 3_000, sensor="quick"))


def test_history_is_a_row_an_hour_and_what_changed_notably() -> None:
    vitals = Vitals()
    kept = [
        one.vital.at_ms
        for n in range(0, 180, 5)
        for one in told(vitals, arrival(T0 + n * MINUTE, battery_mv=3_600 - n // 10, rssi_dbm=-97))
        if one.history
    ]
    assert kept == [T0, T0 + HOUR, T0 + 2 * HOUR]


@pytest.mark.parametrize(
    ("telemetry", "is_history"),
    [
        ({"battery_mv": 3_501}, False),
        ({"battery_mv": 3_500}, True),
        ({"battery_pct": 80}, True),
        ({"battery_low": True}, True),
        ({"firmware": "1.2"}, True),
        ({"rssi_dbm": -70}, False),
        ({"rssi_dbm": -60}, True),
        ({"temperature_c": 29.0}, False),
        ({"temperature_c": 31.0}, True),
    ],
)
def test_what_is_notable_goes_into_the_history_at_once(telemetry: dict[str, Any], *, is_history: bool) -> None:
    vitals = Vitals()
    told(vitals, arrival(T0, battery_mv=3_600, rssi_dbm=-80, temperature_c=20.0))
    found = told(vitals, arrival(T0 + 5_000, **telemetry))
    assert [len(one.history) for one in found] == ([1] if is_history else [])


def test_messages_that_say_only_some_of_it_complete_one_another() -> None:
    vitals = Vitals()
    told(vitals, arrival(T0, battery_mv=3_600, firmware="1.2"))
    (news,) = told(vitals, arrival(T0 + 2 * MINUTE, rssi_dbm=-80), arrival(T0 + 3 * MINUTE))
    assert news.vital.telemetry == Telemetry(battery_mv=3_600, firmware="1.2", rssi_dbm=-80)


def test_a_late_message_is_heard_and_moves_no_value_back() -> None:
    vitals = Vitals()
    told(vitals, arrival(T0, battery_mv=3_600))
    (news,) = told(vitals, arrival(T0 - HOUR, received_ms=T0 + HOUR, battery_mv=2_000, battery_low=True))
    assert (news.vital.heard_ms, news.vital.at_ms, news.history) == (T0 + HOUR, T0, ())
    assert news.vital.telemetry == Telemetry(battery_mv=3_600)


async def until_told(street: Street, rows: int) -> None:
    """Wait until so many rows of history are stored."""

    async def are_stored() -> bool:
        return bool(await street.db.fetchval("SELECT count(*) FROM sensor_telemetry") == rows)

    await until(are_stored)


@pytest.mark.services
async def test_the_newest_is_stored_whatever_comes_late(street: Street) -> None:
    await street.start_ingest()
    now_ms = int(time.time() * 1_000)

    def say(at_ms: int, **more: Any) -> None:
        street.send("KL-001", occupied=True, at_ms=at_ms, **more)

    async def state() -> Any:
        return await street.db.fetchrow(
            "SELECT battery_mv, rssi_dbm, temperature_c, seq, (extract(epoch FROM observed_at) * 1000)::bigint AS at_ms"
            " FROM sensor_state JOIN sensor ON sensor.id = sensor_id WHERE code = $1",
            street.sensor("KL-001"),
        )

    say(now_ms - 2 * HOUR, battery_mv=3_600, rssi_dbm=-90, temperature_c=20.5, seq=1)
    await street.until_readings(1)
    say(now_ms - HOUR, battery_mv=3_500, seq=2)
    await street.until_readings(2)
    say(now_ms - 3 * HOUR, battery_mv=2_000, temperature_c=-5.0, seq=0)
    await street.until_readings(3)

    async def newest() -> bool:
        return tuple(await state() or ()) == (3_500, -90, 20.5, 2, now_ms - HOUR)

    await until(newest)
    history = await street.db.fetch("SELECT battery_mv FROM sensor_telemetry ORDER BY observed_at")
    assert [row["battery_mv"] for row in history] == [3_600, 3_500]


@pytest.mark.services
async def test_a_second_writer_with_stale_memory_moves_nothing_back(street: Street) -> None:
    await street.start_ingest()
    now_ms = int(time.time() * 1_000)
    street.send("KL-001", occupied=True, at_ms=now_ms - 2 * HOUR, battery_mv=3_600)
    await until_told(street, 1)
    await street.db.execute(
        "UPDATE sensor_state SET observed_at = now(), last_heard_at = now() + interval '1 minute', battery_mv = 3_456"
    )
    street.send("KL-001", occupied=False, at_ms=now_ms - HOUR, battery_mv=3_300)
    await until_told(street, 2)
    row = await street.db.fetchrow("SELECT battery_mv, last_heard_at > now() AS is_newest FROM sensor_state")
    assert tuple(row) == (3_456, True)


@pytest.mark.services
async def test_readings_without_news_write_nothing(street: Street) -> None:
    await street.start_ingest()
    now_ms = int(time.time() * 1_000)
    street.send("KL-001", occupied=True, at_ms=now_ms - 10 * MINUTE, battery_mv=3_600)
    await until_told(street, 1)
    before = await street.db.fetchval("SELECT xmin::text FROM sensor_state")
    topic = f"parking/test/{street.sensor('KL-001')}/up"
    street.publish_all(
        (topic, json.dumps({"at": now_ms - n, "occupied": n % 2 == 0, "battery_mv": 3_600}).encode()) for n in range(50)
    )
    await street.until_readings(51)
    await street.kill_ingest(signal.SIGTERM)
    assert await street.db.fetchval("SELECT xmin::text FROM sensor_state") == before


@pytest.mark.services
async def test_an_ingest_that_is_ended_stores_what_still_waits(street: Street) -> None:
    await street.start_ingest()
    street.send("KL-001", occupied=True, battery_mv=3_600)
    await street.until_readings(1)
    await street.kill_ingest(signal.SIGTERM)
    assert await street.db.fetchval("SELECT battery_mv FROM sensor_state") == 3_600


@pytest.mark.services
async def test_what_a_killed_process_did_not_tell_is_taken_from_its_readings(street: Street) -> None:
    """As if it had died between the commit of the readings and that of the vitals."""
    await street.start_ingest()
    now_ms = int(time.time() * 1_000)
    street.send("KL-001", occupied=True, at_ms=now_ms - 3 * HOUR, battery_mv=3_600, seq=1)
    street.send("KL-002", occupied=True, at_ms=now_ms - HOUR, battery_mv=3_300, rssi_dbm=-80)
    await until_told(street, 2)
    street.send("KL-001", occupied=True, at_ms=now_ms - HOUR, battery_mv=3_500, seq=2)
    await until_told(street, 3)
    await street.kill_ingest()
    await street.db.execute(
        """
        UPDATE sensor_state SET last_heard_at = last_heard_at - interval '1 hour', seq = 1, battery_mv = 3600,
            observed_at = observed_at - interval '2 hours'
        WHERE sensor_id = (SELECT id FROM sensor WHERE code = $1)
        """,
        street.sensor("KL-001"),
    )
    await street.db.execute(
        "DELETE FROM sensor_state WHERE sensor_id = (SELECT id FROM sensor WHERE code = $1)", street.sensor("KL-002")
    )
    await street.start_ingest()

    async def all_are_told() -> bool:
        rows = await street.db.fetch(
            """
            SELECT battery_mv, seq, rssi_dbm, last_heard_at = (
                SELECT max(received_at) FROM reading WHERE reading.sensor_id = sensor.id
            ) FROM sensor_state JOIN sensor ON sensor.id = sensor_id ORDER BY code
            """
        )
        return [tuple(row) for row in rows] == [(3_500, 2, None, True), (3_300, -1, -80, True)]

    await until(all_are_told)


@pytest.mark.services
async def test_what_the_database_will_not_have_is_dropped_and_the_rest_goes_on(database_url: str) -> None:
    db = await connect(database_url)
    await plant(db, "v", 1)
    sensor_id = SensorId(await db.fetchval("SELECT id FROM sensor"))
    sensors = {"s": KnownSensor(sensor_id=sensor_id, codec="native", heartbeat_seconds=3_600, watches=())}
    vitals = Vitals()

    def hear(at_ms: int, **telemetry: Any) -> None:
        said = arrival(at_ms, **telemetry)
        vitals.hear([msgspec.structs.replace(said, sensor_id=sensor_id)], sensors)
        list(vitals.note())

    hear(T0, battery_pct=1 << 20)
    await store_vitals(db, vitals)
    assert not vitals.has_news
    hear(T0 + HOUR, battery_pct=50)
    await store_vitals(db, vitals)
    assert await db.fetchval("SELECT battery_pct FROM sensor_state") == 50
    await db.close()

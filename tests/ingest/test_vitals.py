"""What sensors say of themselves: the newest is kept, never moved back, and its history is thin."""

import json
import time
from typing import Any

import pytest

from core.ids import SensorId, SpaceId
from core.occupancy import NO_TELEMETRY, Reading, Telemetry
from ingest.registry import KnownSensor
from ingest.statements import Arrival, arrived
from ingest.vitals import News, Vitals
from tests.support.street import Street
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
    """What one batch of these brings, committed."""
    news: dict[SensorId, News] = {}
    vitals.gather(arrivals, SENSORS, news)
    vitals.keep(news.values())
    return list(news.values())


def test_a_first_reading_is_news_and_the_next_within_a_minute_is_none() -> None:
    vitals = Vitals()
    assert [one.is_history for one in told(vitals, arrival(T0, battery_mv=3_600))] == [True]
    assert told(vitals, arrival(T0 + MINUTE - 1, battery_mv=3_600)) == []
    (later,) = told(vitals, arrival(T0 + MINUTE, battery_mv=3_590))
    assert not later.is_history
    assert later.vital.telemetry.battery_mv == 3_590


def test_what_was_not_stored_after_all_is_news_again() -> None:
    vitals = Vitals()
    first: dict[SensorId, News] = {}
    vitals.gather([arrival(T0, battery_mv=3_600)], SENSORS, first)
    before = vitals.keep(first.values())
    later: dict[SensorId, News] = {}
    vitals.gather([arrival(T0 + HOUR, battery_mv=3_590)], SENSORS, later)
    before_later = vitals.keep(later.values())
    vitals.restore(before_later)
    assert told(vitals, arrival(T0 + HOUR, battery_mv=3_590)) == list(later.values())
    vitals.restore(before)
    assert vitals.is_empty


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
        if one.is_history
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
    assert [one.is_history for one in found] == ([True] if is_history else [])


def test_messages_that_say_only_some_of_it_complete_one_another() -> None:
    vitals = Vitals()
    told(vitals, arrival(T0, battery_mv=3_600, firmware="1.2"))
    (news,) = told(vitals, arrival(T0 + 2 * MINUTE, rssi_dbm=-80), arrival(T0 + 3 * MINUTE))
    assert news.vital.telemetry == Telemetry(battery_mv=3_600, firmware="1.2", rssi_dbm=-80)


def test_a_late_message_is_heard_and_moves_no_value_back() -> None:
    vitals = Vitals()
    told(vitals, arrival(T0, battery_mv=3_600))
    (news,) = told(vitals, arrival(T0 - HOUR, received_ms=T0 + HOUR, battery_mv=2_000, battery_low=True))
    assert (news.vital.heard_ms, news.vital.at_ms, news.is_history) == (T0 + HOUR, T0, False)
    assert news.vital.telemetry == Telemetry(battery_mv=3_600)


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
        return tuple(await state()) == (3_500, -90, 20.5, 2, now_ms - HOUR)

    await until(newest)
    history = await street.db.fetch("SELECT battery_mv FROM sensor_telemetry ORDER BY observed_at")
    assert [row["battery_mv"] for row in history] == [3_600, 3_500]


@pytest.mark.services
async def test_a_second_writer_with_stale_memory_moves_nothing_back(street: Street) -> None:
    await street.start_ingest()
    now_ms = int(time.time() * 1_000)
    street.send("KL-001", occupied=True, at_ms=now_ms - 2 * HOUR, battery_mv=3_600)
    await street.until_readings(1)
    await street.db.execute(
        "UPDATE sensor_state SET observed_at = now(), last_heard_at = now() + interval '1 minute', battery_mv = 3_456"
    )
    street.send("KL-001", occupied=False, at_ms=now_ms - HOUR, battery_mv=3_300)
    await street.until_readings(2)
    row = await street.db.fetchrow("SELECT battery_mv, last_heard_at > now() AS is_newest FROM sensor_state")
    assert tuple(row) == (3_456, True)


@pytest.mark.services
async def test_readings_without_news_write_nothing(street: Street) -> None:
    await street.start_ingest()
    now_ms = int(time.time() * 1_000)
    street.send("KL-001", occupied=True, at_ms=now_ms - 10 * MINUTE, battery_mv=3_600)
    await street.until_readings(1)
    before = await street.db.fetchval("SELECT xmin::text FROM sensor_state")
    topic = f"parking/test/{street.sensor('KL-001')}/up"
    street.publish_all(
        (topic, json.dumps({"at": now_ms - n, "occupied": n % 2 == 0, "battery_mv": 3_600}).encode()) for n in range(50)
    )
    await street.until_readings(51)
    assert await street.db.fetchval("SELECT xmin::text FROM sensor_state") == before

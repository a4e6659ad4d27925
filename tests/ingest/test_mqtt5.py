"""MQTT 5 by setting: the same promises over the other protocol, against a real broker."""

import time

import pytest

from tests.support.street import Street

pytestmark = pytest.mark.services

MINUTE = 60_000


async def test_over_mqtt_5_a_reading_sent_twice_opens_one_session(street: Street) -> None:
    now_ms = int(time.time() * 1_000)
    await street.start_ingest(mqtt_version=5)
    street.send("KL-007", occupied=True, at_ms=now_ms - MINUTE, times=2)
    await street.until_readings(1)
    assert await street.times() == [("KL-007", now_ms - MINUTE, None)]


async def test_over_mqtt_5_the_broker_keeps_what_comes_while_ingest_is_killed(street: Street) -> None:
    now_ms = int(time.time() * 1_000)
    await street.start_ingest(mqtt_version=5)
    street.send("KL-001", occupied=True, at_ms=now_ms - 50 * MINUTE)
    await street.until_readings(1)
    await street.kill_ingest()
    street.send("KL-001", occupied=False, at_ms=now_ms - 10 * MINUTE)
    for number in range(2, 8):
        street.send(f"KL-00{number}", occupied=True, at_ms=now_ms - number * MINUTE)
    await street.start_ingest(mqtt_version=5)
    await street.until_readings(8)
    ended = [times for times in await street.times() if times[2] is not None]
    assert ended == [("KL-001", now_ms - 50 * MINUTE, now_ms - 10 * MINUTE)]
    assert len(await street.times()) == 7

"""The ingest process against a real broker and a real database."""

import json
import random
import signal
import time

import pytest

from tests.support.street import Street
from tests.support.waiting import until

pytestmark = pytest.mark.services

MINUTE = 60_000


@pytest.fixture
def now_ms() -> int:
    return int(time.time() * 1_000)


async def test_a_reading_sent_twice_opens_one_session(street: Street, now_ms: int) -> None:
    await street.start_ingest()
    street.send("KL-007", occupied=True, at_ms=now_ms - MINUTE, times=2)
    await street.until_readings(1)
    assert await street.times() == [("KL-007", now_ms - MINUTE, None)]


async def test_a_departure_ends_the_session_under_the_same_id(street: Street, now_ms: int) -> None:
    await street.start_ingest()
    street.send("KL-001", occupied=True, at_ms=now_ms - 50 * MINUTE)
    await street.until_readings(1)
    (opened,) = await street.sessions()
    street.send("KL-001", occupied=False, at_ms=now_ms - 10 * MINUTE)
    await street.until_readings(2)
    (ended,) = await street.sessions()
    assert (opened["status"], ended["status"]) == ("open", "ended")
    assert ended["id"] == opened["id"]
    assert (ended["entered_ms"], ended["left_ms"]) == (now_ms - 50 * MINUTE, now_ms - 10 * MINUTE)


async def test_a_session_is_announced_when_it_is_old_enough(street: Street, now_ms: int) -> None:
    await street.db.execute("UPDATE lot SET min_stay_seconds = 2")
    await street.start_ingest()
    street.send("KL-001", occupied=True, at_ms=int(time.time() * 1_000))
    await street.until_readings(1)
    state = await street.db.fetchval("SELECT occupancy::text FROM space_state ORDER BY last_heard_at NULLS LAST")
    assert state == "occupied"
    assert await street.sessions() == []
    await until(street.sessions)


async def test_a_gateways_bad_element_is_refused_alone(street: Street, now_ms: int) -> None:
    await street.start_ingest()
    elements = [
        {"sensor": street.sensor("KL-001"), "at": now_ms - MINUTE, "occupied": True},
        {"sensor": street.sensor("KL-002"), "at": "yesterday", "occupied": True},
        {"sensor": "nobody", "at": now_ms - MINUTE, "occupied": True},
        {"sensor": street.sensor("KL-003"), "at": now_ms - MINUTE, "occupied": True},
    ]
    street.publish("parking/test/gateways/g1/up", json.dumps(elements))
    await street.until_readings(2)
    assert {row["reason"] for row in await street.until_refusals(2)} == {"not-a-reading", "unknown-sensor"}


async def test_what_cannot_be_read_is_kept_and_stops_nobody(street: Street, now_ms: int) -> None:
    await street.start_ingest()
    topic = f"parking/test/{street.sensor('KL-001')}/up"
    street.publish(topic, b"\xff\xfe no json")
    street.publish(topic, b'{"occupied": true}')
    street.publish(topic, json.dumps({"at": now_ms + 10 * MINUTE, "occupied": True}))
    street.publish(topic, json.dumps({"at": 86_400_000, "occupied": True}))
    street.publish("parking/test/stranger/up", json.dumps({"at": now_ms, "occupied": True}))
    street.send("KL-001", occupied=True, at_ms=now_ms)
    await street.until_readings(1)
    reasons = {row["reason"] for row in await street.until_refusals(5)}
    assert reasons == {"not-json", "not-a-reading", "from-the-future", "clock-not-set", "unknown-sensor"}


async def test_the_same_refused_bytes_are_kept_once_and_counted(street: Street) -> None:
    await street.start_ingest()
    for _ in range(3):
        street.publish(f"parking/test/{street.sensor('KL-001')}/up", b"{")

    async def counted() -> bool:
        return [row["times"] for row in await street.until_refusals(1)] == [3]

    await until(counted)


async def test_any_order_of_arrival_gives_the_same_sessions(street: Street, now_ms: int) -> None:
    await street.start_ingest()
    begin = now_ms - 600 * MINUTE
    history = [(begin + n * 30 * MINUTE, n % 2 == 0) for n in range(12)]
    for at_ms, occupied in history:
        street.send("KL-001", occupied=occupied, at_ms=at_ms)
    shuffled = history + history[::4]
    random.Random(7).shuffle(shuffled)
    for at_ms, occupied in shuffled:
        street.send("KL-002", occupied=occupied, at_ms=at_ms)
        await street.readings()  # a batch or so between messages
    await street.until_readings(24)
    times = await street.times()
    assert [time[1:] for time in times if time[0] == "KL-001"] == [time[1:] for time in times if time[0] == "KL-002"]
    assert len(times) == 12


async def test_a_late_departure_splits_a_session_and_its_id_goes_to_the_longer_part(
    street: Street, now_ms: int
) -> None:
    await street.start_ingest()
    begin = now_ms - 300 * MINUTE
    street.send("KL-001", occupied=True, at_ms=begin)
    street.send("KL-001", occupied=False, at_ms=begin + 200 * MINUTE)
    await street.until_readings(2)
    (before,) = await street.sessions()
    street.send("KL-001", occupied=False, at_ms=begin + 50 * MINUTE)
    street.send("KL-001", occupied=True, at_ms=begin + 60 * MINUTE)
    await street.until_readings(4)
    first, second = await street.sessions()
    assert (first["left_ms"], second["entered_ms"]) == (begin + 50 * MINUTE, begin + 60 * MINUTE)
    assert before["id"] == second["id"]
    assert second["revision"] > before["revision"]


async def test_a_late_arrival_earlier_moves_the_begin_and_voids_nothing(street: Street, now_ms: int) -> None:
    await street.start_ingest()
    begin = now_ms - 100 * MINUTE
    street.send("KL-001", occupied=True, at_ms=begin, kind="heartbeat")
    await street.until_readings(1)
    (before,) = await street.sessions()
    street.send("KL-001", occupied=True, at_ms=begin - 5 * MINUTE)
    await street.until_readings(2)
    (after,) = await street.sessions(with_void=True)
    assert (after["id"], after["entered_ms"]) == (before["id"], begin - 5 * MINUTE)


async def test_killed_at_random_moments_it_loses_and_doubles_nothing(street: Street, now_ms: int) -> None:
    await street.start_ingest(batch_size=50, flush_after_ms=20)
    rng = random.Random(11)
    begin = now_ms - 2_000 * MINUTE
    total = 0
    for round_number in range(4):
        messages = []
        for n in range(300):
            space = rng.randrange(1, 11)
            at_ms = begin + (round_number * 300 + n) * MINUTE + rng.randrange(30_000)
            payload = json.dumps({"at": at_ms, "occupied": rng.random() < 0.5, "seq": round_number * 300 + n})
            messages.append((f"parking/test/{street.sensor(f'KL-{space:03}')}/up", payload.encode()))
        total += len(messages)
        street.publish_all(messages + messages[::20])
        if round_number < 3:
            await street.kill_ingest(signal.SIGKILL)
            await street.start_ingest(batch_size=50, flush_after_ms=20)
    await street.until_readings(total)
    kept = await street.times()
    await street.kill_ingest(signal.SIGTERM)
    await street.db.execute("UPDATE space_state SET fold = NULL; DELETE FROM parking_session")
    await street.start_ingest()  # all is folded again from the stored readings

    async def sessions_are_the_same() -> bool:
        return kept == await street.times()

    await until(sessions_are_the_same)


async def test_a_reading_refused_as_from_the_future_stays_refused_when_repeated_later(
    street: Street, now_ms: int
) -> None:
    await street.start_ingest(future_tolerance_seconds=2)
    soon = int(time.time() * 1_000) + 8_000
    street.send("KL-001", occupied=True, at_ms=soon)
    await street.until_refusals(1)
    await street.kill_ingest()
    await street.start_ingest(future_tolerance_seconds=2)

    async def its_time_has_come() -> bool:
        return time.time() * 1_000 > soon - 1_000  # now it would be taken, were it the first time

    await until(its_time_has_come)
    street.send("KL-001", occupied=True, at_ms=soon)
    street.send("KL-002", occupied=True, at_ms=now_ms)
    await street.until_readings(1)
    assert [row["times"] for row in await street.until_refusals(1)] == [2]

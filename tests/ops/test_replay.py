"""Stored messages decoded again: all ends as if codec and registry had been right from the start."""

import asyncio
import base64
import json
import random
import time
from collections.abc import AsyncIterator

import pytest

from core.clock import instant, rfc3339
from core.occupancy import Kind, Reading
from core.session import FoldRules, fold
from ingest.database import connect
from ingest.decode import YEAR_2020_MS, YEAR_10000_MS
from ingest.inbox import Message
from ops.replay import Replayed, Scope, replay
from tests.support.desk import DAY, HOUR, MINUTE, Desk, open_desk, stay
from tests.support.street import Street

pytestmark = pytest.mark.services

NOW_MS = 1_795_348_800_000  # 2026-11-22T12:00:00Z
EVERYTHING = Scope(from_ms=YEAR_2020_MS, to_ms=YEAR_10000_MS - 1)
RIGHT, WRONG = "bosch-tps110-fw0.39", "nwave-ncc405"
"""The wrong one reads the same bytes too, as a message that says nothing of the space."""


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with open_desk(database_url, now_ms=NOW_MS) as desk:
        await desk.db.execute("UPDATE sensor SET code = lpad(id::text, 16, '0')")
        yield desk


def uplink(sensor: int, at_ms: int, *, occupied: bool, count: int) -> tuple[str, bytes]:
    """A change, as ChirpStack publishes it."""
    dev_eui = f"{sensor:016}"
    event = {
        "time": rfc3339(instant(at_ms)),
        "deviceInfo": {"devEui": dev_eui},
        "devAddr": "01020304",
        "fCnt": count,
        "fPort": 1,
        "data": base64.b64encode(b"\x01\x00" if occupied else b"\x00\x00").decode(),
    }
    return f"application/1/device/{dev_eui}/event/up", json.dumps(event).encode()


async def send(desk: Desk, *messages: tuple[str, bytes]) -> None:
    await desk.write([Message(topic, payload, desk.clock.ms, 1, n, 1) for n, (topic, payload) in enumerate(messages)])


async def set_codec(desk: Desk, codec: str) -> None:
    await desk.db.execute("UPDATE sensor SET codec = $1", codec)
    await desk.writer.load(desk.db)


async def again(desk: Desk, scope: Scope = EVERYTHING) -> Replayed:
    return await replay(desk.db, scope, now_ms=desk.clock.ms, tolerance_ms=300_000)


async def test_a_corrected_codec_makes_the_readings_it_should_have_made(desk: Desk) -> None:
    await set_codec(desk, WRONG)
    messages = [uplink(1, NOW_MS - (9 - n) * HOUR, occupied=n % 2 == 0, count=n) for n in range(5)]
    await send(desk, *messages)
    assert await desk.sessions() == []
    await set_codec(desk, RIGHT)
    done = await again(desk)
    assert (done.changed, done.unchanged, done.new, done.refused, len(done.spaces)) == (5, 0, 0, 0, 1)
    assert await desk.times() == [
        (NOW_MS - 9 * HOUR, NOW_MS - 8 * HOUR),
        (NOW_MS - 7 * HOUR, NOW_MS - 6 * HOUR),
        (NOW_MS - 5 * HOUR, None),
    ]
    done = await again(desk)
    assert (done.changed, done.unchanged, len(done.spaces)) == (0, 5, 0)
    await send(desk, *messages)
    assert await desk.db.fetchval("SELECT count(*) FROM reading") == 5


async def test_ids_live_on_through_a_wrong_codec_and_back(desk: Desk) -> None:
    await set_codec(desk, RIGHT)
    await send(
        desk,
        uplink(1, NOW_MS - 5 * HOUR, occupied=True, count=1),
        uplink(1, NOW_MS - 4 * HOUR, occupied=False, count=2),
        uplink(1, NOW_MS - 3 * HOUR, occupied=True, count=3),
    )
    before = await desk.sessions()
    await set_codec(desk, WRONG)
    await again(desk)
    assert await desk.sessions() == []
    assert {row[0] for row in await desk.sessions(with_void=True)} == {row[0] for row in before}
    await set_codec(desk, RIGHT)
    await again(desk)
    assert [row[1:] for row in await desk.sessions()] == [row[1:] for row in before]


async def test_what_the_codec_cannot_read_is_refused_and_read_again_when_it_can(desk: Desk) -> None:
    await set_codec(desk, RIGHT)
    await send(desk, *(uplink(1, NOW_MS - (9 - n) * HOUR, occupied=n % 2 == 0, count=n) for n in range(4)))
    before = await desk.times()
    await set_codec(desk, "no-such-codec")
    done = await again(desk)
    assert (done.refused, done.still_refused) == (4, 0)
    assert await desk.sessions() == []
    assert await desk.db.fetchval("SELECT count(*) FROM refusal WHERE reason = 'unknown-codec'") == 4
    await set_codec(desk, RIGHT)
    done = await again(desk)
    assert (done.new, done.resolved, done.still_refused) == (4, 4, 0)
    assert await desk.times() == before
    assert await desk.db.fetchval("SELECT count(*) FROM refusal WHERE resolved_at IS NULL") == 0
    assert (await again(desk)).unchanged == 4


async def test_an_adopted_sensors_messages_are_judged_by_their_first_arrival(database_url: str) -> None:
    async with open_desk(database_url, now_ms=NOW_MS) as desk:
        for at_ms in (NOW_MS - HOUR, NOW_MS + HOUR):
            await desk.send({"sensor": "stranger", "at": at_ms, "occupied": True, "kind": "change"})
        await desk.db.execute("DELETE FROM sensor_assignment WHERE sensor_id = 1")
        await desk.db.execute("UPDATE sensor SET code = 'stranger' WHERE id = 1")
        await desk.db.execute(
            "INSERT INTO sensor_assignment (sensor_id, space_id, during) VALUES (1, 1, tstzrange(NULL, NULL))"
        )
        desk.clock.ms = NOW_MS + DAY
        done = await again(desk, Scope(from_ms=YEAR_2020_MS, to_ms=YEAR_10000_MS - 1, sensor="stranger"))
        assert (done.new, done.resolved, done.still_refused) == (1, 1, 1)
        assert await desk.times() == [(NOW_MS - HOUR, None)]
        assert await desk.db.fetchval("SELECT received_at FROM reading") == NOW_MS


async def test_only_what_is_asked_for_is_decoded_again(desk: Desk) -> None:
    await set_codec(desk, WRONG)
    for sensor in (1, 2):
        await send(desk, *(uplink(sensor, NOW_MS - n * DAY, occupied=True, count=n) for n in (1, 2, 3)))
    await set_codec(desk, RIGHT)
    scope = Scope(from_ms=NOW_MS - 2 * DAY, to_ms=NOW_MS - DAY, sensor=f"{2:016}")
    assert (await again(desk, scope)).changed == 1
    assert (await again(desk, Scope(from_ms=YEAR_2020_MS, to_ms=NOW_MS, lot="elsewhere"))).changed == 0
    assert (await again(desk, Scope(from_ms=YEAR_2020_MS, to_ms=NOW_MS, lot="KL"))).changed == 5


async def test_native_readings_and_elements_of_gateways_are_what_they_were(database_url: str) -> None:
    async with open_desk(database_url, now_ms=NOW_MS) as desk:
        await desk.send(*stay("s-001", NOW_MS - 3 * HOUR, NOW_MS - 2 * HOUR))
        elements = [{"sensor": f"s-{n:03}", "at": NOW_MS - HOUR, "occupied": True, "rssi_dbm": -90} for n in (1, 2, 3)]
        await send(desk, ("parking/x/gateways/g/up", json.dumps(elements).encode()))
        done = await again(desk)
        assert (done.unchanged, done.changed, done.refused) == (5, 0, 0)


async def test_a_replay_beside_a_busy_ingest_loses_and_doubles_nothing(street: Street) -> None:
    spaces, each = 6, 120
    await street.db.execute("UPDATE sensor SET code = lpad(id::text, 16, '0'), codec = $1", WRONG)
    await street.start_ingest(batch_size=40, flush_after_ms=10)
    begin_ms = int(time.time() * 1_000) - each * MINUTE - HOUR
    sent = [(sensor, begin_ms + n * MINUTE, n % 2 == 0, n) for sensor in range(1, spaces + 1) for n in range(each)]
    random.Random(5).shuffle(sent)
    db = await connect(street.database_url)

    async def replay_all() -> Replayed:
        return await replay(db, EVERYTHING, now_ms=int(time.time() * 1_000), tolerance_ms=300_000)

    for number, first in enumerate(range(0, len(sent), 120)):
        publishing = asyncio.to_thread(
            street.publish_all, [uplink(s, at, occupied=o, count=n) for s, at, o, n in sent[first : first + 120]]
        )
        await street.db.execute("UPDATE sensor SET codec = $1", RIGHT if number % 2 == 0 else WRONG)
        await street.db.execute("NOTIFY parking_registry")
        await asyncio.gather(publishing, replay_all())
    await street.until_readings(len(sent))
    await street.db.execute("UPDATE sensor SET codec = $1", RIGHT)
    await street.db.execute("NOTIFY parking_registry")
    await replay_all()
    assert (await replay_all()).unchanged == len(sent)
    await db.close()
    rules = FoldRules(silence_ms=3 * HOUR)
    expected = []
    for space in range(1, spaces + 1):
        of_space = [
            Reading(sensor=str(s), at_ms=at, occupied=o, kind=Kind.CHANGE) for s, at, o, _ in sent if s == space
        ]
        expected += [(f"KL-{space:03}", span.begin_ms, span.end_ms) for span in fold(of_space, rules).sessions(rules)]
    assert await street.times() == expected
    assert await street.db.fetchval("SELECT count(*) FROM refusal") == 0

"""What no sensor should send, and sends: poison, wrong clocks, counters from nought, everything in any order."""

import json
import time

import pytest

from ingest.database import DATA_ERRORS
from tests.ingest.faults.county import MINUTE, County, Identity, encode
from tests.support.waiting import until

pytestmark = pytest.mark.services

POISON = "poison"


async def test_one_message_in_a_hundred_is_poison_and_its_neighbours_go_on(county: County) -> None:
    """Bytes that cannot be read, and bytes that are read and that the database will not have."""
    await county.street.db.execute(
        "ALTER TABLE reading ADD CONSTRAINT no_poison CHECK (position('poison'::bytea IN raw) = 0)"
    )
    await county.start_ingest(batch_size=500)
    readings = county.readings(2_000)
    bad, hated = readings[50::200], readings[150::200]
    messages = []
    for one in readings:
        payload = encode(one)
        if one in bad:
            payload = b"\xff" + payload
        elif one in hated:
            payload = payload[:-1] + f', "note": "{POISON} {one[2]}"}}'.encode()
        messages.append((f"parking/x/{one[0]}/up", payload))
    county.street.publish_all(messages)
    county.accepted.update(one for one in readings if one not in bad and one not in hated)
    figures = await county.until_all_is_stored()
    rows = await county.street.until_refusals(20)
    figures.show("one in a hundred poison")
    kept = [row for row in rows if row["reason"] == "rejected-by-database"]
    assert (len(kept), len(rows)) == (10, 20)
    assert all(POISON.encode() in row["payload"] for row in kept)
    await county.until_metric("parking_ingest_unacknowledged", 0)
    assert len(county.street.ingests) == 1


async def test_what_the_driver_itself_cannot_encode_is_poison_too(county: County) -> None:
    """Its own error is an interface error, as that of a closed connection is; tried again it would never end."""
    with pytest.raises(DATA_ERRORS):
        await county.street.db.fetchval("SELECT $1::smallint", 1 << 20)
    with pytest.raises(DATA_ERRORS):
        async with county.street.db.transaction():
            await county.street.db.copy_records_to_table("space_state", records=[(1 << 40,)], columns=["space_id"])
    assert await county.street.db.fetchval("SELECT 1") == 1


async def test_counters_from_nought_and_wrong_clocks(county: County) -> None:
    await county.start_ingest()
    sensor, now_ms = county.sensor(1), int(time.time() * 1_000)
    begin = now_ms - 100 * MINUTE

    def reading(at_ms: int, occupied: bool, **more: int) -> tuple[str, bytes]:
        payload = {"at": at_ms, "occupied": occupied, "kind": "change", **more}
        return f"parking/x/{sensor}/up", json.dumps(payload).encode()

    good = [
        reading(begin, True, seq=65_534, boot=1),
        reading(begin + 10 * MINUTE, False, seq=65_535, boot=1),
        reading(begin + 20 * MINUTE, True, seq=0, boot=1),  # a counter of 16 bits has wrapped
        reading(begin + 30 * MINUTE, False, seq=0, boot=2),  # it has started again
        reading(begin + 30 * MINUTE, False, seq=0, boot=2),
        reading(begin + 40 * MINUTE, True, seq=0),  # it has lost both
    ]
    wrong = [
        reading(0, True, seq=1),
        reading(86_400_000, True, seq=2),
        reading(now_ms + 6 * MINUTE, True, seq=3),
        reading(now_ms + 365 * 24 * 60 * MINUTE, False, seq=4),
        reading(10**17, False, seq=5),
    ]
    county.street.publish_all([*good, *wrong, *wrong])
    await county.street.until_readings(5)

    async def counted() -> bool:
        return bool(await county.street.db.fetchval("SELECT sum(times) FROM refusal") == 10)

    await until(counted)
    reasons = await county.street.db.fetch("SELECT reason, count(*), sum(times) FROM refusal GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in reasons] == [("clock-not-set", 2, 4), ("from-the-future", 3, 6)]
    times = [(entered, left) for _, entered, left in await county.street.times()]
    assert times == [
        (begin, begin + 10 * MINUTE),
        (begin + 20 * MINUTE, begin + 30 * MINUTE),
        (begin + 40 * MINUTE, None),
    ]


async def test_shuffled_repeated_and_hours_late_ends_in_the_same_sessions(county: County) -> None:
    """Half of the spaces in order, half shuffled in bursts with ingest killed in between; the same history on both."""
    await county.start_ingest(batch_size=40, flush_after_ms=10)
    begin = int(time.time() * 1_000) - 24 * 60 * MINUTE
    history = [(begin + n * 11 * MINUTE + county.rng.randrange(MINUTE), county.rng.random() < 0.5) for n in range(100)]

    def of_space(space: int) -> list[Identity]:
        return [(county.sensor(space), at_ms, seq, occupied) for seq, (at_ms, occupied) in enumerate(history)]

    in_order = [one for n in range(100) for one in (of_space(1)[n], of_space(2)[n], of_space(3)[n])]
    await county.publish(in_order)
    shuffled = [one for space in (4, 5, 6) for one in of_space(space)]
    county.rng.shuffle(shuffled)
    for burst in range(4):
        some = shuffled[burst::4]
        await county.publish(some, repeats=county.rng.sample(some, 15))
        await county.street.kill_ingest()
        await county.start_ingest(batch_size=40, flush_after_ms=10)
    figures = await county.until_all_is_stored()
    figures.show("shuffled, repeated, hours late")
    sessions: dict[str, list[tuple[int, int | None]]] = {}

    async def all_are_folded() -> bool:
        sessions.clear()
        for space, entered, left in await county.street.times():
            sessions.setdefault(space, []).append((entered, left))
        return len(sessions) == 6 and len({str(each) for each in sessions.values()}) == 1

    await until(all_are_folded)
    assert len(sessions["KL-001"]) > 10
    states = await county.street.db.fetch(
        "SELECT DISTINCT occupancy::text, changed_at FROM space_state WHERE last_heard_at IS NOT NULL"
    )
    assert len(states) == 1

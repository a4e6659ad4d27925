"""Traffic recorded and played into an empty installation: the same sessions, the same bills."""

import asyncio
import gzip
import io
import json
import random
import tempfile
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.bills import bill_ended_sessions
from core.clock import RealClock
from core.db import Database
from core.errors import InvalidError
from ingest.database import connect
from ops.recording.file import Recorded, read_recording, write_head, write_messages
from ops.recording.player import NotEmptyError, load_terms, play
from ops.recording.recorder import record
from ops.services import RunningServices
from tests.support.databases import copied_database
from tests.support.street import Street, built_street
from tests.support.waiting import until_still

HOUR_MS = 3_600_000
recorded = st.builds(Recorded, st.integers(0, 2**45), st.text(max_size=20), st.binary(max_size=60))


@given(st.lists(st.lists(recorded, max_size=4), max_size=4), st.data())
def test_a_recording_torn_anywhere_gives_its_whole_members(batches: list[list[Recorded]], data: st.DataObject) -> None:
    file, ends = io.BytesIO(), []
    write_head(file, began_ms=0)
    begin = file.tell()
    for batch in batches:
        write_messages(file, batch)
        ends.append(file.tell())
    cut = data.draw(st.integers(begin, file.tell()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "torn.gz"
        path.write_bytes(file.getvalue()[:cut])
        complete = sum(1 for end in ends if end <= cut)
        assert list(read_recording(path)) == [message for batch in batches[:complete] for message in batch]


@pytest.mark.parametrize("content", [b"hello", b'{"recording": {"format": 99}}\n', b"[1]\n"])
def test_another_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.gz"
    for written in (b"", content, gzip.compress(content)):
        path.write_bytes(written)
        with pytest.raises(InvalidError, match=r"other\.gz"):
            list(read_recording(path))


def traffic(street: Street, seed: int) -> list[tuple[str, bytes]]:
    """Some hours of six spaces: repeated, late, a gateway's backlog, garbage, one dated too far ahead."""
    rng = random.Random(seed)
    until_ms = RealClock().now_ms() - 60_000
    come: list[tuple[float, str, bytes]] = []
    for space in range(1, 7):
        at_ms, occupied, seq = until_ms - 8 * HOUR_MS, False, 0
        while (at_ms := at_ms + rng.randrange(60_000, 50 * 60_000)) < until_ms:
            occupied, seq = not occupied, seq + 1
            said = {"at": at_ms, "seq": seq, "boot": 1, "occupied": occupied, "kind": "change"}
            late = rng.choice([0, 0, 0, rng.randrange(HOUR_MS)])
            topic, payload = f"parking/t/{street.prefix}-{space:03}/up", json.dumps(said).encode()
            come.append((at_ms + late, topic, payload))
            if rng.random() < 0.2:
                come.append((at_ms + late + rng.randrange(HOUR_MS), topic, payload))
    backlog = [
        {
            "sensor": f"{street.prefix}-007",
            "at": until_ms - (9 - n) * 1_000_000,
            "occupied": bool(n % 2),
            "kind": "change",
        }
        for n in range(9)
    ]
    come.append((until_ms, "parking/t/gateways/g1/up", json.dumps(backlog).encode()))
    come.append((until_ms, f"parking/t/{street.prefix}-001/up", b"garbage"))
    ahead = {"at": until_ms + 10 * HOUR_MS, "occupied": True, "kind": "change"}
    come.append((until_ms, f"parking/t/{street.prefix}-008/up", json.dumps(ahead).encode()))
    return [(topic, payload) for _, topic, payload in sorted(come, key=lambda one: one[0])]


async def outcome(street: Street) -> tuple[Sequence[tuple[object, ...]], Sequence[tuple[object, ...]]]:
    """Sessions and current bills, without ids and instants of writing."""
    database = Database(street.database_url)
    async with database.transaction() as db:
        at = RealClock().now() + timedelta(hours=1)
        await bill_ended_sessions(db, at=at, limit=500)
    await database.close()
    sessions = await street.db.fetch(
        """
        SELECT space.code, entered_at, left_at, status, unsure, begin_why, end_why
        FROM parking_session AS session JOIN space ON space.id = session.space_id
        WHERE status <> 'void' ORDER BY space.code, entered_at
        """
    )
    bills = await street.db.fetch(
        """
        SELECT space.code, entered_at, bill.total_fen, bill.fee -> 'lines' FROM current_bill AS bill
        JOIN parking_session AS session ON session.id = bill.session_id JOIN space ON space.id = session.space_id
        WHERE session.status <> 'void' ORDER BY space.code, entered_at
        """
    )
    return [tuple(row) for row in sessions], [tuple(row) for row in bills]


async def quiet(street: Street) -> None:
    """Until nothing more is stored and the refused ones are kept."""

    async def messages() -> int:
        refused: int = await street.db.fetchval("SELECT coalesce(sum(times), 0)::int FROM refusal")
        return await street.readings() + refused

    await until_still(messages)


@pytest.mark.services
async def test_recorded_traffic_played_into_an_empty_installation_ends_in_equal_sessions_and_bills(
    services: RunningServices, template: str, street: Street, tmp_path: Path
) -> None:
    path, stop, begun = tmp_path / "traffic.jsonl.gz", threading.Event(), threading.Event()
    await street.start_ingest()
    recording = asyncio.create_task(
        asyncio.to_thread(
            record,
            street.endpoints.mqtt_ingest_url,
            path,
            RealClock(),
            until=stop.is_set,
            show=lambda *_: begun.set(),
        )
    )
    await asyncio.to_thread(begun.wait, 20)
    sent = traffic(street, seed=4)
    await asyncio.to_thread(street.publish_all, sent)
    await quiet(street)
    stop.set()
    assert await recording == len(sent)
    assert [(one.topic, one.payload) for one in read_recording(path)] == sent
    await street.kill_ingest()
    first = await outcome(street)

    async with (
        copied_database(services.endpoints.database_url, template) as url,
        built_street(street.endpoints, url) as second,
    ):
        await _call_sensors(second.db, second.prefix, street.prefix)
        second.prefix = street.prefix
        await second.start_ingest()
        db = await connect(url)
        registry = await load_terms(db)
        played = await asyncio.to_thread(
            play,
            street.endpoints.mqtt_tester_url,
            read_recording(path),
            registry,
            speed=0,
            tolerance_ms=300_000,
            show=lambda _: None,
        )
        await quiet(second)
        assert (played.published, played.held_back) == (len(sent) - 1, 1), "what was dated too far ahead stays refused"
        assert await outcome(second) == first
        assert len(first[0]) > 30
        with pytest.raises(NotEmptyError, match="readings already"):
            await load_terms(db)
        await second.kill_ingest()
        await db.close()


async def _call_sensors(db: asyncpg.Connection, now: str, then: str) -> None:
    """The same city: its sensors have the names they had."""
    await db.execute("UPDATE sensor SET code = replace(code, $1, $2)", now, then)

"""The statements of the hot path, each one multi-row round trip. Instants are milliseconds (``ingest.database``)."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import asyncpg
import msgspec

from core.ids import SensorId, SpaceId
from core.occupancy import Occupancy, Reading, Refusal
from ingest.sessions import SessionWrite, SpaceFold

PAYLOAD_KEPT_BYTES: Final = 65_536
"""So much of a refused payload is kept; its length is kept too."""

_encode = msgspec.json.Encoder().encode

_READING_COLUMNS: Final = (
    "observed_at",
    "sensor_id",
    "boot",
    "seq",
    "occupancy",
    "kind",
    "space_id",
    "received_at",
    "topic",
    "raw",
    "battery_mv",
    "rssi_dbm",
    "temperature_c",
)


_OCCUPANCY: Final[dict[bool | None, str]] = {
    True: Occupancy.OCCUPIED.value,
    False: Occupancy.FREE.value,
    None: Occupancy.UNKNOWN.value,
}
"""What a message says, as the database's word: looked up for every reading, an enumeration is ten times slower."""

_EVIDENCE_COLUMNS: Final = _READING_COLUMNS.index("raw") + 1
"""Of late evidence all but the telemetry is kept."""


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """An accepted reading and how it came: ``arrived`` makes one."""

    reading: Reading
    sensor_id: SensorId
    space_id: SpaceId
    received_ms: int
    row: tuple[object, ...]
    """As its columns stand in ``reading``, the six of its identity first."""


def arrived(reading: Reading, sensor_id: SensorId, space_id: SpaceId, received_ms: int, topic: str) -> Arrival:
    """A reading as it came. Its row is made at once: while a batch is sorted, the database is busy with another."""
    telemetry = reading.telemetry
    row = (
        reading.at_ms,
        sensor_id,
        reading.boot,
        reading.seq,
        _OCCUPANCY[reading.occupied],
        reading.kind,
        space_id,
        received_ms,
        topic,
        reading.raw,
        telemetry.battery_mv,
        telemetry.rssi_dbm,
        telemetry.temperature_c,
    )
    return Arrival(reading, sensor_id, space_id, received_ms, row)


async def store_readings(db: asyncpg.Connection, arrivals: Sequence[Arrival]) -> None:
    """Store readings known to be new.

    Raises:
        asyncpg.UniqueViolationError: one of them was there already; nothing is stored.
    """
    if arrivals:
        await db.copy_records_to_table(
            "reading", records=[arrival.row for arrival in arrivals], columns=_READING_COLUMNS
        )


async def store_unless_repeated(db: asyncpg.Connection, arrivals: Sequence[Arrival]) -> set[int]:
    """Store those readings that are not there yet; returns the places in ``arrivals`` of those that were new."""
    if not arrivals:
        return set()
    columns = list(zip(*(arrival.row for arrival in arrivals), strict=True))
    rows = await db.fetch(
        """
        INSERT INTO reading (observed_at, sensor_id, boot, seq, occupancy, kind, space_id, received_at, topic, raw,
                             battery_mv, rssi_dbm, temperature_c)
        SELECT * FROM unnest($1::timestamptz[], $2::int[], $3::bigint[], $4::bigint[], $5::occupancy[],
                             $6::reading_kind[], $7::int[], $8::timestamptz[], $9::text[], $10::bytea[], $11::int[],
                             $12::smallint[], $13::float8[])
        ON CONFLICT DO NOTHING
        RETURNING observed_at, sensor_id, boot, seq, occupancy, kind
        """,
        *columns,
    )
    stored = {tuple(row) for row in rows}
    return {place for place, identity in enumerate(zip(*columns[:6], strict=True)) if identity in stored}


async def store_evidence(db: asyncpg.Connection, arrivals: Sequence[Arrival]) -> None:
    """Keep readings from below the refold floor, each once; they change nothing."""
    if not arrivals:
        return
    await db.execute(
        """
        INSERT INTO late_evidence (observed_at, sensor_id, boot, seq, occupancy, kind, space_id, received_at, topic,
                                   raw)
        SELECT * FROM unnest($1::timestamptz[], $2::int[], $3::bigint[], $4::bigint[], $5::occupancy[],
                             $6::reading_kind[], $7::int[], $8::timestamptz[], $9::text[], $10::bytea[])
        ON CONFLICT DO NOTHING
        """,
        *zip(*(arrival.row[:_EVIDENCE_COLUMNS] for arrival in arrivals), strict=True),
    )


async def store_frames(db: asyncpg.Connection, arrivals: Sequence[Arrival]) -> set[tuple[int, str, int]]:
    """Remember LoRaWAN frames; returns those that were new.

    A frame seen before is a repeat, unless its time is another by more than an hour: then the counter has begun again
    under the same address (a rejoin, a 16-bit wrap). Two servers time one frame within seconds of each other.
    """
    frames = {
        (arrival.sensor_id, arrival.reading.frame.session, arrival.reading.frame.f_cnt): arrival.reading.at_ms
        for arrival in arrivals
        if arrival.reading.frame is not None
    }
    if not frames:
        return set()
    sensors, sessions, counters = zip(*frames, strict=True)
    rows = await db.fetch(
        """
        INSERT INTO uplink_frame (sensor_id, frame_session, f_cnt, observed_at)
        SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[], $4::timestamptz[])
        ON CONFLICT (sensor_id, frame_session, f_cnt) DO UPDATE SET observed_at = excluded.observed_at
        WHERE abs(extract(epoch FROM excluded.observed_at - uplink_frame.observed_at)) > 3600
        RETURNING sensor_id, frame_session, f_cnt
        """,
        sensors,
        sessions,
        counters,
        list(frames.values()),
    )
    return {(row[0], row[1], row[2]) for row in rows}


async def store_refusals(db: asyncpg.Connection, refusals: Iterable[tuple[Refusal, str, int]]) -> None:
    """Keep refused messages ``(refusal, topic, received_ms)``, each kind of bytes once with how often it came."""
    by_digest: dict[bytes, list[object]] = {}
    for refusal, topic, received_ms in refusals:
        digest = hashlib.sha256(b"\0".join((topic.encode(), refusal.reason.encode(), refusal.raw))).digest()
        if digest in by_digest:
            row = by_digest[digest]
            row[-2], row[-1] = received_ms, int(str(row[-1])) + 1
            continue
        by_digest[digest] = [
            digest,
            refusal.reason,
            printable(refusal.detail),
            printable(topic),
            None if refusal.sensor is None else printable(refusal.sensor),
            refusal.at_ms,
            refusal.raw[:PAYLOAD_KEPT_BYTES],
            len(refusal.raw),
            received_ms,
            received_ms,
            1,
        ]
    if not by_digest:
        return
    await db.execute(
        """
        INSERT INTO refusal (digest, reason, detail, topic, sensor, observed_at, payload, payload_bytes,
                             first_received_at, last_received_at, times)
        SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
                             $7::bytea[], $8::int[], $9::timestamptz[], $10::timestamptz[], $11::bigint[])
        ON CONFLICT (digest) DO UPDATE
        SET times = refusal.times + excluded.times, resolved_at = NULL,
            last_received_at = greatest(refusal.last_received_at, excluded.last_received_at)
        """,
        *zip(*(by_digest[digest] for digest in sorted(by_digest)), strict=True),
    )


async def write_sessions(
    db: asyncpg.Connection, writes: Sequence[SessionWrite], sensor_ids: dict[str, SensorId], now_ms: int
) -> None:
    """Change and insert session rows; a change raises the row's revision."""
    changed = [write for write in writes if not write.is_new]
    if changed:
        await db.execute(
            """
            UPDATE parking_session AS row
            SET status = new.status, sensor_id = new.sensor_id, entered_at = new.entered_at, left_at = new.left_at,
                begin_why = new.begin_why, end_why = new.end_why, closed_gap_ms = new.closed_gap_ms,
                unsure = new.unsure_why IS NOT NULL, unsure_why = new.unsure_why, revision = row.revision + 1,
                revised_at = $11
            FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                        $7::text[], $8::text[], $9::int[], $10::text[])
                 AS new (id, space_id, sensor_id, status, entered_at, left_at, begin_why, end_why, closed_gap_ms,
                         unsure_why)
            WHERE row.id = new.id
            """,
            *zip(*(_session_row(write, sensor_ids) for write in changed), strict=True),
            now_ms,
        )
    new = [write for write in writes if write.is_new]
    if new:
        await db.execute(
            """
            INSERT INTO parking_session (id, space_id, sensor_id, status, entered_at, left_at, begin_why, end_why,
                                         closed_gap_ms, unsure_why, unsure, recorded_at, revised_at)
            SELECT new.*, new.unsure_why IS NOT NULL, $11, $11
            FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                        $7::text[], $8::text[], $9::int[], $10::text[])
                 AS new (id, space_id, sensor_id, status, entered_at, left_at, begin_why, end_why, closed_gap_ms,
                         unsure_why)
            """,
            *zip(*(_session_row(write, sensor_ids) for write in new), strict=True),
            now_ms,
        )


async def prepare(db: asyncpg.Connection) -> None:
    """Make the connection's own table that state rows are copied into: cheaper than arrays, row by row."""
    await db.execute(
        """
        CREATE TEMP TABLE IF NOT EXISTS new_state (
            space_id int, occupancy occupancy, changed_at timestamptz, last_occupied_at timestamptz,
            heard_at timestamptz, fold json, version bigint, changed_from timestamptz
        ) ON COMMIT DELETE ROWS
        """
    )


StateRow = tuple[SpaceId, str, int | None, int | None, int | None, str, int, int | None]


def state_row(
    space_id: SpaceId, fold: SpaceFold, *, version: int, heard_ms: int | None, changed_ms: int | None
) -> StateRow:
    """Where a space stands now, as a row of ``new_state``.

    Args:
        space_id: the space.
        fold: where it stands.
        version: the version its row is expected to have.
        heard_ms: when the newest message was received; None: none was.
        changed_ms: from when on its use is another than was stored; None: it is not.
    """
    state = fold.state
    return (
        space_id,
        _OCCUPANCY[None if state.changed_ms is None else state.occupied],
        state.changed_ms,
        state.last_occupied_ms,
        heard_ms,
        _encode(fold).decode(),
        version,
        changed_ms,
    )


async def write_states(db: asyncpg.Connection, states: Sequence[StateRow]) -> int:
    """Write where spaces stand; returns how many rows were of the version expected.

    Whoever shows the live state is told that there is something new, once this transaction is committed.

    The guard is in the statement: a row that has moved on is not touched, so no late writer moves the live state.
    """
    if not states:
        return 0
    await db.copy_records_to_table("new_state", records=states, schema_name="pg_temp")
    written: int = await db.fetchval(
        """
        WITH written AS (
            UPDATE space_state AS row
            SET occupancy = new.occupancy, changed_at = new.changed_at,
                last_heard_at = greatest(row.last_heard_at, new.heard_at), last_occupied_at = new.last_occupied_at,
                roll_up_from = least(row.roll_up_from, new.changed_from),
                fold = new.fold, version = row.version + 1, written_xid = (SELECT pg_current_xact_id()::text::bigint)
            FROM new_state AS new
            WHERE row.space_id = new.space_id AND row.version = new.version
            RETURNING row.space_id
        )
        SELECT count(*), pg_notify('parking_state', '') FROM written
        """
    )
    return written


def printable(text: str) -> str:
    """The text as PostgreSQL can keep it: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()


def _session_row(write: SessionWrite, sensor_ids: dict[str, SensorId]) -> tuple[object, ...]:
    span = write.span
    return (
        write.session_id,
        write.space_id,
        sensor_ids[span.sensor],
        write.status,
        span.begin_ms,
        span.end_ms,
        span.begin_why,
        span.end_why,
        span.closed_gap_ms,
        write.unsure_why,
    )

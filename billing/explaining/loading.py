"""Reading what is stored about a session."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.explaining.facts import (
    Facts,
    StoredBill,
    StoredEntryLine,
    StoredEvidence,
    StoredPayment,
    StoredReading,
)
from billing.plates import PlateVault, masked
from core.clock import milliseconds
from core.errors import NotFoundError
from core.occupancy import OrderKey, order_key
from core.sensor import silent_after_ms
from core.session import FoldRules, restart_at

LOOK_BACK: Final = (timedelta(days=1), timedelta(days=7), timedelta(days=60), None)
"""How far before its begin to look for a point that nothing earlier can influence; none: from the first reading."""
LOOK_AHEAD: Final = timedelta(days=1)
"""How far beyond the instant that decides: enough to see what had been received before a reading that came late."""


class SessionNotFoundError(NotFoundError):
    """No session has this id, and no space with this code ever had one. Carries ``session``."""

    slug = "session-not-found"


async def find_session(db: AsyncConnection, words: str) -> UUID:
    """The session that an id names, or the newest one of the space with that code.

    Raises:
        SessionNotFoundError: neither.
    """
    try:
        return UUID(words)
    except ValueError:
        newest = text(
            """
            SELECT session.id FROM parking_session AS session JOIN space ON space.id = session.space_id
            WHERE space.code = :code ORDER BY session.status = 'void', session.entered_at DESC LIMIT 1
            """
        )
    session_id: UUID | None = (await db.execute(newest, {"code": words})).scalar_one_or_none()
    if session_id is None:
        raise SessionNotFoundError(f"{words!r} is no session's id, and no space of that code had one", session=words)
    return session_id


async def load_facts(db: AsyncConnection, session_id: UUID, vault: PlateVault | None = None) -> Facts:
    """Everything about a session; plates are masked, and need the vault for what is shown of them.

    Raises:
        SessionNotFoundError: there is none of that id.
    """
    row = (await db.execute(_SESSION, {"id": session_id})).mappings().one_or_none()
    if row is None:
        raise SessionNotFoundError(f"no session has the id {session_id}", session=str(session_id))
    rules = FoldRules(
        min_stay_ms=1_000 * row["min_stay_seconds"],
        min_gap_ms=1_000 * row["min_gap_seconds"],
        silence_ms=silent_after_ms(row["heartbeat_seconds"]),
    )
    readings, is_whole = await _readings(db, row, rules)
    bills = (await db.execute(_BILLS, {"id": session_id})).mappings()
    evidence = (await db.execute(_EVIDENCE, {"id": session_id})).mappings()
    payments = (await db.execute(_PAYMENTS, {"id": session_id})).mappings()
    entries = (await db.execute(_ENTRIES, {"id": session_id})).mappings()
    own = ("min_stay_seconds", "min_gap_seconds", "heartbeat_seconds", "space_id")
    return Facts(
        **{name: value for name, value in row.items() if name not in own},
        rules=rules,
        readings=tuple(readings),
        is_whole=is_whole,
        bills=tuple(StoredBill(**{**bill, "held_for": tuple(bill["held_for"])}) for bill in bills),
        evidence=tuple(_evidence(one, vault) for one in evidence),
        payments=tuple(StoredPayment(**one) for one in payments),
        entries=tuple(StoredEntryLine(**one) for one in entries),
    )


def _evidence(row: RowMapping, vault: PlateVault | None) -> StoredEvidence:
    values = dict(row)
    plate = masked(vault, values.pop("ciphertext"), values.pop("key_number"))
    return StoredEvidence(**values, plate=plate)


async def _readings(db: AsyncConnection, session: RowMapping, rules: FoldRules) -> tuple[list[StoredReading], bool]:
    """The readings that decide about the session, in their order, and whether they reach back far enough."""
    begins: datetime = session["entered_at"]
    until = await _decided_at(db, session, rules)
    last: OrderKey = (milliseconds(begins), 1 << 62, 1 << 62, "", 0, "")
    for look_back in LOOK_BACK:
        since = begins - look_back if look_back else None
        found = await _between(db, session["space_id"], since, until)
        index = restart_at([one.as_reading() for one in found], last, rules)
        if index is not None:
            shown_from = max(index - 2, 0)
            return found[shown_from:], True
    return found, bool(found) and found[0].at <= begins


async def _decided_at(db: AsyncConnection, session: RowMapping, rules: FoldRules) -> datetime | None:
    """After this nothing can change the session; none: nothing has been decided yet."""
    if session["left_at"] is None:
        return None
    after = {"space_id": session["space_id"], "at": session["left_at"]}
    first: datetime | None = (await db.execute(_NEXT, after)).scalar_one_or_none()
    return None if first is None else first + timedelta(milliseconds=rules.min_gap_ms) + LOOK_AHEAD


async def _between(
    db: AsyncConnection, space_id: int, since: datetime | None, until: datetime | None
) -> list[StoredReading]:
    rows = await db.execute(_READINGS, {"space_id": space_id, "since": since, "until": until})
    found = [StoredReading(**_with_plain_numbers(row)) for row in rows.mappings()]
    return sorted(found, key=lambda one: order_key(one.as_reading()))


def _with_plain_numbers(row: RowMapping) -> dict[str, Any]:
    return {**row, "raw": bytes(row["raw"])}


_SESSION = text(
    """
    SELECT session.id, session.space_id, space.code AS space_code, lot.code AS lot_code, lot.name AS lot_name, lot.zone,
           sensor.code AS sensor, session.status, session.entered_at, session.left_at, session.begin_why,
           session.end_why, session.closed_gap_ms, session.unsure_why, session.revision, session.billed_revision,
           session.recorded_at, session.revised_at,
           coalesce(past_lot.min_stay_seconds, lot.min_stay_seconds) AS min_stay_seconds,
           coalesce(past_lot.min_gap_seconds, lot.min_gap_seconds) AS min_gap_seconds,
           coalesce(past_rhythm.heartbeat_seconds, watching.heartbeat_seconds, 3600) AS heartbeat_seconds
    FROM parking_session AS session
    JOIN space ON space.id = session.space_id
    JOIN lot ON lot.id = space.lot_id
    JOIN sensor ON sensor.id = session.sensor_id
    LEFT JOIN LATERAL (SELECT newest.id, newest.heartbeat_seconds
                       FROM sensor_assignment AS watch JOIN sensor AS newest ON newest.id = watch.sensor_id
                       WHERE watch.space_id = space.id ORDER BY lower(watch.during) DESC NULLS LAST LIMIT 1)
              AS watching ON true
    LEFT JOIN LATERAL (SELECT * FROM past_lot_rules WHERE lot_id = lot.id AND until > session.revised_at
                       ORDER BY until LIMIT 1) AS past_lot ON true
    LEFT JOIN LATERAL (SELECT * FROM past_sensor_rhythm WHERE sensor_id = watching.id AND until > session.revised_at
                       ORDER BY until LIMIT 1) AS past_rhythm ON true
    WHERE session.id = :id
    """
)
_OF_SPACE = """
    FROM reading JOIN sensor ON sensor.id = reading.sensor_id
    WHERE reading.sensor_id = ANY (SELECT sensor_id FROM sensor_assignment WHERE space_id = :space_id)
      AND reading.space_id = :space_id
"""
_READINGS = text(
    f"""
    SELECT sensor.code AS sensor, sensor.codec, observed_at AS at, received_at, occupancy::text AS occupancy,
           kind::text AS kind, boot, seq, topic, raw, battery_mv, rssi_dbm, temperature_c
    {_OF_SPACE}
      AND observed_at >= coalesce(CAST(:since AS timestamptz), '-infinity')
      AND observed_at <= coalesce(CAST(:until AS timestamptz), 'infinity')
    """
)
_NEXT = text(
    f"SELECT observed_at {_OF_SPACE} AND observed_at > :at AND occupancy <> 'unknown' ORDER BY observed_at LIMIT 1"
)
_BILLS = text(
    """
    SELECT bill.id, bill.session_revision, bill.replaces_id, bill.total_fen, bill.fee, bill.issued_at,
           version.document, version.published_at, coalesce(hold.reasons, '[]') AS held_for, hold.released_by,
           hold.release_reason
    FROM bill LEFT JOIN tariff_version AS version ON version.id = bill.tariff_version_id
    LEFT JOIN bill_hold AS hold ON hold.bill_id = bill.id
    WHERE bill.session_id = :id ORDER BY bill.session_revision
    """
)
_EVIDENCE = text(
    """
    SELECT plate_id, plate.ciphertext, plate.key_number, source, colour, confidence_percent, is_sure, observed_at,
           recorded_at, recorded_by
    FROM plate_evidence JOIN plate ON plate.id = plate_id WHERE session_id = :id ORDER BY recorded_at
    """
)
_PAYMENTS = text(
    """
    SELECT id, provider, channel, amount_fen, status, late AS is_late, why, order_no, transaction_id, received_fen,
           created_at, paid_at, covers_to
    FROM payment WHERE session_id = :id ORDER BY created_at, id
    """
)
_ENTRIES = text(
    """
    SELECT entry.id AS entry_id, entry.posted_at, entry.kind, entry.source, entry.business_key, line.account,
           line.debit_fen, line.credit_fen, line.currency
    FROM journal_line AS line JOIN journal_entry AS entry ON entry.id = line.entry_id
    WHERE line.session_id = :id ORDER BY entry.id, line.id
    """
)

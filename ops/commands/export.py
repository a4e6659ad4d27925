"""``parking export``: sessions, bills, readings and the journal to stdout, as CSV or as one JSON array."""

import asyncio
import csv
import json
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from sqlalchemy import text

from core.clock import rfc3339
from core.db import Database
from core.errors import InvalidError
from core.sensor import SILENT_AFTER_HEARTBEATS
from core.wire import parse_instant
from ops.installation import database_url, installation_clock

app = typer.Typer()

ROWS_A_FETCH: Final = 5_000


class What(StrEnum):
    """What can be exported."""

    SESSIONS = "sessions"
    BILLS = "bills"
    READINGS = "readings"
    JOURNAL = "journal"


class Format(StrEnum):
    """How it is written."""

    CSV = "csv"
    JSON = "json"


QUERIES: Final[Mapping[What, str]] = {
    What.SESSIONS: """
        SELECT session.id::text AS session_id, space.code AS space_code, sensor.code AS sensor_id,
               session.entered_at, session.left_at,
               CASE WHEN session.status = 'open'
                    THEN coalesce(state.last_heard_at < CAST(:now AS timestamptz)
                                  - :silent_after * sensor.heartbeat_seconds * interval '1 second', true)
                    ELSE session.unsure END AS unsure,
               bill.total_fen AS fee_fen, coalesce(money.paid_fen, 0)::bigint AS paid_fen, session.status,
               bill.fee->'bill'->'tariff'->>'code' AS tariff_code,
               (bill.fee->'bill'->'tariff'->>'version')::int AS tariff_version
        FROM parking_session AS session
        JOIN space ON space.id = session.space_id
        JOIN sensor ON sensor.id = session.sensor_id
        LEFT JOIN space_state AS state ON state.space_id = session.space_id
        LEFT JOIN current_bill AS bill ON bill.session_id = session.id AND session.status <> 'open'
        LEFT JOIN (
            SELECT session_id, sum(credit_fen - debit_fen) AS paid_fen FROM journal_line
            WHERE account IN ('receivable:stay', 'receivable:arrears', 'receivable:unidentified')
                OR account LIKE 'revenue:%' OR account LIKE 'discount:%'
                OR account = 'writeoff'
            GROUP BY session_id
        ) AS money ON money.session_id = session.id
        WHERE session.entered_at >= :since AND session.entered_at < :until
        ORDER BY session.entered_at, space.code
    """,
    What.BILLS: """
        SELECT bill.id::text AS bill_id, bill.session_id::text AS session_id, bill.session_revision,
               bill.replaces_id::text AS replaces_id, later.id IS NULL AS is_current, space.code AS space_code,
               session.entered_at, session.left_at, bill.total_fen, bill.issued_at,
               bill.fee->'bill'->'tariff'->>'code' AS tariff_code,
               (bill.fee->'bill'->'tariff'->>'version')::int AS tariff_version,
               CASE WHEN hold.bill_id IS NULL THEN 'no' WHEN hold.released_at IS NULL THEN 'held' ELSE 'released' END
                   AS held
        FROM bill JOIN parking_session AS session ON session.id = bill.session_id
        JOIN space ON space.id = session.space_id
        LEFT JOIN bill AS later ON later.replaces_id = bill.id
        LEFT JOIN bill_hold AS hold ON hold.bill_id = bill.id
        WHERE session.entered_at >= :since AND session.entered_at < :until
        ORDER BY session.entered_at, space.code, bill.issued_at
    """,
    What.READINGS: """
        SELECT sensor.code AS sensor_id, space.code AS space_code, reading.observed_at AS at, reading.received_at,
               reading.occupancy::text AS occupancy, reading.kind::text AS kind, nullif(reading.boot, -1) AS boot,
               nullif(reading.seq, -1) AS seq, reading.battery_mv, reading.rssi_dbm, reading.temperature_c
        FROM reading JOIN sensor ON sensor.id = reading.sensor_id JOIN space ON space.id = reading.space_id
        WHERE reading.observed_at >= :since AND reading.observed_at < :until
        ORDER BY reading.observed_at, sensor.code
    """,
    What.JOURNAL: """
        SELECT entry.id AS entry_id, entry.posted_at, entry.kind, entry.business_key, entry.source, line.account,
               line.debit_fen, line.credit_fen, line.currency, line.session_id::text AS session_id,
               line.payment_id::text AS payment_id, payment.provider, payment.transaction_id
        FROM journal_entry AS entry JOIN journal_line AS line ON line.entry_id = entry.id
        LEFT JOIN payment ON payment.id = line.payment_id
        WHERE entry.posted_at >= :since AND entry.posted_at < :until
        ORDER BY entry.id, line.id
    """,
}
"""Sessions and bills by the session's begin, readings by their own instant, the journal by its posting."""


@app.command()
def export(
    what: What,
    *,
    since: Annotated[str | None, typer.Option("--from", help="RFC 3339; from then on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="RFC 3339; before then.")] = None,
    as_format: Annotated[Format, typer.Option("--format", help="json is one array.")] = Format.CSV,
) -> None:
    """Sessions, bills, readings or the journal to stdout: instants RFC 3339 UTC, an empty cell is null."""
    url = database_url()
    clock = installation_clock()
    bounds = {
        "since": _instant(since, "--from") or datetime.fromisoformat("0001-01-02T00:00:00+00:00"),
        "until": _instant(until, "--to") or datetime.fromisoformat("9999-12-30T00:00:00+00:00"),
    }
    parameters = (
        {**bounds, "now": clock.now(), "silent_after": SILENT_AFTER_HEARTBEATS} if what is What.SESSIONS else bounds
    )
    asyncio.run(_write(url, what, as_format, parameters))


async def _write(url: str, what: What, as_format: Format, parameters: Mapping[str, object]) -> None:
    database = Database(url, pool_size=1, application="parking-export")
    rows = _rows(database, QUERIES[what], parameters)
    try:
        if as_format is Format.CSV:
            await _write_csv(rows)
        else:
            await _write_json(rows)
    finally:
        await database.close()


async def _rows(
    database: Database, query: str, parameters: Mapping[str, object]
) -> AsyncIterator[tuple[list[str], tuple[Any, ...]]]:
    async with database.engine.connect() as db:
        result = await db.stream(text(query), parameters, execution_options={"yield_per": ROWS_A_FETCH})
        names = list(result.keys())
        yield names, ()
        async for row in result:
            yield names, tuple(row)


async def _write_csv(rows: AsyncIterator[tuple[list[str], tuple[Any, ...]]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    async for names, row in rows:
        writer.writerow([_cell(value) for value in row] if row else names)


async def _write_json(rows: AsyncIterator[tuple[list[str], tuple[Any, ...]]]) -> None:
    between = "["
    async for names, row in rows:
        if row:
            values = (rfc3339(value) if isinstance(value, datetime) else value for value in row)
            sys.stdout.write(between + json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False))
            between = ",\n"
    sys.stdout.write("[]\n" if between == "[" else "]\n")


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


def _instant(words: str | None, option: str) -> datetime | None:
    if words is None:
        return None
    try:
        parse_instant(words.replace(" ", "+"))
        return datetime.fromisoformat(words.replace(" ", "+"))
    except ValueError as error:
        raise InvalidError(
            f"{option} is an RFC 3339 instant such as 2026-11-22T08:00:00+08:00, not {words!r}"
        ) from error

"""The preview of a draft: billed stays are streamed from the database and priced by as many processes as pay."""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from typing import Final

import asyncpg
from sqlalchemy import select

from billing.calendar import Calendar
from billing.calendar_table import fetch_calendar
from billing.preview import Preview, Recorded, Tally, tally
from billing.tariff import Tariff, load_tariff
from core.db import Database, plain_url
from core.tables import Lot

Progress = Callable[[int, int], None]
"""Told how many stays are priced, of how many."""

Calendars = dict[str, Calendar]
"""By the lot's code."""
STAYS_A_PART: Final = 10_000
"""Also the number up to which starting another process does not pay: the engine needs a third of a second for them."""

_FROM = """
    FROM parking_session AS session
    JOIN space ON space.id = session.space_id
    JOIN lot ON lot.id = space.lot_id
    LEFT JOIN current_bill AS bill ON bill.session_id = session.id AND bill.session_revision = session.revision
    WHERE session.status = 'ended' AND session.entered_at >= $1 AND session.entered_at < $2
      AND ($3::text[] IS NULL OR lot.code = ANY ($3))
"""


async def preview(
    url: str, draft: bytes, *, since: datetime, until: datetime, lots: Sequence[str] | None, progress: Progress
) -> Preview:
    """Lay a draft over the stays that began in ``[since, until)``, in some lots or (none named) all.

    Raises:
        InvalidError: the draft is no tariff.
    """
    tariff = load_tariff(draft)
    counted = Tally()
    calendars = await _calendars(url, tariff.code)
    db = await asyncpg.connect(plain_url(url), server_settings={"application_name": "parking-preview"})
    try:
        async with db.transaction(isolation="repeatable_read", readonly=True):
            wanted = (since, until, lots)
            billed, unbilled = await db.fetchrow(f"SELECT count(bill.id), count(*) - count(bill.id) {_FROM}", *wanted)
            progress(0, billed)
            parts = _parts(db, wanted)
            found = in_processes(parts, draft, calendars) if billed > STAYS_A_PART else _here(parts, tariff, calendars)
            async for one in found:
                counted.add(one)
                progress(counted.total.stays, billed)
    finally:
        await db.close()
    return Preview(draft=tariff, since=since, until=until, tally=counted, unbilled=unbilled)


async def lots_of(url: str, code: str) -> tuple[list[str], list[str]]:
    """Codes of the lots that go by a notice, and of all lots."""
    db = await asyncpg.connect(plain_url(url))
    try:
        rows = await db.fetch("SELECT code, tariff FROM lot WHERE retired_at IS NULL ORDER BY code")
    finally:
        await db.close()
    return [row["code"] for row in rows if row["tariff"] == code], [row["code"] for row in rows]


async def _parts(
    db: asyncpg.Connection, wanted: tuple[datetime, datetime, Sequence[str] | None]
) -> AsyncIterator[list[Recorded]]:
    cursor = await db.cursor(
        f"""
        SELECT session.id::text, lot.code, lot.zone, session.entered_at, session.left_at, bill.total_fen,
               CASE WHEN NOT (bill.fee->'bill'->'class_assumed')::bool THEN bill.fee->'bill'->>'vehicle' END
        {_FROM} AND bill.id IS NOT NULL
        """,
        *wanted,
    )
    while rows := await cursor.fetch(STAYS_A_PART):
        yield [Recorded._make(row) for row in rows]


async def _calendars(url: str, tariff: str) -> Calendars:
    """The working days, holidays and free days of each lot, as they hold for the draft's notice now."""
    database = Database(url, pool_size=1)
    try:
        async with database.transaction() as db:
            codes = (await db.execute(select(Lot.code))).scalars().all()
            return {code: await fetch_calendar(db, lot=code, tariff=tariff) for code in codes}
    finally:
        await database.close()


async def _here(parts: AsyncIterator[list[Recorded]], draft: Tariff, calendars: Calendars) -> AsyncIterator[Tally]:
    async for part in parts:
        yield tally(part, draft, calendars)


async def in_processes(
    parts: AsyncIterator[list[Recorded]], draft: bytes, calendars: Calendars | None = None
) -> AsyncIterator[Tally]:
    """As ``_here``, by a process for each processor; no more parts are read than they have work for."""
    loop = asyncio.get_running_loop()
    processes = len(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")  # a fork would copy this loop's connections
    with ProcessPoolExecutor(processes, context, initializer=_load, initargs=(draft, calendars or {})) as pool:
        pending: set[asyncio.Future[Tally]] = set()
        async for part in parts:
            pending.add(loop.run_in_executor(pool, _tally_in_process, part))
            if len(pending) > processes:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    yield one.result()
        for rest in asyncio.as_completed(pending):
            yield await rest


_draft: list[tuple[Tariff, Calendars]] = []
"""In a pricing process: the draft and the lots' calendars, read once."""


def _load(draft: bytes, calendars: Calendars) -> None:
    _draft.append((load_tariff(draft), calendars))


def _tally_in_process(part: list[Recorded]) -> Tally:
    return tally(part, *_draft[0])

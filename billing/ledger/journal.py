"""Posting: an entry goes in whole, once, and stays as it is."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as insert_new
from sqlalchemy.ext.asyncio import AsyncConnection

from billing.ledger.entries import Entry
from core.tables import JournalEntry, JournalLine


async def post(db: AsyncConnection, entry: Entry | None, *, source: str, at: datetime) -> bool:
    """Post one entry; False where its event was posted before, or where nothing moves."""
    return bool(await post_all(db, [entry], source=source, at=at))


async def post_all(db: AsyncConnection, entries: Iterable[Entry | None], *, source: str, at: datetime) -> set[str]:
    """Post the entries whose events are new; their business keys.

    ``source`` says which path the news came by, ``at`` is on the installation's clock.
    """
    by_key = {entry.business_key: entry for entry in entries if entry is not None}
    if not by_key:
        return set()
    rows = [
        {"posted_at": at, "business_key": key, "kind": entry.kind, "source": source} for key, entry in by_key.items()
    ]
    statement = insert_new(JournalEntry).values(rows).on_conflict_do_nothing(index_elements=["business_key"])
    new = (await db.execute(statement.returning(JournalEntry.id, JournalEntry.business_key))).all()
    lines = [
        {
            "entry_id": row.id,
            "account": line.account,
            "debit_fen": line.debit_fen,
            "credit_fen": line.credit_fen,
            "currency": by_key[row.business_key].currency,
            "session_id": line.session_id,
            "payment_id": line.payment_id,
        }
        for row in new
        for line in by_key[row.business_key].lines
    ]
    if lines:
        await db.execute(insert(JournalLine), lines)
    return {row.business_key for row in new}

"""A daily fingerprint of the journal: whoever kept an old one proves that nothing before it was touched (I8)."""

import hashlib
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.tables import JournalDigest

_ENTRIES: Final = text(
    """
    SELECT entry.id, entry.posted_at, entry.business_key, entry.kind, entry.source, entry.reverses_id, line.account,
           line.debit_fen, line.credit_fen, line.currency, line.session_id, line.payment_id
    FROM journal_entry AS entry JOIN journal_line AS line ON line.entry_id = entry.id
    WHERE entry.id > :after AND entry.id <= :last
    ORDER BY entry.id, line.id
    """
)
_LAST_BEFORE: Final = text("SELECT coalesce(max(id), 0) FROM journal_entry WHERE posted_at < :until")
_IN_FLIGHT: Final = timedelta(minutes=15)
"""A day is closed only so long after its end: an entry that was being posted at midnight is in it."""


async def digest_days(db: AsyncConnection, *, now: datetime, zone: ZoneInfo) -> list[JournalDigest]:
    """Seal yesterday, if that is due and not done; what was made."""
    yesterday = (now - _IN_FLIGHT).astimezone(zone).date() - timedelta(days=1)
    newest = (await db.execute(select(JournalDigest.__table__).order_by(JournalDigest.day.desc()).limit(1))).first()
    if newest is not None and newest.day >= yesterday:
        return []
    last = (await db.execute(_LAST_BEFORE, {"until": _end_of(yesterday, zone)})).scalar_one()
    after, before = (newest.last_entry_id, newest.digest) if newest else (0, b"")
    last = max(last, after)
    digest = await _digest(db, before, after=after, last=last)
    row = {"day": yesterday, "last_entry_id": last, "digest": digest, "made_at": now}
    await db.execute(insert(JournalDigest).values(row))
    return [JournalDigest(**row)]


async def list_seals(db: AsyncConnection) -> list[JournalDigest]:
    """All of them, oldest first."""
    rows = await db.execute(select(JournalDigest.__table__).order_by(JournalDigest.day))
    return [JournalDigest(**row) for row in rows.mappings()]


def seal_line(seal: JournalDigest) -> str:
    """A seal as it is kept on paper: the day, the last entry in it, the fingerprint."""
    return f"{seal.day} {seal.last_entry_id} {seal.digest.hex()}"


async def find_broken_seals(db: AsyncConnection) -> list[date]:
    """The days whose fingerprint is no longer that of the entries; the first of them is where to look."""
    broken, before, after = [], b"", 0
    for seal in (await db.execute(select(JournalDigest.__table__).order_by(JournalDigest.day))).all():
        if await _digest(db, before, after=after, last=seal.last_entry_id) != seal.digest:
            broken.append(seal.day)
        before, after = seal.digest, seal.last_entry_id
    return broken


async def _digest(db: AsyncConnection, before: bytes, *, after: int, last: int) -> bytes:
    digest = hashlib.sha256(before)
    for row in (await db.execute(_ENTRIES, {"after": after, "last": last})).all():
        digest.update(repr(tuple(str(value) for value in row)).encode())
    return digest.digest()


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)

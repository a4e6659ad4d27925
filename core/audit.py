"""The trace of every change of money or rights: who, when, what, before and after. Rows are only ever added."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, null
from sqlalchemy.ext.asyncio import AsyncConnection

from core.tables import Audit


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change; write it in the transaction that makes the change."""

    at: datetime
    actor: str
    """``operator:<login>``, ``device:<id>``, ``command`` or a process's name."""
    action: str
    """``noun.past_verb``, such as ``space.closed``."""
    subject: str
    """``kind:id`` of what was changed."""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    request_id: str | None = None


async def write_audit(db: AsyncConnection, entry: AuditEntry) -> None:
    """Add the entry."""
    await db.execute(
        insert(Audit).values(
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            before=null() if entry.before is None else entry.before,
            after=null() if entry.after is None else entry.after,
            request_id=entry.request_id,
        )
    )
